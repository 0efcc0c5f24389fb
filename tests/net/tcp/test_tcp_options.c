/* SPDX-License-Identifier: Apache-2.0 */
/* Socket options as Linux has them: cork, linger, user timeout, keep-alive; what an accepted socket inherits. */
#include "peer.h"

#include <errno.h>

static void set_option(struct peer *p, int level, int option, int value)
{
    assert_int_equal(lan_setsockopt(p->f->stack, p->fd, level, option, &value, sizeof value), 0);
}

static int get_option(struct peer *p, int level, int option)
{
    int value;
    uint32_t bytes = sizeof value;
    assert_int_equal(lan_getsockopt(p->f->stack, p->fd, level, option, &value, &bytes), 0);
    return value;
}

static void cork(struct peer *p, int on)
{
    set_option(p, LAN_IPPROTO_TCP, LAN_TCP_CORK, on);
}

static void linger(struct peer *p, int seconds)
{
    struct lan_linger value = {1, seconds};
    assert_int_equal(lan_setsockopt(p->f->stack, p->fd, LAN_SOL_SOCKET, LAN_SO_LINGER, &value, sizeof value), 0);
}

static void a_cork_holds_partial_segments_back(void **state)
{
    struct peer *p = *state;
    cork(p, 1);
    assert_int_equal(get_option(p, LAN_IPPROTO_TCP, LAN_TCP_CORK), 1);
    host_sends(p, 1, 100);
    host_sends(p, 101, 100);
    expect_quiet(p);
    host_sends(p, 201, MSS);
    expect(p, ACK, 1, 1, MSS); /* full ones go */
    expect_quiet(p);
    from_peer(p, ACK, 1, 1 + MSS, 0);
    expect_quiet(p);
    cork(p, 0);
    assert_int_equal(get_option(p, LAN_IPPROTO_TCP, LAN_TCP_CORK), 0);
    expect(p, ACK, 1 + MSS, 1, 200);
    host_sends(p, 201 + MSS, 10); /* and Nagle rules again */
    expect_quiet(p);
}

static void a_cork_that_is_pulled_leaves_nagle_to_hold(void **state)
{
    struct peer *p = *state;
    host_sends(p, 1, 10);
    expect(p, ACK, 1, 1, 10);
    cork(p, 1);
    host_sends(p, 11, 10);
    cork(p, 0);
    expect_quiet(p);
    from_peer(p, ACK, 1, 11, 0);
    expect(p, ACK, 11, 1, 10);
}

static void a_cork_does_not_hold_for_ever(void **state)
{
    struct peer *p = *state;
    cork(p, 1);
    host_sends(p, 1, 100);
    wait_ms(p, 199);
    expect_quiet(p);
    wait_ms(p, 2);
    expect(p, ACK, 1, 1, 100);
    from_peer(p, ACK, 1, 101, 0);
    host_sends(p, 101, 100); /* but it is still there */
    expect_quiet(p);
}

static void nodelay_pushes_past_a_cork_once(void **state)
{
    struct peer *p = *state;
    cork(p, 1);
    host_sends(p, 1, 100);
    set_option(p, LAN_IPPROTO_TCP, LAN_TCP_NODELAY, 1);
    expect(p, ACK, 1, 1, 100);
    host_sends(p, 101, 100);
    expect_quiet(p);
    cork(p, 0);
    expect(p, ACK, 101, 1, 100);
}

static void a_cork_does_not_hold_the_end(void **state)
{
    struct peer *p = *state;
    cork(p, 1);
    host_sends(p, 1, 100);
    lan_shutdown(p->f->stack, p->fd, LAN_SHUT_WR);
    expect(p, FIN | ACK, 1, 1, 100);
}

static void pulling_the_cork_releases_msg_more(void **state)
{
    struct peer *p = *state;
    uint8_t data[10];
    for (uint32_t i = 0; i < sizeof data; i++)
        data[i] = stream_byte(1 + i);
    cork(p, 1);
    lan_send(p->f->stack, p->fd, data, sizeof data, LAN_MSG_MORE);
    expect_quiet(p);
    cork(p, 0);
    expect(p, ACK, 1, 1, 10);
}

/* The peer of the test that blocks; it acknowledges all that the host has sent. */
static struct peer *blocked;

static void acknowledge_all(struct fixture *f)
{
    (void)f;
    uint32_t end = 0;
    wait_ms(blocked, 50);
    while (frames_waiting(blocked->f)) {
        struct sent sent = next_sent(blocked);
        end = sent.seq + sent.bytes + !!(sent.flags & FIN);
    }
    from_peer(blocked, ACK, 1, end, 0);
}

