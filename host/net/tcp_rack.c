/* SPDX-License-Identifier: Apache-2.0 */
/* RACK-TLP (RFC 8985): what was sent well before something that has arrived is lost, and when the tail of a flight
 * stays unanswered, a probe asks for the ACK that tells. */

#include "tcp_internal.h"

enum { REORDER_WINDOW_MAX = 20, REORDER_PERSIST = 16 };
#define MIN_RTT_WINDOW LAN_TCP_COARSE(300 * LAN_S)

void lan_tcp_rack_rtt(struct lan_tcb *tcb, uint32_t rtt, struct lan_tcp_ack *ack)
{
    struct lan_tcp_sender *sender = tcb->sender;
    uint32_t now = lan_tcp_now_coarse(tcb);
    rtt += !rtt;
    if (!sender->min_rtt || rtt <= sender->min_rtt || now - sender->min_rtt_at > MIN_RTT_WINDOW) {
        sender->min_rtt = rtt;
        sender->min_rtt_at = now;
    }
    ack->rtt = rtt;
}

/* Steps 1 to 3 of 6.2. */
void lan_tcp_rack_update(struct lan_tcb *tcb, uint32_t sent, uint32_t end, uint32_t flags, struct lan_tcp_ack *ack)
{
    struct lan_tcp_sender *sender = tcb->sender;
    uint32_t rtt = lan_tcp_now(tcb) - sent;
    if (!ack->first_sent || lan_seq_lt(sent, ack->first_sent))
        ack->first_sent = sent;
    if (flags & RUN_RETRANSMITTED) {
        if (rtt < sender->min_rtt || lan_tcp_answers_earlier(ack, rtt))
            return; /* it was an earlier transmission that arrived */
    } else {
        if (!ack->again_sent || !lan_seq_lt(sent, ack->again_sent)) {
            /* What is blurred took that long at least, which tells of a round trip that grows so fast that what is
             * under way is more than the scoreboard can tell apart: nothing else would. */
            if (!(flags & RUN_BLURRED))
                lan_tcp_rack_rtt(tcb, rtt, ack);
            else if (rtt - tcb->srtt - 1 < LAN_TCP_RTO_MAX)
                ack->rtt = rtt;
        }
        if (lan_seq_lt(end, sender->rack_fack))
            tcb->flags |= TCB_REORDERING;
        if (lan_seq_lt(ack->fack, end))
            ack->fack = end;
    }
    if (!ack->last_sent || lan_seq_lt(ack->last_sent, sent))
        ack->last_sent = sent;
    if (flags & RUN_RETRANSMITTED)
        sent -= LAN_TCP_SAME_TIME(tcb); /* in the midst of a run, maybe, whose end left after it */
    if (!sender->rack_sent || lan_seq_lt(sender->rack_sent, sent) ||
        (sent == sender->rack_sent && lan_seq_lt(sender->rack_end, end))) {
        sender->rack_sent = sent;
        sender->rack_end = end;
        sender->rack_rtt = lan_tcp_now(tcb) - sent;
    }
}

/* Step 4: how much later than its followers a segment may arrive, once one has (lan_tcp_rack_update(), or where it was
 * sent again before that, lan_tcp_undo()). Grows a quarter of the shortest round trip with each round in which a D-SACK
 * says that something was sent again in vain. */
static uint32_t reorder_window(const struct lan_tcb *tcb)
{
    bool recovering = tcb->flags & (TCB_FAST_RECOVERY | TCB_LOSS_RECOVERY);
    if (!(tcb->flags & TCB_REORDERING) &&
        (recovering || tcb->sender->sacked >= (uint32_t)LAN_TCP_DUPACK_THRESHOLD * tcb->mss))
        return 0;
    uint32_t window = tcb->sender->min_rtt / 4 * (tcb->reorder_steps + 1u);
    return window < tcb->srtt ? window : tcb->srtt;
}

void lan_tcp_rack_dsack(struct lan_tcb *tcb)
{
    uint32_t left = tcb->sender->reorder_round - tcb->snd_una; /* of the round; more than that: it ended long ago */
    if (left && left <= tcb->snd_nxt - tcb->snd_una)
        return;
    tcb->sender->reorder_round = tcb->snd_nxt;
    tcb->reorder_persist = REORDER_PERSIST;
    if (tcb->reorder_steps < REORDER_WINDOW_MAX)
        tcb->reorder_steps++;
}

void lan_tcp_rack_recovered(struct lan_tcb *tcb)
{
    if (tcb->reorder_persist && --tcb->reorder_persist == 0)
        tcb->reorder_steps = 0;
}

