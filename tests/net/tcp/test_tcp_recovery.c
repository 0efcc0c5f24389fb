/* SPDX-License-Identifier: Apache-2.0 */
/* What each congestion control makes of a path that loses, loses in bursts, or reorders, and how two flows share one:
 * 100 Mb/s, 20 ms, a drop-tail queue of 250 kB, windows of 512 KiB, fifteen seconds of virtual time each. The whole
 * experiment is a benchmark (tests/bench/tcp); these are its bars in short. */
#include "flows.h"
#include "tcp_internal.h"

#include <stdio.h>
#include <string.h>

#define MS UINT64_C(1000000)
#define S UINT64_C(1000000000)

enum { KIB = 1024, SECONDS = 15, DRAWS = 16 /* of what is lost or late, of which the mean counts */ };

/* What a test adds to that. */
struct path {
    struct impairment wire; /* its losses and reordering; its queue, 0: 250 kB */
    uint64_t delay_ns;      /* one way; 0: 10 ms */
    uint32_t window;        /* 0: 512 KiB */
};

static struct flows begin(const char *congestion, struct path path, int draw)
{
    struct world_config config = flows_config(path.delay_ns ? path.delay_ns : 10 * MS);
    if (path.window)
        config.stack.send_buffer_bytes = config.stack.receive_buffer_bytes = path.window;
    config.seed += (uint64_t)draw;
    struct flows flows = {.world = world_create(&config)};
    flows_add(&flows, congestion);
    struct impairment *wire = &flows.world->config.wire;
    path.wire.rate_bps = wire->rate_bps;
    path.wire.delay_ns = wire->delay_ns;
    if (!path.wire.queue_bytes)
        path.wire.queue_bytes = wire->queue_bytes;
    path.wire.forward = true;
    *wire = path.wire;
    return flows;
}

/* What a draw has come to. */
struct outcome {
    double mbps;
    uint64_t time_outs, undone; /* the second: recoveries that were taken back */
};

static struct outcome measure(const char *congestion, struct path path, int draw)
{
    struct flows flows = begin(congestion, path, draw);
    flows_run(&flows, SECONDS * S);
    const struct outcome outcome = {.mbps = flow_mbps(&flows.flows[0], 0, SECONDS * S),
                                    .time_outs = world_counter(flows.world, "TcpExtTCPTimeouts"),
                                    .undone = world_counter(flows.world, "TcpExtTCPFullUndo") +
                                              world_counter(flows.world, "TcpExtTCPLossUndo")};
    flows_destroy(&flows);
    return outcome;
}

/* One time-out for each draw at most, and `undone` recoveries that are taken back. */
static void expect_mbps(const char *congestion, struct path path, double least, uint64_t undone)
{
    struct outcome sum = {0};
    int draws = path.wire.drop > 0 || path.wire.reorder > 0 ? DRAWS : 1;
    for (int draw = 0; draw < draws; draw++) {
        struct outcome outcome = measure(congestion, path, draw);
        sum.mbps += outcome.mbps;
        sum.time_outs += outcome.time_outs;
        sum.undone += outcome.undone;
    }
    print_message("    %s: %.2f Mb/s, at least %.1f\n", congestion, sum.mbps / draws, least);
    assert_true(sum.mbps / draws >= least);
    assert_in_range(sum.time_outs, 0, (uint64_t)draws);
    assert_in_range(sum.undone, 0, undone * (uint64_t)draws);
}

static void losses_at_random(void **state)
{
    static const double shares[] = {0, 0.001, 0.01, 0.05};
    static const double least[3][4] = {{93, 20, 5.5, 2.2}, {93, 15, 5, 2.2}, {91.5, 91.5, 90, 72}};
    static const char *const names[] = {"cubic", "newreno", "bbr"};
    (void)state;
    for (int i = 0; i < 4; i++) {
        for (int name = 0; name < 3; name++)
            expect_mbps(names[name], (struct path){.wire.drop = shares[i]}, least[name][i], 20);
    }
}

/* A segment that is lost twice takes three round trips, for which 512 KiB do not last. */
static void bbr_takes_a_loss_of_5_percent_where_windows_last(void **state)
{
    (void)state;
    expect_mbps("bbr", (struct path){.wire.drop = 0.05, .window = 1024 * KIB}, 86, 20);
}

/* Its queue holds a fifth of what fits the path, and when that overflows or a twentieth is lost a buffer has no room
 * for the gaps (test_tcp_tables.c). */
