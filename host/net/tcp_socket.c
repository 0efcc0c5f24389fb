/* SPDX-License-Identifier: Apache-2.0 */
/* The calls of the socket layer (RFC 9293 3.10.1 to 3.10.6). */

#include "tcp_internal.h"

enum { BUFFER_MIN = 256, BUFFER_MAX = 1 << 30, BACKLOG_MAX = 4096, DSCP = 0xfc };

static int tcp_open(struct lan_stack *stack, struct lan_socket *socket)
{
    struct lan_tcb *tcb = lan_tcb_new(stack);
    if (!tcb)
        return -ENOBUFS;
    tcb->socket = socket;
    socket->pcb = tcb;
    return 0;
}

static int tcp_bind(struct lan_stack *stack, void *pcb, uint32_t address, uint16_t port)
{
    struct lan_tcb *tcb = pcb;
    (void)stack;
    if (tcb->state != LAN_TCP_CLOSED || tcb->flags & TCB_BOUND)
        return -EINVAL;
    return lan_tcp_bind_port(tcb, address, port);
}

static int tcp_listen(struct lan_stack *stack, void *pcb, int backlog)
{
    struct lan_tcb *tcb = pcb;
    uint32_t bounded = backlog < 1 ? 1 : backlog > BACKLOG_MAX ? BACKLOG_MAX : (uint32_t)backlog;
    if (tcb->state == LAN_TCP_LISTEN) {
        tcb->listen.backlog = bounded;
        return 0;
    }
    if (tcb->state != LAN_TCP_CLOSED || tcb->remote_port) /* it has had a connection */
        return -EINVAL;
    int result = tcb->flags & TCB_IN_PORTS ? 0 : lan_tcp_bind_port(tcb, tcb->flow.src, tcb->local_port);
    if (result < 0)
        return result;
    const struct lan_tcb *other = lan_tcp_find_listener(&stack->tcp, tcb->flow.src, tcb->local_port);
    if (other && other->flow.src == tcb->flow.src)
        return -EADDRINUSE;
    tcb->listen = (struct lan_tcp_listen){.backlog = bounded};
    lan_tcb_list_init(&tcb->listen.embryonic);
    lan_tcb_list_init(&tcb->listen.ready);
    tcb->state = LAN_TCP_LISTEN;
    return 0;
}

static void put_name(const struct lan_tcb *tcb, bool peer, struct lan_sockaddr_in *address)
{
    lan_sockaddr_put(address, peer ? tcb->flow.dst : tcb->flow.src, peer ? tcb->remote_port : tcb->local_port);
}

static int tcp_accept(struct lan_stack *stack, void *pcb, struct lan_socket *child, struct lan_sockaddr_in *peer)
{
    struct lan_tcb *listener = pcb;
    if (listener->state != LAN_TCP_LISTEN)
        return -EINVAL;
    struct lan_tcb *tcb = listener->listen.ready.first;
    if (!tcb)
        return -EAGAIN;
    lan_tcp_enter(stack);
    lan_tcp_child_leave(tcb);
    tcb->socket = child;
    child->pcb = tcb;
    lan_tcp_arm_keepalive(tcb);
    if (peer)
        put_name(tcb, true, peer);
    return 0;
}

