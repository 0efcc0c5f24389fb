/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LANYARD_NETIF_INTERNAL_H
#define LANYARD_NETIF_INTERNAL_H

/* The way of a frame between the protocols and a driver: lan_netif_transmit() -> (software offload where the netif
 * lacks one) -> lan_netif_send() -> the driver, or the netif's queue while the driver has no room.
 */

#include "counters.h"
#include "lanyard/netif.h"

#include <string.h>

enum { LAN_TX_QUEUE_FRAMES = 1024 };

/* Sends a frame (for a loopback netif: an IP packet) with any LAN_BUF_* transmit requests. Takes ownership always.
 * -ENOBUFS: no memory, or the queue is full. -ENETDOWN: no link. */
int lan_netif_transmit(struct lan_netif *netif, struct lan_buf *frame);

/* The same for a frame that the driver can take as it is. */
int lan_netif_send(struct lan_netif *netif, struct lan_buf *frame);

/* Frees a frame that is not sent, and counts why. */
void lan_netif_drop(struct lan_netif *netif, struct lan_buf *frame, lan_count *reason);

/* Does in software what the `lacks` of LAN_NETIF_* would, then sends the result. -EMSGSIZE: a stack compiled for size
 * does not cut. */
int lan_offload_transmit(struct lan_netif *netif, struct lan_buf *frame, uint32_t lacks);

/* Completes the checksum that LAN_BUF_L4_CSUM asks for, and takes the request back. */
void lan_fill_l4_checksum(struct lan_buf *frame);

/* The next frame of those that have arrived together; there is one. */
struct lan_buf *lan_netif_take(struct lan_netif *netif);

/* A received frame of an Ethernet netif, data at the Ethernet header. Takes ownership. */
void lan_eth_input(struct lan_netif *netif, struct lan_buf *frame);

/* Ethernet header of a frame from `netif` to `destination`. */
enum { LAN_ETH_IPV4 = 0x0800, LAN_ETH_ARP = 0x0806 };
void lan_eth_header(const struct lan_netif *netif, uint8_t header[14], const uint8_t destination[6], uint16_t type);

/* Makes room for a header in front of a packet; the offload fields now count from there. */
uint8_t *lan_push_header(struct lan_buf *packet, uint32_t bytes);

/* Sends a packet behind such a header. Takes ownership. */
void lan_eth_output(struct lan_netif *netif, struct lan_buf *packet, const uint8_t destination[6], uint16_t type);

extern const uint8_t LAN_ETH_BROADCAST[6];

#endif
