/* SPDX-License-Identifier: Apache-2.0 */
/* BBR's model of the path (draft-ietf-ccwg-bbr 5.5): how fast and how much.
 *
 * It departs from the draft in one thing. The draft takes each loss for a sign of congestion, so a path that loses more
 * than a per cent or two for other reasons (radio, a bad cable) starves it. But what drops for congestion is a queue
 * that is full, and a queue shows in the round trip. So where the round trip says that there is none to speak of, the
 * loss that is tolerated is not LAN_BBR_LOSS_THRESHOLD but LOSS_THRESHOLD_WITHOUT_QUEUE, which a queue too short to be
 * seen still exceeds when ProbeBW_UP overflows it.
 */

#include "tcp_bbr.h"

enum {
    ONE_PER_CENT = ((1 << 20) + 50) / 100, /* of 2^20 */
    LOSS_THRESHOLD_WITHOUT_QUEUE = 10,
    EMPTY = 16, /* a part of the shortest round trip: what is less than that beyond it is no queue at all */
    QUEUE = 4,  /* what ProbeBW_UP adds to the shortest round trip in a round */
    HEADROOM = 15,
    FULL_BW_GROWTH = 125,
    FULL_BW_ROUNDS = 3,
    EXTRA_ACKED_ROUNDS = 5, /* half of the filter's length: it has two slots */
    OFFLOAD_QUANTA = 3,
};
#define EXTRA_ACKED_INTERVAL_MAX LAN_TCP_TICKS(LAN_S)

/* As a part of 2^20. */
#define SECONDS_IN_2_20_TICKS ((uint32_t)((UINT64_C(1) << (20 + 20 + LAN_TCP_TICK_BITS)) / LAN_S))

/* Times a part of 2^20. */
LAN_SHARED static uint32_t scale(uint32_t value, uint32_t part)
{
    uint64_t scaled = (uint64_t)value * part >> 20;
    return scaled < BBR_UNBOUND ? (uint32_t)scaled : BBR_UNBOUND - 1;
}

LAN_SHARED uint32_t lan_bbr_percent(uint32_t value, uint32_t percent)
{
    return scale(value, percent * ONE_PER_CENT);
}

void lan_bbr_start_round(struct lan_tcb *tcb)
{
    lan_bbr_of(tcb)->round_end = tcb->sender->rate.delivered;
}

void lan_bbr_reset_signals(struct lan_tcb *tcb)
{
    struct lan_tcp_bbr *bbr = lan_bbr_of(tcb);
    bbr->loss_in_round = bbr->ce_in_round = false;
    bbr->bw_latest = bbr->inflight_latest = 0;
}

void lan_bbr_reset_short_term(struct lan_tcb *tcb)
{
    lan_bbr_of(tcb)->bw_st = lan_bbr_of(tcb)->inflight_st = BBR_UNBOUND;
}

void lan_bbr_reset_full_bw(struct lan_tcb *tcb, uint32_t baseline)
{
    struct lan_tcp_bbr *bbr = lan_bbr_of(tcb);
    bbr->full_bw = baseline;
    bbr->full_bw_count = 0;
    bbr->full_bw_now = false;
}

void lan_bbr_model_init(struct lan_tcb *tcb)
{
    struct lan_tcp_bbr *bbr = lan_bbr_of(tcb);
    tcb->sender->rate = (struct lan_tcp_rate){0};
    *bbr = (struct lan_tcp_bbr){.inflight_lt = BBR_UNBOUND,
                                .probe_up_acked_per_inc = BBR_UNBOUND,
                                .min_rtt = tcb->srtt ? tcb->srtt : BBR_UNBOUND,
                                .min_rtt_at = lan_tcp_now_coarse(tcb),
                                .probe_rtt_cwnd = lan_tcp_initial_window(tcb),
                                .extra_since = lan_tcp_now(tcb)};
    lan_bbr_reset_short_term(tcb);
}

