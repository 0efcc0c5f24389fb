/* SPDX-License-Identifier: Apache-2.0 */
/* BBR version 3 (draft-ietf-ccwg-bbr): sends as fast as the path was seen to deliver, and not much more than fits it.
 * Startup doubles the rate each round until the pipe is full, Drain empties the queue that this made, and then ProbeBW
 * goes round: DOWN leaves room, CRUISE keeps the rate, REFILL fills the pipe, UP sends faster to see whether more is to
 * be had. ProbeRTT halves what is under way now and then, to see how long the round trip is without a queue. */

#include "tcp_bbr.h"

enum { RTT_GRAIN = 64 /* samples are not more exact than that */ };
enum { PACING_MARGIN = 1, STARTUP_LOSS_EVENTS = 6, DRAIN_ROUNDS = 3, RENO_ROUNDS = 63, PROBE_UP_ROUNDS_MAX = 30 };
#define MIN_RTT_FILTER LAN_TCP_COARSE(10 * LAN_S) /* ProbeRTT comes when it runs out */
#define PROBE_RTT_DURATION LAN_TCP_COARSE(200 * LAN_MS)
#define PROBE_WAIT LAN_TCP_COARSE(2 * LAN_S)
#define PROBE_WAIT_RANDOM LAN_TCP_COARSE(1 * LAN_S)

/* Per cent. */
static const struct {
    uint16_t pacing, cwnd;
} GAINS[] = {
    [BBR_STARTUP] = {277, 200}, [BBR_DRAIN] = {50, 200}, [BBR_DOWN] = {90, 200},      [BBR_CRUISE] = {100, 200},
    [BBR_REFILL] = {100, 200},  [BBR_UP] = {125, 225},   [BBR_PROBE_RTT] = {100, 50},
};

/* Whether `until`, in coarse ticks, is over. */
static bool is_past(const struct lan_tcb *tcb, uint32_t until)
{
    return lan_seq_lt(until, lan_tcp_now_coarse(tcb));
}

/* 5.6.2. No less than a segment a second: a queue discipline that paces (Linux's fq) lets none wait longer either. What
 * arrives too slowly for that is for cwnd to bound. */
static void set_pacing_rate(struct lan_tcb *tcb, uint32_t percent)
{
    uint32_t cover = lan_bbr_of(tcb)->cover;
    uint32_t share = cover ? 100 + cover : 100 - PACING_MARGIN;
    uint32_t rate = lan_bbr_percent(lan_bbr_percent(lan_bbr_bw(tcb), percent), share);
    if (rate && (lan_bbr_of(tcb)->full_bw_reached || rate > tcb->sender->pacing_rate))
        tcb->sender->pacing_rate = lan_bbr_max(rate, tcb->mss);
}

static void save_cwnd(struct lan_tcb *tcb)
{
    struct lan_tcp_bbr *bbr = lan_bbr_of(tcb);
    bool modulated = bbr->recovering || bbr->state == BBR_PROBE_RTT;
    bbr->prior_cwnd = modulated ? lan_bbr_max(bbr->prior_cwnd, tcb->cwnd) : tcb->cwnd;
}

static void restore_cwnd(struct lan_tcb *tcb)
{
    tcb->cwnd = lan_bbr_max(tcb->cwnd, lan_bbr_of(tcb)->prior_cwnd);
}

static void bbr_init(struct lan_tcb *tcb)
{
    lan_bbr_model_init(tcb);
    lan_bbr_of(tcb)->state = BBR_STARTUP;
    uint32_t rate = lan_tcp_rate(lan_tcp_initial_window(tcb), tcb->srtt ? tcb->srtt : LAN_TCP_TICKS(LAN_MS));
    tcb->sender->pacing_rate = lan_bbr_percent(rate, GAINS[BBR_STARTUP].pacing);
}