/* Step 5. */
void lan_tcp_rack_detect(struct lan_tcb *tcb)
{
    struct lan_tcp_sender *sender = tcb->sender;
    uint32_t age = sender->rack_rtt + reorder_window(tcb), wait = LAN_TCP_NEVER;
    age += !age; /* or a loopback that takes no time has all that is lost sent again in one instant, for ever */
    if (sender->rack_sent)
        wait = lan_tcp_lose_older(tcb, sender->rack_sent, sender->rack_end, age);
    if (wait == LAN_TCP_NEVER)
        lan_tcp_disarm(tcb, LAN_TCP_REORDER);
    else
        lan_tcp_arm(tcb, LAN_TCP_REORDER, wait);
}

bool lan_tcp_on_reorder(struct lan_tcb *tcb)
{
    lan_tcp_rack_detect(tcb);
    lan_tcp_recover_lost(tcb);
    lan_tcp_output(tcb);
    return true;
}

/* 7.2: when to probe. Not where the retransmission time-out comes first anyway. */
void lan_tcp_probe_arm(struct lan_tcb *tcb)
{
    uint32_t flight = tcb->snd_nxt - tcb->snd_una;
    uint32_t busy = TCB_FAST_RECOVERY | TCB_LOSS_RECOVERY | TCB_PROBING | TCB_TAIL_PROBED;
    lan_tcp_disarm(tcb, LAN_TCP_TAIL_PROBE);
    if (!flight || !(tcb->flags & TCB_SACK) || tcb->flags & busy || tcb->sender->sacked || tcb->sender->lost)
        return;
    uint32_t patience = 2 * tcb->srtt + (flight <= tcb->mss ? LAN_TCP_PEER_ACK_DELAY : 0);
    uint64_t due_ns = lan_tcp_in(tcb, tcb->srtt ? patience : LAN_TCP_PROBE_UNMEASURED);
    if (!lan_tcp_armed(tcb, LAN_TCP_RETRANSMIT) || due_ns < tcb->deadline_ns[LAN_TCP_RETRANSMIT])
        lan_tcp_arm_at(tcb, LAN_TCP_TAIL_PROBE, due_ns);
}

/* 7.3: something new if there is, or else the last segment once more. */
bool lan_tcp_on_tail_probe(struct lan_tcb *tcb)
{
    uint32_t flight = tcb->snd_nxt - tcb->snd_una;
    uint32_t most = tcb->snd_queued < tcb->snd_wnd ? tcb->snd_queued : tcb->snd_wnd;
    uint32_t fresh = most > flight ? most - flight : 0;
    if (!flight || tcb->sender->sacked || tcb->sender->lost)
        return true;
    LAN_COUNT(tcb->stack, tcp_ext_loss_probes);
    uint32_t seq = tcb->snd_nxt, n = fresh < tcb->mss ? fresh : tcb->mss;
    if (!fresh) {
        n = flight < tcb->mss ? flight : tcb->mss;
        seq -= n;
        n -= flight > tcb->snd_queued; /* the FIN is no byte */
    }
    if (!lan_tcp_send_data(tcb, seq, n))
        return true; /* the time-out will see to it */
    tcb->flags |= TCB_TAIL_PROBED | (fresh ? 0 : TCB_TAIL_REPEATED);
    tcb->sender->tail_end = tcb->snd_nxt;
    lan_tcp_arm_retransmit(tcb);
    return true;
}

/* 7.4: an ACK beyond a repeated tail, and no word of a duplicate: the probe has mended a loss, which calls for what
 * every loss does. */
void lan_tcp_probe_acked(struct lan_tcb *tcb, const struct lan_tcp_ack *ack)
{
    if (!(tcb->flags & TCB_TAIL_PROBED) || lan_seq_lt(tcb->snd_una, tcb->sender->tail_end))
        return;
    bool beyond = tcb->snd_una != tcb->sender->tail_end;
    if (tcb->flags & TCB_TAIL_REPEATED && !ack->dsack_bytes) {
        if (!beyond && ack->acked)
            return; /* the next ACK tells */
        if (beyond && !(tcb->flags & (TCB_FAST_RECOVERY | TCB_LOSS_RECOVERY))) {
            LAN_COUNT(tcb->stack, tcp_ext_loss_probe_recovery);
            lan_tcp_reduce_window(tcb);
        }
    }
    tcb->flags &= ~(uint32_t)(TCB_TAIL_PROBED | TCB_TAIL_REPEATED);
}
