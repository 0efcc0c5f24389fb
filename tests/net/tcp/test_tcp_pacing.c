/* SPDX-License-Identifier: Apache-2.0 */
/* Pacing: LAN_SO_MAX_PACING_RATE, and what congestion control asks for. */
#include "flows.h"
#include "tcp_internal.h"

#include <errno.h>
#include <string.h>

/* How much more than its rate a sender has sent, at worst, over any span of time: a bucket that leaks at the rate. */
struct bucket {
    uint64_t last_ns;
    double level, worst;
    uint32_t rate;     /* bytes a second */
    uint32_t instants; /* at which something was sent */
    uint32_t too_near; /* of them, less than TCP's tick after the one before */
};

static uint32_t payload_of(const uint8_t *frame, uint32_t len)
{
    const uint8_t *ip = frame + 14;
    if (len < 54 || frame[12] != 8 || ip[9] != 6)
        return 0;
    return ((uint32_t)ip[2] << 8 | ip[3]) - (ip[0] & 15) * 4u - (ip[20 + 12] >> 4) * 4u;
}

static void pour(struct world *world, int from, const uint8_t *frame, uint32_t len)
{
    struct bucket *bucket = world->sniffer;
    uint32_t bytes = from == 0 ? payload_of(frame, len) : 0;
    if (!bytes)
        return;
    double leaked = (double)(world->now_ns - bucket->last_ns) * bucket->rate / 1e9;
    bucket->instants += world->now_ns > bucket->last_ns;
    bucket->too_near += world->now_ns > bucket->last_ns && world->now_ns - bucket->last_ns < 1024;
    bucket->last_ns = world->now_ns;
    bucket->level = (bucket->level > leaked ? bucket->level - leaked : 0) + bytes;
    if (bucket->level > bucket->worst)
        bucket->worst = bucket->level;
}

static int set_limit(struct lan_stack *stack, int fd, uint32_t rate)
{
    return lan_setsockopt(stack, fd, LAN_SOL_SOCKET, LAN_SO_MAX_PACING_RATE, &rate, sizeof rate);
}

static uint32_t limit_of(struct lan_stack *stack, int fd)
{
    uint32_t rate = 0, bytes = sizeof rate;
    assert_int_equal(lan_getsockopt(stack, fd, LAN_SOL_SOCKET, LAN_SO_MAX_PACING_RATE, &rate, &bytes), 0);
    return rate;
}

static struct bucket pace(const struct world_config *config, struct flows *flows, const char *congestion, uint32_t rate)
{
    *flows = (struct flows){.world = world_create(config)};
    struct flow *flow = flows_add(flows, congestion);
    assert_int_equal(set_limit(flows->world->hosts[0].stack, flow->from, rate), 0);
    flows->world->sniff = pour;
    return (struct bucket){.rate = rate, .last_ns = flows->world->now_ns};
}

/* Over any span no more leaves than the rate and a quantum, and an eighth of one for a timer that was late; `share` of
 * the rate is used in the long run. */
static void check_limit(const char *congestion, uint32_t rate, uint32_t quantum, double drop, int seconds, double share)
{
    struct world_config config = flows_config(5000000);
    struct flows flows;
    config.wire.drop = drop;
    struct bucket bucket = pace(&config, &flows, congestion, rate);
    flows.world->sniffer = &bucket;
    flows_run(&flows, (uint64_t)seconds * 1000000000);
    uint64_t received = flows.flows[0].received;
    print_message("    %s at %u B/s: worst %.0f of a quantum of %u, %llu bytes in %d s\n", congestion, rate,
                  bucket.worst, quantum, (unsigned long long)received, seconds);
    assert_true(bucket.worst <= quantum + quantum / 8);
    assert_true((double)received >= seconds * share * rate);
    flows.world->sniff = NULL;
    flows_destroy(&flows);
}

static void no_span_of_time_sees_more_than_the_limit_and_a_quantum(void **state)
{
    (void)state;
    check_limit("cubic", 1000000, 2 * 1448, 0, 2, 0.98);
    check_limit("cubic", 5000000, 5000, 0, 2, 0.98);
    check_limit("newreno", 200000, 2 * 1448, 0, 2, 0.98);
    check_limit("bbr", 1000000, 2 * 1448, 0, 2, 0.9); /* its own rate is a little less */
}

