/* SPDX-License-Identifier: Apache-2.0 */
#include "socket_table.h"
#include "stack_internal.h"

#include <errno.h>

enum { BLOCK = 32 /* descriptors, which are passed over at once where all are in use */ };

struct lan_socket *lan_socket_find(struct lan_stack *stack, int fd)
{
    struct lan_socket *socket;

    if ((uint32_t)fd >= stack->config.sockets) /* or negative */
        return NULL;
    socket = &stack->sockets.sockets[fd];
    return socket->ops ? socket : NULL;
}

int lan_socket_allocate(struct lan_stack *stack, const struct lan_protocol_ops *ops, int type)
{
    struct lan_socket_table *table = &stack->sockets;
    uint32_t fd = table->first_free;

    while (fd < stack->config.sockets && table->sockets[fd].ops)
        fd = table->used[fd / BLOCK] == BLOCK ? (fd | (BLOCK - 1)) + 1 : fd + 1;
    table->first_free = fd;
    if (fd >= stack->config.sockets)
        return -EMFILE;
    table->used[fd / BLOCK]++;
    table->sockets[fd] = (struct lan_socket){.ops = ops,
                                             .stack = stack,
                                             .linger_s = -1,
                                             .type = (uint8_t)(type & 0xf),
                                             .nonblocking = (type & LAN_SOCK_NONBLOCK) != 0};
    return (int)fd;
}

void lan_socket_release(struct lan_stack *stack, int fd)
{
    struct lan_socket_table *table = &stack->sockets;
    uint32_t free = (uint32_t)fd;

    table->sockets[free].ops = NULL;
    table->used[free / BLOCK]--;
    if (free < table->first_free)
        table->first_free = free;
}

void lan_waiter_join(struct lan_socket *socket, struct lan_waiter *waiter)
{
    waiter->next = socket->waiters;
    waiter->previous = &socket->waiters;
    if (waiter->next)
        waiter->next->previous = &waiter->next;
    socket->waiters = waiter;
}

void lan_waiter_leave(struct lan_waiter *waiter)
{
    if (!waiter->previous) /* the socket was closed under it */
        return;
    *waiter->previous = waiter->next;
    if (waiter->next)
        waiter->next->previous = waiter->previous;
    waiter->previous = NULL;
}

void lan_socket_event(struct lan_socket *socket)
{
    if (!socket)
        return;
    for (struct lan_waiter *waiter = socket->waiters; waiter; waiter = waiter->next)
        lan_wake(socket->stack, waiter->wakeup);
    if (socket->notify)
        socket->notify(socket->notify_arg);
}

void lan_socket_error(struct lan_socket *socket, int error)
{
    if (!socket)
        return;
    socket->error = (int16_t)error;
    lan_socket_event(socket);
}

void lan_wake(struct lan_stack *stack, struct lan_wakeup *w)
{
    if (w->woken)
        return;
    w->woken = true;
    stack->port->unblock(stack->port->ctx, w);
}

void lan_wait(struct lan_stack *stack, struct lan_wakeup *w, uint64_t deadline_ns)
{
    lan_stack_leave(stack);
    while (!w->woken && lan_now(stack) < deadline_ns)
        stack->port->block(stack->port->ctx, w, deadline_ns);
}

LAN_SHARED void lan_sockaddr_put(struct lan_sockaddr_in *out, uint32_t address, uint16_t port)
{
    *out = (struct lan_sockaddr_in){.sin_family = LAN_AF_INET, .sin_port = port, .sin_addr = address};
}

uint16_t lan_port_pick(struct lan_stack *stack, bool (*usable)(void *ctx, uint16_t port), void *ctx)
{
    enum { FIRST = 49152, COUNT = 65536 - FIRST }; /* RFC 6335 6 */
    uint32_t start = lan_random32(stack);

    for (uint32_t i = 0; i < COUNT; i++) {
        uint16_t port = lan_htons((uint16_t)(FIRST + (start + i) % COUNT));

        if (usable(ctx, port))
            return port;
    }
    return 0;
}
