/* SPDX-License-Identifier: Apache-2.0 */
#include "netif_internal.h"
#include "stack_internal.h"

enum { ETH_VLAN = 0x8100, VLAN_IDENTIFIER = 0xfff };

const uint8_t LAN_ETH_BROADCAST[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

LAN_SHARED uint8_t *lan_push_header(struct lan_buf *packet, uint32_t bytes)
{
    packet->csum_start += (uint16_t)bytes;
    packet->hdr_len += (uint16_t)bytes;
    return lan_buf_push(packet, bytes);
}

void lan_eth_header(const struct lan_netif *netif, uint8_t header[14], const uint8_t destination[6], uint16_t type)
{
    memcpy(header, destination, 6);
    memcpy(header + 6, netif->mac, 6);
    lan_put16(header + 12, type);
}

LAN_RARE void lan_eth_output(struct lan_netif *netif, struct lan_buf *packet, const uint8_t destination[6],
                             uint16_t type)
{
    lan_eth_header(netif, lan_push_header(packet, LAN_ETH_HEADER), destination, type);
    lan_netif_transmit(netif, packet);
}

/* The EtherType of a frame whose data is behind it, in network order. IEEE 802.1Q: identifier 0 is a priority only, any
 * other another network than this one. A tag that still stands in the frame is an unknown protocol as well. */
static inline uint16_t protocol(const struct lan_buf *frame)
{
    bool foreign = (frame->flags & LAN_BUF_VLAN) && (frame->vlan_tci & VLAN_IDENTIFIER);

    return foreign ? lan_htons(ETH_VLAN) : lan_load16(frame->data - 2);
}

/* Moves a packet, and the EtherType with it, down to a 4-byte boundary, over the addresses. */
LAN_RARE static void align(struct lan_buf *packet)
{
    uint32_t astray = (uintptr_t)packet->data % 4;

    packet->data -= astray;
    memmove(packet->data - 2, packet->data - 2 + astray, packet->len + 2);
}

static inline void dispatch(struct lan_netif *netif, struct lan_buf *frame)
{
    lan_buf_pull(frame, LAN_ETH_HEADER);
    if ((uintptr_t)frame->data % 4)
        align(frame);

    uint16_t type = protocol(frame);

    if (type == lan_htons(LAN_ETH_IPV4)) {
        lan_ip_input(netif, frame);
    } else if (type == lan_htons(LAN_ETH_ARP)) {
        lan_arp_input(netif, frame);
    } else {
        netif->stats.in_unknown_protocols++;
        lan_drop(frame, &netif->stack->counters.eth_in_unknown_protos);
    }
}

void lan_eth_input(struct lan_netif *netif, struct lan_buf *frame)
{
    struct lan_counters *counters = &netif->stack->counters;

    frame->flags &= ~(uint32_t)(LAN_BUF_BROADCAST | LAN_BUF_MULTICAST);
    if (!lan_buf_pullup(frame, LAN_ETH_HEADER)) {
        netif->stats.in_errors++;
        lan_drop(frame, &counters->eth_in_short);
        return;
    }
    if (!lan_same_mac(frame->data, netif->mac)) {
        if (!(frame->data[0] & 1)) {
            lan_drop(frame, &counters->eth_in_other_host);
            return;
        }
        frame->flags |= memcmp(frame->data, LAN_ETH_BROADCAST, 6) == 0 ? LAN_BUF_BROADCAST : LAN_BUF_MULTICAST;
    }
    dispatch(netif, frame);
}