/* 5.3.3.6: the functions of ProbeBW. */
static void start_down(struct lan_tcb *tcb)
{
    struct lan_tcp_bbr *bbr = lan_bbr_of(tcb);
    uint32_t random = lan_random32(tcb->stack);
    lan_bbr_reset_signals(tcb);
    bbr->probe_up_acked_per_inc = BBR_UNBOUND;
    bbr->probe_round = bbr->rounds - (random & 1);
    bbr->probe_wait = (uint16_t)(PROBE_WAIT + (random >> 1) % PROBE_WAIT_RANDOM);
    bbr->cycle_at = lan_tcp_now_coarse(tcb);
    bbr->ack_phase = BBR_ACKS_PROBE_STOPPING;
    lan_bbr_start_round(tcb);
    bbr->state = BBR_DOWN;
}

static void start_refill(struct lan_tcb *tcb)
{
    struct lan_tcp_bbr *bbr = lan_bbr_of(tcb);
    lan_bbr_reset_short_term(tcb);
    bbr->probe_up_rounds = 0;
    bbr->probe_up_acked = 0;
    bbr->probe_precautionary = false;
    bbr->ack_phase = BBR_ACKS_REFILLING;
    lan_bbr_start_round(tcb);
    bbr->state = BBR_REFILL;
}

static void raise_inflight_slope(struct lan_tcb *tcb)
{
    struct lan_tcp_bbr *bbr = lan_bbr_of(tcb);
    bbr->probe_up_acked_per_inc = lan_bbr_max(tcb->cwnd >> bbr->probe_up_rounds, tcb->mss);
    bbr->probe_up_rounds += bbr->probe_up_rounds < PROBE_UP_ROUNDS_MAX;
}

static void start_up(struct lan_tcb *tcb, const struct lan_tcp_sample *sample)
{
    struct lan_tcp_bbr *bbr = lan_bbr_of(tcb);
    bbr->probe_sample = true;
    bbr->ack_phase = BBR_ACKS_PROBE_STARTING;
    lan_bbr_start_round(tcb);
    lan_bbr_reset_full_bw(tcb, sample->rate);
    bbr->state = BBR_UP;
    raise_inflight_slope(tcb);
}

static bool uses_inflight_lt(const struct lan_tcb *tcb)
{
    const struct lan_tcp_bbr *bbr = lan_bbr_of(tcb);
    return (bbr->cwnd_limited || bbr->was_cwnd_limited) && tcb->cwnd >= bbr->inflight_lt;
}

static bool is_time_to_go_down(struct lan_tcb *tcb, const struct lan_tcp_sample *sample)
{
    struct lan_tcp_bbr *bbr = lan_bbr_of(tcb);
    if (bbr->probe_too_high && tcb->sender->rate.in_flight >= bbr->inflight_lt) {
        bbr->probe_precautionary = true;
        return true;
    }
    if (!uses_inflight_lt(tcb))
        return bbr->full_bw_now;
    lan_bbr_reset_full_bw(tcb, sample->rate);
    return false;
}

static bool is_time_to_cruise(const struct lan_tcb *tcb)
{
    uint32_t in_flight = tcb->sender->rate.in_flight;
    return in_flight <= lan_bbr_inflight_with_headroom(tcb) && lan_bbr_fits_max_bw(tcb, in_flight);
}

/* 5.3.3.5: often enough for Reno and CUBIC to get their share, or every two or three seconds. */
static bool is_time_to_probe(const struct lan_tcb *tcb)
{
    const struct lan_tcp_bbr *bbr = lan_bbr_of(tcb);
    uint32_t reno_rounds = lan_bbr_min(lan_bbr_target_inflight(tcb) / tcb->mss, RENO_ROUNDS);
    return is_past(tcb, bbr->cycle_at + bbr->probe_wait) || bbr->rounds - bbr->probe_round >= reno_rounds;
}

