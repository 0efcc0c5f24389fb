/* SPDX-License-Identifier: Apache-2.0 */
/* Buffers that follow the path. */
#include "../start.h"
#include "peer.h"
#include "world.h"

#include <errno.h>

enum { MIB = 1 << 20, RTT_MS = 100 };

static int buffer_of(struct lan_stack *stack, int fd, int option)
{
    int value;
    uint32_t bytes = sizeof value;
    assert_int_equal(lan_getsockopt(stack, fd, LAN_SOL_SOCKET, option, &value, &bytes), 0);
    return value;
}

/* A connection with a round trip of RTT_MS on which windows scale. */
static int setup(void **state)
{
    static struct peer peer;
    fixture_setup(state);
    peer = peer_of(*state);
    struct peer *p = &peer;
    int listener = listen_on(p->f, p->host_port, 8);
    from_peer_options(p, SYN, 0, 0, "\x02\x04\x05\xb4\x01\x03\x03\x07", 8);
    p->host_iss = 0;
    p->host_iss = next_sent(p).seq;
    p->window = 1 << 13; /* 1 MiB */
    wait_ms(p, RTT_MS);
    from_peer(p, ACK, 1, 1, 0);
    p->fd = lan_accept(p->f->stack, listener, NULL, LAN_SOCK_NONBLOCK);
    assert_true(p->fd >= 0);
    *state = p;
    return 0;
}

static int receive_buffer(struct peer *p)
{
    return buffer_of(p->f->stack, p->fd, LAN_SO_RCVBUF);
}

/* The peer sends `bytes` at `seq`, spread over a round trip, and the host's application reads them at once. */
static uint32_t drain(struct peer *p, uint32_t seq, uint32_t bytes)
{
    uint32_t segments = bytes / MSS;
    for (uint32_t i = 0; i < segments; i++, seq += MSS) {
        from_peer(p, ACK, seq, 1, MSS);
        host_reads(p, seq, MSS);
        if (i * RTT_MS / segments != (i + 1) * RTT_MS / segments)
            wait_ms(p, (i + 1) * RTT_MS / segments - i * RTT_MS / segments);
    }
    skip_sent(p);
    return seq;
}

static void the_receive_buffer_is_twice_what_is_drained_in_a_round_trip(void **state)
{
    struct peer *p = *state;
    uint32_t seq = 1;
    assert_int_equal(receive_buffer(p), 65536);
    for (int i = 0; i < 4; i++)
        seq = drain(p, seq, 60000);
    assert_in_range(receive_buffer(p), 115000, 125000);
    for (int i = 0; i < 4; i++)
        seq = drain(p, seq, 100000);
    assert_in_range(receive_buffer(p), 190000, 205000);
    from_peer(p, ACK, seq, 1, 2 * MSS);
    uint32_t window = next_sent(p).window << 6;
    assert_in_range(window, 187000, 205000); /* and the peer learns it */
}

static void a_flow_that_needs_no_more_gets_no_more(void **state)
{
    struct peer *p = *state;
    uint32_t seq = 1;
    for (int i = 0; i < 10; i++)
        seq = drain(p, seq, 30000);
    assert_int_equal(receive_buffer(p), 65536);
}

static void an_application_that_reads_late_gets_no_more(void **state)
{
    struct peer *p = *state;
    uint32_t seq = 1;
    for (int round = 0; round < 10; round++) {
        uint32_t start = seq;
        for (int i = 0; i < 40; i++, seq += MSS)
            from_peer(p, ACK, seq, 1, MSS);
        wait_ms(p, 10 * RTT_MS);
        host_reads(p, start, seq - start);
        skip_sent(p);
    }
    assert_int_equal(receive_buffer(p), 65536);
}

static void a_buffer_that_the_application_has_set_stays(void **state)
{
    struct peer *p = *state;
    int bytes = 65536;
    uint32_t seq = 1;
    lan_setsockopt(p->f->stack, p->fd, LAN_SOL_SOCKET, LAN_SO_RCVBUF, &bytes, sizeof bytes);
    for (int i = 0; i < 10; i++)
        seq = drain(p, seq, 60000);
    assert_int_equal(receive_buffer(p), 65536);
}

static void a_pool_of_which_half_is_taken_lends_no_more(void **state)
{
    struct peer *p = *state;
    struct lan_buf *taken[600];
    uint32_t seq = 1, n = 0;
    while (n < 600 && lan_pool_free_buffers(lan_stack_pool(p->f->stack)) > 512)
        taken[n++] = lan_buf_alloc(lan_stack_pool(p->f->stack), 0);
    for (int i = 0; i < 10; i++)
        seq = drain(p, seq, 60000);
    assert_int_equal(receive_buffer(p), 65536);
    while (n)
        lan_buf_free(taken[--n]);
}

