/* SPDX-License-Identifier: Apache-2.0 */
/* BBR (draft-ietf-ccwg-bbr): its states, its model, and its answer to losses. 100 Mb/s and 20 ms unless said otherwise:
 * 11.77 MB/s of payload, of which 236 kB fit the path. */
#include "clock.h"
#include "flows.h"
#include "tcp_bbr.h"

#include <string.h>

#define MS UINT64_C(1000000)
#define S UINT64_C(1000000000)

enum { PATH_RATE = 11768000, PATH_BYTES = 236000, MSS = 1448 };

struct bbr_flow {
    struct flows flows;
    struct flow *flow;
    struct lan_tcb *tcb;
    struct lan_tcp_bbr *bbr;
};

static void start(struct bbr_flow *b, const struct world_config *config)
{
    *b = (struct bbr_flow){.flows = {.world = world_create(config)}};
    b->flow = flows_add(&b->flows, "bbr");
    b->tcb = lan_socket_find(b->flows.world->hosts[0].stack, b->flow->from)->pcb;
    flows_run(&b->flows, 1 * MS);
    b->bbr = lan_bbr_of(b->tcb);
}

/* With a queue that holds all that the windows allow. */
static struct world_config roomy(void)
{
    struct world_config config = flows_config(10 * MS);
    config.wire.queue_bytes = 1000000;
    return config;
}

/* Runs until `state`, for at most `most_ns`; returns for how long. */
static uint64_t run_until(struct bbr_flow *b, uint8_t state, uint64_t most_ns)
{
    uint64_t start_ns = b->flows.world->now_ns;
    while (b->bbr->state != state) {
        flows_run(&b->flows, MS / 4);
        assert_true(b->flows.world->now_ns - start_ns < most_ns);
    }
    return b->flows.world->now_ns - start_ns;
}

static double pacing_gain(const struct bbr_flow *b)
{
    return (double)b->tcb->sender->pacing_rate / lan_bbr_bw(b->tcb) / 0.99;
}

static void startup_ends_when_the_pipe_is_full(void **state)
{
    (void)state;
    struct world_config config = roomy();
    struct bbr_flow b;
    start(&b, &config);
    assert_int_equal(b.bbr->state, BBR_STARTUP);
    run_until(&b, BBR_DRAIN, 400 * MS);
    assert_true(b.bbr->full_bw_reached);
    assert_in_range(lan_bbr_max_bw(b.tcb), PATH_RATE * 98 / 100, PATH_RATE * 102 / 100);
    assert_in_range(ticks_in_us(b.bbr->min_rtt), 20000, 20500);
    assert_int_equal(world_counter(b.flows.world, "TcpRetransSegs"), 0);
    flows_destroy(&b.flows);
}

static void drain_empties_the_queue(void **state)
{
    (void)state;
    struct world_config config = roomy();
    struct bbr_flow b;
    start(&b, &config);
    run_until(&b, BBR_DRAIN, 400 * MS);
    flows_run(&b.flows, MS);
    assert_in_range(pacing_gain(&b) * 100, 49, 51);
    assert_true(lan_tcp_pipe(b.tcb) > PATH_BYTES * 3 / 2);
    run_until(&b, BBR_CRUISE, 100 * MS); /* by way of ProbeBW_DOWN, which has nothing left to do */
    assert_in_range(lan_tcp_pipe(b.tcb), PATH_BYTES * 8 / 10, PATH_BYTES * 105 / 100);
    flows_destroy(&b.flows);
}

/* One loss in ten, and a queue to blame. */
static void startup_ends_at_losses_too(void **state)
{
    (void)state;
    struct world_config config = flows_config(10 * MS);
    config.wire.queue_bytes = 120000; /* half of what fits the path: it overflows before the pipe is known to be full */
    struct bbr_flow b;
    start(&b, &config);
    while (!b.bbr->full_bw_reached)
        flows_run(&b.flows, MS / 4);
    assert_false(b.bbr->full_bw_now);
    assert_in_range(b.bbr->inflight_lt, PATH_BYTES, PATH_BYTES + 140000);
    flows_destroy(&b.flows);
}

