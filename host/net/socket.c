/* SPDX-License-Identifier: Apache-2.0 */
/* The calls of socket.h. Each asks the protocol, which answers at once; where the answer is "not now" and the socket
 * blocks, the caller sleeps on the socket's wait list and asks again.
 */
#include "lanyard/socket.h"
#include "socket_table.h"
#include "stack_internal.h"
#include "tcp.h"
#include "udp.h"

#include <errno.h>

#define MS_NS UINT64_C(1000000)

static uint64_t deadline_after(struct lan_stack *stack, uint32_t timeout_ms)
{
    return timeout_ms ? lan_now(stack) + timeout_ms * MS_NS : LAN_NEVER;
}

/* Sleeps until something happens to the socket. 0: look again. -EAGAIN: the deadline is here. -EBADF: it was closed. */
static int sleep_on(struct lan_socket *socket, uint64_t deadline_ns)
{
    struct lan_stack *stack = socket->stack;
    struct lan_wakeup wakeup = {0};
    struct lan_waiter waiter = {.wakeup = &wakeup};

    lan_waiter_join(socket, &waiter);
    lan_wait(stack, &wakeup, deadline_ns);
    if (!waiter.previous)
        return -EBADF;
    lan_waiter_leave(&waiter);
    return wakeup.woken ? 0 : -EAGAIN;
}

static bool blocks(const struct lan_socket *socket, int flags)
{
    return !socket->nonblocking && !(flags & LAN_MSG_DONTWAIT);
}

static int take_error(struct lan_socket *socket)
{
    int error = socket->error;

    socket->error = 0;
    return -error;
}

/* Every public call ends here, so that the port knows of deadlines that the call has brought. */
static long done(struct lan_stack *stack, long result)
{
    lan_stack_leave(stack);
    return result;
}

int lan_socket(struct lan_stack *stack, int domain, int type, int protocol)
{
    const struct lan_protocol_ops *ops;

    if (domain != LAN_AF_INET)
        return -EAFNOSUPPORT;
    switch (type & ~LAN_SOCK_NONBLOCK) {
    case LAN_SOCK_STREAM:
        ops = protocol == 0 || protocol == LAN_IPPROTO_TCP ? &lan_tcp_ops : NULL;
        break;
    case LAN_SOCK_DGRAM:
        ops = protocol == 0 || protocol == LAN_IPPROTO_UDP ? &lan_udp_ops : NULL;
        break;
    default:
        return -EINVAL;
    }
    if (!ops)
        return -EPROTONOSUPPORT;

    int fd = lan_socket_allocate(stack, ops, type);

    if (fd < 0)
        return fd;

    int result = ops->open(stack, &stack->sockets.sockets[fd]);

    if (result < 0) {
        lan_socket_release(stack, fd);
        return result;
    }
    return fd;
}

int lan_bind(struct lan_stack *stack, int fd, const struct lan_sockaddr_in *address)
{
    struct lan_socket *socket = lan_socket_find(stack, fd);

    if (!socket)
        return -EBADF;
    if (address->sin_family != LAN_AF_INET)
        return -EAFNOSUPPORT;
    return socket->ops->bind(stack, socket->pcb, address);
}

int lan_listen(struct lan_stack *stack, int fd, int backlog)
{
    struct lan_socket *socket = lan_socket_find(stack, fd);

    return socket ? socket->ops->listen(stack, socket->pcb, backlog) : -EBADF;
}

/* The descriptor is made first, so that a connection is never taken from the queue without one. */
static int try_accept(struct lan_stack *stack, struct lan_socket *listener, struct lan_sockaddr_in *peer, int flags)
{
    int fd = lan_socket_allocate(stack, listener->ops, listener->type | (flags & LAN_SOCK_NONBLOCK));

    if (fd < 0)
        return fd;

    int result = listener->ops->accept(stack, listener->pcb, &stack->sockets.sockets[fd], peer);

    if (result < 0) {
        lan_socket_release(stack, fd);
        return result;
    }

    struct lan_socket *child = &stack->sockets.sockets[fd];

    child->linger_s = listener->linger_s;
    child->receive_timeout_ms = listener->receive_timeout_ms;
    child->send_timeout_ms = listener->send_timeout_ms;
    return fd;
}

int lan_accept(struct lan_stack *stack, int fd, struct lan_sockaddr_in *peer, int flags)
{
    struct lan_socket *socket = lan_socket_find(stack, fd);

    if (!socket)
        return -EBADF;

    uint64_t deadline_ns = deadline_after(stack, socket->receive_timeout_ms);
    int result;

    do {
        result = try_accept(stack, socket, peer, flags);
        if (result != -EAGAIN || !blocks(socket, 0))
            return (int)done(stack, result);
        result = sleep_on(socket, deadline_ns);
    } while (result == 0);
    return result;
}

