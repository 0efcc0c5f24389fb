/* SPDX-License-Identifier: Apache-2.0 */
/* Which congestion control a socket has, CUBIC (RFC 9438) and HyStart++ (RFC 9406). */
#include "clock.h"
#include "peer.h"

#include <errno.h>
#include <string.h>

static int set_congestion(struct lan_stack *stack, int fd, const char *name)
{
    return lan_setsockopt(stack, fd, LAN_IPPROTO_TCP, LAN_TCP_CONGESTION, name, (uint32_t)strlen(name));
}

static void assert_congestion(struct lan_stack *stack, int fd, const char *expected)
{
    char name[16];
    uint32_t bytes = sizeof name;
    assert_int_equal(lan_getsockopt(stack, fd, LAN_IPPROTO_TCP, LAN_TCP_CONGESTION, name, &bytes), 0);
    assert_int_equal(bytes, strlen(expected) + 1);
    assert_string_equal(name, expected);
}

static void a_socket_begins_with_cubic_and_takes_another_by_name(void **state)
{
    struct fixture *f = *state;
    int fd = open_socket(f);
    assert_congestion(f->stack, fd, "cubic");
    assert_int_equal(set_congestion(f->stack, fd, "newreno"), 0);
    assert_congestion(f->stack, fd, "newreno");
    assert_int_equal(lan_setsockopt(f->stack, fd, LAN_IPPROTO_TCP, LAN_TCP_CONGESTION, "cubic\0junk", 10), 0);
    assert_congestion(f->stack, fd, "cubic");
}

static void an_unknown_algorithm_is_refused_and_changes_nothing(void **state)
{
    struct fixture *f = *state;
    int fd = open_socket(f);
    assert_int_equal(set_congestion(f->stack, fd, "cub"), -ENOENT);
    assert_int_equal(set_congestion(f->stack, fd, "cubical"), -ENOENT);
    assert_int_equal(set_congestion(f->stack, fd, ""), -ENOENT);
    assert_congestion(f->stack, fd, "cubic");
}

static void an_accepted_socket_has_its_listener_s(void **state)
{
    struct peer p = peer_of(*state);
    int listener = listen_on(p.f, p.host_port, 1);
    assert_int_equal(set_congestion(p.f->stack, listener, "newreno"), 0);
    handshake_to(&p);
    p.fd = lan_accept(p.f->stack, listener, NULL, LAN_SOCK_NONBLOCK);
    assert_congestion(p.f->stack, p.fd, "newreno");
}

#define RTT (100 * LAN_MS)

/* A TCB in congestion avoidance with a window of `segments`, whose round trip is RTT. */
static struct lan_tcb tcb_with(struct lan_stack *stack, uint32_t segments)
{
    struct lan_tcb tcb = {.stack = stack,
                          .mss = MSS,
                          .srtt = LAN_TCP_TICKS(RTT),
                          .rto = LAN_TCP_TICKS(3 * RTT),
                          .cwnd = segments * MSS,
                          .opt.congestion = &LAN_TCP_CUBIC};
    assert_true(lan_tcp_sender_open(&tcb));
    tcb.snd_nxt = tcb.cwnd;
    return tcb;
}

/* One round trip in which the whole window is acknowledged. */
static void round_trip(struct lan_tcb *tcb)
{
    uint32_t segments = tcb->cwnd / MSS;
    for (uint32_t i = 0; i < segments; i++) {
        let_pass(tcb->stack, RTT / segments);
        LAN_TCP_CUBIC.acked(tcb, &(struct lan_tcp_ack){.acked = MSS});
    }
    tcb->snd_una = tcb->snd_nxt;
    tcb->snd_nxt = tcb->snd_una + tcb->cwnd;
}

static void a_loss_leaves_seven_tenths_RFC_9438_4_6(void **state)
{
    struct fixture *f = *state;
    struct lan_tcb tcb = tcb_with(f->stack, 100);
    assert_int_equal(LAN_TCP_CUBIC.ssthresh(&tcb), 70 * MSS);
    tcb.cwnd = 2 * MSS;
    assert_int_equal(LAN_TCP_CUBIC.ssthresh(&tcb), 2 * MSS);
    lan_tcp_sender_close(&tcb);
}

static void the_window_is_back_where_the_loss_was_after_k_seconds_RFC_9438_4_2(void **state)
{
    struct fixture *f = *state;
    struct lan_tcb tcb = tcb_with(f->stack, 1000);
    tcb.cwnd = tcb.ssthresh = LAN_TCP_CUBIC.ssthresh(&tcb);
    tcb.snd_nxt = tcb.snd_una + tcb.cwnd;
    uint64_t start_ns = f->stack->tcp.now_ns;
    while (f->stack->tcp.now_ns - start_ns < 4 * LAN_S) /* K = cbrt(300 / 0.4) = 9.09 s: most of it early on */
        round_trip(&tcb);
    assert_in_range(tcb.cwnd / MSS, 942, 954); /* 1000 - 0.4 (9.09 - 4)^3 = 947 */
    while (f->stack->tcp.now_ns - start_ns < 9 * LAN_S)
        round_trip(&tcb);
    assert_in_range(tcb.cwnd / MSS, 999, 1001);
    while (f->stack->tcp.now_ns - start_ns < 14 * LAN_S)
        round_trip(&tcb);
    assert_in_range(tcb.cwnd / MSS, 1040, 1060); /* 1000 + 0.4 (14 - 9.09)^3 = 1047 */
    lan_tcp_sender_close(&tcb);
}

