/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LANYARD_TCP_BBR_H
#define LANYARD_TCP_BBR_H

/* BBR version 3 from the inside, in the words of draft-ietf-ccwg-bbr, whose sections the comments give: its states
 * (tcp_bbr.c) and its model of the path (tcp_bbr_model.c). */

#include "tcp_internal.h"

enum {
    BBR_NONE, /* undo_state only */
    BBR_STARTUP,
    BBR_DRAIN,
    BBR_DOWN, /* ProbeBW_DOWN and so on */
    BBR_CRUISE,
    BBR_REFILL,
    BBR_UP,
    BBR_PROBE_RTT,
};

/* What the ACKs that arrive now say about the last probe for bandwidth. */
enum { BBR_ACKS_INIT, BBR_ACKS_REFILLING, BBR_ACKS_PROBE_STARTING, BBR_ACKS_PROBE_FEEDBACK, BBR_ACKS_PROBE_STOPPING };

enum { LAN_BBR_BETA = 70, LAN_BBR_LOSS_THRESHOLD = 2, BBR_MIN_PIPE_SEGMENTS = 4 }; /* the first two per cent */
#define BBR_UNBOUND UINT32_MAX

static inline struct lan_tcp_bbr *lan_bbr_of(const struct lan_tcb *tcb)
{
    return &tcb->sender->bbr;
}

static inline uint32_t lan_bbr_max(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

static inline uint32_t lan_bbr_min(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* No more than BBR_UNBOUND - 1. */
uint32_t lan_bbr_percent(uint32_t value, uint32_t percent);

static inline bool lan_bbr_probes_bw(const struct lan_tcb *tcb)
{
    uint8_t state = lan_bbr_of(tcb)->state;
    return state >= BBR_DOWN && state <= BBR_UP;
}

/* tcp_bbr_model.c */

void lan_bbr_model_init(struct lan_tcb *tcb);
void lan_bbr_start_round(struct lan_tcb *tcb);

/* The first half of an ACK's work: round trips, delivery rate, losses, ACK aggregation, full pipe. */
void lan_bbr_model_update(struct lan_tcb *tcb, const struct lan_tcp_ack *ack, const struct lan_tcp_sample *sample);
void lan_bbr_model_advance(struct lan_tcb *tcb, const struct lan_tcp_sample *sample); /* its last part */
void lan_bbr_reset_signals(struct lan_tcb *tcb);
void lan_bbr_reset_short_term(struct lan_tcb *tcb);
void lan_bbr_reset_full_bw(struct lan_tcb *tcb, uint32_t baseline);
void lan_bbr_advance_max_bw(struct lan_tcb *tcb);
uint32_t lan_bbr_max_bw(const struct lan_tcb *tcb);
uint32_t lan_bbr_bw(const struct lan_tcb *tcb);
uint32_t lan_bbr_bdp(const struct lan_tcb *tcb, uint32_t percent);                      /* at bw */
uint32_t lan_bbr_inflight(const struct lan_tcb *tcb, uint32_t percent, uint32_t extra); /* that, and bytes beyond */
bool lan_bbr_fits_max_bw(const struct lan_tcb *tcb, uint32_t in_flight);
uint32_t lan_bbr_inflight_with_headroom(const struct lan_tcb *tcb);
uint32_t lan_bbr_max_inflight(const struct lan_tcb *tcb, uint32_t percent);
uint32_t lan_bbr_target_inflight(const struct lan_tcb *tcb);
uint32_t lan_bbr_tolerated_part(const struct lan_tcb *tcb); /* one of so many may be lost */
bool lan_bbr_too_much_lost(const struct lan_tcb *tcb, uint32_t lost, uint32_t in_flight);

#endif
