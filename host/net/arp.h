/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LANYARD_ARP_H
#define LANYARD_ARP_H

/* ARP (RFC 826, RFC 1122 2.3.2) and the cache of neighbours.
 *
 * A flow keeps a pointer to its neighbour and the generation it saw while the neighbour was resolved. The generation
 * moves on whenever what the flow remembers may no longer hold: the neighbour fell silent, the entry was recycled, or
 * any route or address of the stack changed. So one comparison per packet is the whole validity check (ipv4_output.c).
 */

#include "ipv4.h"
#include "lanyard/stack.h"
#include "timer.h"

/* From INCOMPLETE on there is no address to be lost, and the less the higher. */
enum lan_neighbour_state {
    LAN_NEIGHBOUR_FREE,
    LAN_NEIGHBOUR_REACHABLE,
    LAN_NEIGHBOUR_PROBE,      /* old but in use: asked by unicast, still used */
    LAN_NEIGHBOUR_INCOMPLETE, /* asked by broadcast; packets wait */
    LAN_NEIGHBOUR_FAILED,     /* did not answer; packets are refused for a while */
};

struct lan_neighbour {
    struct lan_neighbour *next; /* in its hash chain, or among the free */
    struct lan_netif *netif;
    struct lan_buf *pending_head, *pending_tail; /* IP packets that wait for the address */
    uint32_t address;
    uint32_t generation;
    uint8_t mac[6];
    uint8_t state;
    uint8_t tries;
    uint8_t pending_count;
    bool used; /* since it was last confirmed */
    struct lan_timer timer;
};

struct lan_arp {
    struct lan_neighbour *entries;
    struct lan_neighbour **buckets;
    struct lan_neighbour *free;
    uint32_t bucket_mask;
    uint32_t hand;                 /* where the search for an entry to replace goes on */
    uint32_t pending, pending_max; /* packets that wait, at all neighbours */
    uint64_t defend_again_ns;      /* our address, not before */
    struct lan_neighbour group;    /* stands for broadcast, multicast and links without ARP: always resolved */
};

void lan_arp_init(struct lan_stack *stack);

/* One received ARP frame, data at the ARP header. Takes ownership. */
void lan_arp_input(struct lan_netif *netif, struct lan_buf *packet);

/* The neighbour entry for `address` on `netif`, made if need be; NULL when the table is full of live ones. */
struct lan_neighbour *lan_arp_entry(struct lan_netif *netif, uint32_t address);

/* Lets an IP packet (headroom for the Ethernet header) wait until `neighbour` is resolved, and asks for it. Takes
 * ownership. -EHOSTUNREACH: it did not answer a moment ago. */
int lan_arp_wait(struct lan_neighbour *neighbour, struct lan_buf *packet);

static inline bool lan_neighbour_resolved(const struct lan_neighbour *neighbour)
{
    return neighbour->state == LAN_NEIGHBOUR_REACHABLE || neighbour->state == LAN_NEIGHBOUR_PROBE;
}

/* Makes every flow look again: a route, an address or a link changed. */
void lan_arp_invalidate_flows(struct lan_stack *stack);

/* Announces the address of `netif` (RFC 5227 2.3), so that neighbours with an old entry learn the new one. */
void lan_arp_announce(struct lan_netif *netif);

#endif