static void raise_inflight_lt(struct lan_tcb *tcb, uint32_t newly_acked)
{
    struct lan_tcp_bbr *bbr = lan_bbr_of(tcb);
    if (!uses_inflight_lt(tcb))
        return;
    bbr->probe_up_acked += newly_acked;
    uint32_t steps = bbr->probe_up_acked / bbr->probe_up_acked_per_inc;
    bbr->probe_up_acked -= steps * bbr->probe_up_acked_per_inc;
    bbr->inflight_lt += steps * tcb->mss;
    if (bbr->round_start)
        raise_inflight_slope(tcb);
}

/* True: a transition was decided. */
static bool adapt_long_term(struct lan_tcb *tcb, const struct lan_tcp_ack *ack, const struct lan_tcp_sample *sample)
{
    struct lan_tcp_bbr *bbr = lan_bbr_of(tcb);
    if (bbr->ack_phase == BBR_ACKS_PROBE_STARTING && bbr->round_start)
        bbr->ack_phase = BBR_ACKS_PROBE_FEEDBACK;
    if (bbr->ack_phase == BBR_ACKS_PROBE_STOPPING && bbr->round_start) {
        bbr->probe_sample = false;
        bbr->ack_phase = BBR_ACKS_INIT;
        if (lan_bbr_probes_bw(tcb) && !sample->sent->rate.app_limited)
            lan_bbr_advance_max_bw(tcb);
        if (lan_bbr_probes_bw(tcb) && bbr->probe_precautionary && !bbr->probe_too_high) {
            start_refill(tcb);
            return true;
        }
    }
    if (bbr->inflight_lt == BBR_UNBOUND || lan_bbr_too_much_lost(tcb, sample->lost, sample->sent->rate.in_flight))
        return false;
    bbr->inflight_lt = lan_bbr_max(bbr->inflight_lt, sample->sent->rate.in_flight);
    if (bbr->state == BBR_UP)
        raise_inflight_lt(tcb, ack->delivered);
    return false;
}

static void update_probe_bw(struct lan_tcb *tcb, const struct lan_tcp_ack *ack, const struct lan_tcp_sample *sample)
{
    struct lan_tcp_bbr *bbr = lan_bbr_of(tcb);
    if (!bbr->full_bw_reached || adapt_long_term(tcb, ack, sample))
        return;
    switch (bbr->state) {
    case BBR_DOWN:
    case BBR_CRUISE:
        if (is_time_to_probe(tcb))
            start_refill(tcb);
        else if (bbr->state == BBR_DOWN && is_time_to_cruise(tcb))
            bbr->state = BBR_CRUISE;
        return;
    case BBR_REFILL:
        if (bbr->round_start)
            start_up(tcb, sample);
        return;
    case BBR_UP:
        if (!is_time_to_go_down(tcb, sample))
            return;
        bbr->probe_too_high = false;
        start_down(tcb);
        return;
    default:
        return;
    }
}

/* 5.5.10.2: a probe went too far. */
static void inflight_too_high(struct lan_tcb *tcb, uint32_t in_flight, bool app_limited)
{
    struct lan_tcp_bbr *bbr = lan_bbr_of(tcb);
    bbr->probe_too_high = true;
    bbr->probe_sample = false;
    if (!app_limited)
        bbr->inflight_lt = lan_bbr_max(in_flight, lan_bbr_percent(lan_bbr_target_inflight(tcb), LAN_BBR_BETA));
    if (bbr->state != BBR_UP)
        return;
    bbr->undo_state = BBR_UP;
    start_down(tcb);
}

/* 5.3.1.3. */
static void check_startup_loss(struct lan_tcb *tcb, const struct lan_tcp_sample *sample)
{
    struct lan_tcp_bbr *bbr = lan_bbr_of(tcb);
    bool many = bbr->loss_events >= (tcb->flags & TCB_SACK ? STARTUP_LOSS_EVENTS : 1);
    if (bbr->full_bw_reached || !bbr->loss_round_start || !bbr->recovering || !many ||
        !lan_bbr_too_much_lost(tcb, sample->lost, sample->sent->rate.in_flight))
        return;
    bbr->undo_state = BBR_STARTUP;
    bbr->full_bw_reached = true;
    bbr->inflight_lt = lan_bbr_max(lan_bbr_bdp(tcb, 100), bbr->inflight_latest);
}