int lan_connect(struct lan_stack *stack, int fd, const struct lan_sockaddr_in *address)
{
    struct lan_socket *socket = lan_socket_find(stack, fd);

    if (!socket)
        return -EBADF;
    if (address->sin_family != LAN_AF_INET && address->sin_family != LAN_AF_UNSPEC)
        return -EAFNOSUPPORT;

    uint64_t deadline_ns = deadline_after(stack, socket->send_timeout_ms);
    int result = socket->ops->connect(stack, socket->pcb, address);

    if ((result != -EINPROGRESS && result != -EALREADY) || !blocks(socket, 0))
        return (int)done(stack, result);
    while (!socket->error && !(socket->ops->ready(stack, socket->pcb) & (LAN_POLLOUT | LAN_POLLHUP))) {
        result = sleep_on(socket, deadline_ns);
        if (result == -EAGAIN)
            return -EINPROGRESS;
        if (result < 0)
            return result;
    }
    return (int)done(stack, take_error(socket));
}

/* Whether a call that blocks and asked for `bytes` in all has not got what it waits for. */
static inline bool goes_on(long result, size_t bytes, bool all)
{
    return result == -EAGAIN || (all && result > 0 && (size_t)result < bytes);
}

/* One look: what was taken, or why nothing was. */
static inline long try_send(struct lan_socket *socket, const void *data, size_t bytes, int flags,
                            const struct lan_sockaddr_in *to)
{
    if (socket->error)
        return take_error(socket);
    return socket->ops->send(socket->stack, socket->pcb, data, bytes, flags, to);
}

/* Sleeps and sends in turn; `result` is what the first try brought. */
static long send_rest(struct lan_socket *socket, const uint8_t *data, size_t bytes, int flags,
                      const struct lan_sockaddr_in *to, long result)
{
    uint64_t deadline_ns = deadline_after(socket->stack, socket->send_timeout_ms);
    size_t sent = result > 0 ? (size_t)result : 0;

    do {
        if (result == -EAGAIN)
            result = sleep_on(socket, deadline_ns);
        if (result < 0)
            break;
        result = try_send(socket, data + sent, bytes - sent, flags, to);
        if (result > 0)
            sent += (size_t)result;
    } while (goes_on(result, bytes, socket->type == LAN_SOCK_STREAM) && sent < bytes);
    return sent ? (long)sent : result;
}

long lan_sendto(struct lan_stack *stack, int fd, const void *data, size_t bytes, int flags,
                const struct lan_sockaddr_in *to)
{
    struct lan_socket *socket = lan_socket_find(stack, fd);

    if (!socket)
        return -EBADF;

    long result = try_send(socket, data, bytes, flags, to);

    if (blocks(socket, flags) && goes_on(result, bytes, socket->type == LAN_SOCK_STREAM))
        result = send_rest(socket, data, bytes, flags, to, result);
    return done(stack, result);
}

long lan_send_buf(struct lan_stack *stack, int fd, struct lan_buf *chain, int flags)
{
    struct lan_socket *socket = lan_socket_find(stack, fd);

    if (!socket)
        return -EBADF;
    if (!socket->ops->send_buf)
        return -EOPNOTSUPP;
    if (socket->error)
        return take_error(socket);
    return done(stack, socket->ops->send_buf(stack, socket->pcb, chain, flags));
}

long lan_recv_buf(struct lan_stack *stack, int fd, struct lan_buf **chain, size_t bytes)
{
    struct lan_socket *socket = lan_socket_find(stack, fd);

    if (!socket)
        return -EBADF;
    if (!socket->ops->recv_buf)
        return -EOPNOTSUPP;

    long result = socket->ops->recv_buf(stack, socket->pcb, chain, bytes);

    return done(stack, result < 0 && socket->error ? take_error(socket) : result);
}

long lan_send(struct lan_stack *stack, int fd, const void *data, size_t bytes, int flags)
{
    return lan_sendto(stack, fd, data, bytes, flags, NULL);
}

/* One look: data, end of stream, or why there is none. */
static long try_receive(struct lan_socket *socket, void *data, size_t bytes, int flags, struct lan_sockaddr_in *from)
{
    long result = socket->ops->recv(socket->stack, socket->pcb, data, bytes, flags, from);

    return result < 0 && socket->error ? take_error(socket) : result;
}

static int at_mark(struct lan_socket *socket)
{
    int ahead;
    int result = socket->ops->get(socket->stack, socket->pcb, LAN_IPPROTO_TCP, LAN_TCP_URGENT, &ahead);

    return result < 0 ? result : ahead == 1;
}

int lan_sockatmark(struct lan_stack *stack, int fd)
{
    struct lan_socket *socket = lan_socket_find(stack, fd);

    return socket ? at_mark(socket) : -EBADF;
}