/* RFC 9293 3.10.1, active. */
static int tcp_connect(struct lan_stack *stack, void *pcb, const struct lan_sockaddr_in *address)
{
    struct lan_tcb *tcb = pcb;
    if (tcb->state == LAN_TCP_SYN_SENT || tcb->state == LAN_TCP_SYN_RECEIVED)
        return -EALREADY;
    if (tcb->state == LAN_TCP_LISTEN)
        return -EOPNOTSUPP;
    if (tcb->state != LAN_TCP_CLOSED || tcb->rcv_queued)
        return -EISCONN;
    if (address->sin_family != LAN_AF_INET)
        return -EAFNOSUPPORT;
    if (!address->sin_port || !address->sin_addr)
        return -EADDRNOTAVAIL;
    if (lan_ip_is_group(stack, address->sin_addr)) /* MUST-46 */
        return -ENETUNREACH;
    lan_tcp_enter(stack);
    struct lan_flow flow;
    uint32_t wanted = tcb->flags & TCB_BOUND ? tcb->flow.src : 0;
    int result = lan_ip_route(stack, address->sin_addr, wanted, &flow);
    if (result < 0)
        return result;
    lan_tcp_remove(tcb);
    tcb->flow = flow;
    tcb->remote_port = address->sin_port;
    if (!(tcb->flags & TCB_BOUND) && !lan_tcp_choose_port(tcb))
        return -EADDRNOTAVAIL;
    result = lan_tcp_open(tcb, false);
    if (result < 0)
        return result;
    LAN_COUNT(stack, tcp_active_opens);
    tcb->state = LAN_TCP_SYN_SENT;
    result = lan_tcp_send_syn(tcb);
    if (result < 0) {
        lan_tcp_finish(tcb, 0);
        return result;
    }
    return -EINPROGRESS;
}

/* Why nothing can be sent or received in this state; 0: something can. */
static int not_connected(const struct lan_tcb *tcb)
{
    switch (tcb->state) {
    case LAN_TCP_CLOSED:
        return tcb->error ? -tcb->error : -ENOTCONN;
    case LAN_TCP_LISTEN:
        return -ENOTCONN;
    case LAN_TCP_SYN_SENT:
    case LAN_TCP_SYN_RECEIVED:
        return -EAGAIN;
    default:
        return 0;
    }
}

static void set_flag(struct lan_tcb *tcb, uint32_t flag, bool on)
{
    tcb->flags = on ? tcb->flags | flag : tcb->flags & ~flag;
}

int lan_tcp_before_send(struct lan_tcb *tcb)
{
    if (tcb->flags & TCB_FIN_QUEUED || (tcb->state == LAN_TCP_CLOSED && tcb->error))
        return -EPIPE;
    lan_tcp_enter(tcb->stack);
    if (tcb->opt.congestion->sampled && tcb->sender)
        lan_tcp_rate_check(tcb);
    return not_connected(tcb);
}

void lan_tcp_after_send(struct lan_tcb *tcb, int flags, bool refused)
{
    set_flag(tcb, TCB_MORE, flags & LAN_MSG_MORE);
    set_flag(tcb, TCB_REFUSED, refused);
    if (refused || !lan_tcp_has_space(tcb)) {
        tcb->flags |= TCB_WANT_SPACE;
        lan_tcp_offer_space(tcb);
    }
}

static long append_and_send(struct lan_tcb *tcb, const void *data, size_t bytes, int flags)
{
    int result = lan_tcp_before_send(tcb);
    if (result < 0)
        return result;
    uint32_t wanted = bytes < BUFFER_MAX ? (uint32_t)bytes : BUFFER_MAX, limit = tcb->opt.snd_limit;
    uint32_t taken = lan_tcp_queue_append(tcb, data, wanted);
    if (flags & LAN_MSG_OOB && taken)
        lan_tcp_urgent_send(tcb);
    lan_tcp_after_send(tcb, flags, taken < wanted);
    if (!taken && wanted) /* unless tuning has just made room, which nobody would be told of again */
        return tcb->opt.snd_limit == limit ? -EAGAIN : append_and_send(tcb, data, bytes, flags);
    lan_tcp_output(tcb);
    return (long)taken;
}

static long tcp_send(struct lan_stack *stack, void *pcb, const void *data, size_t bytes, int flags,
                     const struct lan_sockaddr_in *to)
{
    (void)stack;
    (void)to; /* connected already: ignored, as POSIX allows */
    if (LAN_FOR_SPEED && lan_tcp_send_at_once(pcb, data, bytes, flags))
        return (long)bytes;
    return append_and_send(pcb, data, bytes, flags);
}