static void probe_bw_goes_round(void **state)
{
    static const uint8_t round[] = {BBR_CRUISE, BBR_REFILL, BBR_UP, BBR_DOWN};
    static const uint32_t gains[] = {100, 100, 125, 90};
    (void)state;
    struct world_config config = roomy();
    struct bbr_flow b;
    start(&b, &config);
    run_until(&b, BBR_CRUISE, 800 * MS);
    for (int cycle = 0; cycle < 3; cycle++) {
        for (int i = 0; i < 4; i++) {
            uint64_t took_ns = run_until(&b, round[i], 1500 * MS);
            flows_run(&b.flows, MS);
            assert_int_equal(b.bbr->state, round[i]);
            assert_in_range(pacing_gain(&b) * 100, gains[i] - 1, gains[i] + 1);
            if (round[i] == BBR_REFILL) /* 62 or 63 rounds of Reno's, a few of them in DOWN */
                assert_in_range(took_ns, 1000 * MS, 1400 * MS);
            if (round[i] == BBR_UP)
                assert_in_range(took_ns, 20 * MS, 25 * MS);
        }
    }
    assert_int_equal(world_counter(b.flows.world, "TcpRetransSegs"), 0);
    flows_destroy(&b.flows);
}

static void cruising_leaves_no_queue(void **state)
{
    (void)state;
    struct world_config config = roomy();
    struct bbr_flow b;
    start(&b, &config);
    run_until(&b, BBR_CRUISE, 800 * MS);
    flows_run(&b.flows, 50 * MS); /* the ACKs of what found a queue */
    for (int i = 0; i < 500; i++) {
        flows_run(&b.flows, MS);
        assert_in_range(ticks_in_us(b.bbr->rtt), 20000, 21500);
    }
    flows_destroy(&b.flows);
}

static void up_finds_more_bandwidth(void **state)
{
    (void)state;
    struct world_config config = roomy();
    struct bbr_flow b;
    start(&b, &config);
    run_until(&b, BBR_CRUISE, 800 * MS);
    b.flows.world->config.wire.rate_bps *= 2;
    run_until(&b, BBR_UP, 1500 * MS);
    run_until(&b, BBR_DOWN, 500 * MS);
    assert_true(lan_bbr_max_bw(b.tcb) > PATH_RATE * 19 / 10);
    flows_destroy(&b.flows);
}

static void less_bandwidth_is_noticed_within_two_cycles(void **state)
{
    (void)state;
    struct world_config config = roomy();
    struct bbr_flow b;
    start(&b, &config);
    run_until(&b, BBR_CRUISE, 800 * MS);
    b.flows.world->config.wire.rate_bps /= 2;
    for (int cycle = 0; cycle < 2; cycle++) {
        run_until(&b, BBR_UP, 3200 * MS); /* a wait of two or three seconds is drawn for each */
        run_until(&b, BBR_DOWN, 300 * MS);
    }
    flows_run(&b.flows, 60 * MS); /* the round whose ACKs tell of the second probe */
    assert_in_range(lan_bbr_max_bw(b.tcb), PATH_RATE * 49 / 100, PATH_RATE * 51 / 100);
    flows_destroy(&b.flows);
}

static void a_path_whose_round_trip_is_seen_again_and_again_needs_no_probe_rtt(void **state)
{
    (void)state;
    struct world_config config = roomy();
    struct bbr_flow b;
    start(&b, &config);
    for (int i = 0; i < 25000; i++) {
        flows_run(&b.flows, MS);
        assert_int_not_equal(b.bbr->state, BBR_PROBE_RTT);
    }
    flows_destroy(&b.flows);
}

static void probe_rtt_halves_what_is_under_way_when_it_was_not_seen_for_ten_seconds(void **state)
{
    (void)state;
    struct world_config config = roomy();
    struct bbr_flow b;
    start(&b, &config);
    run_until(&b, BBR_CRUISE, 800 * MS);
    flows_run(&b.flows, 100 * MS);
    for (int i = 0; i < 2; i++) {
        b.flows.world->config.wire.delay_ns += MS;
        assert_in_range(run_until(&b, BBR_PROBE_RTT, 11 * S), 9900 * MS, 10200 * MS);
        flows_run(&b.flows, 40 * MS);
        assert_in_range(lan_tcp_pipe(b.tcb), PATH_BYTES * 45 / 100, PATH_BYTES * 56 / 100);
        assert_in_range(ticks_in_us(b.bbr->rtt), 22000 + 2000 * i, 22600 + 2000 * i);
        assert_in_range(run_until(&b, BBR_CRUISE, 400 * MS), 160 * MS, 200 * MS);
        flows_run(&b.flows, 100 * MS);
    }
    flows_destroy(&b.flows);
}

