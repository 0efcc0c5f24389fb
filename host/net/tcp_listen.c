/* SPDX-License-Identifier: Apache-2.0 */
/* Listeners and the connections that nobody has accepted yet. Both of their queues are bounded: half-open connections
 * by the backlog or EMBRYONIC_MIN, complete ones by the backlog. */

#include "tcp_internal.h"

enum { EMBRYONIC_MIN = 64 };

static uint32_t max_embryonic(const struct lan_tcb *listener)
{
    uint32_t wanted = listener->listen.backlog > EMBRYONIC_MIN ? listener->listen.backlog : EMBRYONIC_MIN;
    uint32_t half = lan_tcp_of(listener)->tcbs / 2; /* a flood of SYNs leaves room for connections */
    return wanted < half ? wanted : half;
}

/* Room for one more half-open connection. In a flood of SYNs one that has not answered within its first time-out gives
 * way, so that honest peers, who answer sooner, still come through. */
static bool make_room(struct lan_tcb *listener)
{
    struct lan_tcb *oldest = listener->listen.embryonic.first;
    if (listener->listen.embryonic_count < max_embryonic(listener))
        return true;
    LAN_COUNT(listener->stack, tcp_ext_listen_drops);
    if (!(oldest->flags & TCB_SYN_LOST))
        return false;
    lan_tcb_free(oldest);
    return true;
}

static void spawn(struct lan_tcb *listener, const struct lan_tcp_segment *segment, const uint32_t *iss_after)
{
    struct lan_stack *stack = listener->stack;
    struct lan_tcp_listen *listen = &listener->listen;
    if (listen->ready_count >= listen->backlog) {
        LAN_COUNT(stack, tcp_ext_listen_overflows);
        return;
    }
    struct lan_tcb *child = make_room(listener) ? lan_tcb_new(stack) : NULL;
    if (!child)
        return;
    child->local_port = segment->destination_port;
    child->remote_port = segment->source_port;
    child->flags = listener->flags & (TCB_NODELAY | TCB_KEEPALIVE | TCB_REUSE);
    child->tos = listener->tos;
    child->ecn = listener->ecn & ECN_WISHES;
    child->ttl = listener->ttl;
    child->mss_limit = listener->mss_limit;
    child->snd_limit = listener->snd_limit;
    child->rcv_limit = listener->rcv_limit;
    child->congestion = listener->congestion;
    child->user_timeout_ms = listener->user_timeout_ms;
    child->keep_idle_s = listener->keep_idle_s;
    child->keep_interval_s = listener->keep_interval_s;
    child->keep_probes = listener->keep_probes;
    if (lan_ip_route(stack, segment->info->src, segment->info->dst, &child->flow) < 0 || lan_tcp_open(child) < 0) {
        lan_tcb_free(child);
        return;
    }
    if (iss_after && lan_seq_leq(child->iss, *iss_after))
        child->iss = child->snd_una = child->snd_nxt = *iss_after + 1;
    child->state = LAN_TCP_SYN_RECEIVED;
    child->listener = listener;
    listen->embryonic_count++;
    lan_tcb_list_append(&listen->embryonic, child);
    lan_tcp_take_syn(child, segment);
    LAN_COUNT(stack, tcp_passive_opens);
    lan_tcp_send_syn(child);
}

/* RFC 9293 3.10.7.2. Data on a SYN is left for the peer to send again. */
void lan_tcp_input_listen(struct lan_tcb *listener, const struct lan_tcp_segment *segment, const uint32_t *iss_after)
{
    if (segment->flags & SEG_RST)
        return;
    if (segment->flags & SEG_ACK)
        lan_tcp_refuse(listener->stack, segment);
    else if (segment->flags & SEG_SYN)
        spawn(listener, segment, iss_after);
    else
        LAN_COUNT(listener->stack, tcp_ext_bad_flags);
}

bool lan_tcp_child_ready(struct lan_tcb *child)
{
    struct lan_tcb *listener = child->listener;
    if (!listener)
        return true; /* a simultaneous open */
    struct lan_tcp_listen *listen = &listener->listen;
    if (listen->ready_count >= listen->backlog) {
        LAN_COUNT(child->stack, tcp_ext_listen_overflows);
        return false;
    }
    lan_tcb_list_remove(&listen->embryonic, child);
    listen->embryonic_count--;
    lan_tcb_list_append(&listen->ready, child);
    listen->ready_count++;
    lan_socket_event(listener->socket);
    return true;
}

void lan_tcp_child_leave(struct lan_tcb *child)
{
    struct lan_tcp_listen *listen = &child->listener->listen;
    if (child->state == LAN_TCP_SYN_RECEIVED) {
        lan_tcb_list_remove(&listen->embryonic, child);
        listen->embryonic_count--;
    } else {
        lan_tcb_list_remove(&listen->ready, child);
        listen->ready_count--;
    }
    child->listener = NULL;
}

static void abort_all(struct lan_tcb_list *list)
{
    while (list->first) {
        lan_tcp_send_reset(list->first);
        lan_tcb_free(list->first);
    }
}

void lan_tcp_listen_close(struct lan_tcb *listener)
{
    abort_all(&listener->listen.embryonic);
    abort_all(&listener->listen.ready);
    lan_tcb_free(listener);
}
