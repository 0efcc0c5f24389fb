/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LANYARD_TCP_H
#define LANYARD_TCP_H

/* TCP (RFC 9293) as the rest of the stack sees it. Its insides: tcp_internal.h. */

#include "ipv4.h"
#include "lanyard/stack.h"
#include "socket_internal.h"

/* What a connection knows while it sends takes one buffer, which cannot be smaller. With fewer buffers a send queue
 * that has taken what it may (memory_low) leaves none for that (memory_critical). */
enum { LAN_TCP_BUFFER_BYTES_MIN = 768, LAN_TCP_BUFFERS_MIN = 24 };

/* With more than a buffer's worth of gaps a connection borrows one of the stack's tables, if there is one left. They
 * are as large as an ACK's cost allows: it may have to look at all of one. */
enum { LAN_TCP_TABLE_BYTES = 7168, LAN_TCP_TABLES = LAN_FOR_SPEED };

/* Of RFC 6056 3.3.4: so many groups of destinations, each of which shares one. */
enum { LAN_TCP_PORT_COUNTERS = 64 };

struct lan_tcb;

/* TCBs in order; `tail` points at the last one's link or at `first`. */
struct lan_tcb_list {
    struct lan_tcb *first, **tail;
    uint32_t count;
};

/* TCP's part of a stack. */
struct lan_tcp {
    /* The time, taken once on each entry into TCP: in nanoseconds, and in the units of tcp_tcb.h. */
    uint64_t now_ns;
    uint32_t now, now_coarse, now_age;
    uint32_t rto_min;        /* of the configuration */
    struct lan_pool *tables; /* what is not lent */
    struct lan_tcb *free;
    struct lan_tcb **connections, **ports;
    uint32_t connections_mask, ports_mask;
    /* Filled at random to begin with. */
    struct {
        uint64_t connections_key[2];
        uint32_t port_counters[LAN_TCP_PORT_COUNTERS];
    } random;
    struct lan_tcb_list time_wait; /* without an application, in the order in which they came here */
    uint32_t tcbs;                 /* free or not */
    uint32_t embryonic;            /* half-open connections of all listeners */
    /* Free buffers of the pool below which TCP keeps nothing in store; takes no more of what is to be sent, nor of what
     * lies beyond gaps; promises no window; takes none for any purpose that lasts, as the rest is for the card and for
     * answers. What is to be sent leaves some to receive with, or two ends that both send would wait for each other. */
    uint32_t memory_plenty, memory_low, memory_critical, memory_reserve;
};

void lan_tcp_init(struct lan_stack *stack);

/* One received segment, data at the TCP header. Takes ownership. */
void lan_tcp_input(struct lan_stack *stack, struct lan_buf *segment, const struct lan_ip_info *info);

/* Takes an IP packet, headers unchecked, if it is just what a connection had to receive next. False: it has to go the
 * whole way, and is the caller's still. */
bool lan_tcp_predicted(struct lan_netif *netif, struct lan_buf *packet);

/* An ICMP error about a segment that this stack sent. `quoted` is the quoted packet: its IP header from one of our
 * addresses and at least 8 bytes more, as icmp.c has checked. `mtu` counts for "fragmentation needed" only, 0 when the
 * router did not say. */
void lan_tcp_icmp_error(struct lan_stack *stack, const uint8_t *quoted, uint8_t type, uint8_t code, uint32_t mtu);

extern const struct lan_protocol_ops lan_tcp_ops;

#endif