LAN_RARE int lan_tcp_nothing_read(const struct lan_tcb *tcb)
{
    if (tcb->flags & (TCB_EOF | TCB_RCV_SHUT))
        return 0;
    int result = not_connected(tcb);
    return result < 0 ? result : -EAGAIN;
}

static long tcp_recv(struct lan_stack *stack, void *pcb, void *data, size_t bytes, int flags,
                     struct lan_sockaddr_in *from)
{
    struct lan_tcb *tcb = pcb;
    (void)stack;
    if (flags & LAN_MSG_OOB)
        return -EINVAL; /* urgent data are in line */
    if (!tcb->rcv_queued)
        return lan_tcp_nothing_read(tcb);
    if (from && tcb->flow.dst)
        put_name(tcb, true, from);
    uint32_t most = bytes < BUFFER_MAX ? (uint32_t)bytes : BUFFER_MAX;
    if (tcb->flags & TCB_URGENT_IN)
        most = lan_tcp_urgent_bound(tcb, most);
    uint32_t copied = lan_tcp_receive_copy(tcb, data, most, flags & LAN_MSG_PEEK);
    lan_tcp_after_read(tcb);
    return (long)copied;
}

/* RFC 9293 3.10.4, the sending half. */
static void finish_sending(struct lan_tcb *tcb)
{
    if (tcb->flags & TCB_FIN_QUEUED)
        return;
    tcb->flags |= TCB_FIN_QUEUED;
    if (tcb->state == LAN_TCP_ESTABLISHED)
        lan_tcp_set_state(tcb, LAN_TCP_FIN_WAIT_1);
    else if (tcb->state == LAN_TCP_CLOSE_WAIT)
        lan_tcp_set_state(tcb, LAN_TCP_LAST_ACK);
    lan_tcp_output(tcb);
}

static int tcp_shutdown(struct lan_stack *stack, void *pcb, int how)
{
    struct lan_tcb *tcb = pcb;
    if (tcb->state <= LAN_TCP_SYN_SENT)
        return -ENOTCONN;
    lan_tcp_enter(stack);
    if (how != LAN_SHUT_WR)
        tcb->flags |= TCB_RCV_SHUT;
    if (how != LAN_SHUT_RD)
        finish_sending(tcb);
    lan_socket_event(tcb->socket);
    return 0;
}

/* RFC 9293 3.10.4 and 3.10.5. */
static void tcp_close(struct lan_stack *stack, void *pcb, bool abort)
{
    struct lan_tcb *tcb = pcb;
    lan_tcp_enter(stack);
    tcb->socket = NULL;
    switch (tcb->state) {
    case LAN_TCP_LISTEN:
        lan_tcp_listen_close(tcb);
        return;
    case LAN_TCP_CLOSED:
    case LAN_TCP_SYN_SENT:
        lan_tcb_free(tcb);
        return;
    case LAN_TCP_TIME_WAIT:
        lan_buf_free(tcb->rcv_head);
        tcb->rcv_head = tcb->rcv_tail = NULL;
        tcb->rcv_queued = 0;
        lan_tcb_list_append(&stack->tcp.time_wait, tcb);
        return;
    default:
        break;
    }
    if (abort || tcb->rcv_queued) { /* unread data is lost, and the peer is to know (SHLD-3) */
        LAN_COUNT(stack, tcp_ext_abort_on_close);
        lan_tcp_send_reset(tcb);
        lan_tcb_free(tcb);
        return;
    }
    lan_tcp_disarm(tcb, LAN_TCP_LIFE);
    if (tcb->state == LAN_TCP_FIN_WAIT_2)
        lan_tcp_arm(tcb, LAN_TCP_LIFE, LAN_TCP_FIN_WAIT);
    finish_sending(tcb);
}