static void check_startup_and_drain(struct lan_tcb *tcb, const struct lan_tcp_sample *sample)
{
    struct lan_tcp_bbr *bbr = lan_bbr_of(tcb);
    check_startup_loss(tcb, sample);
    if (bbr->state == BBR_STARTUP && bbr->full_bw_reached) {
        bbr->state = BBR_DRAIN;
        bbr->drain_round = bbr->rounds;
    }
    if (bbr->state == BBR_DRAIN &&
        (tcb->sender->rate.in_flight <= lan_bbr_inflight(tcb, 100, 0) || bbr->rounds - bbr->drain_round > DRAIN_ROUNDS))
        start_down(tcb);
}

/* 5.3.4: ProbeRTT. */
static void exit_probe_rtt(struct lan_tcb *tcb)
{
    struct lan_tcp_bbr *bbr = lan_bbr_of(tcb);
    if (!bbr->probe_rtt_timed || !is_past(tcb, bbr->probe_rtt_done))
        return;
    bbr->min_rtt_at = lan_tcp_now_coarse(tcb);
    restore_cwnd(tcb);
    lan_bbr_reset_short_term(tcb);
    if (bbr->full_bw_reached)
        start_down(tcb);
    bbr->state = bbr->full_bw_reached ? BBR_CRUISE : BBR_STARTUP;
}

static void handle_probe_rtt(struct lan_tcb *tcb)
{
    struct lan_tcp_bbr *bbr = lan_bbr_of(tcb);
    lan_tcp_rate_limited(tcb);
    if (!bbr->probe_rtt_timed) {
        if (tcb->sender->rate.in_flight > bbr->probe_rtt_cwnd)
            return;
        bbr->probe_rtt_timed = true;
        bbr->probe_rtt_done = lan_tcp_now_coarse(tcb) + PROBE_RTT_DURATION;
        bbr->probe_rtt_round_done = false;
        lan_bbr_start_round(tcb);
        return;
    }
    bbr->probe_rtt_round_done |= bbr->round_start;
    if (bbr->probe_rtt_round_done)
        exit_probe_rtt(tcb);
}

static void update_min_rtt(struct lan_tcb *tcb, const struct lan_tcp_ack *ack)
{
    struct lan_tcp_bbr *bbr = lan_bbr_of(tcb);
    bool expired = is_past(tcb, bbr->min_rtt_at + MIN_RTT_FILTER);
    if (expired && bbr->state != BBR_PROBE_RTT)
        bbr->probe_rtt_cwnd =
            lan_bbr_max(lan_bbr_bdp(tcb, GAINS[BBR_PROBE_RTT].cwnd), (uint32_t)BBR_MIN_PIPE_SEGMENTS * tcb->mss);
    if (ack->rtt && (bbr->rtt < bbr->min_rtt || expired))
        bbr->min_rtt = bbr->rtt;
    if (ack->rtt && bbr->rtt - bbr->min_rtt <= bbr->min_rtt / RTT_GRAIN) /* or seen once more */
        bbr->min_rtt_at = lan_tcp_now_coarse(tcb);
    if (expired && bbr->state != BBR_PROBE_RTT && !bbr->idle_restart) {
        save_cwnd(tcb);
        bbr->state = BBR_PROBE_RTT;
        bbr->probe_rtt_timed = false;
        bbr->ack_phase = BBR_ACKS_PROBE_STOPPING;
        lan_bbr_start_round(tcb);
    }
    if (bbr->state == BBR_PROBE_RTT)
        handle_probe_rtt(tcb);
    if (ack->delivered)
        bbr->idle_restart = false;
}

