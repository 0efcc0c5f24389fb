/* SPDX-License-Identifier: Apache-2.0 */
/* What the socket calls say of a connection, each after the others: how it ended, and what may follow. */
#include "peer.h"

#include <errno.h>

static int connect_again(struct peer *p)
{
    struct lan_sockaddr_in name = {.sin_family = LAN_AF_INET, .sin_addr = PEER, .sin_port = 1};
    return lan_connect(p->f->stack, p->fd, &name);
}

static void block_calls(struct peer *p)
{
    lan_fcntl(p->f->stack, p->fd, LAN_F_SETFL, 0);
}

static void the_next_connect_tells_how_the_last_one_ended(void **state)
{
    struct peer p = peer_of(*state);
    start_connect(&p);
    from_peer(&p, RST | ACK, 0, 1, 0);
    assert_int_equal(connect_again(&p), -ECONNREFUSED);
    assert_int_equal(socket_error(&p), 0);
    assert_int_equal(connect_again(&p), -EINPROGRESS);
    assert_int_equal(lan_ready(p.f->stack, p.fd, LAN_POLLOUT), 0); /* nothing of the first is left */
    assert_int_equal(lan_close(p.f->stack, p.fd), 0);
}

static void a_connect_that_waits_no_longer_says_which_one_it_was(void **state)
{
    struct peer p = peer_of(*state);
    struct lan_timeval timeout = {.tv_usec = 1000};
    p.fd = open_socket(p.f);
    block_calls(&p);
    lan_setsockopt(p.f->stack, p.fd, LAN_SOL_SOCKET, LAN_SO_SNDTIMEO, &timeout, sizeof timeout);
    assert_int_equal(connect_again(&p), -EINPROGRESS);
    assert_int_equal(connect_again(&p), -EALREADY);
    assert_int_equal(lan_close(p.f->stack, p.fd), 0);
}

/* The peer of a test that blocks. */
static struct peer *blocked;

static void reset(struct fixture *f)
{
    (void)f;
    from_peer(blocked, RST, 1, 0, 0);
}

static void what_ends_a_send_after_some_bytes_is_told_by_the_next_call(void **state)
{
    struct peer *p = *state;
    static const uint8_t data[1 << 20];
    block_calls(p);
    blocked = p;
    p->f->on_block = reset;
    long sent = lan_send(p->f->stack, p->fd, data, sizeof data, 0);
    assert_in_range(sent, 1, sizeof data - 1);
    assert_int_equal(lan_send(p->f->stack, p->fd, data, 1, 0), -ECONNRESET);
    assert_int_equal(lan_send(p->f->stack, p->fd, data, 1, 0), -EPIPE);
    skip_sent(p);
}

static void reset_after_data(struct fixture *f)
{
    (void)f;
    from_peer(blocked, ACK, 1, 1, 10);
    from_peer(blocked, RST, 11, 0, 0);
}

static void what_ends_a_wait_for_all_is_told_by_the_next_call(void **state)
{
    struct peer *p = *state;
    uint8_t data[100];
    block_calls(p);
    from_peer(p, ACK, 1, 1, 0);
    blocked = p;
    p->f->on_block = reset_after_data;
    assert_int_equal(lan_recv(p->f->stack, p->fd, data, sizeof data, LAN_MSG_WAITALL), 10);
    assert_int_equal(socket_error(p), ECONNRESET);
    assert_int_equal(lan_recv(p->f->stack, p->fd, data, sizeof data, 0), -ECONNRESET);
}

