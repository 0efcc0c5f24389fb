/* SPDX-License-Identifier: Apache-2.0 */
/* The calls of socket.h. Each asks the protocol, which answers at once; where the answer is "not now" and the socket
 * blocks, the caller sleeps on the socket's wait list and asks again.
 */
#include "lanyard/socket.h"
#include "bytes.h"
#include "netif_internal.h"
#include "socket_table.h"
#include "stack_internal.h"
#include "tcp.h"
#include "udp.h"

#include <errno.h>

#define MS_NS UINT64_C(1000000)

LAN_RARE uint64_t lan_deadline_after(struct lan_stack *stack, uint32_t timeout_ms)
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

static int take_error(struct lan_socket *socket)
{
    int error = socket->error;

    socket->error = 0;
    return -error;
}

/* One look of a call at its socket: what came of it, or why nothing did; -EAGAIN: something may yet. */
typedef long look(struct lan_socket *socket, void *data, size_t bytes, int flags, struct lan_sockaddr_in *peer);

static long try_send(struct lan_socket *socket, void *data, size_t bytes, int flags, struct lan_sockaddr_in *to)
{
    if (socket->error)
        return take_error(socket);
    return socket->ops->send(socket->stack, socket->pcb, data, bytes, flags, to);
}

static long try_receive(struct lan_socket *socket, void *data, size_t bytes, int flags, struct lan_sockaddr_in *from)
{
    long result = socket->ops->recv(socket->stack, socket->pcb, data, bytes, flags, from);

    return result < 0 && socket->error ? take_error(socket) : result;
}

static int at_mark(struct lan_socket *socket)
{
    union lan_option_value ahead;
    int result = socket->ops->get(socket->stack, socket->pcb, LAN_OPTION(LAN_IPPROTO_TCP, LAN_TCP_URGENT), &ahead);

    return result < 0 ? result : ahead.number == 1;
}

/* Whether some of the bytes are not enough. Even who wants all is to see the urgent mark. */
static bool wants_all(struct lan_socket *socket, look *look, int flags)
{
    if (socket->type != LAN_SOCK_STREAM)
        return false;
    return look == try_send || ((flags & (LAN_MSG_WAITALL | LAN_MSG_PEEK)) == LAN_MSG_WAITALL && at_mark(socket) != 1);
}

/* For who may wait: looks until something comes of it, or for as long as more is wanted. What is sent is only read. */
static long repeat(struct lan_socket *socket, look *look, uint32_t timeout_ms, void *data, size_t bytes, int flags,
                   struct lan_sockaddr_in *peer)
{
    uint64_t deadline_ns = 0; /* it has not slept yet */
    size_t moved = 0;

    for (;;) {
        int16_t error = socket->error;
        long result = look(socket, (uint8_t *)data + moved, bytes - moved, flags, peer);

        if (moved && result < 0)
            socket->error = error; /* the next call tells it: this one has bytes to tell of */
        if (result == -EAGAIN) {
            if (!deadline_ns)
                deadline_ns = lan_deadline_after(socket->stack, timeout_ms);
            result = sleep_on(socket, deadline_ns);
            if (result == 0)
                continue;
        } else if (result > 0) {
            moved += (size_t)result;
            if (moved < bytes && wants_all(socket, look, flags))
                continue;
        }
        return moved ? (long)moved : result;
    }
}

/* How a call ends that may have brought a deadline: the port learns of it. */
static long done(struct lan_stack *stack, long result)
{
    lan_stack_leave(stack);
    return result;
}

/* A call that is one look, or as many as it takes. */
static inline long call(struct lan_stack *stack, int fd, look *look, void *data, size_t bytes, int flags,
                        struct lan_sockaddr_in *peer)
{
    struct lan_socket *socket = lan_socket_find(stack, fd);

    if (!socket)
        return -EBADF;
    if (socket->nonblocking || flags & LAN_MSG_DONTWAIT)
        return done(stack, look(socket, data, bytes, flags, peer));
    return done(stack, repeat(socket, look, look == try_send ? socket->send_timeout_ms : socket->receive_timeout_ms,
                              data, bytes, flags, peer));
}

int lan_socket(struct lan_stack *stack, int domain, int type, int protocol)
{
    const struct lan_protocol_ops *ops;
    int own;

    if (domain != LAN_AF_INET)
        return -EAFNOSUPPORT;
    switch (type & ~LAN_SOCK_NONBLOCK) {
    case LAN_SOCK_STREAM:
        ops = &lan_tcp_ops;
        own = LAN_IPPROTO_TCP;
        break;
    case LAN_SOCK_DGRAM:
        ops = &lan_udp_ops;
        own = LAN_IPPROTO_UDP;
        break;
    default:
        return -EINVAL;
    }
    if (protocol && protocol != own)
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
    if (address->sin_addr && !lan_ip_is_own(stack, address->sin_addr))
        return -EADDRNOTAVAIL;
    return socket->ops->bind(stack, socket->pcb, address->sin_addr, address->sin_port);
}

int lan_listen(struct lan_stack *stack, int fd, int backlog)
{
    struct lan_socket *socket = lan_socket_find(stack, fd);

    return socket ? socket->ops->listen(stack, socket->pcb, backlog) : -EBADF;
}