static void a_longer_path_is_believed_after_probe_rtt(void **state)
{
    (void)state;
    struct world_config config = roomy();
    struct bbr_flow b;
    start(&b, &config);
    flows_run(&b.flows, 2 * S);
    b.flows.world->config.wire.delay_ns = 15 * MS;
    flows_run(&b.flows, 7 * S);
    assert_in_range(ticks_in_us(b.bbr->min_rtt), 20000, 20500);
    run_until(&b, BBR_PROBE_RTT, 6 * S);
    run_until(&b, BBR_CRUISE, 400 * MS);
    assert_in_range(ticks_in_us(b.bbr->min_rtt), 30000, 30500);
    flows_destroy(&b.flows);
}

/* Where the queue is a quarter of what fits the path, a probe overflows it; then inflight_lt is what fitted. */
static void too_much_loss_in_a_probe_bounds_what_is_under_way(void **state)
{
    (void)state;
    struct world_config config = flows_config(10 * MS);
    config.wire.queue_bytes = 70000;
    struct bbr_flow b;
    start(&b, &config);
    flows_run(&b.flows, 5 * S);
    uint64_t before = b.flow->received, sent = world_counter(b.flows.world, "TcpOutSegs");
    uint64_t again = world_counter(b.flows.world, "TcpRetransSegs");
    flows_run(&b.flows, 5 * S);
    assert_in_range(b.bbr->inflight_lt, PATH_BYTES, PATH_BYTES + 100000);
    sent = world_counter(b.flows.world, "TcpOutSegs") - sent;
    again = world_counter(b.flows.world, "TcpRetransSegs") - again;
    assert_true(again * 100 < sent); /* less than one in a hundred, all told */
    assert_true(flow_mbps(b.flow, before, 5 * S) > 80);
    flows_destroy(&b.flows);
}

static void the_bound_is_beta_of_the_target_at_least(void **state)
{
    (void)state;
    struct world_config config = roomy();
    struct bbr_flow b;
    start(&b, &config);
    run_until(&b, BBR_UP, 3 * S);
    flows_run(&b.flows, 25 * MS);
    uint32_t target = lan_bbr_target_inflight(b.tcb);
    const struct lan_tcp_snapshot sent = {.rate = {.in_flight = 10 * b.tcb->mss}};
    b.tcb->sender->rate.lost += 5u * b.tcb->mss; /* half of what was under way then */
    assert_true(b.bbr->probe_sample);
    LAN_TCP_BBR.lost(b.tcb, &sent, b.tcb->mss);
    assert_int_equal(b.bbr->inflight_lt, lan_bbr_percent(target, 70));
    assert_int_equal(b.bbr->state, BBR_DOWN);
    uint32_t once = b.bbr->inflight_lt;
    b.tcb->cwnd /= 2;
    LAN_TCP_BBR.lost(b.tcb, &sent, b.tcb->mss); /* one answer to a probe */
    assert_int_equal(b.bbr->inflight_lt, once);
    flows_destroy(&b.flows);
}

/* Of 200 segments under way 21 are lost: without a queue that is where a tenth is exceeded, so that nearly all of them
 * fitted; with one, a fiftieth was exceeded long before. */
static void the_bound_is_what_was_under_way_when_the_threshold_was_crossed(void **state)
{
    static const struct {
        uint32_t queue_rtts, fitted;
    } cases[] = {{0, 198}, {1, 182}};
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct world_config config = roomy();
        struct bbr_flow b;
        start(&b, &config);
        run_until(&b, BBR_UP, 3 * S);
        uint32_t mss = b.tcb->mss;
        const struct lan_tcp_snapshot sent = {.rate = {.in_flight = 200 * mss, .lost = b.tcb->sender->rate.lost}};
        b.tcb->sender->rate.lost += 21 * mss;
        b.bbr->rtt = b.bbr->min_rtt * (1 + cases[i].queue_rtts);
        LAN_TCP_BBR.lost(b.tcb, &sent, mss);
        assert_int_equal(b.bbr->inflight_lt / mss, cases[i].fitted);
        flows_destroy(&b.flows);
    }
}

/* A repair that is lost twice, at the end of the window, takes a time-out: one in a few hundred seconds. */
static void losses_without_a_queue_do_not_slow_it_down(void **state)
{
    enum { DRAWS = 8 };
    double mbps = 0;
    uint64_t time_outs = 0;
    (void)state;
    for (int draw = 0; draw < DRAWS; draw++) {
        struct world_config config = flows_config(10 * MS);
        config.wire.drop = 0.01;
        config.seed += (uint64_t)draw;
        struct bbr_flow b;
        start(&b, &config);
        flows_run(&b.flows, S);
        uint64_t before = b.flow->received;
        flows_run(&b.flows, 5 * S);
        mbps += flow_mbps(b.flow, before, 5 * S) / DRAWS;
        time_outs += world_counter(b.flows.world, "TcpExtTCPTimeouts");
        flows_destroy(&b.flows);
    }
    assert_true(mbps > 85);
    assert_in_range(time_outs, 0, 1);
}

