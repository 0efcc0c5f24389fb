/* SPDX-License-Identifier: Apache-2.0 */
#include "arp.h"
#include "netif_internal.h"
#include "stack_internal.h"
#include "udp_internal.h"

#include <errno.h>

static int udp_open(struct lan_stack *stack, struct lan_socket *socket)
{
    struct lan_udp_pcb *pcb = lan_udp_alloc(stack);

    if (!pcb)
        return -ENOBUFS;
    pcb->socket = socket;
    socket->pcb = pcb;
    return 0;
}

/* For lan_port_pick(). */
struct candidate {
    struct lan_stack *stack;
    const struct lan_udp_pcb *pcb;
    uint32_t local;
};

static bool port_usable(void *ctx, uint16_t port)
{
    const struct candidate *c = ctx;

    return lan_udp_port_free(c->stack, c->pcb, c->local, port);
}

static int bind_to(struct lan_stack *stack, struct lan_udp_pcb *pcb, uint32_t local, uint16_t port)
{
    struct candidate candidate = {stack, pcb, local};

    if (port == 0) {
        port = lan_port_pick(stack, port_usable, &candidate);
        if (port == 0)
            return -EADDRINUSE;
    } else if (!lan_udp_port_free(stack, pcb, local, port)) {
        return -EADDRINUSE;
    }
    pcb->bound = pcb->local = local;
    pcb->local_port = port;
    lan_udp_link(stack, pcb);
    return 0;
}

static int udp_bind(struct lan_stack *stack, void *p, uint32_t address, uint16_t port)
{
    struct lan_udp_pcb *pcb = p;

    return pcb->local_port ? -EINVAL : bind_to(stack, pcb, address, port);
}

static int not_supported(struct lan_stack *stack, void *pcb, int backlog)
{
    (void)stack, (void)pcb, (void)backlog;
    return -EOPNOTSUPP;
}

static int accept_not_supported(struct lan_stack *stack, void *pcb, struct lan_socket *child,
                                struct lan_sockaddr_in *peer)
{
    (void)stack, (void)pcb, (void)child, (void)peer;
    return -EOPNOTSUPP;
}

/* Whether `pcb` may send to `dst` at all. */
static int check_destination(const struct lan_stack *stack, const struct lan_udp_pcb *pcb,
                             const struct lan_sockaddr_in *to)
{
    if (to->sin_family != LAN_AF_INET)
        return -EAFNOSUPPORT;
    if (to->sin_port == 0 || to->sin_addr == 0)
        return -EINVAL;
    if (!pcb->broadcast && lan_ip_is_group(stack, to->sin_addr) && !lan_ip_is_multicast(to->sin_addr))
        return -EACCES;
    return 0;
}

static int disconnect(struct lan_stack *stack, struct lan_udp_pcb *pcb)
{
    if (!pcb->peer_port)
        return 0;
    lan_udp_unlink(stack, pcb);
    pcb->local = pcb->bound;
    pcb->peer = 0;
    pcb->peer_port = 0;
    pcb->flow_valid = false;
    lan_udp_link(stack, pcb);
    return 0;
}

static int udp_connect(struct lan_stack *stack, void *p, const struct lan_sockaddr_in *address)
{
    struct lan_udp_pcb *pcb = p;

    if (address->sin_family == LAN_AF_UNSPEC)
        return disconnect(stack, pcb);

    int result = check_destination(stack, pcb, address);

    if (result == 0)
        result = lan_ip_route(stack, address->sin_addr, pcb->bound, &pcb->flow);
    if (result == 0 && !pcb->local_port)
        result = bind_to(stack, pcb, 0, 0);
    if (result < 0)
        return result;
    lan_udp_unlink(stack, pcb);
    pcb->flow_valid = true;
    pcb->local = pcb->flow.src;
    pcb->peer = address->sin_addr;
    pcb->peer_port = address->sin_port;
    lan_udp_link(stack, pcb);
    return 0;
}

static long udp_send(struct lan_stack *stack, void *p, const void *data, size_t bytes, int flags,
                     const struct lan_sockaddr_in *to)
{
    struct lan_udp_pcb *pcb = p;
    uint32_t dst = pcb->peer;
    uint16_t port = pcb->peer_port;
    int result = 0;

    (void)flags;
    if (pcb->shut_write)
        return -EPIPE;
    if (to) {
        result = check_destination(stack, pcb, to);
        dst = to->sin_addr;
        port = to->sin_port;
    } else if (!port) {
        result = -EDESTADDRREQ;
    }
    if (result == 0 && bytes > LAN_UDP_DATA_MAX)
        result = -EMSGSIZE;
    if (result == 0 && !pcb->local_port)
        result = bind_to(stack, pcb, 0, 0);
    return result < 0 ? result : lan_udp_output(stack, pcb, data, bytes, dst, port);
}

