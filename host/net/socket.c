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

/* A call that blocks. */
struct call {
    struct lan_socket *socket;
    uint32_t timeout_ms;
    size_t wanted, moved; /* bytes */
    uint64_t deadline_ns; /* 0: it has not slept yet */
    long result;          /* of the last look, and at the end the call's */
};

/* Whether to look once more: after a sleep if there was nothing; for more, if `all` that is wanted has to come. */
static bool look_again(struct call *call, bool all)
{
    bool again = false;

    if (call->result > 0) {
        call->moved += (size_t)call->result;
        again = all && call->moved < call->wanted;
    } else if (call->result == -EAGAIN) {
        if (!call->deadline_ns)
            call->deadline_ns = lan_deadline_after(call->socket->stack, call->timeout_ms);
        call->result = sleep_on(call->socket, call->deadline_ns);
        again = call->result == 0;
    }
    if (!again && call->moved)
        call->result = (long)call->moved;
    return again;
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
static int try_accept(struct lan_stack *stack, struct lan_socket *listener, struct lan_sockaddr_in *peer, int flags)
{
    int fd = lan_socket_allocate(stack, listener->ops, listener->type | (flags & LAN_SOCK_NONBLOCK));

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
    struct lan_socket *socket = lan_socket_find(stack, fd);

    if (!socket)
        return -EBADF;

    struct call call = {.socket = socket, .timeout_ms = socket->receive_timeout_ms};

    do
        call.result = try_accept(stack, socket, peer, flags);
    while (blocks(socket, 0) && look_again(&call, false));
    return (int)done(stack, call.result);
}

/* How an attempt to connect has ended, or -EAGAIN. */
static int connected(struct lan_socket *socket)
{
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

    struct call call = {.socket = socket, .timeout_ms = socket->send_timeout_ms};

    call.result = socket->ops->connect(stack, socket->pcb, address);
    if ((call.result == -EINPROGRESS || call.result == -EALREADY) && blocks(socket, 0)) {
        do
            call.result = connected(socket);
        while (look_again(&call, false));
        if (call.result == -EAGAIN)
            call.result = -EINPROGRESS;
    }
    return (int)done(stack, call.result);
}

/* One look: what was taken, or why nothing was. */
static long try_send(struct lan_socket *socket, void *data, size_t bytes, int flags, struct lan_sockaddr_in *to)
{
    if (socket->error)
        return take_error(socket);
    return socket->ops->send(socket->stack, socket->pcb, data, bytes, flags, to);
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
    union lan_option_value ahead;
    int result = socket->ops->get(socket->stack, socket->pcb, LAN_OPTION(LAN_IPPROTO_TCP, LAN_TCP_URGENT), &ahead);

    return result < 0 ? result : ahead.number == 1;
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

/* Sends or receives, as `out` says; what is sent is only read. */
static inline long transfer(struct lan_stack *stack, int fd, void *data, size_t bytes, int flags,
                            struct lan_sockaddr_in *peer, bool out)
{
    struct lan_socket *socket = lan_socket_find(stack, fd);

    if (!socket)
        return -EBADF;

    long (*look)(struct lan_socket *, void *, size_t, int, struct lan_sockaddr_in *) = out ? try_send : try_receive;
    long result = look(socket, data, bytes, flags, peer);

    if (result == (long)bytes || !blocks(socket, flags))
        return done(stack, result);

    struct call call = {.socket = socket,
                        .timeout_ms = out ? socket->send_timeout_ms : socket->receive_timeout_ms,
                        .wanted = bytes,
                        .result = result};

    while (look_again(&call, out ? socket->type == LAN_SOCK_STREAM : wants_all(socket, flags)))
        call.result = look(socket, (uint8_t *)data + call.moved, bytes - call.moved, flags, peer);
    return done(stack, call.result);
}

long lan_sendto(struct lan_stack *stack, int fd, const void *data, size_t bytes, int flags,
                const struct lan_sockaddr_in *to)
{
    return transfer(stack, fd, (void *)data, bytes, flags, (struct lan_sockaddr_in *)to, true);
}

long lan_recvfrom(struct lan_stack *stack, int fd, void *data, size_t bytes, int flags, struct lan_sockaddr_in *from)
{
    return transfer(stack, fd, data, bytes, flags, from, false);
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

/* SO_LINGER with a time: close() waits for what was sent to arrive. False: somebody else has closed it meanwhile. */
static bool linger(struct lan_socket *socket)
{
    struct call call = {.socket = socket, .timeout_ms = (uint32_t)socket->linger_s * 1000};

    socket->ops->shutdown(socket->stack, socket->pcb, LAN_SHUT_RDWR);
    do
        call.result = socket->ops->ready(socket->stack, socket->pcb) & LAN_READY_DRAINED ? 0 : -EAGAIN;
    while (look_again(&call, false));
    return call.result != -EBADF;
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
