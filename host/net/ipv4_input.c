/* SPDX-License-Identifier: Apache-2.0 */
#include "checksum.h"
#include "icmp.h"
#include "ipv4.h"
#include "reassembly.h"
#include "stack_internal.h"
#include "tcp.h"
#include "udp.h"

enum {
    OPTION_END = 0,
    OPTION_NOP = 1,
    OPTION_LOOSE_SOURCE_ROUTE = 131,
    OPTION_STRICT_SOURCE_ROUTE = 137,
};

enum { FRAGMENT_MASK = 0x3fff }; /* MF and the offset */

bool lan_ip_is_own(const struct lan_stack *stack, uint32_t address)
{
    for (const struct lan_netif *netif = stack->netifs; netif; netif = netif->next) {
        if (netif->address == address && address)
            return true;
        if ((netif->features & LAN_NETIF_LOOPBACK) && lan_ip_is_loopback(address))
            return true;
    }
    return false;
}

bool lan_ip_is_group(const struct lan_stack *stack, uint32_t address)
{
    if (address == LAN_IP_BROADCAST || lan_ip_is_multicast(address))
        return true;
    for (const struct lan_netif *netif = stack->netifs; netif; netif = netif->next)
        if (lan_ip_is_subnet_broadcast(netif, address))
            return true;
    return false;
}

/* RFC 1122 3.2.1.3: addresses that no packet comes from. Only what we send ourselves comes from us, or from 127/8. */
LAN_RARE static bool source_valid(const struct lan_netif *netif, uint32_t src)
{
    uint32_t network = lan_htonl(src) >> 24;
    bool own = lan_ip_is_own(netif->stack, src);

    if (netif->features & LAN_NETIF_LOOPBACK)
        return own;
    return !own && network != 0 && network != 127 && network < 224 && !lan_ip_is_group(netif->stack, src);
}

/* Whether a packet to an address that is not the netif's own is for us all the same; says whether as one of a group. */
LAN_RARE static bool destination_ours(const struct lan_netif *netif, uint32_t dst, bool *to_group)
{
    *to_group = dst == LAN_IP_BROADCAST || dst == lan_htonl(0xe0000001u) || lan_ip_is_subnet_broadcast(netif, dst);
    if (*to_group)
        return true;
    if (lan_ip_is_loopback(dst) && !(netif->features & LAN_NETIF_LOOPBACK))
        return false;
    return lan_ip_is_own(netif->stack, dst);
}

/* Options are walked only to see that they are whole, and that nobody steers by a source route (RFC 7126 4.3). NULL:
 * they are fine; else what to count. */
LAN_RARE static lan_count *check_options(struct lan_stack *stack, const uint8_t *option, const uint8_t *end)
{
    while (option < end && *option != OPTION_END) {
        if (*option == OPTION_NOP) {
            option++;
            continue;
        }
        if (end - option < 2 || option[1] < 2 || option[1] > end - option)
            return &stack->counters.ip_in_hdr_errors;
        if (*option == OPTION_LOOSE_SOURCE_ROUTE || *option == OPTION_STRICT_SOURCE_ROUTE)
            return &stack->counters.ip_in_source_routed;
        option += option[1];
    }
    return NULL;
}

/* The one place where lengths and header fields of IP are checked. On success the packet's header is in one piece, the
 * packet ends where the header says, and NULL is returned; else what to count. */
static inline lan_count *check_header(struct lan_stack *stack, struct lan_buf *packet, struct lan_ip_info *info)
{
    if (!lan_buf_pullup(packet, LAN_IP_HEADER))
        return &stack->counters.ip_in_truncated_pkts;

    const uint8_t *ip = packet->data;
    uint32_t header_bytes = (ip[0] & 15u) * 4;
    uint32_t total = lan_get16(ip + 2);
    uint32_t bytes = lan_buf_total(packet);

    if (ip[0] >> 4 != 4 || header_bytes < LAN_IP_HEADER || total < header_bytes)
        return &stack->counters.ip_in_hdr_errors;
    if (bytes < total || !lan_buf_pullup(packet, header_bytes))
        return &stack->counters.ip_in_truncated_pkts;
    ip = packet->data;
    if (!(packet->flags & LAN_BUF_IP_OK) && lan_sum_fold(lan_sum(ip, header_bytes, 0)) != 0xffff) {
        LAN_COUNT(stack, ip_in_csum_errors);
        return &stack->counters.ip_in_hdr_errors;
    }
    if (bytes > total)
        lan_buf_trim(packet, total);
    info->header_bytes = (uint8_t)header_bytes;
    info->bytes = total - header_bytes;
    info->tos = ip[1];
    info->protocol = ip[9];
    info->src = lan_load32(ip + 12);
    info->dst = lan_load32(ip + 16);
    return header_bytes == LAN_IP_HEADER ? NULL : check_options(stack, ip + LAN_IP_HEADER, ip + header_bytes);
}

static inline bool addresses_valid(struct lan_netif *netif, const struct lan_buf *packet, struct lan_ip_info *info)
{
    info->to_group = false;
    if ((info->dst != netif->address || !info->dst) && !destination_ours(netif, info->dst, &info->to_group))
        return false;
    if (info->src != netif->valid_source || !info->src) {
        if (!source_valid(netif, info->src))
            return false;
        netif->valid_source = info->src;
    }
    /* RFC 1122 3.3.6: what was broadcast on the link must say so in IP, too. */
    return info->to_group || !(packet->flags & (LAN_BUF_BROADCAST | LAN_BUF_MULTICAST));
}

static inline void deliver(struct lan_stack *stack, struct lan_buf *packet, const struct lan_ip_info *info)
{
    switch (info->protocol) {
    case LAN_IPPROTO_TCP:
        lan_tcp_input(stack, packet, info);
        break;
    case LAN_IPPROTO_UDP:
        lan_udp_input(stack, packet, info);
        break;
    case LAN_IPPROTO_ICMP:
        lan_icmp_input(stack, packet, info);
        break;
    default:
        lan_icmp_error(stack, packet, info, LAN_ICMP_UNREACHABLE, LAN_UNREACHABLE_PROTOCOL);
        lan_drop(packet, &stack->counters.ip_in_unknown_protos);
        return;
    }
    LAN_COUNT(stack, ip_in_delivers);
}

void lan_ip_input(struct lan_netif *netif, struct lan_buf *packet)
{
    struct lan_stack *stack = netif->stack;
    struct lan_ip_info info;

    LAN_COUNT(stack, ip_in_receives);
    if (LAN_FOR_SPEED && lan_tcp_predicted(netif, packet))
        return;

    lan_count *fault = check_header(stack, packet, &info);

    if (!fault && !addresses_valid(netif, packet, &info))
        fault = &stack->counters.ip_in_addr_errors;
    if (fault) {
        lan_drop(packet, fault);
        return;
    }

    bool fragment = lan_load16(packet->data + 6) & lan_htons(FRAGMENT_MASK);

    info.netif = netif;
    lan_buf_pull(packet, info.header_bytes);
    if (fragment) {
        packet = lan_reassemble(packet, &info);
        if (!packet)
            return;
    }
    deliver(stack, packet, &info);
}

LAN_RARE bool lan_l4_sum_ok(const struct lan_buf *packet, const struct lan_ip_info *info)
{
    uint32_t bytes = lan_buf_total(packet);
    uint32_t sum = lan_sum_pseudo(info->src, info->dst, info->protocol, bytes);

    return lan_sum_fold(lan_sum_buf(packet, 0, bytes, sum)) == 0xffff;
}
