/* SPDX-License-Identifier: Apache-2.0 */
/* The ACK field and the window of an arriving segment (RFC 9293 3.10.7.4, fifth). */

#include "tcp_internal.h"

/* Where only TCB_SACK of these is set nothing is lost and no recovery goes on, but for what the scoreboard knows. */
enum { UNSETTLED = TCB_SACK | TCB_FAST_RECOVERY | TCB_LOSS_RECOVERY | TCB_TAIL_PROBED };

/* Of what was sent more than once an ACK measures the last transmission, if its stamp tells that it answers that; not
 * an earlier one, whose answer may have been lost (RFC 6298 3). */
static uint32_t round_trip(const struct lan_tcb *tcb, const struct lan_tcp_ack *ack)
{
    uint32_t since = lan_tcp_now(tcb) - ack->again_sent;
    return !ack->rtt && ack->again_sent && lan_tcp_answers_last(ack, since) ? since : ack->rtt;
}

static void new_ack(struct lan_tcb *tcb, uint32_t seq, struct lan_tcp_ack *ack)
{
    ack->acked = seq - tcb->snd_una;
    bool fin_acked = ack->acked > tcb->snd_queued;
    lan_tcp_queue_release(tcb, fin_acked ? tcb->snd_queued : ack->acked);
    if (fin_acked)
        tcb->flags |= TCB_FIN_ACKED;
    if (!LAN_FOR_SPEED || !lan_tcp_all_acked(tcb, seq, ack))
        lan_tcp_scoreboard_acked(tcb, seq, ack);
    uint32_t rtt = round_trip(tcb, ack);
    if (rtt && (tcb->retries || !lan_seq_lt(seq, tcb->rtt_seq))) { /* once a round trip, or to end a back-off */
        lan_tcp_rtt_measured(tcb, rtt);
        tcb->rtt_seq = tcb->snd_nxt;
        if (tcb->flow.mtu < tcb->flow.netif->mtu)
            lan_tcp_pmtu_grow_old(tcb);
    }
    tcb->retries = 0;
    tcb->progress = lan_tcp_now_coarse(tcb);
    if (tcb->flags & TCB_WANT_SPACE)
        lan_tcp_offer_space(tcb);
    if (fin_acked)
        lan_socket_event(tcb->socket);
}

static void set_retransmit(struct lan_tcb *tcb)
{
    if (tcb->snd_una == tcb->snd_nxt) {
        lan_tcp_disarm(tcb, LAN_TCP_RETRANSMIT); /* RFC 6298 (5.2) */
        lan_tcp_sender_rest(tcb);
    } else {
        lan_tcp_arm_retransmit(tcb); /* RFC 6298 (5.3) */
    }
}

/* RFC 5681 2: what counts as a duplicate ACK. */
static bool is_duplicate(const struct lan_tcb *tcb, const struct lan_tcp_segment *segment)
{
    return tcb->snd_nxt != tcb->snd_una && !segment->len && segment->window == tcb->snd_wnd &&
           !(tcb->flags & TCB_PROBING);
}

/* What the segment acknowledges, from snd_una on, or tells of what arrived beyond a gap. */
static void take_ack(struct lan_tcb *tcb, const struct lan_tcp_segment *segment, bool duplicate)
{
    uint32_t age = lan_tcp_stamp_age(tcb, segment->tsecr);
    struct lan_tcp_ack ack = {.fack = tcb->sender->rack_fack,
                              .original = age != LAN_TCP_NEVER && lan_seq_lt(segment->tsecr, tcb->sender->undo_stamp),
                              .stamp_age = age,
                              .duplicate = duplicate};
    if (tcb->opt.congestion->sampled)
        lan_tcp_rate_check(tcb);
    if (tcb->ecn & ECN_CAPABLE)
        ack.ece = lan_tcp_ecn_acked(tcb, segment);
    if (segment->ack != tcb->snd_una)
        new_ack(tcb, segment->ack, &ack);
    if (segment->sacks && tcb->flags & TCB_SACK)
        lan_tcp_scoreboard_sacked(tcb, segment, &ack);
    if (ack.acked || ack.duplicate || ack.delivered || ack.dsack_bytes)
        lan_tcp_recovery(tcb, &ack);
    lan_tcp_scoreboard_shrink(tcb);
    if (ack.acked)
        set_retransmit(tcb);
}

LAN_FLAT bool lan_tcp_acknowledge_new(struct lan_tcb *tcb, uint32_t seq, uint32_t tsecr)
{
    struct lan_tcp_sender *sender = tcb->sender;
    if (!sender || sender->sacked | sender->lost || (tcb->flags & UNSETTLED) != TCB_SACK || tcb->ecn & ECN_CAPABLE ||
        tcb->opt.congestion->sampled)
        return false;
    struct lan_tcp_ack ack = {.fack = sender->rack_fack, .stamp_age = lan_tcp_stamp_age(tcb, tsecr)};
    new_ack(tcb, seq, &ack);
    sender->rack_fack = ack.fack;
    if (tcb->flags & TCB_CWND_LIMITED)
        tcb->opt.congestion->acked(tcb, &ack);
    set_retransmit(tcb);
    return true;
}

/* An ACK from before snd_una or beyond snd_nxt. False: no honest peer can have sent it now (RFC 5961 5.2). */
static bool is_old(struct lan_tcb *tcb, uint32_t ack)
{
    if (lan_seq_lt(ack, tcb->snd_una) && !lan_seq_lt(ack, tcb->snd_una - tcb->snd_max_wnd))
        return true;
    LAN_COUNT(tcb->stack, tcp_ext_bad_ack);
    lan_tcp_send_challenge(tcb);
    return false;
}

bool lan_tcp_acknowledge(struct lan_tcb *tcb, const struct lan_tcp_segment *segment)
{
    uint32_t news = segment->ack - tcb->snd_una;
    if (news > tcb->snd_nxt - tcb->snd_una)
        return is_old(tcb, segment->ack);
    if (tcb->flags & TCB_PROBING) {
        /* RFC 9293 MUST-37: the peer lives; but not for ever without an application, or if it says so. */
        tcb->retries = 0;
        if (tcb->socket && !tcb->opt.user_timeout_ms)
            tcb->progress = lan_tcp_now_coarse(tcb);
    }
    bool duplicate = !news && is_duplicate(tcb, segment);
    if (tcb->sender && (news || segment->sacks || duplicate))
        take_ack(tcb, segment, duplicate);
    if (lan_seq_lt(tcb->snd_wl1, segment->seq) ||
        (tcb->snd_wl1 == segment->seq && lan_seq_leq(tcb->snd_wl2, segment->ack))) {
        tcb->snd_wnd = segment->window;
        tcb->snd_wl1 = segment->seq;
        tcb->snd_wl2 = segment->ack;
        if (tcb->snd_max_wnd < segment->window)
            tcb->snd_max_wnd = segment->window;
    }
    return true;
}
