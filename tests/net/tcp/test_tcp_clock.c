/* SPDX-License-Identifier: Apache-2.0 */
/* TCP's times are 32 bits of ticks, which wrap after 73 minutes: nobody may notice, neither a connection that is just
 * then at work nor one that does the same thing for longer than that. All suites of TCP's run across a wrap, too
 * (LANYARD_WRAP_MS); what is here needs more. */
#include "../start.h"
#include "clock.h"
#include "flows.h"
#include "sack_peer.h"

#define TICKS_WRAP_NS (UINT64_C(1) << 42)

/* Bytes that arrive in ten seconds of a path that loses, from start_ns on. */
static uint64_t received_from(uint64_t start_ns, const char *congestion, double drop)
{
    struct world_config config = flows_config(10 * LAN_MS);
    config.start_ns = start_ns;
    struct flows flows = {.world = world_create(&config)};
    struct flow *flow = flows_add(&flows, congestion);
    flows.world->config.wire.drop = drop;
    flows_run(&flows, 10 * LAN_S);
    uint64_t received = flow->received;
    flows_destroy(&flows);
    return received;
}

static void a_transfer_that_loses_is_the_same_across_a_wrap(void **state)
{
    static const char *const names[] = {"cubic", "newreno", "bbr"};
    uint64_t across_ns = START_WRAP_NS - 5 * LAN_S;
    (void)state;
    for (int i = 0; i < 6; i++) {
        double drop = i & 1 ? 0.01 : 0.001;
        assert_int_equal(received_from(across_ns, names[i / 2], drop),
                         received_from(across_ns - TICKS_WRAP_NS / 2, names[i / 2], drop));
    }
}

/* A connection whose handshake is over 30 ms before the wrap. */
static int setup_before_wrap(void **state)
{
    fixture_start_ns = START_WRAP_NS - (30 + 2 * RTT_MS) * LAN_MS;
    int result = sack_setup(state);
    fixture_start_ns = 0;
    return result;
}

/* The clock wraps within the handshake. */
static int setup_at_wrap(void **state)
{
    fixture_start_ns = START_WRAP_NS - RTT_MS * LAN_MS / 2;
    int result = sack_setup(state);
    fixture_start_ns = 0;
    return result;
}

static struct lan_tcp_info info_of(const struct peer *p)
{
    struct lan_tcp_info info;
    uint32_t bytes = sizeof info;
    assert_int_equal(lan_getsockopt(p->f->stack, p->fd, LAN_IPPROTO_TCP, LAN_TCP_INFO, &info, &bytes), 0);
    return info;
}

static void a_round_trip_is_measured_by_the_handshake_across_a_wrap(void **state)
{
    struct lan_tcp_info info = info_of(*state);
    assert_in_range(info.rtt_us, RTT_MS * 1000 - 2, RTT_MS * 1000 + 2);
    assert_in_range(info.rto_us, 200000, 300000);
}

static void a_round_trip_is_measured_by_data_across_a_wrap(void **state)
{
    struct peer *p = *state;
    wait_ms(p, 25);
    send_flight(p, 2, 4); /* sent 5 ms before the wrap */
    wait_ms(p, 80);
    from_peer(p, ACK, 1, seq_of(4), 0);
    assert_in_range(info_of(p).rtt_us, (7 * RTT_MS + 100) * 1000 / 8 - 10, (7 * RTT_MS + 100) * 1000 / 8 + 10);
}

static void a_loss_is_found_across_a_wrap(void **state)
{
    struct peer *p = *state;
    wait_ms(p, 25);
    host_sends(p, seq_of(2), MSS);
    expect_segment(p, 2);
    wait_ms(p, 10);
    send_flight(p, 3, 8); /* after the wrap */
    sack(p, 2, 3, 7);
    expect_segment(p, 2);
    wait_ms(p, RTT_MS);
    from_peer(p, ACK, 1, seq_of(8), 0);
    assert_int_equal(counter(p->f, "TcpExtTCPTimeouts"), 0);
    assert_int_equal(info_of(p).ca_state, LAN_TCP_CA_OPEN);
}

