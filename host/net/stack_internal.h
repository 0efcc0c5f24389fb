/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LANYARD_STACK_INTERNAL_H
#define LANYARD_STACK_INTERNAL_H

/* A stack instance from the inside: each protocol's state hangs here. */

#include "arp.h"
#include "counters.h"
#include "icmp.h"
#include "lanyard/stack.h"
#include "reassembly.h"
#include "route.h"
#include "socket_table.h"
#include "tcp.h"
#include "timer.h"
#include "udp.h"

struct lan_tcp;

/* What is used most stands first, within the reach of an instruction's offset. */
struct lan_stack {
    const struct lan_port *port;
    struct lan_pool *pool;
    struct lan_netif *netifs;
    uint32_t transmitting; /* drivers of theirs that have been called, one from within another */
    struct lan_counters counters;
    struct lan_tcp tcp;
    struct lan_arp arp;
    struct lan_routes routes;
    struct lan_icmp icmp;
    struct lan_udp udp;
    struct lan_socket_table sockets;
    /* Filled at random to begin with. */
    struct {
        uint64_t secret[2]; /* SipHash's key */
        uint16_t ip_id[LAN_IP_IDS];
        uint32_t udp_key[2]; /* of the hash tables of UDP and ARP: peers choose their addresses */
        uint64_t arp_key;
    } random;
    struct lan_config config;
    uint64_t alarm_ns; /* what the port was told last */
    struct lan_timers timers;
    struct lan_reassembly reassembly;
};

/* Frees a packet that goes no further, and counts why. */
void lan_drop(struct lan_buf *packet, lan_count *reason);

void lan_stack_set_alarm(struct lan_stack *stack);
void lan_stack_wants_poll(struct lan_stack *stack); /* as soon as may be */

/* The end of every way into the stack: tells the port when an earlier deadline has come up. */
static inline void lan_stack_leave(struct lan_stack *stack)
{
    if (stack->timers.bound_ns < stack->alarm_ns)
        lan_stack_set_alarm(stack);
}

static inline uint64_t lan_now(const struct lan_stack *stack)
{
    return stack->port->now_ns(stack->port->ctx);
}

#define LAN_SECOND_NS UINT64_C(1000000000)

/* Lets a timer fire in so many seconds. */
void lan_stack_set_timer(struct lan_stack *stack, struct lan_timer *timer, uint32_t seconds);

static inline uint32_t lan_random32(const struct lan_stack *stack)
{
    uint32_t value;
    stack->port->random(stack->port->ctx, &value, sizeof value);
    return value;
}

#endif