/* A fifth of the frames dies: whatever the round trip says, that is too much. */
static void heavy_loss_slows_it_down_without_a_queue_too(void **state)
{
    (void)state;
    struct world_config config = roomy();
    struct bbr_flow b;
    start(&b, &config);
    run_until(&b, BBR_CRUISE, 800 * MS);
    b.flows.world->config.wire.drop = 0.2;
    for (int i = 0; i < 200 && b.bbr->bw_st > PATH_RATE * 8 / 10; i++)
        flows_run(&b.flows, MS);
    assert_true(b.bbr->bw_st <= PATH_RATE * 8 / 10);
    assert_true(b.bbr->inflight_st < PATH_BYTES * 2);
    flows_destroy(&b.flows);
}

/* An ACK with ECE for a segment that left just now, at a rate of `rate`. */
static void mark(struct bbr_flow *b, uint32_t rate)
{
    const struct lan_tcp_snapshot sent = {.rate = b->tcb->sender->rate};
    const struct lan_tcp_sample sample = {.sent = &sent, .rate = rate, .delivered = PATH_BYTES / 2};
    LAN_TCP_BBR.sampled(b->tcb, &(struct lan_tcp_ack){.ece = true, .delivered = MSS}, &sample);
}

static void a_mark_counts_as_too_much_loss_does_RFC_3168(void **state)
{
    (void)state;
    struct world_config config = roomy();
    struct bbr_flow b;
    start(&b, &config);
    flows_run(&b.flows, 100 * MS);
    assert_int_equal(b.bbr->state, BBR_STARTUP);
    mark(&b, PATH_RATE / 4);
    assert_int_equal(b.bbr->state, BBR_DRAIN);
    run_until(&b, BBR_CRUISE, 3 * S);
    flows_run(&b.flows, 100 * MS);
    lan_bbr_reset_signals(b.tcb);
    uint32_t bw = lan_bbr_max_bw(b.tcb);
    mark(&b, bw / 2);
    assert_int_equal(b.bbr->bw_st, lan_bbr_percent(bw, 70));
    run_until(&b, BBR_UP, 3 * S);
    mark(&b, bw);
    assert_int_equal(b.bbr->state, BBR_DOWN);
    assert_true(b.bbr->inflight_lt < BBR_UNBOUND);
    flows_destroy(&b.flows);
}

static void after_a_pause_it_goes_on_at_the_rate_that_it_knows(void **state)
{
    (void)state;
    struct world_config config = roomy();
    struct bbr_flow b;
    start(&b, &config);
    run_until(&b, BBR_CRUISE, 800 * MS);
    uint32_t cwnd = b.tcb->cwnd;
    b.flow->pauses = true;
    flows_run(&b.flows, S);
    assert_int_equal(b.tcb->snd_nxt - b.tcb->snd_una, 0);
    b.flow->pauses = false;
    uint64_t before = b.flow->received;
    flows_run(&b.flows, 50 * MS);
    assert_true(b.tcb->cwnd >= cwnd);
    assert_true(b.bbr->state >= BBR_DOWN && b.bbr->state <= BBR_UP);
    assert_in_range(ticks_in_us(b.bbr->rtt), 20000, 22000); /* paced: no queue */
    assert_true(flow_mbps(b.flow, before, 50 * MS) > 50);   /* of which one round trip is silence */
    flows_destroy(&b.flows);
}

static void an_application_that_sends_little_says_nothing_of_the_path(void **state)
{
    (void)state;
    struct world_config config = roomy();
    struct bbr_flow b;
    start(&b, &config);
    flows_run(&b.flows, 2 * S);
    b.flow->pauses = true;
    flows_run(&b.flows, 100 * MS);
    static const uint8_t chunk[1448];
    for (int i = 0; i < 900; i++) { /* 1.2 Mb/s for nine seconds */
        lan_send(b.flows.world->hosts[0].stack, b.flow->from, chunk, sizeof chunk, 0);
        flows_run(&b.flows, 10 * MS);
    }
    assert_in_range(lan_bbr_max_bw(b.tcb), PATH_RATE * 95 / 100, PATH_RATE * 105 / 100);
    flows_destroy(&b.flows);
}