/* A stream that was cut off must never look as if it had come to its end. */
static void after_a_reset_there_is_no_end_of_stream(void **state)
{
    struct peer *p = *state;
    uint8_t data[1];
    from_peer(p, RST, 1, 0, 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(lan_recv(p->f->stack, p->fd, data, 1, 0), -ECONNRESET);
}

static void a_socket_that_has_had_a_connection_does_not_listen(void **state)
{
    struct peer *p = *state;
    from_peer(p, ACK, 1, 1, 10);
    from_peer(p, RST, 11, 0, 0);
    assert_int_equal(lan_listen(p->f->stack, p->fd, 1), -EINVAL);
    host_reads(p, 1, 10);
    assert_int_equal(lan_listen(p->f->stack, p->fd, 1), -EINVAL);
}

static uint32_t turns;

static void acknowledge_all(struct fixture *f)
{
    uint32_t end = 0;
    assert_int_not_equal(turns--, 0);
    while (frames_waiting(f)) {
        struct sent sent = next_sent(blocked);
        end = sent.seq + sent.bytes;
    }
    f->on_block = acknowledge_all; /* each time it blocks */
    from_peer(blocked, ACK, 1, end, 0);
}

/* One blocking send of `bytes` through a send buffer that has room for `room`, and `most` by tuning. */
static void send_through(uint32_t room, uint32_t most, uint32_t bytes)
{
    static uint8_t data[20000];
    struct lan_config config = LAN_CONFIG_DEFAULT;
    for (uint32_t i = 0; i < bytes; i++)
        data[i] = stream_byte(1 + i);
    config.send_buffer_bytes = room;
    config.send_buffer_max_bytes = most;
    struct fixture *f = fixture_create(&config, 0);
    meet_peer(f);
    struct peer p = peer_of(f);
    passive_open(&p);
    block_calls(&p);
    blocked = &p;
    turns = 20;
    f->on_block = acknowledge_all;
    assert_int_equal(lan_send(f->stack, p.fd, data, bytes, 0), bytes);
    fixture_destroy(f);
}

static void a_send_buffer_of_a_byte_or_two_lets_bytes_through(void **state)
{
    (void)state;
    for (uint32_t room = 1; room <= 3; room++)
        send_through(room, 0, 8);
}

/* The buffer follows the window only once something has been sent, which is when the rest finds it full. */
static void a_send_that_finds_room_made_by_tuning_goes_on(void **state)
{
    (void)state;
    send_through(4000, LAN_CONFIG_DEFAULT.send_buffer_max_bytes, 20000);
}

static void set_send_buffer(struct peer *p, int bytes)
{
    lan_setsockopt(p->f->stack, p->fd, LAN_SOL_SOCKET, LAN_SO_SNDBUF, &bytes, sizeof bytes);
}

static void a_larger_send_buffer_is_room_at_once(void **state)
{
    struct peer *p = *state;
    static const uint8_t data[2000];
    set_send_buffer(p, 1000);
    assert_int_equal(lan_send(p->f->stack, p->fd, data, sizeof data, 0), 1000);
    assert_int_equal(lan_ready(p->f->stack, p->fd, LAN_POLLOUT), 0);
    set_send_buffer(p, 1100); /* of which too much is still taken */
    assert_int_equal(lan_ready(p->f->stack, p->fd, LAN_POLLOUT), 0);
    set_send_buffer(p, 10000);
    assert_int_equal(lan_ready(p->f->stack, p->fd, LAN_POLLOUT), LAN_POLLOUT);
    skip_sent(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_next_connect_tells_how_the_last_one_ended),
        TEST(a_connect_that_waits_no_longer_says_which_one_it_was),
        TEST_CONNECTED(what_ends_a_send_after_some_bytes_is_told_by_the_next_call),
        TEST_CONNECTED(what_ends_a_wait_for_all_is_told_by_the_next_call),
        TEST_CONNECTED(after_a_reset_there_is_no_end_of_stream),
        TEST_CONNECTED(a_socket_that_has_had_a_connection_does_not_listen),
        cmocka_unit_test(a_send_that_finds_room_made_by_tuning_goes_on),
        TEST_CONNECTED(a_larger_send_buffer_is_room_at_once),
        cmocka_unit_test(a_send_buffer_of_a_byte_or_two_lets_bytes_through),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