uint32_t lan_bbr_max_bw(const struct lan_tcb *tcb)
{
    return lan_bbr_max(lan_bbr_of(tcb)->max_bw[0], lan_bbr_of(tcb)->max_bw[1]);
}

uint32_t lan_bbr_bw(const struct lan_tcb *tcb)
{
    return lan_bbr_min(lan_bbr_max_bw(tcb), lan_bbr_of(tcb)->bw_st);
}

static uint32_t bytes_in(uint32_t bw, uint32_t ticks)
{
    return scale(scale(bw, ticks), SECONDS_IN_2_20_TICKS);
}

static uint32_t bdp_of(const struct lan_tcb *tcb, uint32_t bw, uint32_t percent)
{
    if (lan_bbr_of(tcb)->min_rtt == BBR_UNBOUND)
        return lan_tcp_initial_window(tcb);
    return lan_bbr_percent(bytes_in(bw, lan_bbr_of(tcb)->min_rtt), percent);
}

LAN_SHARED uint32_t lan_bbr_bdp(const struct lan_tcb *tcb, uint32_t percent)
{
    return bdp_of(tcb, lan_bbr_bw(tcb), percent);
}

/* 5.6.4.2, QuantizationBudget(). */
static uint32_t quantized(const struct lan_tcb *tcb, uint32_t inflight)
{
    inflight = lan_bbr_max(inflight, OFFLOAD_QUANTA * lan_tcp_send_quantum(tcb));
    inflight = lan_bbr_max(inflight, (uint32_t)BBR_MIN_PIPE_SEGMENTS * tcb->mss);
    return lan_bbr_of(tcb)->state == BBR_UP ? inflight + 2u * tcb->mss : inflight;
}

LAN_SHARED uint32_t lan_bbr_inflight(const struct lan_tcb *tcb, uint32_t percent, uint32_t extra)
{
    return quantized(tcb, lan_bbr_bdp(tcb, percent) + extra);
}

uint32_t lan_bbr_max_inflight(const struct lan_tcb *tcb, uint32_t percent)
{
    const struct lan_tcp_bbr *bbr = lan_bbr_of(tcb);
    return lan_bbr_inflight(tcb, percent, lan_bbr_max(bbr->extra[0], bbr->extra[1]));
}

bool lan_bbr_fits_max_bw(const struct lan_tcb *tcb, uint32_t in_flight)
{
    return in_flight <= quantized(tcb, bdp_of(tcb, lan_bbr_max_bw(tcb), 100));
}

uint32_t lan_bbr_inflight_with_headroom(const struct lan_tcb *tcb)
{
    uint32_t bound = lan_bbr_of(tcb)->inflight_lt;
    if (bound == BBR_UNBOUND)
        return bound;
    uint32_t headroom = lan_bbr_max(tcb->mss, lan_bbr_percent(bound, HEADROOM));
    return lan_bbr_max(bound > headroom ? bound - headroom : 0, (uint32_t)BBR_MIN_PIPE_SEGMENTS * tcb->mss);
}

uint32_t lan_bbr_target_inflight(const struct lan_tcb *tcb)
{
    return lan_bbr_min(lan_bbr_bdp(tcb, 100), tcb->cwnd);
}

static bool sees_queue(const struct lan_tcb *tcb)
{
    const struct lan_tcp_bbr *bbr = lan_bbr_of(tcb);
    return bbr->rtt > bbr->min_rtt + bbr->min_rtt / QUEUE;
}

uint32_t lan_bbr_tolerated_part(const struct lan_tcb *tcb)
{
    return 100 / (sees_queue(tcb) ? LAN_BBR_LOSS_THRESHOLD : LOSS_THRESHOLD_WITHOUT_QUEUE);
}

bool lan_bbr_too_much_lost(const struct lan_tcb *tcb, uint32_t lost, uint32_t in_flight)
{
    if (!(tcb->flags & TCB_SACK)) /* one loss a round trip is all that can be seen */
        return lost;
    return lost > in_flight / lan_bbr_tolerated_part(tcb);
}

