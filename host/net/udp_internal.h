/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LANYARD_UDP_INTERNAL_H
#define LANYARD_UDP_INTERNAL_H

/* A UDP socket from the inside: udp.c moves datagrams, udp_socket.c is the face to the socket layer, udp_table.c finds
 * sockets. Addresses and ports in network order throughout.
 */

#include "udp.h"

enum {
    LAN_UDP_HEADER = 8,
    LAN_UDP_DATA_MAX = 65535 - LAN_IP_HEADER - LAN_UDP_HEADER,
};

/* Where a queued datagram came from, and what it counts against the receive buffer: its buffer's scratch words. */
enum { LAN_UDP_FROM, LAN_UDP_FROM_PORT, LAN_UDP_CHARGE };

struct lan_udp_pcb {
    struct lan_udp_pcb *next; /* in its hash chain, or among the free */
    struct lan_socket *socket;
    struct lan_buf *head, *tail;     /* received datagrams, data at the payload */
    uint32_t queued, receive_buffer; /* bytes */
    uint32_t bound;                  /* what the application bound it to, 0: any */
    uint32_t local, peer;            /* 0: any, not connected */
    uint16_t local_port, peer_port;  /* 0: not bound, not connected */
    uint8_t tos, ttl;
    bool broadcast, reuse, shut_read, shut_write;
    bool flow_valid;
    bool stopped;         /* a sender waits for room in the netif's queue */
    struct lan_flow flow; /* to the destination of the last datagram */
};

/* The socket that a datagram from peer:peer_port to local:local_port belongs to: the one connected to just that peer,
 * else one bound to the very address, else one bound to any. NULL: none. */
struct lan_udp_pcb *lan_udp_find(struct lan_stack *stack, uint32_t local, uint16_t local_port, uint32_t peer,
                                 uint16_t peer_port);

/* Whether `pcb` may have local:port (RFC 1122 and SO_REUSEADDR: both sides must agree to share). */
bool lan_udp_port_free(struct lan_stack *stack, const struct lan_udp_pcb *pcb, uint32_t local, uint16_t port);

/* Puts a pcb with a local port where its addresses say, and takes it out again before they change. */
void lan_udp_link(struct lan_stack *stack, struct lan_udp_pcb *pcb);
void lan_udp_unlink(struct lan_stack *stack, struct lan_udp_pcb *pcb);

struct lan_udp_pcb *lan_udp_alloc(struct lan_stack *stack);
void lan_udp_release(struct lan_stack *stack, struct lan_udp_pcb *pcb);

/* Sends one datagram; see lan_sendto(). The pcb has a local port. */
long lan_udp_output(struct lan_stack *stack, struct lan_udp_pcb *pcb, const void *data, size_t bytes, uint32_t dst,
                    uint16_t port);

#endif
