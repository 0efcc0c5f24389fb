/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a transmission control block. */

#include <string.h>

#include "tcp_internal.h"

enum { RTO_RFC_2988 = 5 }; /* RFC 4022 tcpRtoAlgorithm: what RFC 6298 has become */
#define IN_MS(ticks) (((uint64_t)((ticks) + 1) << LAN_TCP_TICK_BITS) / LAN_MS)

void lan_tcp_init(struct lan_stack *stack)
{
    const struct lan_config *config = &stack->config;
    struct lan_tcp *tcp = &stack->tcp;
    tcp->tcbs = config->tcp_connections + LAN_TCP_SPARE_TCBS;
    tcp->memory_plenty = config->pool.buffers / 2;
    tcp->memory_low = config->pool.buffers / 8 + 2;
    tcp->memory_critical = config->pool.buffers / 16 + 1;
    tcp->memory_reserve = config->pool.buffers / 32 + 1;
    tcp->rto_min = IN_MS(LAN_TCP_RTO_MAX) < config->tcp_rto_min_ms ? LAN_TCP_RTO_MAX
                                                                   : LAN_TCP_TICKS(config->tcp_rto_min_ms * LAN_MS);
    stack->port->random(stack->port->ctx, &tcp->random, sizeof tcp->random);
    lan_tcb_list_init(&tcp->time_wait);
    stack->counters.tcp_rto_algorithm = RTO_RFC_2988;
    stack->counters.tcp_rto_min = IN_MS(LAN_TCP_RTO_MARGIN_MIN);
    stack->counters.tcp_rto_max = IN_MS(LAN_TCP_RTO_MAX);
    stack->counters.tcp_max_conn = config->tcp_connections;
}

void lan_tcb_list_init(struct lan_tcb_list *list)
{
    list->first = NULL;
    list->tail = &list->first;
    list->count = 0;
}

LAN_RARE void lan_tcb_list_append(struct lan_tcb_list *list, struct lan_tcb *tcb)
{
    tcb->next = NULL;
    tcb->link = list->tail;
    *list->tail = tcb;
    list->tail = &tcb->next;
    list->count++;
}

LAN_RARE void lan_tcb_list_remove(struct lan_tcb_list *list, struct lan_tcb *tcb)
{
    *tcb->link = tcb->next;
    if (tcb->next)
        tcb->next->link = tcb->link;
    else
        list->tail = tcb->link;
    tcb->link = NULL;
    list->count--;
}

LAN_RARE void lan_tcb_init(struct lan_tcb *tcb, struct lan_stack *stack)
{
    *tcb = (struct lan_tcb){
        .stack = stack,
        .timer.fire = lan_tcp_fire,
        .state = LAN_TCP_CLOSED,
        .quick_acks = (uint8_t)stack->config.tcp_quick_acks,
        .opt =
            {
                .congestion = &LAN_TCP_CUBIC,
                .snd_limit = stack->config.send_buffer_bytes,
                .rcv_limit = stack->config.receive_buffer_bytes,
                .pacing_limit = UINT32_MAX,
                .keep_idle_s = LAN_TCP_KEEP_IDLE_S,
                .keep_interval_s = LAN_TCP_KEEP_INTERVAL_S,
                .mss_limit = UINT16_MAX,
                .keep_probes = LAN_TCP_KEEP_PROBES,
                .ttl = 64,
            },
    };
    lan_tcp_ecn_set(tcb, stack->config.tcp_ecn);
}

struct lan_tcb *lan_tcb_new(struct lan_stack *stack)
{
    struct lan_tcp *tcp = &stack->tcp;
    if (!tcp->free && tcp->time_wait.first) {
        LAN_COUNT(stack, tcp_ext_time_wait_overflow);
        lan_tcb_free(tcp->time_wait.first);
    }
    struct lan_tcb *tcb = tcp->free;
    if (!tcb) {
        LAN_COUNT(stack, tcp_ext_no_tcb);
        return NULL;
    }
    tcp->free = tcb->hash_next;
    lan_tcb_init(tcb, stack);
    return tcb;
}

/* RFC 4022 tcpCurrEstab. */
static bool is_established(uint32_t state)
{
    return state == LAN_TCP_ESTABLISHED || state == LAN_TCP_CLOSE_WAIT;
}

