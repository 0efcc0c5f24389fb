/* SPDX-License-Identifier: Apache-2.0 */
/* Loss recovery: what an ACK tells of losses, and how much may be sent meanwhile. With SACK, RACK finds what is lost;
 * without it, duplicate ACKs and partial ACKs do (RFC 5681 3.2, RFC 6582), each duplicate standing for a segment that
 * has arrived. Either way the pipe of RFC 6675 says what is in the network, and proportional rate reduction (RFC 6937)
 * what may follow. */

#include "tcp_internal.h"

static bool sets_cwnd(const struct lan_tcb *tcb)
{
    return tcb->opt.congestion->sampled;
}

/* A loss reduces ssthresh, unless a mark in the same window has. Remembers what to go back to, should this recovery
 * turn out to be in vain. */
static void reduce_ssthresh(struct lan_tcb *tcb)
{
    struct lan_tcp_sender *sender = tcb->sender;
    if (!(tcb->flags & TCB_LOSS_RECOVERY)) {
        tcb->flags |= TCB_UNDO;
        sender->undo_cwnd = tcb->cwnd;
        sender->undo_ssthresh = tcb->ssthresh;
        sender->undo_bytes = 0;
        sender->undo_una = tcb->snd_una;
    }
    if (!(tcb->ecn & ECN_REDUCED))
        tcb->ssthresh = tcb->opt.congestion->ssthresh(tcb);
    lan_tcp_ecn_owe_cwr(tcb);
}

static void enter_fast_recovery(struct lan_tcb *tcb)
{
    struct lan_tcp_sender *sender = tcb->sender;
    LAN_COUNT(tcb->stack, tcp_ext_fast_retrans);
    reduce_ssthresh(tcb);
    tcb->flags |= TCB_FAST_RECOVERY;
    sender->recover = tcb->snd_nxt;
    sender->recover_flight = tcb->snd_nxt - tcb->snd_una;
    sender->prr_delivered = sender->prr_out = 0;
    if (!sets_cwnd(tcb))
        tcb->cwnd = lan_tcp_pipe(tcb) + tcb->mss;
    sender->cwnd_acked = 0;
    lan_tcp_arm_retransmit(tcb);
}

void lan_tcp_recover_lost(struct lan_tcb *tcb)
{
    if (tcb->sender->lost && !(tcb->flags & (TCB_FAST_RECOVERY | TCB_LOSS_RECOVERY)))
        enter_fast_recovery(tcb);
}

void lan_tcp_enter_loss(struct lan_tcb *tcb)
{
    struct lan_tcp_sender *sender = tcb->sender;
    bool recovering = tcb->flags & (TCB_FAST_RECOVERY | TCB_LOSS_RECOVERY);
    if (!recovering || (tcb->flags & TCB_LOSS_RECOVERY && !tcb->retries)) /* RFC 5681 3.1: once for one loss */
        reduce_ssthresh(tcb);
    tcb->flags &= ~(uint32_t)(TCB_FAST_RECOVERY | TCB_TAIL_PROBED | TCB_TAIL_REPEATED);
    tcb->flags |= TCB_LOSS_RECOVERY;
    sender->recover = tcb->snd_nxt;
    tcb->cwnd = tcb->mss;
    sender->cwnd_acked = 0;
    tcb->dupacks = 0;
    if (tcb->flags & TCB_SACK)
        lan_tcp_reneged(tcb);
    else
        sender->sacked = 0;
    lan_tcp_mark_lost(tcb, UINT32_MAX);
    lan_tcp_frto_begin(tcb, !recovering && !tcb->retries);
}

/* Everything up to `recover` has arrived. */
static void leave_recovery(struct lan_tcb *tcb)
{
    if (tcb->flags & TCB_FAST_RECOVERY) {
        uint32_t pipe = lan_tcp_pipe(tcb);
        uint32_t least = (pipe > tcb->mss ? pipe : tcb->mss) + tcb->mss; /* RFC 6582 3.2 (3): no burst */
        if (!sets_cwnd(tcb))
            tcb->cwnd = tcb->flags & TCB_SACK || tcb->ssthresh < least ? tcb->ssthresh : least;
    }
    lan_tcp_rack_recovered(tcb);
    tcb->flags &= ~(uint32_t)(TCB_FAST_RECOVERY | TCB_LOSS_RECOVERY);
}

void lan_tcp_undo(struct lan_tcb *tcb)
{
    struct lan_tcp_sender *sender = tcb->sender;
    if (tcb->flags & TCB_LOSS_RECOVERY) {
        LAN_COUNT(tcb->stack, tcp_ext_loss_undo);
    } else {
        LAN_COUNT(tcb->stack, tcp_ext_full_undo);
        tcb->flags |= TCB_REORDERING; /* it was only late, which nobody sees once it was sent again */
    }
    tcb->cwnd = tcb->cwnd > sender->undo_cwnd ? tcb->cwnd : sender->undo_cwnd;
    tcb->ssthresh = tcb->ssthresh > sender->undo_ssthresh ? tcb->ssthresh : sender->undo_ssthresh;
    tcb->flags &= ~(uint32_t)(TCB_FAST_RECOVERY | TCB_LOSS_RECOVERY | TCB_UNDO);
    lan_tcp_not_lost(tcb);
    sender->rack_sent = 0; /* what has arrived is not what was sent again */
    if (tcb->opt.congestion->undone)
        tcb->opt.congestion->undone(tcb);
}

