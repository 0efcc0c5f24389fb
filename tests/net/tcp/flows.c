/* SPDX-License-Identifier: Apache-2.0 */
#include "flows.h"

#include <errno.h>
#include <string.h>

#define MS UINT64_C(1000000)

struct world_config flows_config(uint64_t delay_ns)
{
    struct world_config config = WORLD_DEFAULT;
    config.stack.pool = (struct lan_pool_config){.buffers = 4096, .buffer_bytes = 2048, .views = 16384};
    config.stack.send_buffer_bytes = config.stack.receive_buffer_bytes = 512 * 1024;
    config.wire = (struct impairment){.rate_bps = 100000000, .delay_ns = delay_ns, .queue_bytes = 250000};
    return config;
}

static void pump(struct world *world, struct flow *flow)
{
    static uint8_t chunk[65536];
    struct lan_stack *from = world->hosts[0].stack, *to = world->hosts[1].stack;
    while (!flow->pauses && lan_send(from, flow->from, chunk, sizeof chunk, 0) > 0) {
    }
    for (long n; (n = lan_recv(to, flow->to, chunk, sizeof chunk, 0)) > 0;)
        flow->received += (uint64_t)n;
}

void flows_run(struct flows *flows, uint64_t ns)
{
    struct world *world = flows->world;
    uint64_t end_ns = world->now_ns + ns;
    do {
        for (int i = 0; i < flows->count; i++)
            pump(world, &flows->flows[i]);
    } while (world_step(world, end_ns));
}

struct flow *flows_add(struct flows *flows, const char *congestion)
{
    struct world *world = flows->world;
    struct flow *flow = &flows->flows[flows->count];
    uint16_t port = (uint16_t)(FLOWS_PORT + flows->count);
    int listener = world_listen(world, port, 1);
    *flow = (struct flow){.from = world_connect(world, port)};
    assert_int_equal(lan_setsockopt(world->hosts[0].stack, flow->from, LAN_IPPROTO_TCP, LAN_TCP_CONGESTION, congestion,
                                    (uint32_t)strlen(congestion)),
                     0);
    while ((flow->to = lan_accept(world->hosts[1].stack, listener, NULL, LAN_SOCK_NONBLOCK)) == -EAGAIN)
        flows_run(flows, MS);
    assert_true(flow->to >= 0);
    assert_int_equal(lan_close(world->hosts[1].stack, listener), 0);
    flows->count++;
    return flow;
}

double flow_mbps(const struct flow *flow, uint64_t before, uint64_t ns)
{
    return ns ? (double)(flow->received - before) * 8e3 / (double)ns : 0;
}

void flows_destroy(struct flows *flows)
{
    struct world *world = flows->world;
    for (int i = 0; i < flows->count; i++) {
        const struct lan_linger none = {.l_onoff = 1};
        lan_setsockopt(world->hosts[0].stack, flows->flows[i].from, LAN_SOL_SOCKET, LAN_SO_LINGER, &none, sizeof none);
        lan_close(world->hosts[0].stack, flows->flows[i].from);
        lan_close(world->hosts[1].stack, flows->flows[i].to);
    }
    flows->count = 0;
    world_destroy(world);
}