static void a_small_window_grows_as_fast_as_reno_s_RFC_9438_4_3(void **state)
{
    struct fixture *f = *state;
    struct lan_tcb tcb = tcb_with(f->stack, 10);
    tcb.cwnd = tcb.ssthresh = LAN_TCP_CUBIC.ssthresh(&tcb);
    tcb.snd_nxt = tcb.snd_una + tcb.cwnd;
    for (int i = 0; i < 10; i++)
        round_trip(&tcb);
    assert_in_range(tcb.cwnd, 13 * MSS, 15 * MSS); /* 7 to 10 at 9/17 a round, then 1 a round */
    lan_tcp_sender_close(&tcb);
}

/* Not even if segments go out now and then, so that there is always something under way. */
static void time_in_which_the_window_was_not_used_up_does_not_count_RFC_9438_4_2(void **state)
{
    struct fixture *f = *state;
    struct lan_tcb tcb = tcb_with(f->stack, 100);
    tcb.cwnd = tcb.ssthresh = LAN_TCP_CUBIC.ssthresh(&tcb);
    tcb.snd_nxt = tcb.snd_una + tcb.cwnd;
    round_trip(&tcb);
    uint32_t before = tcb.cwnd;
    let_pass(f->stack, 60 * LAN_S);
    round_trip(&tcb);
    assert_in_range(tcb.cwnd, before, before + 4 * MSS); /* 0.4 (K^3 - (K - 0.1)^3) = 2.1 segments, K = 4.2 s */
    lan_tcp_sender_close(&tcb);
}

static void a_second_loss_below_the_first_gives_way_RFC_9438_4_7(void **state)
{
    struct fixture *f = *state;
    struct lan_tcb tcb = tcb_with(f->stack, 100);
    LAN_TCP_CUBIC.ssthresh(&tcb);
    assert_int_equal(tcb.sender->cubic.w_max, 100 * MSS);
    tcb.cwnd = tcb.snd_nxt = 80 * MSS;
    LAN_TCP_CUBIC.ssthresh(&tcb);
    assert_int_equal(tcb.sender->cubic.w_max, 68 * MSS);
    LAN_TCP_CUBIC.undone(&tcb);
    assert_int_equal(tcb.sender->cubic.w_max, 100 * MSS);
    lan_tcp_sender_close(&tcb);
}

/* What cwnd gained in a round of slow start, in percent of the bytes acknowledged; each segment takes rtt_ns. */
static uint32_t slow_start_round(struct lan_tcb *tcb, uint64_t rtt_ns)
{
    uint32_t before = tcb->cwnd, acked = 0;
    do {
        tcb->snd_una += MSS;
        tcb->snd_nxt = tcb->snd_una + tcb->cwnd;
        acked += MSS;
        LAN_TCP_CUBIC.acked(tcb, &(struct lan_tcp_ack){.acked = MSS, .rtt = LAN_TCP_TICKS(rtt_ns)});
    } while (lan_seq_lt(tcb->snd_una + MSS, tcb->sender->hystart.window_end));
    return (tcb->cwnd - before) * 100 / acked;
}

static struct lan_tcb slow_starter(struct lan_stack *stack)
{
    struct lan_tcb tcb = tcb_with(stack, 40);
    tcb.ssthresh = UINT32_MAX;
    LAN_TCP_CUBIC.init(&tcb);
    for (int round = 0; round < 3; round++)
        assert_int_equal(slow_start_round(&tcb, RTT), 100);
    return tcb;
}

static void a_growing_round_trip_slows_slow_start_down_and_ends_it_RFC_9406(void **state)
{
    struct fixture *f = *state;
    struct lan_tcb tcb = slow_starter(f->stack);
    assert_in_range(slow_start_round(&tcb, RTT + 13 * LAN_MS), 26, 35); /* an eighth of 100 ms is 12.5 */
    for (int round = 1; round < 5; round++) {
        assert_int_equal(slow_start_round(&tcb, RTT + 13 * LAN_MS), 25);
        assert_int_equal(tcb.ssthresh, UINT32_MAX);
    }
    slow_start_round(&tcb, RTT + 13 * LAN_MS);
    assert_true(tcb.ssthresh <= tcb.cwnd);
    lan_tcp_sender_close(&tcb);
}

static void a_little_jitter_does_not_slow_it_down_RFC_9406(void **state)
{
    struct fixture *f = *state;
    struct lan_tcb tcb = slow_starter(f->stack);
    assert_int_equal(slow_start_round(&tcb, RTT + 12 * LAN_MS), 100);
    lan_tcp_sender_close(&tcb);
}

static void a_spike_lets_slow_start_go_on_RFC_9406(void **state)
{
    struct fixture *f = *state;
    struct lan_tcb tcb = slow_starter(f->stack);
    slow_start_round(&tcb, RTT + 13 * LAN_MS);
    slow_start_round(&tcb, RTT);
    assert_int_equal(slow_start_round(&tcb, RTT), 100);
    lan_tcp_sender_close(&tcb);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_socket_begins_with_cubic_and_takes_another_by_name),
        TEST(an_unknown_algorithm_is_refused_and_changes_nothing),
        TEST(an_accepted_socket_has_its_listener_s),
        TEST(a_loss_leaves_seven_tenths_RFC_9438_4_6),
        TEST(the_window_is_back_where_the_loss_was_after_k_seconds_RFC_9438_4_2),
        TEST(a_small_window_grows_as_fast_as_reno_s_RFC_9438_4_3),
        TEST(time_in_which_the_window_was_not_used_up_does_not_count_RFC_9438_4_2),
        TEST(a_second_loss_below_the_first_gives_way_RFC_9438_4_7),
        TEST(a_growing_round_trip_slows_slow_start_down_and_ends_it_RFC_9406),
        TEST(a_little_jitter_does_not_slow_it_down_RFC_9406),
        TEST(a_spike_lets_slow_start_go_on_RFC_9406),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
