/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LANYARD_NETIF_H
#define LANYARD_NETIF_H

/* The netif contract between the stack and its drivers (the card, TAP, loopback).
 *
 * Frames are Ethernet frames without FCS. A driver pads nothing and checks nothing that its hardware does not do; what
 * it cannot do (features) the stack does in one place before transmit() is called.
 */

#include "lanyard/buf.h"

struct lan_stack;
struct lan_netif;

/* Those that honour a request are the bit of that request (buf.h). */
enum {
    LAN_NETIF_TX_IP_CSUM = LAN_BUF_IP_CSUM,
    LAN_NETIF_TX_L4_CSUM = LAN_BUF_L4_CSUM,
    LAN_NETIF_TSO = LAN_BUF_TSO,      /* of frames of up to max_tso_bytes */
    LAN_NETIF_VLAN_TX = LAN_BUF_VLAN, /* puts the tag in */
    LAN_NETIF_RX_CSUM = 1u << 4,      /* sets LAN_BUF_IP_OK, L4_CHECKED and L4_OK */
    LAN_NETIF_SG = 1u << 5,           /* takes chains of up to max_fragments; longer ones are joined in one buffer */
    LAN_NETIF_LOOPBACK = 1u << 6,     /* what is sent comes back; no link layer, no checksums needed */
    LAN_NETIF_VLAN_RX = 1u << 7,      /* takes tags out and sets LAN_BUF_VLAN; without it they stay in the frame */
};

struct lan_netif_ops {
    /* Takes a frame. 0: the driver owns it now. -ENOBUFS: no room; the caller still owns it and will try again after
     * lan_netif_tx_ready(). -ENETDOWN: no link, the caller still owns it. Never blocks. It may bring about a call
     * of lan_netif_input() for the same stack, as a wire without delay does by way of the peer's. */
    int (*transmit)(struct lan_netif *netif, struct lan_buf *frame);
};

/* The first counters of the interfaces group of RFC 2863; a driver keeps its own beside them. Bytes need 64 bits
 * (3.1.6), everything else is as wide as the machine counts in one step. */
struct lan_netif_stats {
    uint64_t in_bytes, out_bytes;
    uintptr_t in_frames, in_errors, in_discards, in_unknown_protocols;
    uintptr_t out_frames, out_errors, out_discards;
};

struct lan_netif {
    /* Set by the driver before lan_stack_add_netif(). */
    const struct lan_netif_ops *ops;
    void *driver;
    char name[8];
    uint8_t mac[6];
    uint16_t mtu;           /* bytes of IP packet, 1500 on Ethernet */
    uint32_t features;      /* LAN_NETIF_* */
    uint16_t max_fragments; /* with LAN_NETIF_SG: fragments per frame */
    uint32_t max_tso_bytes; /* largest frame handed down for segmentation, by LAN_NETIF_TSO or in software; 0: any */
    bool link_up;           /* change by lan_netif_set_link() afterwards */

    /* The stack's. Addresses in network byte order; set by lan_netif_set_address(). */
    uint32_t address, netmask;
    uint32_t valid_source; /* from which a packet came that may come from there; 0: none */
    struct lan_stack *stack;
    struct lan_netif *next;
    struct lan_buf *arrived;                       /* what lan_netif_input() has not taken up yet */
    struct lan_buf *tx_queue_head, *tx_queue_tail; /* waits for lan_netif_tx_ready() */
    uint32_t tx_queue_len;
    struct lan_netif_stats stats;
};

/* Driver to stack: received frames in their order, joined by `link`, each 2 bytes behind a multiple of four, so that
 * IP headers stand on 4-byte boundaries; elsewhere its first fragment must be nobody else's, as its bytes are moved. Of
 * a LOOPBACK netif, as transmitted. Takes ownership. A driver that hands on at once what arrived together makes TCP
 * cheaper: segments of one connection that follow each other are taken as one. */
void lan_netif_input(struct lan_netif *netif, struct lan_buf *frames);

/* Driver to stack: there is room for frames again. */
void lan_netif_tx_ready(struct lan_netif *netif);

/* Driver to stack: the link came up or went down. */
void lan_netif_set_link(struct lan_netif *netif, bool up);

#endif