static int tcp_ready(struct lan_stack *stack, const void *pcb)
{
    const struct lan_tcb *tcb = pcb;
    (void)stack;
    int ready = 0;
    switch (tcb->state) {
    case LAN_TCP_LISTEN:
        return tcb->listen.ready.first ? LAN_POLLIN | LAN_READY_DRAINED : LAN_READY_DRAINED;
    case LAN_TCP_SYN_SENT:
        return LAN_READY_DRAINED;
    case LAN_TCP_CLOSED:
        ready = LAN_POLLOUT | LAN_POLLHUP | LAN_READY_DRAINED;
        return tcb->error || tcb->flags & TCB_EOF || tcb->rcv_queued ? ready | LAN_POLLIN | LAN_POLLRDHUP : ready;
    default:
        break;
    }
    if (tcb->flags & (TCB_EOF | TCB_RCV_SHUT))
        ready |= LAN_POLLIN | LAN_POLLRDHUP;
    if (tcb->rcv_queued)
        ready |= LAN_POLLIN;
    if (tcb->flags & TCB_URGENT_IN)
        ready |= LAN_POLLPRI;
    if (tcb->state != LAN_TCP_SYN_RECEIVED && (tcb->flags & TCB_FIN_QUEUED || !(tcb->flags & TCB_WANT_SPACE)))
        ready |= LAN_POLLOUT;
    if (tcb->flags & TCB_FIN_QUEUED && tcb->flags & (TCB_EOF | TCB_RCV_SHUT))
        ready |= LAN_POLLHUP;
    if (!tcb->snd_queued && (!(tcb->flags & TCB_FIN_QUEUED) || tcb->flags & TCB_FIN_ACKED))
        ready |= LAN_READY_DRAINED;
    return ready;
}

static int tcp_name(struct lan_stack *stack, const void *pcb, bool peer, struct lan_sockaddr_in *address)
{
    const struct lan_tcb *tcb = pcb;
    (void)stack;
    if (peer && tcb->state < LAN_TCP_ESTABLISHED)
        return -ENOTCONN;
    put_name(tcb, peer, address);
    return 0;
}

static const struct lan_option TCP_OPTIONS[] = {
    {LAN_OPTION(LAN_SOL_SOCKET, LAN_SO_REUSEADDR), LAN_FIELD(struct lan_tcb, flags), LAN_OPTION_FLAG, 0, TCB_REUSE},
    {LAN_OPTION(LAN_SOL_SOCKET, LAN_SO_KEEPALIVE), LAN_FIELD(struct lan_tcb, flags), LAN_OPTION_FLAG, 0, TCB_KEEPALIVE},
    {LAN_OPTION(LAN_SOL_SOCKET, LAN_SO_SNDBUF), LAN_FIELD(struct lan_tcb, opt.snd_limit), LAN_OPTION_BOUNDED,
     BUFFER_MIN, BUFFER_MAX},
    {LAN_OPTION(LAN_SOL_SOCKET, LAN_SO_RCVBUF), LAN_FIELD(struct lan_tcb, opt.rcv_limit), LAN_OPTION_BOUNDED,
     BUFFER_MIN, BUFFER_MAX},
    {LAN_OPTION(LAN_SOL_SOCKET, LAN_SO_MAX_PACING_RATE), LAN_FIELD(struct lan_tcb, opt.pacing_limit), LAN_OPTION_NUMBER,
     1, UINT32_MAX},
    {LAN_OPTION(LAN_IPPROTO_TCP, LAN_TCP_NODELAY), LAN_FIELD(struct lan_tcb, flags), LAN_OPTION_FLAG, 0, TCB_NODELAY},
    {LAN_OPTION(LAN_IPPROTO_TCP, LAN_TCP_CORK), LAN_FIELD(struct lan_tcb, opt.asked), LAN_OPTION_FLAG, 0, ASKED_CORK},
    {LAN_OPTION(LAN_IPPROTO_TCP, LAN_TCP_MAXSEG), LAN_FIELD(struct lan_tcb, opt.mss_limit), LAN_OPTION_NUMBER,
     LAN_TCP_MSS_MIN, UINT16_MAX},
    {LAN_OPTION(LAN_IPPROTO_TCP, LAN_TCP_USER_TIMEOUT), LAN_FIELD(struct lan_tcb, opt.user_timeout_ms),
     LAN_OPTION_NUMBER, 0, INT32_MAX},
    {LAN_OPTION(LAN_IPPROTO_TCP, LAN_TCP_KEEPIDLE), LAN_FIELD(struct lan_tcb, opt.keep_idle_s), LAN_OPTION_NUMBER, 1,
     INT16_MAX},
    {LAN_OPTION(LAN_IPPROTO_TCP, LAN_TCP_KEEPINTVL), LAN_FIELD(struct lan_tcb, opt.keep_interval_s), LAN_OPTION_NUMBER,
     1, INT16_MAX},
    {LAN_OPTION(LAN_IPPROTO_TCP, LAN_TCP_KEEPCNT), LAN_FIELD(struct lan_tcb, opt.keep_probes), LAN_OPTION_NUMBER, 1,
     INT8_MAX},
    {LAN_OPTION(LAN_IPPROTO_IP, LAN_IP_TOS), LAN_FIELD(struct lan_tcb, opt.tos), LAN_OPTION_NUMBER, 0, UINT32_MAX},
    {LAN_OPTION(LAN_IPPROTO_IP, LAN_IP_TTL), LAN_FIELD(struct lan_tcb, opt.ttl), LAN_OPTION_NUMBER, 1, UINT8_MAX},
    {0},
};