/* Even who wants all is to see the urgent mark. */
static bool wants_all(struct lan_socket *socket, int flags)
{
    return socket->type == LAN_SOCK_STREAM && (flags & LAN_MSG_WAITALL) && !(flags & LAN_MSG_PEEK) &&
           at_mark(socket) != 1;
}

/* Sleeps and looks in turn; `result` is what the first look brought. */
static long receive_rest(struct lan_socket *socket, uint8_t *data, size_t bytes, int flags,
                         struct lan_sockaddr_in *from, long result)
{
    uint64_t deadline_ns = deadline_after(socket->stack, socket->receive_timeout_ms);
    size_t received = result > 0 ? (size_t)result : 0;

    do {
        if (result == -EAGAIN)
            result = sleep_on(socket, deadline_ns);
        if (result < 0)
            break;
        result = try_receive(socket, data + received, bytes - received, flags, from);
        if (result > 0)
            received += (size_t)result;
    } while (goes_on(result, bytes, wants_all(socket, flags)) && received < bytes);
    return received ? (long)received : result;
}

long lan_recvfrom(struct lan_stack *stack, int fd, void *data, size_t bytes, int flags, struct lan_sockaddr_in *from)
{
    struct lan_socket *socket = lan_socket_find(stack, fd);

    if (!socket)
        return -EBADF;

    long result = try_receive(socket, data, bytes, flags, from);

    if (blocks(socket, flags) && goes_on(result, bytes, wants_all(socket, flags)))
        result = receive_rest(socket, data, bytes, flags, from, result);
    return done(stack, result);
}

long lan_recv(struct lan_stack *stack, int fd, void *data, size_t bytes, int flags)
{
    return lan_recvfrom(stack, fd, data, bytes, flags, NULL);
}

int lan_shutdown(struct lan_stack *stack, int fd, int how)
{
    struct lan_socket *socket = lan_socket_find(stack, fd);

    if (!socket)
        return -EBADF;
    if (how < LAN_SHUT_RD || how > LAN_SHUT_RDWR)
        return -EINVAL;
    return (int)done(stack, socket->ops->shutdown(stack, socket->pcb, how));
}

/* SO_LINGER with a time: close() waits for what was sent to arrive. -EBADF: somebody else has closed it meanwhile. */
static int linger(struct lan_socket *socket)
{
    struct lan_stack *stack = socket->stack;
    uint64_t deadline_ns = lan_now(stack) + (uint64_t)socket->linger_s * 1000 * MS_NS;
    int result = 0;

    socket->ops->shutdown(stack, socket->pcb, LAN_SHUT_RDWR);
    while (result == 0 && !(socket->ops->ready(stack, socket->pcb) & LAN_READY_DRAINED))
        result = sleep_on(socket, deadline_ns);
    return result == -EAGAIN ? 0 : result;
}

/* Whoever sleeps on the socket wakes up to -EBADF. */
static void expel_waiters(struct lan_socket *socket)
{
    while (socket->waiters) {
        struct lan_waiter *waiter = socket->waiters;

        lan_waiter_leave(waiter);
        lan_wake(socket->stack, waiter->wakeup);
    }
}

int lan_close(struct lan_stack *stack, int fd)
{
    struct lan_socket *socket = lan_socket_find(stack, fd);

    if (!socket)
        return -EBADF;
    if (socket->linger_s > 0 && !socket->nonblocking && linger(socket) < 0)
        return -EBADF;
    expel_waiters(socket);
    socket->ops->close(stack, socket->pcb, socket->linger_s == 0);
    lan_socket_release(stack, fd);
    return (int)done(stack, 0);
}

int lan_fcntl(struct lan_stack *stack, int fd, int command, int argument)
{
    struct lan_socket *socket = lan_socket_find(stack, fd);

    if (!socket)
        return -EBADF;
    switch (command) {
    case LAN_F_GETFL:
        return 2 /* O_RDWR */ | (socket->nonblocking ? LAN_O_NONBLOCK : 0);
    case LAN_F_SETFL:
        socket->nonblocking = (argument & LAN_O_NONBLOCK) != 0;
        return 0;
    default:
        return -EINVAL;
    }
}

static int get_name(struct lan_stack *stack, int fd, bool peer, struct lan_sockaddr_in *address)
{
    struct lan_socket *socket = lan_socket_find(stack, fd);

    return socket ? socket->ops->name(stack, socket->pcb, peer, address) : -EBADF;
}

int lan_getsockname(struct lan_stack *stack, int fd, struct lan_sockaddr_in *address)
{
    return get_name(stack, fd, false, address);
}

int lan_getpeername(struct lan_stack *stack, int fd, struct lan_sockaddr_in *address)
{
    return get_name(stack, fd, true, address);
}