void lan_tcp_set_state(struct lan_tcb *tcb, enum lan_tcp_state state)
{
    tcb->stack->counters.tcp_curr_estab += (uint64_t)is_established(state) - is_established(tcb->state);
    tcb->state = (uint8_t)state;
}

/* Of everything but what the application may still read. */
static void let_go(struct lan_tcb *tcb)
{
    lan_tcp_sender_close(tcb);
    lan_tcp_queue_release(tcb, tcb->snd_queued);
    lan_tcp_islands_free(tcb);
}

static void retire(struct lan_tcb *tcb)
{
    if (tcb->listener)
        lan_tcp_child_leave(tcb);
    else if (tcb->link)
        lan_tcb_list_remove(&lan_tcp_of(tcb)->time_wait, tcb);
    lan_tcp_remove(tcb);
    lan_timer_cancel(&tcb->timer);
    tcb->armed = 0;
    let_go(tcb);
    struct lan_counters *counters = &tcb->stack->counters;
    counters->tcp_attempt_fails += tcb->state == LAN_TCP_SYN_SENT || tcb->state == LAN_TCP_SYN_RECEIVED;
    counters->tcp_estab_resets += is_established(tcb->state);
    lan_tcp_set_state(tcb, LAN_TCP_CLOSED);
}

void lan_tcb_free(struct lan_tcb *tcb)
{
    struct lan_tcp *tcp = lan_tcp_of(tcb);
    retire(tcb);
    lan_buf_free(tcb->rcv_head);
    tcb->hash_next = tcp->free;
    tcp->free = tcb;
}

void lan_tcp_finish(struct lan_tcb *tcb, int error)
{
    if (!tcb->socket) {
        lan_tcb_free(tcb);
        return;
    }
    retire(tcb);
    tcb->error = (int8_t)error;
    if (error)
        lan_socket_error(tcb->socket, error);
    else
        lan_socket_event(tcb->socket);
}

void lan_tcp_give_up(struct lan_tcb *tcb)
{
    LAN_COUNT(tcb->stack, tcp_ext_abort_on_timeout);
    lan_tcp_finish(tcb, tcb->soft_error ? tcb->soft_error : ETIMEDOUT);
}

void lan_tcp_time_wait(struct lan_tcb *tcb)
{
    tcb->state = LAN_TCP_TIME_WAIT;
    let_go(tcb);
    lan_tcp_disarm(tcb, LAN_TCP_RETRANSMIT);
    lan_tcp_arm(tcb, LAN_TCP_LIFE, LAN_TCP_2MSL);
    LAN_COUNT(tcb->stack, tcp_ext_time_waits);
    if (tcb->socket)
        lan_socket_event(tcb->socket);
    else
        lan_tcb_list_append(&lan_tcp_of(tcb)->time_wait, tcb);
}

uint32_t lan_tcp_mss_of_interface(const struct lan_tcb *tcb)
{
    uint32_t mss = tcb->flow.netif->mtu - (LAN_IP_HEADER + LAN_TCP_HEADER);
    return mss < tcb->opt.mss_limit ? mss : tcb->opt.mss_limit;
}

void lan_tcp_set_mss(struct lan_tcb *tcb)
{
    uint32_t mss = tcb->flow.mtu - (LAN_IP_HEADER + LAN_TCP_HEADER);
    if (mss > tcb->peer_mss)
        mss = tcb->peer_mss;
    if (mss > tcb->opt.mss_limit)
        mss = tcb->opt.mss_limit;
    if (tcb->flags & TCB_TIMESTAMPS) /* RFC 6691 2: options count */
        mss -= LAN_TCP_STAMP_BYTES;
    tcb->mss = (uint16_t)mss;
}

void lan_tcp_set_iss(struct lan_tcb *tcb, uint32_t iss)
{
    tcb->snd_una = tcb->snd_nxt = tcb->snd_small = iss;
}