static void a_window_without_scale_is_no_reason_to_grow(void **state)
{
    struct peer p = peer_of(*state);
    uint32_t seq = 1;
    passive_open_with(&p, "\x02\x04\x05\xb4", 4, RTT_MS);
    for (int i = 0; i < 10; i++)
        seq = drain(&p, seq, 60000);
    assert_int_equal(receive_buffer(&p), 65536);
}

/* The host's application sends as much as it can for 2 s, and each segment is acknowledged after 10 ms. */
static void send_for_2_s(struct peer *p)
{
    static uint8_t data[MIB];
    uint32_t end = 1;
    for (int i = 0; i < 200; i++) {
        lan_send(p->f->stack, p->fd, data, sizeof data, 0);
        while (frames_waiting(p->f)) {
            const uint8_t *tcp = expect_frame(p->f)->bytes + ETH + IP;
            uint32_t bytes = get16(tcp - IP + 2) - (IP + 20u);
            end = ((uint32_t)get16(tcp + 4) << 16 | get16(tcp + 6)) - p->host_iss + bytes;
        }
        wait_ms(p, 10);
        from_peer(p, ACK, 1, end, 0);
    }
    skip_sent(p);
}

static void the_send_buffer_is_twice_the_congestion_window(void **state)
{
    struct peer *p = *state;
    send_for_2_s(p);
    assert_in_range(buffer_of(p->f->stack, p->fd, LAN_SO_SNDBUF), 4 * 65536, MIB); /* half of the pool at most */
}

static void a_send_buffer_that_the_application_has_set_stays(void **state)
{
    struct peer *p = *state;
    int bytes = 65536;
    lan_setsockopt(p->f->stack, p->fd, LAN_SOL_SOCKET, LAN_SO_SNDBUF, &bytes, sizeof bytes);
    send_for_2_s(p);
    assert_int_equal(buffer_of(p->f->stack, p->fd, LAN_SO_SNDBUF), 65536);
}

/* Default sockets, 100 Mb/s, a round trip of 100 ms: 1.25 MB under way. */
static void default_sockets_fill_100_mbps_over_100_ms(void **state)
{
    (void)state;
    static uint8_t data[65536];
    struct world_config config = WORLD_DEFAULT;
    config.stack = LAN_CONFIG_DEFAULT;
    config.wire = (struct impairment){.rate_bps = 100000000, .delay_ns = 50000000, .queue_bytes = 1250000};
    struct world *world = world_create(&config);
    int listener = world_listen(world, 80, 4), fd = world_connect(world, 80), child = -1;
    uint64_t received = 0, at_5_s = 0;
    while (world_step(world, start_ns() + UINT64_C(10000000000))) {
        if (world->now_ns - start_ns() <= UINT64_C(5000000000))
            at_5_s = received;
        while (lan_send(world->hosts[0].stack, fd, data, sizeof data, 0) > 0) {
        }
        if (child < 0)
            child = lan_accept(world->hosts[1].stack, listener, NULL, LAN_SOCK_NONBLOCK);
        for (long n = 1; child >= 0 && n > 0; received += n > 0 ? (uint64_t)n : 0)
            n = lan_recv(world->hosts[1].stack, child, data, sizeof data, 0);
    }
    double mbps = (double)(received - at_5_s) * 8 / 5e6;
    print_message("%.1f Mb/s in the last 5 s of 10, send buffer %d, receive buffer %d\n", mbps,
                  buffer_of(world->hosts[0].stack, fd, LAN_SO_SNDBUF),
                  buffer_of(world->hosts[1].stack, child, LAN_SO_RCVBUF));
    assert_true(mbps > 93); /* 94.1 are all that 1,448 bytes in 1,538 can be */
    lan_close(world->hosts[0].stack, fd);
    lan_close(world->hosts[1].stack, child);
    lan_close(world->hosts[1].stack, listener);
    world_destroy(world);
}

#define TEST_TUNED(name) cmocka_unit_test_setup_teardown(name, setup, peer_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_TUNED(the_receive_buffer_is_twice_what_is_drained_in_a_round_trip),
        TEST_TUNED(a_flow_that_needs_no_more_gets_no_more),
        TEST_TUNED(an_application_that_reads_late_gets_no_more),
        TEST_TUNED(a_buffer_that_the_application_has_set_stays),
        TEST_TUNED(a_pool_of_which_half_is_taken_lends_no_more),
        TEST(a_window_without_scale_is_no_reason_to_grow),
        TEST_TUNED(the_send_buffer_is_twice_the_congestion_window),
        TEST_TUNED(a_send_buffer_that_the_application_has_set_stays),
        cmocka_unit_test(default_sockets_fill_100_mbps_over_100_ms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
