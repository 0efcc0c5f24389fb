/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LANYARD_TESTS_NET_TCP_FLOWS_H
#define LANYARD_TESTS_NET_TCP_FLOWS_H

/* Bulk transfers from host 0 of a world to host 1, all over its one wire. */

#include "world.h"

enum { FLOWS_MAX = 4, FLOWS_PORT = 5001 };

struct flow {
    int from, to; /* sockets */
    uint64_t received;
    bool pauses; /* its application has nothing to send for now */
};

struct flows {
    struct world *world;
    struct flow flows[FLOWS_MAX];
    int count;
};

/* 100 Mb/s, `delay_ns` one way, a drop-tail queue of 250 kB, windows of 512 KiB; memory for FLOWS_MAX of them. */
struct world_config flows_config(uint64_t delay_ns);

/* Opens a transfer with this congestion control ("cubic" ...). */
struct flow *flows_add(struct flows *flows, const char *congestion);

/* Lets `ns` pass, sending and receiving whatever the sockets take and have. */
void flows_run(struct flows *flows, uint64_t ns);

/* Mb/s of a flow since it had received `before`, `ns` ago. */
double flow_mbps(const struct flow *flow, uint64_t before, uint64_t ns);

/* Closes all, and the world. */
void flows_destroy(struct flows *flows);

#endif