static void a_time_out_comes_in_time_across_a_wrap(void **state)
{
    struct peer *p = *state;
    wait_ms(p, 25);
    host_sends(p, seq_of(2), 100);
    expect(p, ACK, seq_of(2), 1, 100);
    uint64_t rto_ms = info_of(p).rto_us / 1000;
    uint64_t probe_ms = 2 * RTT_MS + 200; /* of the tail, RFC 8985 7.2; one of both */
    wait_ms(p, (rto_ms < probe_ms ? rto_ms : probe_ms) - 2);
    expect_quiet(p);
    wait_ms(p, 4);
    expect(p, ACK, seq_of(2), 1, 100);
}

static void an_idle_connection_is_probed_in_time_across_a_wrap(void **state)
{
    struct peer *p = *state;
    int on = 1, idle_s = 10000;
    lan_setsockopt(p->f->stack, p->fd, LAN_IPPROTO_TCP, LAN_TCP_KEEPIDLE, &idle_s, sizeof idle_s);
    lan_setsockopt(p->f->stack, p->fd, LAN_SOL_SOCKET, LAN_SO_KEEPALIVE, &on, sizeof on);
    wait_ms(p, 9999999);
    expect_quiet(p);
    wait_ms(p, 1);
    expect(p, ACK, seq_of(2) - 1, 1, 0);
    from_peer(p, ACK, 1, seq_of(2), 0);
    send_flight(p, 2, 4);
}

/* The peer answers probes of its window for `minutes`. Then it opens, and takes segment 2. */
static void keep_window_closed(struct peer *p, uint32_t minutes)
{
    p->window = 0;
    from_peer(p, ACK, 1, seq_of(2), 0);
    host_sends(p, seq_of(2), MSS);
    for (uint64_t end_ns = p->f->now_ns + minutes * 60 * LAN_S; p->f->now_ns < end_ns;) {
        wait_ms(p, 1000);
        if (skip_sent(p))
            from_peer(p, ACK, 1, seq_of(2), 0);
    }
    p->window = 65535;
    from_peer(p, ACK, 1, seq_of(2), 0);
    skip_sent(p);
    wait_ms(p, RTT_MS);
    from_peer(p, ACK, 1, seq_of(3), 0);
}

/* Nothing of what lasted for long counts as a round trip. */
static void expect_known_round_trip(const struct peer *p)
{
    struct lan_tcp_info info = info_of(p);
    assert_in_range(info.min_rtt_us, RTT_MS * 1000 - 2, RTT_MS * 1000 + 2);
    assert_in_range(info.rtt_us, RTT_MS * 1000 - 20, 2 * RTT_MS * 1000);
}

/* Segments 3 to 8 are sent, the first one is lost, and found to be by those that follow. */
static void lose_one(struct peer *p)
{
    send_flight(p, 3, 9);
    sack(p, 3, 4, 8);
    expect_segment(p, 3);
    expect_quiet(p); /* segment 8 is still on its way */
    wait_ms(p, RTT_MS);
    from_peer(p, ACK, 1, seq_of(9), 0);
    expect_known_round_trip(p);
}

/* Half a wrap is 37 minutes: what was sent before then looks as if it were still to be. */
static void a_window_closed_for_long_leaves_no_time_behind(void **state)
{
    static const uint32_t minutes[] = {1, 36, 45, 73, 120};
    for (uint32_t i = 0; i < sizeof minutes / sizeof *minutes; i++) {
        setup_before_wrap(state);
        struct peer *p = *state;
        keep_window_closed(p, minutes[i]);
        lose_one(p);
        assert_int_equal(counter(p->f, "TcpExtTCPTimeouts"), 0);
        peer_teardown(state);
    }
}