/* 5.5.1. */
static void update_round(struct lan_tcb *tcb, const struct lan_tcp_sample *sample)
{
    struct lan_tcp_bbr *bbr = lan_bbr_of(tcb);
    bbr->cwnd_limited |= !!(tcb->flags & TCB_CWND_LIMITED);
    bbr->round_start = !lan_seq_lt(sample->sent->rate.delivered, bbr->round_end);
    if (!bbr->round_start)
        return;
    lan_bbr_start_round(tcb);
    bbr->was_cwnd_limited = bbr->cwnd_limited;
    bbr->cwnd_limited = false;
    bbr->rounds++;
}

/* 5.5.5. */
static void update_max_bw(struct lan_tcb *tcb, const struct lan_tcp_sample *sample)
{
    struct lan_tcp_bbr *bbr = lan_bbr_of(tcb);
    if (!sample->sent->rate.app_limited || sample->rate >= lan_bbr_max_bw(tcb))
        bbr->max_bw[0] = lan_bbr_max(bbr->max_bw[0], sample->rate);
}

void lan_bbr_advance_max_bw(struct lan_tcb *tcb)
{
    struct lan_tcp_bbr *bbr = lan_bbr_of(tcb);
    if (!bbr->max_bw[0])
        return;
    bbr->max_bw[1] = bbr->max_bw[0];
    bbr->max_bw[0] = 0;
}

/* Whether what was lost in the last round says that less is to be had. In ProbeBW_DOWN the queue is what the probe has
 * left. */
static bool was_congested(const struct lan_tcb *tcb, const struct lan_tcp_sample *sample)
{
    const struct lan_tcp_bbr *bbr = lan_bbr_of(tcb);
    bool queue = bbr->state != BBR_DOWN && sees_queue(tcb);
    uint32_t tolerated = sample->sent->rate.in_flight / (100 / LOSS_THRESHOLD_WITHOUT_QUEUE);
    return bbr->ce_in_round || (bbr->loss_in_round && (queue || sample->lost > tolerated));
}

/* 5.5.10.3: outside a probe congestion makes the model follow what is delivered. */
static void adapt_short_term(struct lan_tcb *tcb, const struct lan_tcp_sample *sample)
{
    struct lan_tcp_bbr *bbr = lan_bbr_of(tcb);
    bool probing = bbr->state == BBR_STARTUP || bbr->state == BBR_REFILL || bbr->state == BBR_UP;
    if (probing || !was_congested(tcb, sample))
        return;
    uint32_t bw = bbr->bw_st == BBR_UNBOUND ? lan_bbr_max_bw(tcb) : bbr->bw_st;
    uint32_t inflight = bbr->inflight_st == BBR_UNBOUND ? tcb->cwnd : bbr->inflight_st;
    bbr->bw_st = lan_bbr_max(bbr->bw_latest, lan_bbr_percent(bw, LAN_BBR_BETA));
    bbr->inflight_st = lan_bbr_max(bbr->inflight_latest, lan_bbr_percent(inflight, LAN_BBR_BETA));
}

/* A path that loses without a queue is not to be left idle for that: what it loses is sent beside what it delivers. */
static uint8_t cover_of(const struct lan_tcb *tcb, const struct lan_tcp_sample *sample)
{
    const struct lan_tcp_bbr *bbr = lan_bbr_of(tcb);
    bool empty = bbr->rtt <= bbr->min_rtt + bbr->min_rtt / EMPTY;
    uint32_t unit = sample->sent->rate.in_flight / 100;
    if (!empty || !bbr->loss_in_round || bbr->ce_in_round || !unit)
        return 0;
    return (uint8_t)lan_bbr_min(sample->lost / unit, LAN_BBR_LOSS_THRESHOLD);
}