/* The descriptor is made first, so that a connection is never taken from the queue without one. */
static long try_accept(struct lan_socket *listener, void *data, size_t bytes, int flags, struct lan_sockaddr_in *peer)
{
    struct lan_stack *stack = listener->stack;
    int fd = lan_socket_allocate(stack, listener->ops, listener->type | flags);

    (void)data, (void)bytes;
    if (fd < 0)
        return fd;

    struct lan_socket *child = &stack->sockets.sockets[fd];
    int result = listener->ops->accept(stack, listener->pcb, child, peer);

    if (result < 0) {
        lan_socket_release(stack, fd);
        return result;
    }
    child->linger_s = listener->linger_s;
    child->receive_timeout_ms = listener->receive_timeout_ms;
    child->send_timeout_ms = listener->send_timeout_ms;
    return fd;
}

int lan_accept(struct lan_stack *stack, int fd, struct lan_sockaddr_in *peer, int flags)
{
    return (int)call(stack, fd, try_accept, NULL, 0, flags & LAN_SOCK_NONBLOCK, peer);
}

/* How an attempt to connect has ended. */
static long connected(struct lan_socket *socket, void *data, size_t bytes, int flags, struct lan_sockaddr_in *peer)
{
    (void)data, (void)bytes, (void)flags, (void)peer;
    if (!socket->error && !(socket->ops->ready(socket->stack, socket->pcb) & (LAN_POLLOUT | LAN_POLLHUP)))
        return -EAGAIN;
    return take_error(socket);
}

int lan_connect(struct lan_stack *stack, int fd, const struct lan_sockaddr_in *address)
{
    struct lan_socket *socket = lan_socket_find(stack, fd);

    if (!socket)
        return -EBADF;
    if (address->sin_family != LAN_AF_INET && address->sin_family != LAN_AF_UNSPEC)
        return -EAFNOSUPPORT;

    if (socket->error && socket->type == LAN_SOCK_STREAM) /* how an attempt ended that nobody has asked about */
        return take_error(socket);

    long result = socket->ops->connect(stack, socket->pcb, address);

    if ((result == -EINPROGRESS || result == -EALREADY) && !socket->nonblocking) {
        long outcome = repeat(socket, connected, socket->send_timeout_ms, NULL, 0, 0, NULL);

        if (outcome != -EAGAIN)
            result = outcome;
    }
    return (int)done(stack, result);
}

static long try_send_buf(struct lan_socket *socket, void *chain, size_t bytes, int flags, struct lan_sockaddr_in *to)
{
    (void)bytes, (void)to;
    if (!socket->ops->send_buf)
        return -EOPNOTSUPP;
    if (socket->error)
        return take_error(socket);
    return socket->ops->send_buf(socket->stack, socket->pcb, chain, flags);
}

long lan_send_buf(struct lan_stack *stack, int fd, struct lan_buf *chain, int flags)
{
    return call(stack, fd, try_send_buf, chain, 0, flags | LAN_MSG_DONTWAIT, NULL);
}

static long try_recv_buf(struct lan_socket *socket, void *chain, size_t bytes, int flags, struct lan_sockaddr_in *from)
{
    (void)flags, (void)from;
    if (!socket->ops->recv_buf)
        return -EOPNOTSUPP;

    long result = socket->ops->recv_buf(socket->stack, socket->pcb, chain, bytes);

    return result < 0 && socket->error ? take_error(socket) : result;
}

long lan_recv_buf(struct lan_stack *stack, int fd, struct lan_buf **chain, size_t bytes)
{
    return call(stack, fd, try_recv_buf, chain, bytes, LAN_MSG_DONTWAIT, NULL);
}

long lan_send(struct lan_stack *stack, int fd, const void *data, size_t bytes, int flags)
{
    return lan_sendto(stack, fd, data, bytes, flags, NULL);
}

int lan_sockatmark(struct lan_stack *stack, int fd)
{
    struct lan_socket *socket = lan_socket_find(stack, fd);

    return socket ? at_mark(socket) : -EBADF;
}

long lan_sendto(struct lan_stack *stack, int fd, const void *data, size_t bytes, int flags,
                const struct lan_sockaddr_in *to)
{
    return call(stack, fd, try_send, (void *)data, bytes, flags, (struct lan_sockaddr_in *)to);
}

long lan_recvfrom(struct lan_stack *stack, int fd, void *data, size_t bytes, int flags, struct lan_sockaddr_in *from)
{
    return call(stack, fd, try_receive, data, bytes, flags, from);
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

/* Whether all that was sent has arrived. */
static long drained(struct lan_socket *socket, void *data, size_t bytes, int flags, struct lan_sockaddr_in *peer)
{
    (void)data, (void)bytes, (void)flags, (void)peer;
    return socket->ops->ready(socket->stack, socket->pcb) & LAN_READY_DRAINED ? 0 : -EAGAIN;
}

/* SO_LINGER with a time: close() waits for what was sent to arrive. False: somebody else has closed it meanwhile. */
static bool linger(struct lan_socket *socket)
{
    socket->ops->shutdown(socket->stack, socket->pcb, LAN_SHUT_RDWR);
    return repeat(socket, drained, (uint32_t)socket->linger_s * 1000, NULL, 0, 0, NULL) != -EBADF;
}

/* Whoever sleeps on the socket wakes up to -EBADF. */
static void expel_waiters(struct lan_socket *socket)
{
    socket->notify = NULL;
    lan_socket_event(socket);
    while (socket->waiters)
        lan_waiter_leave(socket->waiters);
}

int lan_close(struct lan_stack *stack, int fd)
{
    struct lan_socket *socket = lan_socket_find(stack, fd);

    if (!socket)
        return -EBADF;
    if (socket->linger_s > 0 && !socket->nonblocking && !linger(socket))
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
