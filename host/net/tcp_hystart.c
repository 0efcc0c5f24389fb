/* SPDX-License-Identifier: Apache-2.0 */
/* HyStart++ (RFC 9406), in its words: a round trip that grows says that a queue does, so slow start goes on a quarter
 * as fast (conservative slow start, CSS) and ends after CSS_ROUNDS rounds, before the queue overflows. */

#include "tcp_internal.h"

enum { N_RTT_SAMPLE = 8, CSS_GROWTH_DIVISOR = 4, CSS_ROUNDS = 5, MIN_RTT_DIVISOR = 8, L = 8 };
#define MIN_RTT_THRESH LAN_TCP_TICKS(4 * LAN_MS)
#define MAX_RTT_THRESH LAN_TCP_TICKS(16 * LAN_MS)

static void begin_round(struct lan_tcb *tcb)
{
    struct lan_tcp_hystart *hystart = &tcb->sender->hystart;
    hystart->last_min = hystart->current_min;
    hystart->current_min = LAN_TCP_NEVER;
    hystart->samples = 0;
    hystart->window_end = tcb->snd_nxt;
}

void lan_tcp_hystart_init(struct lan_tcb *tcb)
{
    tcb->sender->hystart = (struct lan_tcp_hystart){.current_min = LAN_TCP_NEVER};
    begin_round(tcb);
}

/* 4.2: whether this round's samples say that the round trip has grown by an eighth of the last round's. */
static bool delay_has_grown(const struct lan_tcp_hystart *hystart)
{
    uint32_t threshold = hystart->last_min / MIN_RTT_DIVISOR;
    if (threshold < MIN_RTT_THRESH)
        threshold = MIN_RTT_THRESH;
    if (threshold > MAX_RTT_THRESH)
        threshold = MAX_RTT_THRESH;
    return hystart->last_min != LAN_TCP_NEVER && hystart->current_min >= hystart->last_min + threshold;
}

static void judge_delay(struct lan_tcb *tcb)
{
    struct lan_tcp_hystart *hystart = &tcb->sender->hystart;
    if (hystart->samples < N_RTT_SAMPLE)
        return;
    if (!hystart->css_rounds && delay_has_grown(hystart)) {
        hystart->css_rounds = 1;
        hystart->css_baseline = hystart->current_min;
    } else if (hystart->css_rounds && hystart->current_min < hystart->css_baseline) {
        hystart->css_rounds = 0; /* it was a spike */
    }
}

void lan_tcp_hystart_acked(struct lan_tcb *tcb, const struct lan_tcp_ack *ack)
{
    struct lan_tcp_hystart *hystart = &tcb->sender->hystart;
    bool first = tcb->ssthresh == UINT32_MAX; /* slow start; of a later one it is known where to stop */
    uint32_t most = (first ? L : 2u) * tcb->mss, growth = ack->acked < most ? ack->acked : most;
    if (!first) {
        tcb->cwnd += growth;
        return;
    }
    if (!lan_seq_lt(tcb->snd_una, hystart->window_end)) {
        begin_round(tcb);
        if (hystart->css_rounds && hystart->css_rounds++ >= CSS_ROUNDS) {
            tcb->ssthresh = tcb->cwnd;
            return;
        }
    }
    if (ack->rtt) {
        hystart->samples += hystart->samples < N_RTT_SAMPLE;
        if (ack->rtt < hystart->current_min)
            hystart->current_min = ack->rtt;
    }
    judge_delay(tcb);
    tcb->cwnd += hystart->css_rounds ? growth / CSS_GROWTH_DIVISOR : growth;
}
