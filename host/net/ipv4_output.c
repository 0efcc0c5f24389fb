/* SPDX-License-Identifier: Apache-2.0 */
#include "arp.h"
#include "ipv4.h"
#include "netif_internal.h"
#include "siphash.h"
#include "stack_internal.h"

#include <errno.h>

enum { DONT_FRAGMENT = 0x4000, MORE_FRAGMENTS = 0x2000 };

/* The fields of a packet's IP header that do not come from its flow. */
struct header {
    uint16_t id, fragment;
    uint8_t protocol, tos, ttl;
};

/* Whether what has no route may go over `netif`: to ourselves, or to a group, from `src` or, 0, any address. */
static bool leads(const struct lan_netif *netif, bool to_self, uint32_t src)
{
    bool loopback = netif->features & LAN_NETIF_LOOPBACK;

    return loopback == to_self && (to_self || (netif->address && (!src || netif->address == src)));
}

/* The netif and the next hop to `dst`, from one of our addresses or, 0, any. What is addressed to ourselves never
 * leaves the host. */
static struct lan_netif *find_way(struct lan_stack *stack, uint32_t dst, uint32_t src, uint32_t *next_hop)
{
    struct lan_netif *netif = stack->netifs;
    bool to_self = lan_ip_is_own(stack, dst) || lan_ip_is_loopback(dst);

    *next_hop = dst;
    if (src && !lan_ip_is_own(stack, src)) {
        netif = NULL;
    } else if (to_self || dst == LAN_IP_BROADCAST || lan_ip_is_multicast(dst)) {
        while (netif && !leads(netif, to_self, src))
            netif = netif->next;
    } else {
        const struct lan_route *route = lan_route_find(stack, dst);

        netif = route ? route->netif : NULL;
        if (route && route->gateway)
            *next_hop = route->gateway;
    }
    if (!netif)
        LAN_COUNT(stack, ip_out_no_routes);
    return netif;
}

int lan_ip_route(struct lan_stack *stack, uint32_t dst, uint32_t src, struct lan_flow *flow)
{
    uint32_t next_hop;

    if (src && !lan_ip_is_own(stack, src))
        return -EADDRNOTAVAIL;

    struct lan_netif *netif = find_way(stack, dst, src, &next_hop);

    if (!netif)
        return -ENETUNREACH;
    if (!src) /* to one of our own addresses: from the same one */
        src = netif->features & LAN_NETIF_LOOPBACK ? dst : netif->address;

    uint32_t pair[2] = {src, dst};

    flow->netif = netif;
    flow->src = src;
    flow->dst = dst;
    flow->mtu = netif->mtu;
    flow->id_slot = lan_siphash(stack->random.secret, pair, sizeof pair) % LAN_IP_IDS;
    flow->neighbour = &stack->arp.group; /* so that the first packet finds the real one */
    flow->generation = flow->neighbour->generation - 1;
    return 0;
}

/* The MAC address of a group (RFC 1112 6.4). */
static void group_mac(uint32_t dst, uint8_t mac[6])
{
    memcpy(mac, LAN_ETH_BROADCAST, 6);
    if (lan_ip_is_multicast(dst)) {
        lan_put16(mac, 0x0100);
        memcpy(mac + 2, &dst, 4);
        mac[2] = 0x5e;
        mac[3] &= 0x7f;
    }
}

/* Finds the way anew. Afterwards the flow is warm, or its neighbour is not resolved yet. */
LAN_RARE static int refresh(struct lan_stack *stack, struct lan_flow *flow)
{
    uint32_t next_hop;
    struct lan_netif *netif = find_way(stack, flow->dst, flow->src, &next_hop);
    struct lan_neighbour *neighbour = &stack->arp.group;

    if (!netif)
        return -ENETUNREACH;
    flow->netif = netif;
    if (flow->mtu > netif->mtu)
        flow->mtu = netif->mtu;
    if (netif->features & LAN_NETIF_LOOPBACK || lan_ip_is_group(stack, flow->dst))
        group_mac(flow->dst, neighbour->mac);
    else
        neighbour = lan_arp_entry(netif, next_hop);
    if (!neighbour)
        return -ENOBUFS;
    lan_eth_header(netif, flow->link_header, neighbour->mac, LAN_ETH_IPV4);
    flow->neighbour = neighbour;
    flow->generation = neighbour->generation - !lan_neighbour_resolved(neighbour);
    return 0;
}