static void close_lingers_until_all_is_acknowledged(void **state)
{
    struct peer *p = *state;
    uint64_t start_ns = p->f->now_ns;
    linger(p, 5);
    host_sends(p, 1, 3000);
    lan_fcntl(p->f->stack, p->fd, LAN_F_SETFL, 0);
    blocked = p;
    p->f->on_block = acknowledge_all;
    assert_int_equal(lan_close(p->f->stack, p->fd), 0);
    assert_int_equal(p->f->now_ns - start_ns, 50000000);
    assert_int_equal(lan_close(p->f->stack, p->fd), -EBADF);
    from_peer(p, FIN | ACK, 1, 3002, 0); /* nothing was cut short */
    expect(p, ACK, 3002, 2, 0);
}

static void close_lingers_no_longer_than_it_was_told(void **state)
{
    struct peer *p = *state;
    uint64_t start_ns = p->f->now_ns;
    linger(p, 2);
    host_sends(p, 1, 100);
    expect(p, ACK, 1, 1, 100);
    lan_fcntl(p->f->stack, p->fd, LAN_F_SETFL, 0);
    assert_int_equal(lan_close(p->f->stack, p->fd), 0);
    assert_int_equal(p->f->now_ns - start_ns, 2000000000);
    skip_sent(p);
    from_peer(p, ACK, 1, 101, 0); /* it goes on in the background */
    wait_ms(p, 10000);
    struct sent fin = next_sent(p);
    assert_int_equal(fin.flags & (FIN | RST), FIN);
    skip_sent(p);
}

static void close_without_linger_does_not_wait(void **state)
{
    struct peer *p = *state;
    uint64_t start_ns = p->f->now_ns;
    host_sends(p, 1, 100);
    lan_fcntl(p->f->stack, p->fd, LAN_F_SETFL, 0);
    assert_int_equal(lan_close(p->f->stack, p->fd), 0);
    assert_int_equal(p->f->now_ns, start_ns);
    skip_sent(p);
}

static void an_accepted_socket_inherits_what_its_listener_has(void **state)
{
    struct peer p = peer_of(*state);
    struct lan_linger lingering = {0};
    struct lan_timeval timeout = {.tv_sec = 3}, got = {0};
    uint32_t bytes = sizeof lingering;
    int listener = p.fd = listen_on(p.f, p.host_port, 8);
    linger(&p, 7);
    cork(&p, 1);
    set_option(&p, LAN_IPPROTO_TCP, LAN_TCP_NODELAY, 1);
    set_option(&p, LAN_IPPROTO_TCP, LAN_TCP_USER_TIMEOUT, 1234);
    set_option(&p, LAN_IPPROTO_IP, LAN_IP_TOS, 0x20);
    lan_setsockopt(p.f->stack, p.fd, LAN_SOL_SOCKET, LAN_SO_RCVTIMEO, &timeout, sizeof timeout);
    handshake_to(&p);
    p.fd = lan_accept(p.f->stack, listener, NULL, LAN_SOCK_NONBLOCK);
    assert_int_equal(get_option(&p, LAN_IPPROTO_TCP, LAN_TCP_CORK), 1);
    assert_int_equal(get_option(&p, LAN_IPPROTO_TCP, LAN_TCP_NODELAY), 1);
    assert_int_equal(get_option(&p, LAN_IPPROTO_TCP, LAN_TCP_USER_TIMEOUT), 1234);
    assert_int_equal(get_option(&p, LAN_IPPROTO_IP, LAN_IP_TOS), 0x20);
    lan_getsockopt(p.f->stack, p.fd, LAN_SOL_SOCKET, LAN_SO_LINGER, &lingering, &bytes);
    assert_true(lingering.l_onoff && lingering.l_linger == 7);
    bytes = sizeof got;
    lan_getsockopt(p.f->stack, p.fd, LAN_SOL_SOCKET, LAN_SO_RCVTIMEO, &got, &bytes);
    assert_int_equal(got.tv_sec, 3);
}

/* The peer answers each probe of its closed window for `ms`. */
static void answer_probes(struct peer *p, uint64_t ms, uint32_t ack)
{
    for (uint64_t end_ns = p->f->now_ns + ms * 1000000; p->f->now_ns < end_ns;) {
        wait_ms(p, 100);
        if (skip_sent(p))
            from_peer(p, ACK, 1, ack, 0);
    }
}