static void update_congestion_signals(struct lan_tcb *tcb, const struct lan_tcp_sample *sample)
{
    struct lan_tcp_bbr *bbr = lan_bbr_of(tcb);
    bbr->bw_latest = lan_bbr_max(bbr->bw_latest, sample->rate);
    bbr->inflight_latest = lan_bbr_max(bbr->inflight_latest, sample->delivered);
    bbr->loss_round_start = !lan_seq_lt(sample->sent->rate.delivered, bbr->loss_round_end);
    update_round(tcb, sample);
    update_max_bw(tcb, sample);
    if (!bbr->loss_round_start)
        return;
    bbr->loss_round_end = tcb->sender->rate.delivered;
    bbr->cover = cover_of(tcb, sample);
    adapt_short_term(tcb, sample);
    bbr->loss_in_round = bbr->ce_in_round = false;
}

/* 5.5.9: how much more than expected ACKs tell at once. */
static void update_ack_aggregation(struct lan_tcb *tcb, uint32_t newly_acked)
{
    struct lan_tcp_bbr *bbr = lan_bbr_of(tcb);
    uint32_t interval = lan_tcp_now(tcb) - bbr->extra_since;
    if (interval > EXTRA_ACKED_INTERVAL_MAX)
        interval = EXTRA_ACKED_INTERVAL_MAX;
    uint32_t expected = bytes_in(lan_bbr_bw(tcb), interval);
    if (bbr->extra_delivered <= expected || interval == EXTRA_ACKED_INTERVAL_MAX) {
        bbr->extra_delivered = 0;
        bbr->extra_since = lan_tcp_now(tcb);
        expected = 0;
    }
    bbr->extra_delivered += newly_acked;
    uint32_t extra = bbr->extra_delivered - expected;
    if (bbr->rounds - bbr->extra_round >= (bbr->full_bw_reached ? EXTRA_ACKED_ROUNDS : 1)) {
        bbr->extra_round = bbr->rounds;
        bbr->extra[1] = bbr->extra[0];
        bbr->extra[0] = 0;
    }
    bbr->extra[0] = lan_bbr_max(bbr->extra[0], lan_bbr_min(extra, tcb->cwnd));
}

/* 5.3.1.2: three rounds without much growth say that the pipe is full. */
static void check_full_bw(struct lan_tcb *tcb, const struct lan_tcp_sample *sample)
{
    struct lan_tcp_bbr *bbr = lan_bbr_of(tcb);
    if (bbr->full_bw_now || !bbr->round_start || sample->sent->rate.app_limited || !sample->rate)
        return;
    if (sample->rate >= lan_bbr_percent(bbr->full_bw, FULL_BW_GROWTH)) {
        lan_bbr_reset_full_bw(tcb, sample->rate);
        return;
    }
    bbr->full_bw_now = ++bbr->full_bw_count >= FULL_BW_ROUNDS;
    bbr->full_bw_reached |= bbr->full_bw_now;
}

void lan_bbr_model_update(struct lan_tcb *tcb, const struct lan_tcp_ack *ack, const struct lan_tcp_sample *sample)
{
    struct lan_tcp_bbr *bbr = lan_bbr_of(tcb);
    if (ack->rtt)
        bbr->rtt = ack->rtt;
    bbr->round_start = bbr->loss_round_start = false;
    if (sample->sent)
        update_congestion_signals(tcb, sample);
    update_ack_aggregation(tcb, ack->delivered);
    if (sample->sent)
        check_full_bw(tcb, sample);
}

void lan_bbr_model_advance(struct lan_tcb *tcb, const struct lan_tcp_sample *sample)
{
    struct lan_tcp_bbr *bbr = lan_bbr_of(tcb);
    if (!bbr->loss_round_start)
        return;
    bbr->bw_latest = sample->rate;
    bbr->inflight_latest = sample->delivered;
    bbr->loss_events = 0;
}
