/* SPDX-License-Identifier: Apache-2.0 */
/* The retransmission time-out (RFC 6298), when to give up (RFC 9293 3.8.3), and probes of a closed window (3.8.6.1). */

#include "tcp_internal.h"

/* How long the peer may be silent yet before the connection is given up, in coarse ticks. */
LAN_RARE static uint32_t patience(const struct lan_tcb *tcb)
{
    uint32_t silent = lan_tcp_silent(tcb), most = tcb->state < LAN_TCP_ESTABLISHED ? LAN_TCP_R2_SYN : LAN_TCP_R2;
    if (tcb->opt.user_timeout_ms)
        most = LAN_TCP_COARSE(tcb->opt.user_timeout_ms * LAN_MS);
    most += !most; /* a millisecond is less than a tick */
    return most > silent ? most - silent : 0;
}

void lan_tcp_arm_retransmit(struct lan_tcb *tcb)
{
    uint32_t wait = tcb->rto;
    if (!lan_tcp_armed(tcb, LAN_TCP_RETRANSMIT) && !tcb->retries)
        tcb->progress = lan_tcp_now_coarse(tcb);
    if (tcb->retries || tcb->opt.user_timeout_ms) { /* else R2 is farther away than any RTO */
        uint32_t left = patience(tcb);
        if (left <= LAN_TCP_COARSE_OF(wait))
            wait = LAN_TCP_TICKS_OF(left);
    }
    lan_tcp_arm(tcb, LAN_TCP_RETRANSMIT, wait);
}

/* RFC 6298 (2.3), with the clock granularity replaced by a margin for delayed ACKs. */
static void set_rto(struct lan_tcb *tcb)
{
    uint32_t margin = 4 * tcb->rttvar, least = lan_tcp_of(tcb)->rto_min;
    if (margin < LAN_TCP_RTO_MARGIN_MIN)
        margin = LAN_TCP_RTO_MARGIN_MIN;
    tcb->rto = tcb->srtt ? tcb->srtt + margin : LAN_TCP_RTO_FIRST;
    if (tcb->rto < least)
        tcb->rto = least;
    if (tcb->rto > LAN_TCP_RTO_MAX)
        tcb->rto = LAN_TCP_RTO_MAX;
}

static void back_off(struct lan_tcb *tcb)
{
    tcb->rto = tcb->rto < LAN_TCP_RTO_MAX / 2 ? tcb->rto * 2 : LAN_TCP_RTO_MAX; /* RFC 6298 (5.5) */
    if (tcb->rto == LAN_TCP_RTO_MAX && tcb->sender)
        lan_tcp_sender_forget(tcb);
    if (tcb->retries < UINT8_MAX)
        tcb->retries++;
}

void lan_tcp_rtt_measured(struct lan_tcb *tcb, uint32_t rtt)
{
    if (!tcb->srtt) { /* RFC 6298 (2.2) */
        tcb->srtt = rtt + !rtt;
        tcb->rttvar = rtt / 2;
    } else { /* (2.3) */
        uint32_t deviation = rtt > tcb->srtt ? rtt - tcb->srtt : tcb->srtt - rtt;
        tcb->rttvar += deviation / 4 - tcb->rttvar / 4;
        tcb->srtt += rtt / 8 - tcb->srtt / 8;
    }
    set_rto(tcb);
}

void lan_tcp_syn_acked(struct lan_tcb *tcb, const struct lan_tcp_segment *segment)
{
    uint32_t age = lan_tcp_stamp_age(tcb, segment->tsecr);
    if (tcb->syn_sent)
        lan_tcp_rtt_measured(tcb, lan_tcp_now(tcb) - tcb->syn_sent);
    else if (tcb->retries && age < LAN_TCP_COARSE_OF(LAN_TCP_RTO_MAX)) /* not with a cookie, whose stamp is not exact */
        lan_tcp_rtt_measured(tcb, LAN_TCP_TICKS_OF(age));
    tcb->rtt_seq = tcb->snd_nxt;
}

void lan_tcp_end_probing(struct lan_tcb *tcb)
{
    tcb->flags &= ~(uint32_t)TCB_PROBING;
    if (tcb->socket)
        tcb->progress = lan_tcp_now_coarse(tcb);
    set_rto(tcb);
    lan_tcp_arm_retransmit(tcb);
}

/* The window stayed too small for a whole time-out: send what it takes, or if it takes nothing, one byte beyond it,
 * which is sent again with the rest when it opens. */
static void probe(struct lan_tcb *tcb)
{
    LAN_COUNT(tcb->stack, tcp_ext_window_probes);
    uint32_t n = tcb->snd_queued < tcb->mss ? tcb->snd_queued : tcb->mss;
    if (tcb->snd_wnd) {
        lan_tcp_end_probing(tcb);
        lan_tcp_send_data(tcb, tcb->snd_una, n < tcb->snd_wnd ? n : tcb->snd_wnd);
        return;
    }
    tcb->flags |= TCB_PROBING;
    back_off(tcb); /* RFC 9293 SHLD-30 */
    lan_tcp_arm_retransmit(tcb);
    lan_tcp_send_data(tcb, tcb->snd_una, n ? 1 : 0);
    tcb->rtt_seq = tcb->snd_nxt + 1; /* its answer may come at once or when there is room */
    lan_tcp_mark_lost(tcb, UINT32_MAX);
}

static void time_out(struct lan_tcb *tcb)
{
    LAN_COUNT(tcb->stack, tcp_ext_timeouts);
    lan_tcp_enter_loss(tcb);
    lan_tcp_pmtu_timed_out(tcb);
    back_off(tcb);
    lan_tcp_arm_retransmit(tcb);
    lan_tcp_output(tcb);
}

bool lan_tcp_on_retransmit(struct lan_tcb *tcb)
{
    if (!patience(tcb)) {
        lan_tcp_give_up(tcb);
        return false;
    }
    if (tcb->retries + 1 == LAN_TCP_R1) { /* RFC 9293 MUST-20 (a): maybe there is another way */
        struct lan_flow flow;
        if (lan_ip_route(tcb->stack, tcb->flow.dst, tcb->flow.src, &flow) == 0)
            lan_tcp_pmtu_reroute(tcb, &flow);
        lan_socket_event(tcb->socket); /* SHLD-9: whoever wants to know asks for LAN_TCP_SOFT_ERROR */
    }
    if (tcb->state < LAN_TCP_ESTABLISHED) {
        LAN_COUNT(tcb->stack, tcp_ext_timeouts);
        tcb->flags |= TCB_SYN_LOST;
        back_off(tcb);
        int error = lan_tcp_resend_syn(tcb);
        if (error)
            lan_tcp_finish(tcb, -error);
        return !error;
    }
    if (tcb->flags & TCB_PROBING || !tcb->snd_wnd || tcb->snd_una == tcb->snd_nxt)
        probe(tcb);
    else
        time_out(tcb);
    return true;
}

LAN_RARE uint32_t lan_tcp_soft_error(const struct lan_tcb *tcb)
{
    if (!tcb->retries)
        return 0;
    return !tcb->soft_error && tcb->retries >= LAN_TCP_R1 ? ETIMEDOUT : (uint32_t)tcb->soft_error;
}
