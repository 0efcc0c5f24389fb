/* SPDX-License-Identifier: Apache-2.0 */
#include "socket_table.h"
#include "stack_internal.h"

#include <errno.h>

enum { ALWAYS = LAN_POLLERR | LAN_POLLHUP | LAN_POLLNVAL };

static int ready_mask(const struct lan_socket *socket, int events)
{
    int mask = socket->ops->ready(socket->stack, socket->pcb) & 0xffff;

    if (socket->error)
        mask |= LAN_POLLERR;
    return mask & (events | ALWAYS);
}

int lan_ready(struct lan_stack *stack, int fd, int events)
{
    struct lan_socket *socket = lan_socket_find(stack, fd);

    return socket ? ready_mask(socket, events) : LAN_POLLNVAL;
}

int lan_set_notify(struct lan_stack *stack, int fd, void (*notify)(void *arg), void *arg)
{
    struct lan_socket *socket = lan_socket_find(stack, fd);

    if (!socket)
        return -EBADF;
    socket->notify = notify;
    socket->notify_arg = arg;
    return 0;
}

static int look(struct lan_stack *stack, struct lan_pollfd *fds, uint32_t count)
{
    int ready = 0;

    for (uint32_t i = 0; i < count; i++) {
        fds[i].revents = 0;
        if (fds[i].fd >= 0)
            fds[i].revents = (int16_t)lan_ready(stack, fds[i].fd, fds[i].events);
        ready += fds[i].revents != 0;
    }
    return ready;
}

/* Adds a waiter for each socket to the poll's, which hang together by `poll_next`, whatever lists of sockets they are
 * on. False: there are not enough. */
static bool watch(struct lan_stack *stack, const struct lan_pollfd *fds, uint32_t count, struct lan_wakeup *wakeup,
                  struct lan_waiter **all)
{
    for (uint32_t i = 0; i < count; i++) {
        struct lan_socket *socket = lan_socket_find(stack, fds[i].fd);
        struct lan_waiter *waiter = stack->sockets.spare;

        if (!socket)
            continue;
        if (!waiter)
            return false;
        stack->sockets.spare = waiter->next;
        waiter->wakeup = wakeup;
        waiter->poll_next = *all;
        *all = waiter;
        lan_waiter_join(socket, waiter);
    }
    return true;
}

static void unwatch(struct lan_stack *stack, struct lan_waiter *all)
{
    while (all) {
        struct lan_waiter *waiter = all;

        all = waiter->poll_next;
        lan_waiter_leave(waiter);
        waiter->next = stack->sockets.spare;
        stack->sockets.spare = waiter;
    }
}

int lan_poll(struct lan_stack *stack, struct lan_pollfd *fds, uint32_t count, int timeout_ms)
{
    uint64_t deadline_ns = timeout_ms ? lan_deadline_after(stack, timeout_ms > 0 ? (uint32_t)timeout_ms : 0) : 0;
    int ready;

    while (!(ready = look(stack, fds, count)) && lan_now(stack) < deadline_ns) {
        struct lan_wakeup wakeup = {0};
        struct lan_waiter *waiters = NULL; /* anew each time: a descriptor may be another socket by now */

        bool watched = watch(stack, fds, count, &wakeup, &waiters);

        if (watched)
            lan_wait(stack, &wakeup, deadline_ns);
        unwatch(stack, waiters);
        if (!watched)
            return -ENOMEM;
    }
    return ready;
}