static void retransmissions_count_too(void **state)
{
    (void)state;
    check_limit("bbr", 1000000, 2 * 1448, 0.05, 10, 0.7); /* so long that one loss more or less does not matter */
}

/* RACK takes what was sent in one tick for sent in order, which only one turn of output sees to. */
static void no_two_turns_are_in_one_tick(void **state)
{
    (void)state;
    static const uint64_t seeds[] = {1, 15}; /* by the second a turn followed the repair of a loss by 320 ns once */
    for (int i = 0; i < 2; i++) {
        struct world_config config = flows_config(10000000);
        struct flows flows;
        config.seed = seeds[i];
        config.wire.drop = 0.05;
        struct bucket bucket = pace(&config, &flows, "bbr", UINT32_MAX - 1);
        flows.world->sniffer = &bucket;
        flows_run(&flows, UINT64_C(20000000000));
        assert_int_equal(bucket.too_near, 0);
        flows.world->sniff = NULL;
        flows_destroy(&flows);
    }
}

static void two_turns_of_one_instant_have_a_pause_between_them(void **state)
{
    (void)state;
    static const uint8_t segment[1448];
    struct world_config config = flows_config(10000000);
    struct flows flows;
    struct bucket bucket = pace(&config, &flows, "cubic", 1000000);
    struct lan_stack *stack = flows.world->hosts[0].stack;
    flows.world->sniffer = &bucket;
    for (int i = 0; i < 2; i++)
        assert_int_equal(lan_send(stack, flows.flows[0].from, segment, sizeof segment, 0), sizeof segment);
    assert_true(bucket.worst == sizeof segment);
    flows.flows[0].pauses = true;
    flows_run(&flows, UINT64_C(100000000));
    assert_int_equal(flows.flows[0].received, 2 * sizeof segment);
    assert_true(bucket.worst == sizeof segment);
    flows.world->sniff = NULL;
    flows_destroy(&flows);
}

/* Nothing has a pause behind it that left before there was a limit. */
static void what_leaves_unpaced_brings_no_pause(void **state)
{
    static const uint8_t segments[9 * 1448];
    (void)state;
    struct world_config config = flows_config(10000000);
    struct flows flows = {.world = world_create(&config)};
    struct flow *flow = flows_add(&flows, "cubic");
    struct lan_stack *stack = flows.world->hosts[0].stack;
    flow->pauses = true;
    flows_run(&flows, UINT64_C(100000000));
    assert_int_equal(lan_send(stack, flow->from, segments, sizeof segments, 0), sizeof segments);
    assert_int_equal(set_limit(stack, flow->from, 1000000), 0);
    uint64_t sent = lan_stack_counter(stack, "TcpOutSegs");
    assert_int_equal(lan_send(stack, flow->from, segments, 1448, 0), 1448);
    assert_int_equal(lan_stack_counter(stack, "TcpOutSegs"), sent + 1);
    flows_destroy(&flows);
}

/* Fires all that is due within a tick of 100 us at its end. */
static void set_late_alarm(void *ctx, uint64_t deadline_ns)
{
    enum { TICK_NS = 100000 };
    struct host *host = ctx;
    host->alarm_ns = deadline_ns == LAN_NEVER ? LAN_NEVER : (deadline_ns + TICK_NS - 1) / TICK_NS * TICK_NS;
}

/* Through an interface that takes no large segments: a quantum leaves at once nevertheless, and then comes one pause.
 */
static void check_single_segments(const char *congestion, uint32_t rate, bool late)
{
    enum { SECONDS = 4, MSS = 1448 };
    struct world_config config = flows_config(5000000);
    struct flows flows;
    config.max_tso_bytes = 1514;
    struct bucket bucket = pace(&config, &flows, congestion, rate);
    uint32_t quantum = rate / 1000 < 2 * MSS ? 2 * MSS : rate / 1000, whole = quantum - quantum % MSS;
    flows.world->sniffer = &bucket;
    if (late)
        flows.world->hosts[0].port.set_alarm = set_late_alarm;
    flows_run(&flows, UINT64_C(1000000000)); /* so that slow start is over */
    uint64_t before = flows.flows[0].received;
    bucket.instants = 0;
    flows_run(&flows, UINT64_C(1000000000) * SECONDS);
    uint64_t received = flows.flows[0].received - before;
    print_message("    %s at %u B/s: worst %.0f of a quantum of %u, %llu bytes in %u turns\n", congestion, rate,
                  bucket.worst, quantum, (unsigned long long)received, bucket.instants);
    assert_true(bucket.worst <= quantum + (late ? quantum / 8 : 0));
    assert_true((double)received >= 0.99 * SECONDS * rate);
    assert_true(bucket.instants <= received / whole * 102 / 100);
    flows.world->sniff = NULL;
    flows_destroy(&flows);
}