static void a_long_path_with_a_short_queue(void **state)
{
    const struct path path = {.delay_ns = 50 * MS, .window = 2560 * KIB};
    struct path lossy = path, very_lossy = path;
    (void)state;
    lossy.wire.drop = 0.01;
    very_lossy.wire.drop = 0.05;
    expect_mbps("cubic", path, 85, 200);
    expect_mbps("bbr", path, 78, 200);
    expect_mbps("bbr", lossy, 80, 20);
    expect_mbps("bbr", very_lossy, 50, 20);
}

/* As a radio does that has a turn now and then. */
static void bbr_fills_a_path_whose_acks_come_together(void **state)
{
    (void)state;
    expect_mbps("bbr", (struct path){.wire.bunch_ns = 20 * MS}, 91.5, 20);
    expect_mbps("bbr", (struct path){.wire.bunch_ns = 50 * MS, .window = 1024 * KIB}, 82, 20);
    expect_mbps("bbr", (struct path){.wire.bunch_ns = 100 * MS, .window = 1024 * KIB}, 55, 20);
}

static void losses_in_bursts(void **state)
{
    const struct path bursts = {.wire = {.drop = 0.01, .burst = 8}};
    (void)state;
    expect_mbps("cubic", bursts, 15, 20);
    expect_mbps("newreno", bursts, 12, 20);
    expect_mbps("bbr", bursts, 89, 20);
}

/* In a queue that holds all that the windows allow. */
static void reordering(void **state)
{
    const struct path late = {.wire = {.reorder = 0.05, .reorder_ns = MS, .queue_bytes = 1000000}};
    (void)state;
    expect_mbps("cubic", late, 93, 200);
    expect_mbps("newreno", late, 93, 200);
    expect_mbps("bbr", late, 93, 200);
}

/* What repairs a loss carries a new time stamp, and PAWS drops what is late and older: NewReno halves its window twice.
 */
static void reordering_where_the_queue_overflows_too(void **state)
{
    const struct path late = {.wire = {.reorder = 0.05, .reorder_ns = MS}};
    (void)state;
    expect_mbps("cubic", late, 90, 200);
    expect_mbps("newreno", late, 91, 200);
    expect_mbps("bbr", late, 91, 200);
}

/* Segments that are late by up to a round trip: the sender learns by how much (RFC 8985 6.2), and from then on it waits
 * for them. */
static void few_late_segments_are_sent_again(void **state)
{
    static const char *const names[] = {"cubic", "newreno", "bbr"};
    (void)state;
    for (int i = 0; i < 12; i++) {
        const struct impairment wire = {.reorder = i & 1 ? 0.01 : 0.05, .reorder_ns = (i & 2 ? 8 : 20) * MS};
        struct flows flows = begin(names[i / 4], (struct path){.wire = wire}, 0);
        flows_run(&flows, 6 * S);
        uint64_t again = world_counter(flows.world, "TcpRetransSegs"), lost = flows.world->dropped;
        double each = (double)(again > lost ? again - lost : 0) / (double)flows.world->held_back;
        print_message("    %s, %.0f %% late by %d ms: %.3f sent again for each, at most 0.3\n", names[i / 4],
                      wire.reorder * 100, i & 2 ? 8 : 20, each);
        assert_true(each <= 0.3);
        flows_destroy(&flows);
    }
}

static void without_sack_and_stamps(struct world *world, int host, int fd)
{
    struct lan_tcb *tcb = lan_socket_find(world->hosts[host].stack, fd)->pcb;
    tcb->flags &= ~(uint32_t)(TCB_SACK | TCB_TIMESTAMPS);
    lan_tcp_set_mss(tcb);
}

/* Seconds that 75,000 bytes take with a loss of 10 % both ways. */
static uint64_t seconds_to_deliver(uint64_t seed)
{
    struct world_config config = flows_config(MS);
    config.mtu = 576;
    config.seed = seed;
    struct flows flows = {.world = world_create(&config)};
    struct flow *flow = flows_add(&flows, "cubic");
    without_sack_and_stamps(flows.world, 0, flow->from);
    without_sack_and_stamps(flows.world, 1, flow->to);
    flows.world->config.wire.drop = 0.1;
    uint64_t start_ns = flows.world->now_ns;
    while (flow->received < 75000 && flows.world->now_ns - start_ns < 200 * S)
        flows_run(&flows, 100 * MS);
    uint64_t took_ns = flows.world->now_ns - start_ns;
    flows_destroy(&flows);
    return took_ns / S;
}

