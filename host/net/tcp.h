/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LANYARD_TCP_H
#define LANYARD_TCP_H

/* TCP (RFC 9293) as the rest of the stack sees it. Its insides: tcp_internal.h.
 */

#include "ipv4.h"
#include "lanyard/stack.h"
#include "socket_internal.h"

/* What a connection knows while it sends takes one buffer, which cannot be smaller. */
enum { LAN_TCP_BUFFER_BYTES_MIN = 768 };

/* Bytes that lan_tcp_init() carves for a stack of this configuration. */
size_t lan_tcp_memory(const struct lan_config *config);

/* Carves connections and tables, and sets stack->tcp. */
void lan_tcp_init(struct lan_stack *stack);

/* One received segment, data at the TCP header. Takes ownership. */
void lan_tcp_input(struct lan_stack *stack, struct lan_buf *segment, const struct lan_ip_info *info);

/* Takes an IP packet, headers unchecked, if it is just what a connection had to receive next. False: it has to go the
 * whole way, and is the caller's still. */
bool lan_tcp_predicted(struct lan_netif *netif, struct lan_buf *packet);

/* An ICMP error about a segment that this stack sent. `quoted` is the quoted packet, `bytes` long: its IP header from
 * one of our addresses and at least 8 bytes more, as icmp.c has checked. `mtu` counts for "fragmentation needed" only,
 * 0 when the router did not say. */
void lan_tcp_icmp_error(struct lan_stack *stack, const uint8_t *quoted, size_t bytes, uint8_t type, uint8_t code,
                        uint32_t mtu);

extern const struct lan_protocol_ops lan_tcp_ops;

#endif