static void a_quantum_may_leave_in_single_segments(void **state)
{
    (void)state;
    for (int late = 0; late < 2; late++) {
        check_single_segments("cubic", 1000000, late);
        check_single_segments("cubic", 5000000, late);
        check_single_segments("newreno", 11000000, late);
    }
}

static void a_limit_is_one_of_the_socket_and_its_children(void **state)
{
    (void)state;
    struct world *world = world_create(&WORLD_DEFAULT);
    struct lan_stack *stack = world->hosts[1].stack;
    int listener = world_listen(world, FLOWS_PORT, 1);
    assert_int_equal(limit_of(stack, listener), UINT32_MAX);
    assert_int_equal(set_limit(stack, listener, 0), -EINVAL);
    assert_int_equal(set_limit(stack, listener, 123456), 0);
    int from = world_connect(world, FLOWS_PORT), to;
    while ((to = lan_accept(stack, listener, NULL, LAN_SOCK_NONBLOCK)) == -EAGAIN)
        world_step(world, world->now_ns + 1000000);
    assert_int_equal(limit_of(stack, to), 123456);
    assert_int_equal(set_limit(stack, to, UINT32_MAX), 0);
    assert_int_equal(limit_of(stack, to), UINT32_MAX);
    lan_close(world->hosts[0].stack, from);
    lan_close(stack, to);
    lan_close(stack, listener);
    world_destroy(world);
}

/* Between two time-outs or probes there is nothing but the pause: the connection does not take it for a closed window.
 */
static void a_pause_with_nothing_under_way_is_no_window_probe(void **state)
{
    (void)state;
    struct world_config config = flows_config(100000);
    struct flows flows = {.world = world_create(&config)};
    struct flow *flow = flows_add(&flows, "cubic");
    assert_int_equal(set_limit(flows.world->hosts[0].stack, flow->from, 2 * 1448), 0); /* one quantum a second */
    flows_run(&flows, 5500000000);
    assert_in_range(flow->received, 5 * 2 * 1448, 7 * 2 * 1448);
    assert_int_equal(world_counter(flows.world, "TcpExtTCPWinProbe"), 0);
    assert_int_equal(world_counter(flows.world, "TcpRetransSegs"), 0);
    flows_destroy(&flows);
}

static void a_limit_that_is_raised_shortens_the_pause(void **state)
{
    (void)state;
    struct world_config config = flows_config(100000);
    struct flows flows = {.world = world_create(&config)};
    struct flow *flow = flows_add(&flows, "cubic");
    assert_int_equal(set_limit(flows.world->hosts[0].stack, flow->from, 2), 0); /* a quantum in half an hour */
    flows_run(&flows, 3000000000);
    assert_in_range(flow->received, 1, 2 * 1448);
    assert_int_equal(set_limit(flows.world->hosts[0].stack, flow->from, 1000000), 0);
    flows_run(&flows, 1000000000);
    assert_true(flow->received >= 900000);
    flows_destroy(&flows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_span_of_time_sees_more_than_the_limit_and_a_quantum),
        cmocka_unit_test(retransmissions_count_too),
        cmocka_unit_test(no_two_turns_are_in_one_tick),
        cmocka_unit_test(two_turns_of_one_instant_have_a_pause_between_them),
        cmocka_unit_test(what_leaves_unpaced_brings_no_pause),
        cmocka_unit_test(a_quantum_may_leave_in_single_segments),
        cmocka_unit_test(a_limit_is_one_of_the_socket_and_its_children),
        cmocka_unit_test(a_pause_with_nothing_under_way_is_no_window_probe),
        cmocka_unit_test(a_limit_that_is_raised_shortens_the_pause),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