/* What is held back by the cork or LAN_MSG_MORE goes now. */
static void push(struct lan_tcb *tcb)
{
    uint8_t asked = tcb->opt.asked;
    tcb->opt.asked &= (uint8_t)~ASKED_CORK;
    tcb->flags &= ~(uint32_t)TCB_MORE;
    lan_tcp_output(tcb);
    tcb->opt.asked = asked;
}

static int set_congestion(struct lan_tcb *tcb, const char *name)
{
    const struct lan_tcp_congestion *found = lan_tcp_congestion_named(name);
    if (!found)
        return -ENOENT;
    tcb->opt.congestion = found;
    if (tcb->sender)
        lan_tcp_start_congestion(tcb);
    return 0;
}

/* What is more than a field, and what follows where one has changed. */
static int tcp_set(struct lan_stack *stack, void *pcb, uint32_t option, const union lan_option_value *value)
{
    struct lan_tcb *tcb = pcb;
    lan_tcp_enter(stack);
    int number = value->number, result = lan_option_set(TCP_OPTIONS, tcb, option, number);
    if (result == -EINVAL)
        return result;
    switch (option) {
    case LAN_OPTION(LAN_SOL_SOCKET, LAN_SO_OOBINLINE):
        return number ? 0 : -EINVAL;
    case LAN_OPTION(LAN_SOL_SOCKET, LAN_SO_SNDBUF):
        tcb->opt.asked |= ASKED_SEND_BUFFER;
        if (tcb->flags & TCB_WANT_SPACE)
            lan_tcp_offer_space(tcb);
        break;
    case LAN_OPTION(LAN_SOL_SOCKET, LAN_SO_RCVBUF):
        tcb->opt.asked |= ASKED_RECEIVE_BUFFER;
        break;
    case LAN_OPTION(LAN_SOL_SOCKET, LAN_SO_MAX_PACING_RATE):
        lan_tcp_output(tcb); /* the pause may be over */
        break;
    case LAN_OPTION(LAN_IPPROTO_TCP, LAN_TCP_NODELAY):
        if (number)
            push(tcb);
        break;
    case LAN_OPTION(LAN_IPPROTO_TCP, LAN_TCP_CORK):
        if (!number)
            push(tcb);
        break;
    case LAN_OPTION(LAN_IPPROTO_TCP, LAN_TCP_MAXSEG):
        if (tcb->state >= LAN_TCP_ESTABLISHED)
            lan_tcp_set_mss(tcb);
        break;
    case LAN_OPTION(LAN_IPPROTO_TCP, LAN_TCP_CONGESTION):
        return set_congestion(tcb, value->name);
    case LAN_OPTION(LAN_IPPROTO_TCP, LAN_TCP_ECN):
        return lan_tcp_ecn_set(tcb, (uint32_t)number);
    case LAN_OPTION(LAN_SOL_SOCKET, LAN_SO_KEEPALIVE):
    case LAN_OPTION(LAN_IPPROTO_TCP, LAN_TCP_KEEPIDLE):
    case LAN_OPTION(LAN_IPPROTO_TCP, LAN_TCP_KEEPINTVL):
    case LAN_OPTION(LAN_IPPROTO_TCP, LAN_TCP_KEEPCNT):
        lan_tcp_arm_keepalive(tcb);
        break;
    case LAN_OPTION(LAN_IPPROTO_IP, LAN_IP_TOS):
        tcb->opt.tos &= DSCP; /* the ECN bits are TCP's own (RFC 3168 5) */
        break;
    default:
        break;
    }
    return result;
}

