/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LANYARD_IPV4_H
#define LANYARD_IPV4_H

/* IPv4 (RFC 791, RFC 1122 section 3): routes, output, input, fragmentation and reassembly. All addresses here are in
 * network byte order.
 */

#include "bytes.h"
#include "lanyard/buf.h"
#include "lanyard/netif.h"

struct lan_stack;
struct lan_neighbour;

/* No path is believed to have a smaller MTU than this: at it, packets may be fragmented on their way. */
enum { LAN_IP_MTU_FLOOR = 552 };

enum { LAN_IP_IDS = 64 }; /* counters of IP identification, by keyed hash of the destination */

enum {
    LAN_ETH_HEADER = 14,
    LAN_IP_HEADER = 20,
    LAN_IP_HEADER_MAX = 60,
    LAN_HEADROOM = 2 + LAN_ETH_HEADER + LAN_IP_HEADER, /* what lan_ip_output() needs in front of the L4 header; the 2
                                                        * put IP's on a 4-byte boundary */
};

#define LAN_IP_BROADCAST 0xffffffffu

static inline bool lan_ip_is_multicast(uint32_t address)
{
    return (address & lan_htonl(0xf0000000u)) == lan_htonl(0xe0000000u);
}

static inline bool lan_ip_is_loopback(uint32_t address)
{
    return (address & lan_htonl(0xff000000u)) == lan_htonl(0x7f000000u);
}

/* 240.0.0.0/4, which includes the limited broadcast. */
static inline bool lan_ip_is_class_e(uint32_t address)
{
    return (address & lan_htonl(0xf0000000u)) == lan_htonl(0xf0000000u);
}

/* What IP tells the upper layer beside the packet, whose data then starts at the L4 header and ends with the IP payload
 * (padding is trimmed off). src is never a broadcast, multicast or zero address; dst may be broadcast or multicast,
 * which `to_group` says. The IP header still stands in front of the data of the first fragment, `header_bytes` long. */
struct lan_ip_info {
    struct lan_netif *netif;
    uint32_t src, dst;
    uint32_t bytes; /* of IP payload */
    uint8_t header_bytes;
    uint8_t tos, protocol;
    bool to_group;
};

/* The way to one destination, remembered: a connection keeps one by value, so that a packet of a warm flow costs no
 * look-up of route or neighbour. Filled by lan_ip_route(), renewed by lan_ip_output() when routes or neighbours
 * changed.
 */
struct lan_flow {
    struct lan_netif *netif;
    struct lan_neighbour *neighbour;
    uint32_t generation; /* of the neighbour when link_header was taken; any other: look again */
    uint32_t src, dst;
    uint16_t mtu; /* of the netif, or less when TCP has learned better */
    uint8_t link_header[LAN_ETH_HEADER];
    uint8_t id_slot; /* which of the stack's counters of IP identification */
};

/* Finds the way to `dst`, from `src` or, if that is 0, from the address of the netif chosen, and fills `flow`.
 * -ENETUNREACH: no route, no address. -EADDRNOTAVAIL: `src` is not ours. A broadcast or multicast dst is allowed. */
int lan_ip_route(struct lan_stack *stack, uint32_t dst, uint32_t src, struct lan_flow *flow);

/* Sends a packet whose data starts at the L4 header, with LAN_HEADROOM bytes of headroom in the first fragment; takes
 * ownership whatever it returns. csum_start, hdr_len: from the L4 header as handed down. A packet of UDP or ICMP that
 * exceeds the MTU is fragmented; TCP's go out with DF set, but at LAN_IP_MTU_FLOOR. Unresolved neighbours: the packet
 * waits (0 is returned). -EMSGSIZE: TCP packet or its segments too large for the MTU. -ENOBUFS: no memory or the queue
 * is full. -EHOSTUNREACH: the neighbour did not answer a moment ago. -ENETUNREACH: the route is gone. -ENETDOWN: no
 * link. */
int lan_ip_output(struct lan_stack *stack, struct lan_flow *flow, struct lan_buf *packet, uint8_t protocol, uint8_t tos,
                  uint8_t ttl);

/* How many bytes of L4 header and data one packet of `flow` carries. */
static inline uint32_t lan_flow_payload(const struct lan_flow *flow)
{
    return flow->mtu - LAN_IP_HEADER;
}

/* One received packet, data at the IP header. Takes ownership. */
void lan_ip_input(struct lan_netif *netif, struct lan_buf *packet);

/* Whether `address` is one of this stack's own unicast addresses. */
bool lan_ip_is_own(const struct lan_stack *stack, uint32_t address);

/* Whether `address` is the limited broadcast, multicast, or the broadcast of a connected network. */
bool lan_ip_is_group(const struct lan_stack *stack, uint32_t address);

/* Whether `address` is the broadcast of the network that `netif` is on; a network of two hosts or one has none (RFC
 * 3021). */
static inline bool lan_ip_is_subnet_broadcast(const struct lan_netif *netif, uint32_t address)
{
    uint32_t host_bits = ~netif->netmask;

    return netif->address && (host_bits & ~lan_htonl(1)) && address == (netif->address | host_bits);
}

/* Whether the TCP or UDP checksum of a received packet holds, summed here. Borrows. */
bool lan_l4_sum_ok(const struct lan_buf *packet, const struct lan_ip_info *info);

/* The same: as the card found, or else summed. Borrows. */
static inline bool lan_l4_checksum_ok(const struct lan_buf *packet, const struct lan_ip_info *info)
{
    return packet->flags & LAN_BUF_L4_CHECKED ? packet->flags & LAN_BUF_L4_OK : lan_l4_sum_ok(packet, info);
}

#endif