void lan_tcp_start(struct lan_tcb *tcb)
{
    /* Nothing else that an earlier connection has left. */
    tcb->flags = (tcb->flags & (TCB_NODELAY | TCB_KEEPALIVE | TCB_REUSE | TCB_BOUND)) | TCB_SCALING | TCB_SACK;
    tcb->soft_error = 0;
    tcb->retries = tcb->dupacks = tcb->rcv_scale = tcb->reorder_steps = 0;
    tcb->srtt = tcb->rttvar = 0;
    /* RFC 6528 3: ISN = M + F(tuple, secret), M advances every 4 microseconds, here every 4.096. */
    lan_tcp_set_iss(tcb, (uint32_t)(lan_tcp_of(tcb)->now_ns >> 12) + (uint32_t)lan_tcp_hash(tcb, LAN_TCP_FOR_ISS));
    tcb->peer_mss = LAN_TCP_MSS_DEFAULT;
    tcb->ecn &= ECN_WISHES;
    tcb->rto = LAN_TCP_RTO_FIRST;
    tcb->ts_recent = tcb->rcv_nxt = 0;
    tcb->dsack_start = tcb->dsack_end;
    lan_tcp_timestamp_open(tcb);
    lan_tcp_pmtu_open(tcb);
    while (tcb->rcv_scale < LAN_TCP_SCALE_MAX && lan_tcp_receive_limit_max(tcb) >> tcb->rcv_scale > UINT16_MAX)
        tcb->rcv_scale++;
    lan_tcp_set_mss(tcb);
}

int lan_tcp_open(struct lan_tcb *tcb, bool passive)
{
    struct lan_tcb *old = lan_tcp_find_twin(tcb);
    if (old && !passive && !lan_tcp_may_succeed(old))
        return -EADDRINUSE;
    lan_tcp_start(tcb);
    if (old) {
        LAN_COUNT(tcb->stack, tcp_ext_time_wait_recycled);
        if (lan_seq_leq(tcb->snd_una, old->snd_nxt))
            lan_tcp_set_iss(tcb, old->snd_nxt + 1);
        lan_tcp_finish(old, 0);
    }
    lan_tcp_insert(tcb);
    return 0;
}

void lan_tcp_take_syn(struct lan_tcb *tcb, const struct lan_tcp_segment *segment)
{
    tcb->rcv_nxt = tcb->rcv_acked = segment->seq + 1;
    tcb->rcv_adv = tcb->rcv_nxt + lan_tcp_syn_window(tcb);
    tcb->snd_wnd = tcb->snd_max_wnd = segment->window; /* never scaled in a SYN (RFC 7323 2.2) */
    tcb->snd_wl1 = segment->seq;
    tcb->snd_wl2 = segment->ack;
    if (segment->mss)
        tcb->peer_mss = segment->mss > LAN_TCP_MSS_MIN ? segment->mss : LAN_TCP_MSS_MIN;
    if (segment->stamped)
        lan_tcp_timestamp_take(tcb, segment->tsval);
    else
        tcb->flags &= ~(uint32_t)TCB_TIMESTAMPS;
    lan_tcp_set_mss(tcb);
    tcb->rcv_mss = tcb->mss < LAN_TCP_MSS_DEFAULT ? tcb->mss : LAN_TCP_MSS_DEFAULT;
    lan_tcp_ecn_take_syn(tcb, segment);
    if (!segment->sack_permitted)
        tcb->flags &= ~(uint32_t)TCB_SACK;
    if (segment->scale && tcb->flags & TCB_SCALING) {
        tcb->snd_scale = segment->scale - 1;
    } else {
        tcb->flags &= ~(uint32_t)TCB_SCALING;
        tcb->snd_scale = tcb->rcv_scale = 0;
    }
}

void lan_tcp_established(struct lan_tcb *tcb)
{
    lan_tcp_set_state(tcb, tcb->flags & TCB_FIN_QUEUED ? LAN_TCP_FIN_WAIT_1 : LAN_TCP_ESTABLISHED);
    tcb->retries = 0;
    if (tcb->flags & TCB_SYN_LOST && !tcb->srtt)
        tcb->rto = LAN_TCP_RTO_AFTER_SYN_LOSS;
    lan_tcp_disarm(tcb, LAN_TCP_RETRANSMIT);
    tcb->cwnd = lan_tcp_initial_window(tcb);
    tcb->ssthresh = UINT32_MAX;
    lan_tcp_tune_start(tcb);
    lan_tcp_arm_keepalive(tcb);
    lan_socket_event(tcb->socket);
}
