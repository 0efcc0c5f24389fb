/* SPDX-License-Identifier: Apache-2.0 */
/* What finding a segment's connection costs, and what a connection that does nothing occupies.
 *
 * demux_bench CONNECTIONS LOOKUPS: so many connections in one stack, so many lookups of one of them at random. Prints
 * the bytes of an idle connection: its TCB and its share of the tables, then those of its socket. */

#include <stdio.h>
#include <stdlib.h>

#include "tcp_internal.h"

static uint64_t random_state = 1;

static uint64_t draw64(void)
{
    uint64_t z = random_state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    return z ^ z >> 31;
}

static uint64_t now_ns(void *ctx)
{
    (void)ctx;
    return LAN_S;
}

static void fill_random(void *ctx, void *out, size_t bytes)
{
    (void)ctx;
    for (uint8_t *to = out; bytes--; to++)
        *to = (uint8_t)(draw64() >> 32);
}

static void set_alarm(void *ctx, uint64_t deadline_ns)
{
    (void)ctx;
    (void)deadline_ns;
}

static const struct lan_port port = {.now_ns = now_ns, .random = fill_random, .set_alarm = set_alarm};

static struct lan_config config_of(uint32_t connections, uint32_t sockets)
{
    struct lan_config config = LAN_CONFIG_DEFAULT;
    config.pool = (struct lan_pool_config){.buffers = 64, .buffer_bytes = 2048, .views = 64};
    config.tcp_connections = connections;
    config.sockets = sockets;
    return config;
}

/* Connection `i` is to port 80 of this host, from one of a few thousand peers with many ports each. */
static uint32_t peer_of(uint32_t i)
{
    return lan_htonl(0xc6336400 + i % 4096);
}

static uint16_t port_of(uint32_t i)
{
    return lan_htons((uint16_t)(1024 + i / 4096));
}

static void fill(struct lan_stack *stack, uint32_t connections, uint32_t local)
{
    for (uint32_t i = 0; i < connections; i++) {
        struct lan_tcb *tcb = lan_tcb_new(stack);
        if (!tcb)
            abort();
        tcb->flow.src = local;
        tcb->flow.dst = peer_of(i);
        tcb->local_port = lan_htons(80);
        tcb->remote_port = port_of(i);
        tcb->state = LAN_TCP_ESTABLISHED;
        lan_tcp_insert(tcb);
    }
}

/* What each of 65,536 more adds to a stack; the tables are full at both sizes. */
static double bytes_each(bool sockets)
{
    enum { FEW = 65536, MANY = 2 * FEW };
    uint32_t spare = sockets ? 0 : LAN_TCP_SPARE_TCBS;
    struct lan_config few = config_of(sockets ? 16 : FEW - spare, sockets ? FEW : 16);
    struct lan_config many = config_of(sockets ? 16 : MANY - spare, sockets ? MANY : 16);
    return (double)(lan_stack_size(&many) - lan_stack_size(&few)) / (MANY - FEW);
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: demux_bench CONNECTIONS LOOKUPS\n");
        return 2;
    }
    uint32_t connections = (uint32_t)atol(argv[1]), lookups = (uint32_t)atol(argv[2]);
    const uint32_t local = lan_htonl(0xc0000201);
    struct lan_config config = config_of(connections, 16);
    size_t bytes = (lan_stack_size(&config) + 63) & ~(size_t)63;
    struct lan_stack *stack = lan_stack_create(aligned_alloc(64, bytes), bytes, &port, &config);
    if (!stack || !connections)
        return 1;
    fill(stack, connections, local);
    for (uint32_t n = 0; n < lookups; n++) {
        uint32_t i = (uint32_t)((draw64() >> 32) * connections >> 32);
        const struct lan_tcb *tcb = lan_tcp_find(&stack->tcp, local, lan_htons(80), peer_of(i), port_of(i));
        if (!tcb || tcb->remote_port != port_of(i))
            return 1;
    }
    printf("{\"connection_bytes\": %.1f, \"socket_bytes\": %.1f}\n", bytes_each(false), bytes_each(true));
    return 0;
}