/* RFC 2883, RFC 3708: as many octets were reported twice as were sent again: nothing was lost. */
static void take_dsack(struct lan_tcb *tcb, const struct lan_tcp_ack *ack)
{
    struct lan_tcp_sender *sender = tcb->sender;
    lan_tcp_rack_dsack(tcb);
    if (!(tcb->flags & TCB_UNDO) || !sender->undo_bytes || lan_seq_leq(ack->dsack_end, sender->undo_una))
        return;
    sender->undo_bytes -= ack->dsack_bytes < sender->undo_bytes ? ack->dsack_bytes : sender->undo_bytes;
    if (!sender->undo_bytes)
        lan_tcp_undo(tcb);
}

/* RFC 3522: the first ACK after a retransmission answers the original, which was only late. */
static void take_original(struct lan_tcb *tcb)
{
    if (tcb->flags & TCB_LOSS_RECOVERY)
        LAN_COUNT(tcb->stack, tcp_ext_spurious_rtos);
    if (tcb->flags & (TCB_FAST_RECOVERY | TCB_LOSS_RECOVERY))
        lan_tcp_undo(tcb);
}

/* RFC 6937 3. */
static void reduce_rate(struct lan_tcb *tcb, const struct lan_tcp_ack *ack)
{
    struct lan_tcp_sender *sender = tcb->sender;
    uint32_t pipe = lan_tcp_pipe(tcb), allowed;
    sender->prr_delivered += ack->delivered;
    if (pipe > tcb->ssthresh) {
        uint64_t share = (uint64_t)sender->prr_delivered * tcb->ssthresh + sender->recover_flight - 1;
        uint32_t target = (uint32_t)lan_divide(share, sender->recover_flight);
        allowed = target > sender->prr_out ? target - sender->prr_out : 0;
    } else {
        uint32_t balance = sender->prr_delivered - sender->prr_out; /* less than nothing: what was delivered now */
        allowed = (lan_seq_lt(ack->delivered, balance) ? balance : ack->delivered) + tcb->mss;
        if (allowed > tcb->ssthresh - pipe)
            allowed = tcb->ssthresh - pipe;
    }
    if (!sender->prr_out && allowed < tcb->mss) /* the fast retransmission itself */
        allowed = tcb->mss;
    tcb->cwnd = pipe + allowed;
}

/* Without SACK: a duplicate ACK says that a segment has arrived, but not which. */
static void duplicate_ack(struct lan_tcb *tcb, struct lan_tcp_ack *ack)
{
    if (tcb->flags & TCB_LOSS_RECOVERY) /* RFC 6582 3.2 (4): not again before recover is acknowledged */
        return;
    if (lan_tcp_pipe(tcb) > tcb->mss) {
        tcb->sender->sacked += tcb->mss;
        ack->delivered += tcb->mss;
    }
    if (tcb->dupacks < LAN_TCP_DUPACK_THRESHOLD && ++tcb->dupacks == LAN_TCP_DUPACK_THRESHOLD)
        lan_tcp_mark_lost(tcb, tcb->mss);
}

/* Without SACK: new data was acknowledged. What duplicates stood for is now known, and in recovery the next segment is
 * the next hole (RFC 6582 3.2 (3)); unless the first of these ACKs comes sooner than an answer to the retransmission
 * can. */
static void count_arrived(struct lan_tcb *tcb, struct lan_tcp_ack *ack)
{
    struct lan_tcp_sender *sender = tcb->sender;
    uint32_t known = ack->acked > tcb->mss ? ack->acked - tcb->mss : 0;
    known = known < sender->sacked ? known : sender->sacked;
    ack->delivered -= known;
    if (tcb->flags & TCB_FAST_RECOVERY && lan_seq_lt(tcb->snd_una, sender->recover)) {
        sender->sacked -= known;
        if (sender->undo_bytes <= tcb->mss && lan_tcp_now(tcb) - ack->again_sent < sender->min_rtt / 2)
            ack->original = true;
        lan_tcp_mark_lost(tcb, tcb->mss);
    } else {
        sender->sacked = 0;
        tcb->dupacks = 0;
    }
}

void lan_tcp_recovery(struct lan_tcb *tcb, struct lan_tcp_ack *ack)
{
    bool reducing = tcb->flags & TCB_FAST_RECOVERY;
    tcb->sender->rack_fack = ack->fack;
    if (tcb->flags & TCB_SACK) {
        if (ack->dsack_bytes)
            take_dsack(tcb, ack);
        lan_tcp_probe_acked(tcb, ack);
    } else if (ack->acked) {
        count_arrived(tcb, ack);
    } else if (ack->duplicate) {
        duplicate_ack(tcb, ack);
    }
    if (tcb->flags & TCB_UNDO && ack->original && ack->acked && tcb->sender->undo_bytes)
        take_original(tcb);
    if (tcb->sender->frto && lan_tcp_frto_acked(tcb, ack))
        return;
    if (tcb->flags & (TCB_FAST_RECOVERY | TCB_LOSS_RECOVERY) && !lan_seq_lt(tcb->snd_una, tcb->sender->recover))
        leave_recovery(tcb);
    if (tcb->flags & TCB_SACK && (tcb->sender->sacked || tcb->flags & (TCB_FAST_RECOVERY | TCB_LOSS_RECOVERY)))
        lan_tcp_rack_detect(tcb);
    lan_tcp_recover_lost(tcb);
    if (sets_cwnd(tcb))
        lan_tcp_rate_acked(tcb, ack);
    else if (tcb->flags & TCB_FAST_RECOVERY)
        reduce_rate(tcb, ack);
    else if (!reducing && ack->acked && !ack->ece && tcb->flags & (TCB_CWND_LIMITED | TCB_LOSS_RECOVERY))
        tcb->opt.congestion->acked(tcb, ack);
}