static int tcp_get(struct lan_stack *stack, const void *pcb, uint32_t option, union lan_option_value *value)
{
    const struct lan_tcb *tcb = pcb;
    size_t name_bytes = strlen(tcb->opt.congestion->name) + 1; /* always short */
    (void)stack;
    switch (option) {
    case LAN_OPTION(LAN_SOL_SOCKET, LAN_SO_OOBINLINE):
        value->number = 1;
        break;
    case LAN_OPTION(LAN_SOL_SOCKET, LAN_SO_ACCEPTCONN):
        value->number = tcb->state == LAN_TCP_LISTEN;
        break;
    case LAN_OPTION(LAN_IPPROTO_TCP, LAN_TCP_MAXSEG):
        value->number = tcb->mss ? tcb->mss : LAN_TCP_MSS_DEFAULT;
        break;
    case LAN_OPTION(LAN_IPPROTO_TCP, LAN_TCP_ECN):
        value->number = (int)lan_tcp_ecn_mode(tcb);
        break;
    case LAN_OPTION(LAN_IPPROTO_TCP, LAN_TCP_URGENT):
        value->number = (int)lan_tcp_urgent_ahead(tcb);
        break;
    case LAN_OPTION(LAN_IPPROTO_TCP, LAN_TCP_SOFT_ERROR):
        value->number = (int)lan_tcp_soft_error(tcb);
        break;
    case LAN_OPTION(LAN_IPPROTO_TCP, LAN_TCP_CONGESTION):
        memcpy(value->name, tcb->opt.congestion->name, name_bytes);
        return (int)name_bytes;
    case LAN_OPTION(LAN_IPPROTO_TCP, LAN_TCP_INFO):
        lan_tcp_tell(tcb, &value->info);
        return sizeof value->info;
    default:
        return lan_option_get(TCP_OPTIONS, tcb, option, value);
    }
    return sizeof value->number;
}

const struct lan_protocol_ops lan_tcp_ops = {
    .open = tcp_open,
    .bind = tcp_bind,
    .listen = tcp_listen,
    .accept = tcp_accept,
    .connect = tcp_connect,
    .send = tcp_send,
    .recv = tcp_recv,
    .send_buf = lan_tcp_send_buf,
    .recv_buf = lan_tcp_recv_buf,
    .shutdown = tcp_shutdown,
    .close = tcp_close,
    .ready = tcp_ready,
    .name = tcp_name,
    .set = tcp_set,
    .get = tcp_get,
};
