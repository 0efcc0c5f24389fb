/* SPDX-License-Identifier: Apache-2.0 */
/* Explicit congestion notification (RFC 3168 6.1). A SYN with ECE and CWR asks for it, a SYN-ACK with ECE alone agrees.
 * Then new data go out as ECT(0), a router marks them CE instead of dropping them, the receiver tells of that with ECE
 * in each segment, and the sender reduces its window once a round trip and says so with CWR. */

#include "tcp_internal.h"

enum { CODEPOINT = 3, ECT_0 = 2, CE = 3 }; /* of the IP header's TOS octet */
enum { SETUP = SEG_ECE | SEG_CWR };

LAN_RARE int lan_tcp_ecn_set(struct lan_tcb *tcb, uint32_t mode)
{
    if (mode > LAN_TCP_ECN_PASSIVE)
        return -EINVAL;
    tcb->ecn = (uint8_t)((tcb->ecn & ~ECN_WISHES) | mode);
    return 0;
}

LAN_RARE uint32_t lan_tcp_ecn_mode(const struct lan_tcb *tcb)
{
    return tcb->ecn & ECN_WISHES;
}

uint8_t lan_tcp_ecn_syn(const struct lan_tcb *tcb)
{
    if (tcb->state == LAN_TCP_SYN_RECEIVED)
        return tcb->ecn & ECN_ECHO ? SEG_ECE : 0;
    /* 6.1.1.1: some drop a SYN that asks, so the next one does not. */
    return tcb->ecn & ECN_REQUEST && !(tcb->flags & TCB_SYN_LOST) ? SETUP : 0;
}

/* 6.1.1.1. */
bool lan_tcp_ecn_refused(struct lan_tcb *tcb)
{
    if (!lan_tcp_ecn_syn(tcb))
        return false;
    lan_tcp_ecn_set(tcb, LAN_TCP_ECN_PASSIVE);
    tcb->progress = lan_tcp_now_coarse(tcb);
    tcb->snd_nxt = tcb->snd_una; /* nothing is under way any more */
    return lan_tcp_resend_syn(tcb) == 0;
}

/* 6.1.1. Whoever may have been told yes is told of CE; but we send ECT only if no SYN of ours said no. In a
 * simultaneous open both say no. */
void lan_tcp_ecn_take_syn(struct lan_tcb *tcb, const struct lan_tcp_segment *segment)
{
    bool reply = segment->flags & SEG_ACK;
    bool wanted = reply ? tcb->ecn & ECN_REQUEST : tcb->listener && tcb->ecn & ECN_WISHES;
    tcb->ecn &= ECN_WISHES;
    if (wanted && segment->ecn == (reply ? SEG_ECE : SETUP))
        tcb->ecn |= tcb->flags & TCB_SYN_LOST ? ECN_ECHO : ECN_ECHO | ECN_CAPABLE;
}

void lan_tcp_ecn_arrived(struct lan_tcb *tcb, const struct lan_tcp_segment *segment)
{
    if (!(tcb->ecn & ECN_ECHO))
        return;
    if (segment->ecn & SEG_CWR)
        tcb->ecn &= (uint8_t)~ECN_ECE_OWED;
    if ((segment->info->tos & CODEPOINT) != CE || !segment->bytes)
        return;
    LAN_COUNT(tcb->stack, tcp_ext_received_ce);
    if (!(tcb->ecn & ECN_ECE_OWED)) /* the sooner it is told, the shorter the queue */
        tcb->flags |= TCB_ACK_NOW;
    tcb->ecn |= ECN_ECE_OWED;
}

/* Once for each window of data, and for a loss in the same window not again. By less than for a loss, as who marks
 * keeps short queues (RFC 8511). */
static void reduce(struct lan_tcb *tcb)
{
    if (tcb->flags & (TCB_FAST_RECOVERY | TCB_LOSS_RECOVERY) || tcb->ecn & ECN_REDUCED || tcb->snd_una == tcb->snd_nxt)
        return;
    LAN_COUNT(tcb->stack, tcp_ext_ecn_reductions);
    tcb->ecn |= ECN_REDUCED | ECN_CWR_OWED;
    lan_tcp_reduce_window(tcb);
    tcb->flags &= ~(uint32_t)TCB_UNDO; /* there is congestion, whatever an earlier recovery was for */
    tcb->sender->cwnd_acked = 0;
    tcb->sender->recover = tcb->snd_nxt;
}

bool lan_tcp_ecn_acked(struct lan_tcb *tcb, const struct lan_tcp_segment *segment)
{
    bool echo = segment->ecn & SEG_ECE;
    /* An ACK of the whole window may still tell of the mark that this was for: CWR is in what follows. */
    if (tcb->ecn & ECN_REDUCED && lan_seq_lt(tcb->sender->recover, segment->ack + !echo))
        tcb->ecn &= (uint8_t)~ECN_REDUCED;
    if (echo)
        reduce(tcb);
    return echo;
}

/* 6.1.5: not for what is sent again; 6.1.6: nor for probes of a closed window. */
uint8_t lan_tcp_ecn_data(struct lan_tcb *tcb, uint32_t seq, uint8_t *flags)
{
    if (!(tcb->ecn & ECN_CAPABLE) || seq != tcb->snd_nxt || !tcb->snd_wnd)
        return 0;
    if (tcb->ecn & ECN_CWR_OWED)
        *flags |= SEG_CWR;
    return ECT_0;
}
