/* SPDX-License-Identifier: Apache-2.0 */
/* Bulk transfers that share one wire in virtual time; prints one JSON object.
 *
 * recovery_bench CONGESTION[,CONGESTION...] [NAME=VALUE...]: rate (bit/s), delay_us (one way), queue (bytes), window
 * (bytes of each socket buffer), drop (share of the data frames), burst (frames lost in a row), reorder (share of the
 * data frames that are held back for reorder_us), start_s (between one flow's start and the next), seconds (measured,
 * after all have begun), seed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flows.h"

static double option(int count, char **options, const char *name, double otherwise)
{
    size_t length = strlen(name);
    for (int i = 0; i < count; i++) {
        if (strncmp(options[i], name, length) == 0 && options[i][length] == '=')
            return strtod(options[i] + length + 1, NULL);
    }
    return otherwise;
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return fprintf(stderr, "usage: recovery_bench CONGESTION[,CONGESTION...] [NAME=VALUE...]\n"), 2;
    int count = argc - 2;
    char **options = argv + 2;
    struct world_config config = flows_config((uint64_t)(option(count, options, "delay_us", 10000) * 1e3));
    uint32_t window = (uint32_t)option(count, options, "window", 524288);
    config.stack.pool = (struct lan_pool_config){.buffers = 32768, .buffer_bytes = 2048, .views = 65536};
    config.stack.send_buffer_bytes = config.stack.receive_buffer_bytes = window;
    config.wire.rate_bps = (uint64_t)option(count, options, "rate", 1e8);
    config.wire.queue_bytes = (uint32_t)option(count, options, "queue", 250000);
    config.wire.burst = (uint32_t)option(count, options, "burst", 1);
    config.wire.reorder_ns = (uint64_t)(option(count, options, "reorder_us", 0) * 1e3);
    config.wire.forward = true;
    config.seed = (uint64_t)option(count, options, "seed", 1);

    struct flows flows = {.world = world_create(&config)};
    uint64_t apart_ns = (uint64_t)(option(count, options, "start_s", 0) * 1e9);
    for (char *name = strtok(argv[1], ","); name && flows.count < FLOWS_MAX; name = strtok(NULL, ",")) {
        flows_add(&flows, name);
        flows_run(&flows, apart_ns);
    }
    flows.world->config.wire.drop = option(count, options, "drop", 0); /* the handshakes are over */
    flows.world->config.wire.reorder = option(count, options, "reorder", 0);

    uint64_t before[FLOWS_MAX], ns = (uint64_t)(option(count, options, "seconds", 60) * 1e9);
    for (int i = 0; i < flows.count; i++)
        before[i] = flows.flows[i].received;
    flows_run(&flows, ns);
    printf("{\"goodput_mbps\": [");
    for (int i = 0; i < flows.count; i++)
        printf("%s%.3f", i ? ", " : "", flow_mbps(&flows.flows[i], before[i], ns));
    printf(
        "], \"dropped\": %llu, \"held_back\": %llu, \"retransmitted\": %llu, \"timeouts\": %llu, \"undone\": %llu}\n",
        (unsigned long long)flows.world->dropped, (unsigned long long)flows.world->held_back,
        (unsigned long long)world_counter(flows.world, "TcpRetransSegs"),
        (unsigned long long)world_counter(flows.world, "TcpExtTCPTimeouts"),
        (unsigned long long)(world_counter(flows.world, "TcpExtTCPFullUndo") +
                             world_counter(flows.world, "TcpExtTCPLossUndo")));
    return 0; /* the process takes everything with it */
}