static inline void push_header(const struct lan_flow *flow, struct lan_buf *packet, uint32_t payload,
                               const struct header *header)
{
    uint8_t *ip = lan_push_header(packet, LAN_IP_HEADER);

    lan_put32(ip, 0x45000000u | (uint32_t)header->tos << 16 | (LAN_IP_HEADER + payload));
    lan_put32(ip + 4, (uint32_t)header->id << 16 | header->fragment);
    lan_put32(ip + 8, (uint32_t)header->ttl << 24 | (uint32_t)header->protocol << 16);
    lan_store32(ip + 12, flow->src);
    lan_store32(ip + 16, flow->dst);
    packet->flags |= LAN_BUF_IP_CSUM;
}

/* Sends a packet with its IP header over a flow that was just found warm or waits for its neighbour. */
static inline int emit(struct lan_flow *flow, struct lan_buf *packet)
{
    struct lan_neighbour *neighbour = flow->neighbour;

    if (flow->generation != neighbour->generation)
        return lan_arp_wait(neighbour, packet);
    neighbour->used = true;
    if (!(flow->netif->features & LAN_NETIF_LOOPBACK))
        memcpy(lan_push_header(packet, LAN_ETH_HEADER), flow->link_header, LAN_ETH_HEADER);
    return lan_netif_transmit(flow->netif, packet);
}

/* Sends a datagram in pieces of 8-byte multiples, cut off its front, behind headers of their own. */
LAN_RARE static int output_fragments(struct lan_stack *stack, struct lan_flow *flow, struct lan_buf *packet,
                                     uint32_t bytes, struct header *header)
{
    uint32_t room = lan_flow_payload(flow) & ~7u;
    int result = 0;

    if (packet->flags & LAN_BUF_L4_CSUM)
        lan_fill_l4_checksum(packet); /* no card could */
    for (uint32_t offset = 0; offset < bytes && result == 0; offset += room) {
        bool last = bytes - offset <= room;
        uint32_t piece = last ? bytes - offset : room;
        struct lan_buf *fragment = lan_buf_alloc(stack->pool, LAN_HEADROOM);

        if (!fragment || !lan_buf_append_cut(fragment, &packet, piece)) {
            lan_buf_free(fragment);
            result = -ENOBUFS;
            break;
        }
        header->fragment = (uint16_t)(offset / 8 | (last ? 0 : MORE_FRAGMENTS));
        fragment->csum_start = fragment->hdr_len = 0;
        push_header(flow, fragment, piece, header);
        result = emit(flow, fragment);
        LAN_COUNT(stack, ip_frag_creates);
    }
    if (result < 0)
        LAN_COUNT(stack, ip_frag_fails);
    else
        LAN_COUNT(stack, ip_frag_oks);
    lan_buf_free(packet);
    return result;
}

LAN_RARE static int discard(struct lan_stack *stack, struct lan_buf *packet, int result)
{
    lan_drop(packet, &stack->counters.ip_out_discards);
    return result;
}

/* A packet that is to be segmented takes as many identifications as it makes packets. */
static inline uint16_t take_ids(struct lan_stack *stack, const struct lan_flow *flow, const struct lan_buf *packet,
                                uint32_t bytes)
{
    uint16_t *next = &stack->random.ip_id[flow->id_slot], first = *next;

    *next += packet->flags & LAN_BUF_TSO
                 ? (uint16_t)((bytes - packet->hdr_len + packet->gso_size - 1) / packet->gso_size)
                 : 1;
    return first;
}

int lan_ip_output(struct lan_stack *stack, struct lan_flow *flow, struct lan_buf *packet, uint8_t protocol, uint8_t tos,
                  uint8_t ttl)
{
    uint32_t bytes = lan_buf_total(packet);
    uint16_t id = take_ids(stack, flow, packet, bytes);

    LAN_COUNT(stack, ip_out_requests);
    if (flow->generation != flow->neighbour->generation) {
        const struct lan_netif *before = flow->netif;
        int result = refresh(stack, flow);

        if (result == 0 && packet->flags & LAN_BUF_TSO &&
            (packet->hdr_len + packet->gso_size > lan_flow_payload(flow) || (flow->netif != before && !LAN_FOR_SPEED)))
            result = -EMSGSIZE; /* the MTU is another now, or the netif, which may take no large segments */
        if (result < 0)
            return discard(stack, packet, result);
    }
    if (bytes > lan_flow_payload(flow) && !(packet->flags & LAN_BUF_TSO)) {
        if (protocol == LAN_IPPROTO_TCP)
            return discard(stack, packet, -EMSGSIZE);
        return output_fragments(stack, flow, packet, bytes, &(struct header){id, 0, protocol, tos, ttl});
    }
    bool whole = protocol == LAN_IPPROTO_TCP && flow->mtu > LAN_IP_MTU_FLOOR;
    push_header(flow, packet, bytes, &(struct header){id, whole ? DONT_FRAGMENT : 0, protocol, tos, ttl});
    return emit(flow, packet);
}