static void dequeue(struct lan_udp_pcb *pcb)
{
    struct lan_buf *datagram = pcb->head;

    pcb->head = datagram->link;
    pcb->queued -= datagram->scratch[LAN_UDP_CHARGE];
    lan_buf_free(datagram);
}

static long udp_recv(struct lan_stack *stack, void *p, void *data, size_t bytes, int flags,
                     struct lan_sockaddr_in *from)
{
    struct lan_udp_pcb *pcb = p;
    struct lan_buf *datagram = pcb->head;

    (void)stack;
    if (!datagram)
        return pcb->shut_read ? 0 : -EAGAIN;

    uint32_t total = lan_buf_total(datagram);
    uint32_t copied = lan_buf_copy(datagram, 0, data, bytes < total ? (uint32_t)bytes : total);

    if (from)
        lan_sockaddr_put(from, datagram->scratch[LAN_UDP_FROM], (uint16_t)datagram->scratch[LAN_UDP_FROM_PORT]);
    if (!(flags & LAN_MSG_PEEK))
        dequeue(pcb);
    return flags & LAN_MSG_TRUNC ? total : copied;
}

static int udp_shutdown(struct lan_stack *stack, void *p, int how)
{
    struct lan_udp_pcb *pcb = p;

    (void)stack;
    if (!pcb->peer_port)
        return -ENOTCONN;
    pcb->shut_read |= how != LAN_SHUT_WR;
    pcb->shut_write |= how != LAN_SHUT_RD;
    lan_socket_event(pcb->socket);
    return 0;
}

static void udp_close(struct lan_stack *stack, void *p, bool abort)
{
    struct lan_udp_pcb *pcb = p;

    (void)abort;
    while (pcb->head)
        dequeue(pcb);
    if (pcb->local_port)
        lan_udp_unlink(stack, pcb);
    lan_udp_release(stack, pcb);
}

static int udp_ready(struct lan_stack *stack, const void *p)
{
    const struct lan_udp_pcb *pcb = p;

    (void)stack;
    return (pcb->head || pcb->shut_read ? LAN_POLLIN : 0) | (pcb->stopped ? 0 : LAN_POLLOUT) |
           (pcb->shut_read ? LAN_POLLRDHUP : 0) | (pcb->shut_read && pcb->shut_write ? LAN_POLLHUP : 0) |
           LAN_READY_DRAINED;
}

static int udp_name(struct lan_stack *stack, const void *p, bool peer, struct lan_sockaddr_in *address)
{
    const struct lan_udp_pcb *pcb = p;

    (void)stack;
    if (peer && !pcb->peer_port)
        return -ENOTCONN;
    lan_sockaddr_put(address, peer ? pcb->peer : pcb->local, peer ? pcb->peer_port : pcb->local_port);
    return 0;
}

static const struct lan_option UDP_OPTIONS[] = {
    {LAN_OPTION(LAN_IPPROTO_IP, LAN_IP_TOS), LAN_FIELD(struct lan_udp_pcb, tos), LAN_OPTION_NUMBER, 0, 255},
    {LAN_OPTION(LAN_IPPROTO_IP, LAN_IP_TTL), LAN_FIELD(struct lan_udp_pcb, ttl), LAN_OPTION_NUMBER, 1, 255},
    {LAN_OPTION(LAN_SOL_SOCKET, LAN_SO_BROADCAST), LAN_FIELD(struct lan_udp_pcb, broadcast), LAN_OPTION_FLAG, 0, 1},
    {LAN_OPTION(LAN_SOL_SOCKET, LAN_SO_REUSEADDR), LAN_FIELD(struct lan_udp_pcb, reuse), LAN_OPTION_FLAG, 0, 1},
    {LAN_OPTION(LAN_SOL_SOCKET, LAN_SO_RCVBUF), LAN_FIELD(struct lan_udp_pcb, receive_buffer), LAN_OPTION_BOUNDED, 1,
     INT32_MAX},
    {0},
};

static int udp_set(struct lan_stack *stack, void *pcb, uint32_t option, const union lan_option_value *value)
{
    (void)stack;
    return lan_option_set(UDP_OPTIONS, pcb, option, value->number);
}

static int udp_get(struct lan_stack *stack, const void *pcb, uint32_t option, union lan_option_value *value)
{
    (void)stack;
    if (option == LAN_OPTION(LAN_SOL_SOCKET, LAN_SO_ACCEPTCONN)) {
        value->number = 0;
        return sizeof value->number;
    }
    return lan_option_get(UDP_OPTIONS, pcb, option, value);
}

const struct lan_protocol_ops lan_udp_ops = {
    .open = udp_open,
    .bind = udp_bind,
    .listen = not_supported,
    .accept = accept_not_supported,
    .connect = udp_connect,
    .send = udp_send,
    .recv = udp_recv,
    .shutdown = udp_shutdown,
    .close = udp_close,
    .ready = udp_ready,
    .name = udp_name,
    .set = udp_set,
    .get = udp_get,
};
