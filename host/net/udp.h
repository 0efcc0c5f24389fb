/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LANYARD_UDP_H
#define LANYARD_UDP_H

/* UDP (RFC 768, RFC 1122 4.1). Unconnected sockets are found by local port, connected ones by a keyed hash of
 * addresses and ports.
 */

#include "ipv4.h"
#include "lanyard/stack.h"
#include "socket_internal.h"

struct lan_udp_pcb;

struct lan_udp {
    struct lan_udp_pcb *pcbs;
    struct lan_udp_pcb *free;
    struct lan_udp_pcb **chains; /* by local port and peer */
    uint32_t chain_mask;
    bool stopped; /* some sender waits for a full netif queue */
};

extern const struct lan_protocol_ops lan_udp_ops;

/* A received datagram, data at the UDP header. Takes ownership. */
void lan_udp_input(struct lan_stack *stack, struct lan_buf *datagram, const struct lan_ip_info *info);

/* `netif` takes frames again: wakes the senders that its full queue has stopped. */
void lan_udp_tx_ready(struct lan_netif *netif);

/* An ICMP error about a datagram of ours: its IP header and at least 8 bytes more. */
void lan_udp_icmp_error(struct lan_stack *stack, const uint8_t *quoted, size_t bytes, uint8_t type, uint8_t code);

#endif