/* What ProbeUP may have under way beyond the draft's bounds: a queue that makes the repair of a loss, which takes two
 * round trips, longer than the peer's window lasts would cost more than the probe finds. What ACKs tell of at once is
 * no queue. */
static uint32_t bound_of_window(const struct lan_tcb *tcb)
{
    return lan_bbr_max(lan_bbr_max_inflight(tcb, GAINS[BBR_UP].pacing), tcb->snd_wnd / 2);
}

/* 5.6.4.7. */
static uint32_t bound_of_model(const struct lan_tcb *tcb)
{
    const struct lan_tcp_bbr *bbr = lan_bbr_of(tcb);
    uint32_t bound = BBR_UNBOUND;
    if (bbr->state == BBR_CRUISE || bbr->state == BBR_PROBE_RTT)
        bound = lan_bbr_inflight_with_headroom(tcb);
    else if (lan_bbr_probes_bw(tcb))
        bound = bbr->inflight_lt;
    return lan_bbr_max(lan_bbr_min(bound, bbr->inflight_st), (uint32_t)BBR_MIN_PIPE_SEGMENTS * tcb->mss);
}

/* 5.6.4.6. */
static void set_cwnd(struct lan_tcb *tcb, uint32_t newly_acked)
{
    struct lan_tcp_bbr *bbr = lan_bbr_of(tcb);
    uint32_t most = lan_bbr_max_inflight(tcb, GAINS[bbr->state].cwnd);
    if (bbr->full_bw_reached)
        tcb->cwnd = lan_bbr_min(tcb->cwnd + newly_acked, most);
    else if (tcb->cwnd < most || tcb->sender->rate.delivered < lan_tcp_initial_window(tcb))
        tcb->cwnd += newly_acked;
    tcb->cwnd = lan_bbr_max(tcb->cwnd, (uint32_t)BBR_MIN_PIPE_SEGMENTS * tcb->mss);
    if (bbr->state == BBR_PROBE_RTT)
        tcb->cwnd = lan_bbr_min(tcb->cwnd, bbr->probe_rtt_cwnd);
    if (bbr->state == BBR_UP)
        tcb->cwnd = lan_bbr_min(tcb->cwnd, bound_of_window(tcb));
    tcb->cwnd = lan_bbr_min(tcb->cwnd, bound_of_model(tcb));
}

static void note_congestion(struct lan_tcb *tcb)
{
    struct lan_tcp_bbr *bbr = lan_bbr_of(tcb);
    if (!bbr->loss_in_round && !bbr->ce_in_round)
        bbr->loss_round_end = tcb->sender->rate.delivered;
}

/* 3.7 leaves open what to make of a mark (RFC 3168): here it is what too much loss is. */
static void take_mark(struct lan_tcb *tcb, const struct lan_tcp_sample *sample)
{
    struct lan_tcp_bbr *bbr = lan_bbr_of(tcb);
    note_congestion(tcb);
    bbr->ce_in_round = true;
    if (bbr->state == BBR_STARTUP)
        bbr->full_bw_reached = true;
    if (bbr->probe_sample && sample->sent)
        inflight_too_high(tcb, sample->sent->rate.in_flight, sample->sent->rate.app_limited);
}

static void bbr_sampled(struct lan_tcb *tcb, const struct lan_tcp_ack *ack, const struct lan_tcp_sample *sample)
{
    struct lan_tcp_bbr *bbr = lan_bbr_of(tcb);
    bool recovering = tcb->flags & (TCB_FAST_RECOVERY | TCB_LOSS_RECOVERY);
    if (bbr->recovering && !recovering)
        restore_cwnd(tcb);
    bbr->recovering = recovering;
    if (ack->ece)
        take_mark(tcb, sample);
    lan_bbr_model_update(tcb, ack, sample);
    if (sample->sent) {
        check_startup_and_drain(tcb, sample);
        update_probe_bw(tcb, ack, sample);
    }
    update_min_rtt(tcb, ack);
    lan_bbr_model_advance(tcb, sample);
    set_pacing_rate(tcb, GAINS[bbr->state].pacing);
    set_cwnd(tcb, ack->delivered);
}