static void a_user_timeout_counts_while_the_window_is_closed_RFC_5482(void **state)
{
    struct peer *p = *state;
    set_option(p, LAN_IPPROTO_TCP, LAN_TCP_USER_TIMEOUT, 5000);
    p->window = 0;
    from_peer(p, ACK, 1, 1, 0);
    host_sends(p, 1, 100);
    answer_probes(p, 4800, 1);
    assert_int_equal(get_option(p, LAN_SOL_SOCKET, LAN_SO_ERROR), 0);
    wait_ms(p, 300);
    assert_int_equal(get_option(p, LAN_SOL_SOCKET, LAN_SO_ERROR), ETIMEDOUT);
    skip_sent(p);
}

static void a_window_that_opens_in_time_starts_the_user_timeout_anew(void **state)
{
    struct peer *p = *state;
    set_option(p, LAN_IPPROTO_TCP, LAN_TCP_USER_TIMEOUT, 5000);
    p->window = 0;
    from_peer(p, ACK, 1, 1, 0);
    host_sends(p, 1, 100);
    answer_probes(p, 4800, 1);
    p->window = 10000;
    from_peer(p, ACK, 1, 1, 0);
    expect(p, ACK, 1, 1, 100);
    wait_ms(p, 4800);
    assert_int_equal(get_option(p, LAN_SOL_SOCKET, LAN_SO_ERROR), 0);
    wait_ms(p, 300);
    assert_int_equal(get_option(p, LAN_SOL_SOCKET, LAN_SO_ERROR), ETIMEDOUT);
    skip_sent(p);
}

static void a_user_timeout_bounds_keep_alive_probes(void **state)
{
    struct peer *p = *state;
    set_option(p, LAN_SOL_SOCKET, LAN_SO_KEEPALIVE, 1);
    set_option(p, LAN_IPPROTO_TCP, LAN_TCP_KEEPIDLE, 10);
    set_option(p, LAN_IPPROTO_TCP, LAN_TCP_KEEPINTVL, 5);
    set_option(p, LAN_IPPROTO_TCP, LAN_TCP_KEEPCNT, 9);
    set_option(p, LAN_IPPROTO_TCP, LAN_TCP_USER_TIMEOUT, 18000);
    wait_ms(p, 19900); /* probes after 10 s and 15 s */
    assert_int_equal(skip_sent(p), 2);
    assert_int_equal(get_option(p, LAN_SOL_SOCKET, LAN_SO_ERROR), 0);
    wait_ms(p, 200);
    assert_int_equal(get_option(p, LAN_SOL_SOCKET, LAN_SO_ERROR), ETIMEDOUT);
    skip_sent(p);
}

static void a_long_user_timeout_outlasts_the_count_of_probes(void **state)
{
    struct peer *p = *state;
    set_option(p, LAN_SOL_SOCKET, LAN_SO_KEEPALIVE, 1);
    set_option(p, LAN_IPPROTO_TCP, LAN_TCP_KEEPIDLE, 10);
    set_option(p, LAN_IPPROTO_TCP, LAN_TCP_KEEPINTVL, 5);
    set_option(p, LAN_IPPROTO_TCP, LAN_TCP_KEEPCNT, 2);
    set_option(p, LAN_IPPROTO_TCP, LAN_TCP_USER_TIMEOUT, 60000);
    wait_ms(p, 50000);
    assert_int_equal(get_option(p, LAN_SOL_SOCKET, LAN_SO_ERROR), 0);
    from_peer(p, ACK, 1, 1, 0); /* alive after all */
    wait_ms(p, 50000);
    assert_int_equal(get_option(p, LAN_SOL_SOCKET, LAN_SO_ERROR), 0);
    skip_sent(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_CONNECTED(a_cork_holds_partial_segments_back),
        TEST_CONNECTED(a_cork_that_is_pulled_leaves_nagle_to_hold),
        TEST_CONNECTED(a_cork_does_not_hold_for_ever),
        TEST_CONNECTED(nodelay_pushes_past_a_cork_once),
        TEST_CONNECTED(a_cork_does_not_hold_the_end),
        TEST_CONNECTED(pulling_the_cork_releases_msg_more),
        TEST_CONNECTED(close_lingers_until_all_is_acknowledged),
        TEST_CONNECTED(close_lingers_no_longer_than_it_was_told),
        TEST_CONNECTED(close_without_linger_does_not_wait),
        TEST(an_accepted_socket_inherits_what_its_listener_has),
        TEST_CONNECTED(a_user_timeout_counts_while_the_window_is_closed_RFC_5482),
        TEST_CONNECTED(a_window_that_opens_in_time_starts_the_user_timeout_anew),
        TEST_CONNECTED(a_user_timeout_bounds_keep_alive_probes),
        TEST_CONNECTED(a_long_user_timeout_outlasts_the_count_of_probes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