/* The path is cut for a wrap and 5 ms, and what had been sent last before had arrived. */
static void a_path_cut_for_long_measures_no_round_trip(void **state)
{
    struct peer *p = *state;
    int day_ms = 86400000, none = 0;
    lan_setsockopt(p->f->stack, p->fd, LAN_IPPROTO_TCP, LAN_TCP_USER_TIMEOUT, &day_ms, sizeof day_ms);
    host_sends(p, seq_of(2), 3 * MSS); /* the first and the last are sent again, as time-outs and probes do */
    for (uint64_t end_ns = p->f->now_ns + TICKS_WRAP_NS + 5 * LAN_MS; p->f->now_ns < end_ns; skip_sent(p))
        wait_ms(p, end_ns - p->f->now_ns > LAN_S ? 1000 : (end_ns - p->f->now_ns + LAN_MS - 1) / LAN_MS);
    from_peer(p, ACK, 1, seq_of(5), 0);
    expect_known_round_trip(p);
    lan_setsockopt(p->f->stack, p->fd, LAN_IPPROTO_TCP, LAN_TCP_USER_TIMEOUT, &none, sizeof none);
}

/* A sender with nothing under way, whose round trip is 20 ms. */
static struct lan_tcb lone_sender(struct fixture *f)
{
    struct lan_tcb tcb = {.stack = f->stack,
                          .flags = TCB_SACK,
                          .mss = MSS,
                          .cwnd = 100 * MSS,
                          .srtt = LAN_TCP_TICKS(RTT_MS * LAN_MS),
                          .rto = LAN_TCP_RTO_MAX,
                          .opt.congestion = &LAN_TCP_CUBIC};
    assert_true(lan_tcp_sender_open(&tcb));
    return tcb;
}

/* For a wrap and a second. */
static void a_window_grows_on_though_no_loss_has_begun_an_epoch_for_long(void **state)
{
    struct fixture *f = *state;
    struct lan_tcb tcb = lone_sender(f);
    struct lan_tcp_ack ack = {.acked = MSS};
    tcb.snd_nxt = tcb.cwnd;
    tcb.cwnd = tcb.ssthresh = LAN_TCP_CUBIC.ssthresh(&tcb);
    for (uint64_t ns = 0; ns < TICKS_WRAP_NS + LAN_S; ns += LAN_S) {
        let_pass(f->stack, LAN_S);
        LAN_TCP_CUBIC.acked(&tcb, &ack);
    }
    tcb.cwnd = 3000 * MSS; /* or whatever it has become */
    LAN_TCP_CUBIC.acked(&tcb, &ack);
    assert_true(tcb.cwnd > 3000 * MSS);
    lan_tcp_sender_close(&tcb);
}

static void the_shortest_round_trip_is_forgotten_though_a_wrap_has_passed(void **state)
{
    struct fixture *f = *state;
    struct lan_tcb tcb = lone_sender(f);
    for (uint32_t ms = 20; ms <= 30; ms += 10, let_pass(f->stack, TICKS_WRAP_NS)) {
        struct lan_tcp_ack ack = {0};
        lan_tcp_sent(&tcb, tcb.snd_una, tcb.snd_una + MSS);
        tcb.snd_nxt += MSS;
        let_pass(f->stack, ms * LAN_MS);
        lan_tcp_scoreboard_acked(&tcb, tcb.snd_nxt, &ack);
        assert_in_range(ticks_in_us(tcb.sender->min_rtt), ms * 1000 - 2, ms * 1000 + 2);
    }
    lan_tcp_sender_close(&tcb);
}

#define TEST_BEFORE_WRAP(name) cmocka_unit_test_setup_teardown(name, setup_before_wrap, peer_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_transfer_that_loses_is_the_same_across_a_wrap),
        cmocka_unit_test_setup_teardown(a_round_trip_is_measured_by_the_handshake_across_a_wrap, setup_at_wrap,
                                        peer_teardown),
        TEST_BEFORE_WRAP(a_round_trip_is_measured_by_data_across_a_wrap),
        TEST_BEFORE_WRAP(a_loss_is_found_across_a_wrap),
        TEST_BEFORE_WRAP(a_time_out_comes_in_time_across_a_wrap),
        TEST_BEFORE_WRAP(an_idle_connection_is_probed_in_time_across_a_wrap),
        cmocka_unit_test(a_window_closed_for_long_leaves_no_time_behind),
        TEST_BEFORE_WRAP(a_path_cut_for_long_measures_no_round_trip),
        TEST(a_window_grows_on_though_no_loss_has_begun_an_epoch_for_long),
        TEST(the_shortest_round_trip_is_forgotten_though_a_wrap_has_passed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
