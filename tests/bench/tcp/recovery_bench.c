/* SPDX-License-Identifier: Apache-2.0 */
/* Bulk transfers that share one wire in virtual time; prints one JSON object.
 *
 * recovery_bench CONGESTION[,CONGESTION...] [NAME=VALUE...]; the settings are below. A loss or reordering begins when
 * all transfers have begun, and from then on it is measured.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flows.h"
#include "lanyard/tcp_info.h"

struct setting {
    const char *name;
    double value, least, most;
};

static struct setting rate = {"rate", 1e8, 0, 1e12};           /* bit/s; 0: infinite */
static struct setting delay_us = {"delay_us", 10000, 0, 1e8};  /* one way */
static struct setting queue = {"queue", 250000, 0, 1e9};       /* bytes */
static struct setting window = {"window", 524288, 1, 1 << 30}; /* bytes of each socket buffer */
static struct setting drop = {"drop", 0, 0, 1};                /* share of the data frames */
static struct setting burst = {"burst", 1, 1, 1e6};            /* so many in a row */
static struct setting reorder = {"reorder", 0, 0, 1};          /* share of them held back */
static struct setting reorder_us = {"reorder_us", 0, 0, 1e8};  /* for so long */
static struct setting start_s = {"start_s", 0, 0, 1e5};        /* between two transfers' starts */
static struct setting seconds = {"seconds", 60, 0, 1e5};
static struct setting seed = {"seed", 1, 0, 1e15};
static struct setting samples = {"samples", 0, 0, 1e6}; /* of the first transfer, evenly over all the time */

static struct setting *const SETTINGS[] = {&rate,    &delay_us,   &queue,   &window,  &drop, &burst,
                                           &reorder, &reorder_us, &start_s, &seconds, &seed, &samples};
enum { SETTING_COUNT = sizeof SETTINGS / sizeof SETTINGS[0] };

static bool set(const char *argument)
{
    size_t length = strcspn(argument, "=");
    for (int i = 0; i < SETTING_COUNT && argument[length]; i++) {
        char *end;
        if (strlen(SETTINGS[i]->name) != length || strncmp(SETTINGS[i]->name, argument, length) != 0)
            continue;
        double value = SETTINGS[i]->value = strtod(argument + length + 1, &end);
        return end != argument + length + 1 && !*end && value >= SETTINGS[i]->least && value <= SETTINGS[i]->most;
    }
    return false;
}

static int complain_of_setting(const char *argument)
{
    fprintf(stderr, "recovery_bench: cannot take '%s', expected NAME=VALUE with one of", argument);
    for (int i = 0; i < SETTING_COUNT; i++)
        fprintf(stderr, " %s", SETTINGS[i]->name);
    fprintf(stderr, "\n");
    return 2;
}

static uint64_t transfers(const char *congestions)
{
    uint64_t count = 1;
    while ((congestions = strchr(congestions, ',')) != NULL)
        congestions++, count++;
    return count;
}

static bool is_known(struct lan_stack *stack, const char *congestion)
{
    int fd = lan_socket(stack, LAN_AF_INET, LAN_SOCK_STREAM, 0);
    int result =
        lan_setsockopt(stack, fd, LAN_IPPROTO_TCP, LAN_TCP_CONGESTION, congestion, (uint32_t)strlen(congestion));
    lan_close(stack, fd);
    return result == 0;
}

static int complain_of_transfers(const char *argument)
{
    fprintf(stderr, "recovery_bench: cannot take '%s', expected 1 to %d of newreno, cubic, bbr\n", argument, FLOWS_MAX);
    return 2;
}

static void print_sample(const struct flows *flows, int i, uint64_t begun_ns)
{
    static const char *separator = "";
    const struct world *world = flows->world;
    const struct host *sender = &world->hosts[0];
    struct lan_tcp_info info;
    uint32_t bytes = sizeof info;
    lan_getsockopt(sender->stack, flows->flows[i].from, LAN_IPPROTO_TCP, LAN_TCP_INFO, &info, &bytes);
    uint32_t out = info.sacked + info.lost, in_flight = info.unacked > out ? info.unacked - out : 0;
    uint64_t queued_ns = sender->wire_free_ns > world->now_ns ? sender->wire_free_ns - world->now_ns : 0;
    printf("%s{\"s\": %.6f, \"flow\": %d, \"received\": %llu, \"cwnd\": %u, \"in_flight\": %u, \"queue_ms\": %.3f}",
           separator, (double)(world->now_ns - begun_ns) / 1e9, i, (unsigned long long)flows->flows[i].received,
           info.snd_cwnd, in_flight, (double)queued_ns / 1e6);
    separator = ", ";
}