/* Where losses are many and neither SACK nor stamps help, time-outs do most of the work: they must come down again as
 * soon as something is measured, and by nothing that waited for one. */
static void a_time_out_does_not_stay_backed_off_for_long(void **state)
{
    enum { SEEDS = 200, MOST = 6 };
    uint32_t slow = 0;
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        slow += seconds_to_deliver(seed) >= 10;
    print_message("    %u of %d transfers took ten seconds, at most %d\n", slow, SEEDS, MOST);
    assert_in_range(slow, 0, MOST);
}

/* NewReno on a slow path with a queue of many round trips. */
static struct flows begin_on_a_long_queue(uint64_t rate_bps, uint32_t queue_bytes, uint32_t window)
{
    struct world_config config = flows_config(10 * MS);
    config.stack.send_buffer_bytes = config.stack.receive_buffer_bytes = window;
    config.wire.rate_bps = rate_bps;
    config.wire.queue_bytes = queue_bytes;
    struct flows flows = {.world = world_create(&config)};
    flows_add(&flows, "newreno");
    return flows;
}

/* Slow start fills a queue of two seconds: there is more under way than the scoreboard can tell apart. The round trip
 * is known all the same, so that no time-out comes long before its end. */
static void a_round_trip_that_grows_a_hundredfold_is_noticed(void **state)
{
    (void)state;
    struct flows flows = begin_on_a_long_queue(10000000, 2500000, 4096 * KIB);
    const struct lan_tcb *tcb = lan_socket_find(flows.world->hosts[0].stack, flows.flows[0].from)->pcb;
    flows_run(&flows, 10 * S);
    assert_int_equal(world_counter(flows.world, "TcpExtTCPTimeouts"), 0);
    flows_run(&flows, 10 * S);
    assert_in_range(tcb->srtt, LAN_TCP_TICKS(500 * LAN_MS), LAN_TCP_TICKS(2 * LAN_S));
    flows_destroy(&flows);
}

/* 25 seconds of a modem's queue. What is sent again waits behind the originals: that these are acknowledged says
 * nothing of it, or each of them would have all of it sent again (RFC 8985 6.2, step 2). */
static void what_waits_in_a_queue_is_not_sent_again_each_time(void **state)
{
    (void)state;
    struct flows flows = begin_on_a_long_queue(64000, 200000, 1024 * KIB);
    flows_run(&flows, 120 * S);
    assert_in_range(world_counter(flows.world, "TcpExtTCPTimeouts"), 1, 1);
    assert_in_range(world_counter(flows.world, "TcpRetransSegs"), 100, 400);
    flows_destroy(&flows);
}

static void share(const char *congestion)
{
    struct flows flows = begin(congestion, (struct path){0}, 0);
    flows_run(&flows, S);
    flows_add(&flows, congestion);
    uint64_t before = flows.flows[0].received;
    flows_run(&flows, 30 * S);
    double a = flow_mbps(&flows.flows[0], before, 30 * S), b = flow_mbps(&flows.flows[1], 0, 30 * S);
    double jain = (a + b) * (a + b) / (2 * (a * a + b * b));
    print_message("    %s: %.1f and %.1f Mb/s, Jain index %.3f\n", congestion, a, b, jain);
    assert_true(jain >= 0.9);
    assert_true(a + b > 88);
    flows_destroy(&flows);
}

static void two_flows_of_a_kind_share_the_path(void **state)
{
    (void)state;
    share("cubic");
    share("newreno");
    share("bbr");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(losses_at_random),
        cmocka_unit_test(bbr_takes_a_loss_of_5_percent_where_windows_last),
        cmocka_unit_test(a_long_path_with_a_short_queue),
        cmocka_unit_test(bbr_fills_a_path_whose_acks_come_together),
        cmocka_unit_test(losses_in_bursts),
        cmocka_unit_test(reordering),
        cmocka_unit_test(reordering_where_the_queue_overflows_too),
        cmocka_unit_test(few_late_segments_are_sent_again),
        cmocka_unit_test(a_time_out_does_not_stay_backed_off_for_long),
        cmocka_unit_test(a_round_trip_that_grows_a_hundredfold_is_noticed),
        cmocka_unit_test(what_waits_in_a_queue_is_not_sent_again_each_time),
        cmocka_unit_test(two_flows_of_a_kind_share_the_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
