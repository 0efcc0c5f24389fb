/* SPDX-License-Identifier: Apache-2.0 */
/* Listeners and the connections that nobody has accepted yet. Both of their queues are bounded: half-open connections
 * by the backlog or EMBRYONIC_MIN, and all listeners' together by half of what the stack can hold; complete ones by the
 * backlog. Beyond the first bound SYN cookies take over. */

#include "tcp_internal.h"

enum { EMBRYONIC_MIN = 64 };

/* A SYN may come from anybody: it takes no place that a connection in TIME-WAIT still has. */
static bool room_for_embryonic(const struct lan_tcb *listener)
{
    const struct lan_tcp *tcp = lan_tcp_of(listener);
    const struct lan_tcp_listen *listen = &listener->listen;
    uint32_t most = listen->backlog > EMBRYONIC_MIN ? listen->backlog : EMBRYONIC_MIN;
    return listen->embryonic.count < most && tcp->embryonic < tcp->tcbs / 2 && tcp->free;
}

LAN_RARE int lan_tcp_child_init(struct lan_tcb *child, const struct lan_tcb *listener,
                                const struct lan_tcp_segment *segment)
{
    child->local_port = segment->destination_port;
    child->remote_port = segment->source_port;
    child->flags = listener->flags & (TCB_NODELAY | TCB_KEEPALIVE | TCB_REUSE);
    child->ecn = listener->ecn & ECN_WISHES;
    child->opt = listener->opt;
    return lan_ip_route(listener->stack, segment->info->src, segment->info->dst, &child->flow);
}

struct lan_tcb *lan_tcp_child_new(struct lan_tcb *listener, const struct lan_tcp_segment *segment)
{
    struct lan_tcb *child = lan_tcb_new(listener->stack);
    if (!child)
        return NULL;
    if (lan_tcp_child_init(child, listener, segment) < 0 || lan_tcp_open(child, true) < 0) {
        lan_tcb_free(child);
        return NULL;
    }
    child->state = LAN_TCP_SYN_RECEIVED;
    child->listener = listener;
    lan_tcp_of(child)->embryonic++;
    lan_tcb_list_append(&listener->listen.embryonic, child);
    LAN_COUNT(child->stack, tcp_passive_opens);
    return child;
}

/* No longer half-open. */
LAN_RARE static void leave_embryonic(struct lan_tcb *child)
{
    lan_tcb_list_remove(&child->listener->listen.embryonic, child);
    lan_tcp_of(child)->embryonic--;
}

bool lan_tcp_accept_full(const struct lan_tcb *listener)
{
    if (listener->listen.ready.count < listener->listen.backlog)
        return false;
    LAN_COUNT(listener->stack, tcp_ext_listen_overflows);
    return true;
}

static void spawn(struct lan_tcb *listener, const struct lan_tcp_segment *segment, struct lan_tcb *old)
{
    if (lan_tcp_accept_full(listener))
        return;
    if (!room_for_embryonic(listener)) {
        if (old) { /* after which no cookie can promise to come: the next SYN finds nothing to come after */
            LAN_COUNT(listener->stack, tcp_ext_listen_drops);
            lan_tcp_finish(old, 0);
        } else {
            lan_tcp_cookie_send(listener, segment);
        }
        return;
    }
    struct lan_tcb *child = lan_tcp_child_new(listener, segment);
    if (!child)
        return;
    lan_tcp_take_syn(child, segment);
    lan_tcp_send_syn(child);
}

/* RFC 9293 3.10.7.2. Data on a SYN is left for the peer to send again. */
struct lan_tcb *lan_tcp_input_listen(struct lan_tcb *listener, const struct lan_tcp_segment *segment,
                                     struct lan_tcb *old)
{
    if (segment->flags & SEG_RST)
        return NULL;
    if (segment->flags & SEG_SYN && segment->flags & SEG_ACK)
        lan_tcp_refuse(listener->stack, segment);
    else if (segment->flags & SEG_ACK)
        return lan_tcp_cookie_take(listener, segment);
    else if (segment->flags & SEG_SYN)
        spawn(listener, segment, old);
    else
        LAN_COUNT(listener->stack, tcp_ext_bad_flags);
    return NULL;
}

bool lan_tcp_child_ready(struct lan_tcb *child)
{
    struct lan_tcb *listener = child->listener;
    if (!listener)
        return true; /* a simultaneous open */
    if (lan_tcp_accept_full(listener))
        return false;
    leave_embryonic(child);
    lan_tcb_list_append(&listener->listen.ready, child);
    lan_socket_event(listener->socket);
    return true;
}

void lan_tcp_child_leave(struct lan_tcb *child)
{
    if (child->state == LAN_TCP_SYN_RECEIVED)
        leave_embryonic(child);
    else
        lan_tcb_list_remove(&child->listener->listen.ready, child);
    child->listener = NULL;
}

static void abort_all(struct lan_tcb_list *list)
{
    while (list->first) {
        lan_tcp_send_reset(list->first);
        lan_tcb_free(list->first);
    }
}

LAN_RARE void lan_tcp_listen_close(struct lan_tcb *listener)
{
    abort_all(&listener->listen.embryonic);
    abort_all(&listener->listen.ready);
    lan_tcb_free(listener);
}