/* A loss episode begins: what to go back to, should it turn out to be none. What follows is the model's business. */
static uint32_t bbr_ssthresh(struct lan_tcb *tcb)
{
    struct lan_tcp_bbr *bbr = lan_bbr_of(tcb);
    save_cwnd(tcb);
    bbr->undo_state = BBR_NONE;
    bbr->undo_bw_st = bbr->bw_st;
    bbr->undo_inflight_st = bbr->inflight_st;
    bbr->undo_inflight_lt = bbr->inflight_lt;
    return tcb->cwnd; /* for an algorithm that may take over before the recovery ends */
}

/* 5.5.11. */
static void bbr_undone(struct lan_tcb *tcb)
{
    struct lan_tcp_bbr *bbr = lan_bbr_of(tcb);
    restore_cwnd(tcb);
    bbr->loss_in_round = bbr->ce_in_round = bbr->recovering = false;
    lan_bbr_reset_full_bw(tcb, 0);
    bbr->bw_st = lan_bbr_max(bbr->bw_st, bbr->undo_bw_st);
    bbr->inflight_st = lan_bbr_max(bbr->inflight_st, bbr->undo_inflight_st);
    bbr->inflight_lt = lan_bbr_max(bbr->inflight_lt, bbr->undo_inflight_lt);
    if (bbr->undo_state == BBR_STARTUP) {
        bbr->full_bw_reached = false;
        if (bbr->state != BBR_PROBE_RTT)
            bbr->state = BBR_STARTUP;
    } else if (bbr->undo_state == BBR_UP && bbr->state != BBR_UP && bbr->state != BBR_PROBE_RTT) {
        start_refill(tcb);
    }
    bbr->undo_state = BBR_NONE;
}

/* 5.4. */
static void bbr_restart(struct lan_tcb *tcb)
{
    if (!lan_tcp_sender_open(tcb) || !tcb->sender->rate.app_limited)
        return;
    struct lan_tcp_bbr *bbr = lan_bbr_of(tcb);
    bbr->idle_restart = true;
    bbr->extra_since = lan_tcp_now(tcb);
    bbr->extra_delivered = 0;
    if (lan_bbr_probes_bw(tcb))
        set_pacing_rate(tcb, 100);
    else if (bbr->state == BBR_PROBE_RTT)
        exit_probe_rtt(tcb);
}

/* 5.5.10.2, HandleLostPacket(): at which volume did losses cross the threshold? */
static void bbr_lost(struct lan_tcb *tcb, const struct lan_tcp_snapshot *sent, uint32_t bytes)
{
    struct lan_tcp_bbr *bbr = lan_bbr_of(tcb);
    note_congestion(tcb);
    bbr->loss_in_round = true;
    bbr->loss_events += bbr->loss_events < UINT8_MAX;
    if (!bbr->probe_sample || !sent)
        return;
    uint32_t lost = tcb->sender->rate.lost - sent->rate.lost;
    if (!lan_bbr_too_much_lost(tcb, lost, sent->rate.in_flight))
        return;
    int32_t before = (int32_t)(sent->rate.in_flight - bytes), part = (int32_t)lan_bbr_tolerated_part(tcb);
    int32_t excess = before / part - (int32_t)(lost - bytes);
    int32_t at_loss = before + excess + excess / (part - 1); /* 0.02 before - lost_before, over 0.98; or 0.1, 0.9 */
    inflight_too_high(tcb, at_loss > 0 ? (uint32_t)at_loss : 0, sent->rate.app_limited);
}

const struct lan_tcp_congestion LAN_TCP_BBR = {
    .name = "bbr",
    .init = bbr_init,
    .ssthresh = bbr_ssthresh,
    .undone = bbr_undone,
    .restart = bbr_restart,
    .sampled = bbr_sampled,
    .lost = bbr_lost,
};
