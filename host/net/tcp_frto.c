/* SPDX-License-Identifier: Apache-2.0 */
/* Forward RTO-recovery (RFC 5682): after a time-out only the first segment is sent again, then new data. If the ACKs
 * that follow tell of what was not sent again, the time-out was spurious: nothing was lost, the path was slow. Time
 * stamps tell the same at the first ACK (RFC 3522), so this is for connections without them. */

#include "tcp_internal.h"

void lan_tcp_frto_begin(struct lan_tcb *tcb, bool first)
{
    tcb->sender->frto = first && !(tcb->flags & TCB_TIMESTAMPS) ? FRTO_FIRST_ACK : FRTO_OFF;
    if (tcb->sender->frto)
        lan_tcp_disarm(tcb, LAN_TCP_REORDER);
}

/* Step 2b: takes back that the rest is lost, and makes room for two new segments, if there are such. */
static bool try_new_data(struct lan_tcb *tcb)
{
    uint32_t flight = tcb->snd_nxt - tcb->snd_una;
    if (flight + tcb->mss > tcb->snd_queued || flight + tcb->mss > tcb->snd_wnd)
        return false;
    lan_tcp_not_lost(tcb);
    tcb->cwnd = lan_tcp_pipe(tcb) + 2u * tcb->mss;
    tcb->sender->frto = FRTO_SECOND_ACK;
    return true;
}

/* Step 3a: the loss was real. The two new segments stay under way, and one is sent again. */
static void recover(struct lan_tcb *tcb)
{
    tcb->sender->frto = FRTO_OFF;
    lan_tcp_mark_lost(tcb, tcb->sender->recover - tcb->snd_una);
    tcb->cwnd = lan_tcp_pipe(tcb) + tcb->mss;
}

/* Step 3b. The late ACKs of the flight are measured as any, so that the next time-out is longer (RFC 4015 3.3). */
static void spurious(struct lan_tcb *tcb)
{
    LAN_COUNT(tcb->stack, tcp_ext_spurious_rtos);
    tcb->sender->frto = FRTO_OFF;
    lan_tcp_undo(tcb);
}

bool lan_tcp_frto_acked(struct lan_tcb *tcb, const struct lan_tcp_ack *ack)
{
    struct lan_tcp_sender *sender = tcb->sender;
    bool beyond = lan_seq_lt(sender->recover, ack->fack); /* new data have arrived */
    if (!(tcb->flags & TCB_LOSS_RECOVERY) || !lan_seq_lt(tcb->snd_una, sender->recover)) {
        sender->frto = FRTO_OFF;
        return false;
    }
    if (sender->frto == FRTO_FIRST_ACK) {
        if (ack->acked && try_new_data(tcb))
            return true;
        sender->frto = FRTO_OFF;
        return false;
    }
    if (beyond || (ack->duplicate && !ack->delivered))
        recover(tcb);
    else if (ack->delivered)
        spurious(tcb);
    return false;
}