/* Lets `ns` pass, and prints the samples that are due. */
static void run(struct flows *flows, uint64_t begun_ns, uint64_t ns, uint64_t period_ns)
{
    uint64_t end_ns = flows->world->now_ns + ns;
    while (period_ns && flows->world->now_ns + period_ns <= end_ns) {
        flows_run(flows, period_ns);
        for (int i = 0; i < flows->count; i++)
            print_sample(flows, i, begun_ns);
    }
    flows_run(flows, end_ns - flows->world->now_ns);
}

static struct world *create_world(void)
{
    struct world_config config = flows_config((uint64_t)(delay_us.value * 1e3));
    config.stack.pool = (struct lan_pool_config){.buffers = 32768, .buffer_bytes = 2048, .views = 65536};
    config.stack.send_buffer_bytes = config.stack.receive_buffer_bytes = (uint32_t)window.value;
    config.wire.rate_bps = (uint64_t)rate.value;
    config.wire.queue_bytes = (uint32_t)queue.value;
    config.wire.burst = (uint32_t)burst.value;
    config.wire.reorder_ns = (uint64_t)(reorder_us.value * 1e3);
    config.wire.forward = true;
    config.seed = (uint64_t)seed.value;
    return world_create(&config);
}

static void print_counters(const struct world *world)
{
    printf("\"dropped\": %llu, \"held_back\": %llu, ", (unsigned long long)world->dropped,
           (unsigned long long)world->held_back);
    printf("\"retransmitted\": %llu, \"timeouts\": %llu, \"undone\": %llu}\n",
           (unsigned long long)world_counter(world, "TcpRetransSegs"),
           (unsigned long long)world_counter(world, "TcpExtTCPTimeouts"),
           (unsigned long long)(world_counter(world, "TcpExtTCPFullUndo") + world_counter(world, "TcpExtTCPLossUndo")));
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return fprintf(stderr, "usage: recovery_bench CONGESTION[,CONGESTION...] [NAME=VALUE...]\n"), 2;
    for (int i = 2; i < argc; i++) {
        if (!set(argv[i]))
            return complain_of_setting(argv[i]);
    }
    if (!argv[1][strspn(argv[1], ",")] || transfers(argv[1]) > FLOWS_MAX)
        return complain_of_transfers(argv[1]);

    struct flows flows = {.world = create_world()};
    uint64_t begun_ns = flows.world->now_ns;
    uint64_t apart_ns = (uint64_t)(start_s.value * 1e9), ns = (uint64_t)(seconds.value * 1e9);
    double all_ns = (double)(transfers(argv[1]) * apart_ns + ns);
    uint64_t period_ns = samples.value > 0 ? (uint64_t)(all_ns / samples.value) : 0;
    printf("{\"samples\": [");
    for (char *name = strtok(argv[1], ","); name; name = strtok(NULL, ",")) {
        if (!is_known(flows.world->hosts[0].stack, name))
            return complain_of_transfers(name);
        flows_add(&flows, name);
        run(&flows, begun_ns, apart_ns, period_ns);
    }
    flows.world->config.wire.drop = drop.value;
    flows.world->config.wire.reorder = reorder.value;

    uint64_t before[FLOWS_MAX];
    for (int i = 0; i < flows.count; i++)
        before[i] = flows.flows[i].received;
    run(&flows, begun_ns, ns, period_ns);
    printf("], \"goodput_mbps\": [");
    for (int i = 0; i < flows.count; i++)
        printf("%s%.3f", i ? ", " : "", flow_mbps(&flows.flows[i], before[i], ns));
    printf("], ");
    print_counters(flows.world);
    return 0; /* the process takes everything with it */
}
