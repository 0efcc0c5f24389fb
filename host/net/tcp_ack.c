/* SPDX-License-Identifier: Apache-2.0 */
/* The ACK field and the window of an arriving segment (RFC 9293 3.10.7.4, fifth), and fast retransmit and fast
 * recovery, which live on them (RFC 5681 3.2, RFC 6582). */

#include "tcp_internal.h"

enum { DUPACK_THRESHOLD = 3 };

/* The first unacknowledged segment, out of turn; if there is no memory now, the time-out will see to it. */
static void retransmit_first(struct lan_tcb *tcb)
{
    uint32_t flight = tcb->snd_nxt - tcb->snd_una;
    uint32_t n = flight < tcb->snd_queued ? flight : tcb->snd_queued;
    tcb->flags &= ~(uint32_t)TCB_TIMING; /* Karn's algorithm */
    lan_tcp_send_data(tcb, tcb->snd_una, n < tcb->mss ? n : tcb->mss);
}

static void enter_fast_recovery(struct lan_tcb *tcb)
{
    LAN_COUNT(tcb->stack, tcp_ext_fast_retrans);
    tcb->flags |= TCB_FAST_RECOVERY;
    tcb->recover = tcb->snd_nxt;
    tcb->ssthresh = tcb->congestion->ssthresh(tcb);
    tcb->cwnd = tcb->ssthresh + DUPACK_THRESHOLD * tcb->mss;
    tcb->cwnd_acked = 0;
    retransmit_first(tcb);
}

static void duplicate_ack(struct lan_tcb *tcb)
{
    if (tcb->flags & TCB_LOSS_RECOVERY)
        return; /* RFC 6582 3.2 (4): not again before recover is acknowledged */
    if (tcb->flags & TCB_FAST_RECOVERY)
        tcb->cwnd += tcb->mss; /* another segment has left the network */
    else if (++tcb->dupacks == DUPACK_THRESHOLD)
        enter_fast_recovery(tcb);
}

/* RFC 6582 3.2 (3): `bytes` were newly acknowledged in fast recovery. */
static void recovery_ack(struct lan_tcb *tcb, uint32_t bytes)
{
    if (!lan_seq_lt(tcb->snd_una, tcb->recover)) {
        uint32_t flight = tcb->snd_nxt - tcb->snd_una;
        uint32_t least = (flight > tcb->mss ? flight : tcb->mss) + tcb->mss;
        tcb->cwnd = tcb->ssthresh < least ? tcb->ssthresh : least;
        tcb->flags &= ~(uint32_t)TCB_FAST_RECOVERY;
        tcb->dupacks = 0;
        return;
    }
    retransmit_first(tcb);
    tcb->cwnd -= bytes < tcb->cwnd ? bytes : tcb->cwnd;
    if (bytes >= tcb->mss)
        tcb->cwnd += tcb->mss;
    if (tcb->cwnd < tcb->mss)
        tcb->cwnd = tcb->mss;
}

static void new_ack(struct lan_tcb *tcb, uint32_t ack)
{
    uint32_t acked = ack - tcb->snd_una;
    lan_tcp_rtt_acked(tcb, ack);
    bool fin_acked = acked > tcb->snd_queued;
    lan_tcp_queue_release(tcb, fin_acked ? tcb->snd_queued : acked);
    if (fin_acked)
        tcb->flags |= TCB_FIN_ACKED;
    tcb->snd_una = ack;
    if (lan_seq_lt(tcb->snd_rexmit, ack))
        tcb->snd_rexmit = ack;
    tcb->retries = 0;
    tcb->progress_ns = lan_tcp_now(tcb);

    if (tcb->flags & TCB_FAST_RECOVERY) {
        recovery_ack(tcb, acked);
    } else {
        if (tcb->flags & TCB_LOSS_RECOVERY && !lan_seq_lt(ack, tcb->recover))
            tcb->flags &= ~(uint32_t)TCB_LOSS_RECOVERY;
        tcb->dupacks = 0;
        if (tcb->flags & (TCB_CWND_LIMITED | TCB_LOSS_RECOVERY))
            tcb->congestion->acked(tcb, acked);
    }
    if (tcb->snd_una == tcb->snd_nxt)
        lan_tcp_disarm(tcb, LAN_TCP_RETRANSMIT); /* RFC 6298 (5.2) */
    else
        lan_tcp_arm_retransmit(tcb); /* RFC 6298 (5.3) */

    if (tcb->flags & TCB_WANT_SPACE)
        lan_tcp_offer_space(tcb);
    if (fin_acked)
        lan_socket_event(tcb->socket);
}

bool lan_tcp_acknowledge(struct lan_tcb *tcb, const struct lan_tcp_segment *segment)
{
    uint32_t window = segment->window << tcb->snd_scale;
    /* RFC 5961 5.2: an ACK that no honest peer can have sent now */
    if (lan_seq_lt(tcb->snd_nxt, segment->ack) || lan_seq_lt(segment->ack, tcb->snd_una - tcb->snd_max_wnd)) {
        LAN_COUNT(tcb->stack, tcp_ext_bad_ack);
        lan_tcp_send_challenge(tcb);
        return false;
    }
    if (lan_seq_lt(segment->ack, tcb->snd_una))
        return true; /* an old one: says nothing new */
    if (tcb->flags & TCB_PROBING) {
        tcb->retries = 0; /* RFC 9293 MUST-37: the peer lives; but without an application not for ever */
        if (tcb->socket)
            tcb->progress_ns = lan_tcp_now(tcb);
    }
    if (lan_seq_lt(tcb->snd_una, segment->ack))
        new_ack(tcb, segment->ack);
    else if (tcb->snd_nxt != tcb->snd_una && !segment->len && window == tcb->snd_wnd && !(tcb->flags & TCB_PROBING))
        duplicate_ack(tcb);
    if (lan_seq_lt(tcb->snd_wl1, segment->seq) ||
        (tcb->snd_wl1 == segment->seq && lan_seq_leq(tcb->snd_wl2, segment->ack))) {
        tcb->snd_wnd = window;
        tcb->snd_wl1 = segment->seq;
        tcb->snd_wl2 = segment->ack;
        if (window > tcb->snd_max_wnd)
            tcb->snd_max_wnd = window;
    }
    return true;
}
