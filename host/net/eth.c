/* SPDX-License-Identifier: Apache-2.0 */
#include "netif_internal.h"
#include "stack_internal.h"

enum { ETH_VLAN = 0x8100, VLAN_IDENTIFIER = 0xfff };

const uint8_t LAN_ETH_BROADCAST[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

void lan_eth_header(const struct lan_netif *netif, uint8_t header[14], const uint8_t destination[6], uint16_t type)
{
    memcpy(header, destination, 6);
    memcpy(header + 6, netif->mac, 6);
    lan_put16(header + 12, type);
}

static inline bool same_mac(const uint8_t *a, const uint8_t *b)
{
    return lan_load32(a) == lan_load32(b) && lan_load16(a + 4) == lan_load16(b + 4);
}

/* Whom the frame was sent to, as LAN_BUF_* flags; false when it is for another host. */
static inline bool classify_destination(const struct lan_netif *netif, const uint8_t *destination, uint32_t *flags)
{
    if (same_mac(destination, netif->mac))
        *flags = 0;
    else if (same_mac(destination, LAN_ETH_BROADCAST))
        *flags = LAN_BUF_BROADCAST;
    else if (destination[0] & 1)
        *flags = LAN_BUF_MULTICAST;
    else
        return false;
    return true;
}

void lan_eth_input(struct lan_netif *netif, struct lan_buf *frame)
{
    struct lan_stack *stack = netif->stack;
    uint32_t cast;

    if (!lan_buf_pullup(frame, LAN_ETH_HEADER)) {
        netif->stats.in_errors++;
        LAN_COUNT(stack, eth_in_short);
        lan_buf_free(frame);
        return;
    }
    if (!classify_destination(netif, frame->data, &cast)) {
        LAN_COUNT(stack, eth_in_other_host);
        lan_buf_free(frame);
        return;
    }
    frame->flags = (frame->flags & ~(uint32_t)(LAN_BUF_BROADCAST | LAN_BUF_MULTICAST)) | cast;

    /* IEEE 802.1Q: identifier 0 is a priority only, any other another network than this one. A tag that still stands in
     * the frame is an unknown protocol as well. */
    bool foreign = (frame->flags & LAN_BUF_VLAN) && (frame->vlan_tci & VLAN_IDENTIFIER);
    uint16_t type = foreign ? ETH_VLAN : lan_get16(frame->data + 12);

    lan_buf_pull(frame, LAN_ETH_HEADER);
    switch (type) {
    case LAN_ETH_IPV4:
        lan_ip_input(netif, frame);
        break;
    case LAN_ETH_ARP:
        lan_arp_input(netif, frame);
        break;
    default:
        netif->stats.in_unknown_protocols++;
        LAN_COUNT(stack, eth_in_unknown_protos);
        lan_buf_free(frame);
    }
}
