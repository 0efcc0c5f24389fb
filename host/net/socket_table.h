/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LANYARD_SOCKET_TABLE_H
#define LANYARD_SOCKET_TABLE_H

/* Descriptors and their sockets, and the wait lists on them. */

#include "socket_internal.h"

/* One sleeper on one socket: on the stack of a blocking call, or taken from the table's spares by a poll. Events are
 * not told apart here: who wakes looks again. */
struct lan_waiter {
    struct lan_waiter *next;
    struct lan_waiter **previous; /* what points at this one; NULL: on no list (any more) */
    struct lan_waiter *poll_next; /* the other waiters of the same poll */
    struct lan_wakeup *wakeup;
};

struct lan_socket_table {
    struct lan_socket *sockets;
    uint8_t *used;            /* how many of each block of descriptors */
    uint32_t first_free;      /* none before it is free */
    struct lan_waiter *spare; /* for lan_poll() */
};

/* LAN_NEVER for 0. */
uint64_t lan_deadline_after(struct lan_stack *stack, uint32_t timeout_ms);

/* The socket of a descriptor, or NULL. */
struct lan_socket *lan_socket_find(struct lan_stack *stack, int fd);

/* The lowest free descriptor, for a socket of `type` (LAN_SOCK_*), or -EMFILE; and back again. */
int lan_socket_allocate(struct lan_stack *stack, const struct lan_protocol_ops *ops, int type);
void lan_socket_release(struct lan_stack *stack, int fd);

/* Puts `waiter` on the list of `socket`; whatever happens there sets and wakes waiter->wakeup. */
void lan_waiter_join(struct lan_socket *socket, struct lan_waiter *waiter);
void lan_waiter_leave(struct lan_waiter *waiter);

#endif