static void it_needs_no_sack(void **state)
{
    (void)state;
    struct world_config config = flows_config(10 * MS);
    config.wire.drop = 0.001;
    struct bbr_flow b;
    start(&b, &config);
    b.tcb->flags &= ~(uint32_t)TCB_SACK;
    flows_run(&b.flows, 3 * S);
    assert_true(flow_mbps(b.flow, 0, 3 * S) > 10);
    uint32_t lost = b.tcb->sender->rate.lost;
    bool probes = false;
    for (int ms = 0; !(probes && lost != b.tcb->sender->rate.lost); ms++) { /* until a probe loses something */
        assert_in_range(ms, 0, 60000);
        probes = b.bbr->probe_sample;
        lost = b.tcb->sender->rate.lost;
        flows_run(&b.flows, MS);
    }
    assert_false(b.bbr->probe_sample);             /* any loss ends it ... */
    assert_true(b.bbr->inflight_lt < BBR_UNBOUND); /* ... and is a bound */
    flows_destroy(&b.flows);
}

static void another_algorithm_takes_over_in_flight(void **state)
{
    static const char *const names[] = {"cubic", "bbr", "newreno", "bbr", "cubic"};
    (void)state;
    struct world_config config = flows_config(10 * MS);
    config.wire.drop = 0.001;
    struct bbr_flow b;
    start(&b, &config);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        flows_run(&b.flows, 300 * MS);
        uint64_t before = b.flow->received;
        lan_setsockopt(b.flows.world->hosts[0].stack, b.flow->from, LAN_IPPROTO_TCP, LAN_TCP_CONGESTION, names[i],
                       (uint32_t)strlen(names[i]));
        assert_int_equal(!b.tcb->sender->pacing_rate, strcmp(names[i], "bbr") != 0);
        flows_run(&b.flows, 300 * MS);
        assert_true(flow_mbps(b.flow, before, 300 * MS) > 1);
    }
    flows_destroy(&b.flows);
}

/* BBR's recovery aims at no window: whoever takes over in the middle of it must not find one without bound at its end.
 */
static void another_algorithm_takes_over_during_a_recovery(void **state)
{
    (void)state;
    static const char *const others[] = {"cubic", "newreno"};
    for (int i = 0; i < 2; i++) {
        struct world_config config = roomy();
        struct bbr_flow b;
        start(&b, &config);
        run_until(&b, BBR_CRUISE, 2 * S);
        b.flows.world->config.wire.drop = 0.01;
        while (!(b.tcb->flags & TCB_FAST_RECOVERY))
            flows_run(&b.flows, MS);
        b.flows.world->config.wire.drop = 0;
        assert_int_equal(lan_setsockopt(b.tcb->stack, b.flow->from, LAN_IPPROTO_TCP, LAN_TCP_CONGESTION, others[i],
                                        (uint32_t)strlen(others[i])),
                         0);
        flows_run(&b.flows, 200 * MS);
        assert_false(b.tcb->flags & TCB_FAST_RECOVERY);
        assert_in_range(b.tcb->cwnd, PATH_BYTES / 2, 4 * PATH_BYTES);
        flows_destroy(&b.flows);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(startup_ends_when_the_pipe_is_full),
        cmocka_unit_test(drain_empties_the_queue),
        cmocka_unit_test(startup_ends_at_losses_too),
        cmocka_unit_test(probe_bw_goes_round),
        cmocka_unit_test(cruising_leaves_no_queue),
        cmocka_unit_test(up_finds_more_bandwidth),
        cmocka_unit_test(less_bandwidth_is_noticed_within_two_cycles),
        cmocka_unit_test(a_path_whose_round_trip_is_seen_again_and_again_needs_no_probe_rtt),
        cmocka_unit_test(probe_rtt_halves_what_is_under_way_when_it_was_not_seen_for_ten_seconds),
        cmocka_unit_test(a_longer_path_is_believed_after_probe_rtt),
        cmocka_unit_test(too_much_loss_in_a_probe_bounds_what_is_under_way),
        cmocka_unit_test(the_bound_is_beta_of_the_target_at_least),
        cmocka_unit_test(the_bound_is_what_was_under_way_when_the_threshold_was_crossed),
        cmocka_unit_test(losses_without_a_queue_do_not_slow_it_down),
        cmocka_unit_test(heavy_loss_slows_it_down_without_a_queue_too),
        cmocka_unit_test(a_mark_counts_as_too_much_loss_does_RFC_3168),
        cmocka_unit_test(after_a_pause_it_goes_on_at_the_rate_that_it_knows),
        cmocka_unit_test(an_application_that_sends_little_says_nothing_of_the_path),
        cmocka_unit_test(it_needs_no_sack),
        cmocka_unit_test(another_algorithm_takes_over_in_flight),
        cmocka_unit_test(another_algorithm_takes_over_during_a_recovery),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
