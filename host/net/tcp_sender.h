/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LANYARD_TCP_SENDER_H
#define LANYARD_TCP_SENDER_H

/* What a connection knows while it sends, and what is done with it: the scoreboard, loss detection and recovery,
 * congestion control, delivery rate and pacing. */

#include "tcp_tcb.h"

enum { LAN_TCP_DUPACK_THRESHOLD = 3 };              /* RFC 5681 3.2, RFC 8985 6.2: so many say that one is lost */
enum { FRTO_OFF, FRTO_FIRST_ACK, FRTO_SECOND_ACK }; /* RFC 5682 2.1, steps 2 and 3 */

/* What the octets of a run of the scoreboard are; none: under way for the first time. */
enum {
    RUN_SACKED = 1u << 0,
    RUN_LOST = 1u << 1,          /* and not sent again yet */
    RUN_RETRANSMITTED = 1u << 2, /* sent more than once */
    RUN_BLURRED = 1u << 3,       /* part of it may have been sent well before `sent` */
};

struct lan_tcp_ack;
struct lan_tcp_sample;
struct lan_tcp_snapshot;

/* Congestion control. Windows are in bytes. */
struct lan_tcp_congestion {
    const char *name;
    void (*init)(struct lan_tcb *tcb);                                 /* its own part of the sender only */
    void (*acked)(struct lan_tcb *tcb, const struct lan_tcp_ack *ack); /* new data, outside recovery: adapts cwnd */
    uint32_t (*ssthresh)(struct lan_tcb *tcb); /* a loss, or with ECN_REDUCED a mark: the new slow start threshold */
    void (*undone)(struct lan_tcb *tcb);       /* the last one was none; NULL: nothing to do */
    void (*restart)(struct lan_tcb *tcb);      /* nothing is under way, and something is about to be */

    /* An algorithm that wants samples of the delivery rate sets cwnd by them, in recovery too; NULL: proportional rate
     * reduction does there, and acked() elsewhere. */
    void (*sampled)(struct lan_tcb *tcb, const struct lan_tcp_ack *ack, const struct lan_tcp_sample *sample);

    /* With sampled(): `bytes` are lost that were sent then. NULL as `sent`: that is not known. */
    void (*lost)(struct lan_tcb *tcb, const struct lan_tcp_snapshot *sent, uint32_t bytes);
};

extern const struct lan_tcp_congestion LAN_TCP_NEWRENO, LAN_TCP_CUBIC, LAN_TCP_BBR;

/* RFC 9438 4.1.1; windows in bytes. */
struct lan_tcp_cubic {
    uint32_t epoch;   /* when congestion avoidance began, in coarse ticks; 0: it has not, since the last loss */
    uint32_t k;       /* coarse ticks */
    uint32_t used_at; /* when the window last was: an ACK came in congestion avoidance while it bounded the flow */
    uint32_t w_max, cwnd_prior;
    uint32_t w_est, w_est_part; /* the second: of a byte */
};

/* RFC 9406 4.2; LAN_TCP_NEVER stands for infinity. */
struct lan_tcp_hystart {
    uint32_t last_min, current_min, css_baseline;
    uint32_t window_end;
    uint8_t samples;    /* up to N_RTT_SAMPLE */
    uint8_t css_rounds; /* 0: not in conservative slow start */
};

/* BBR (tcp_bbr.c), in the words of draft-ietf-ccwg-bbr, _st and _lt being short-term and long-term. Rates are bytes a
 * second, UINT32_MAX stands for infinity. */
struct lan_tcp_bbr {
    uint32_t extra_since;                          /* extra_acked_interval_start */
    uint32_t extra_delivered, extra[2];            /* extra_acked_filter: of the last rounds, of those before */
    uint32_t max_bw[2], bw_st, bw_latest, full_bw; /* max_bw_filter: of this cycle, of the one before */
    uint32_t inflight_lt, inflight_st, inflight_latest;
    uint32_t round_end, loss_round_end;             /* next_round_delivered, loss_round_delivered */
    uint32_t rounds;                                /* so far; when these were that many: */
    uint32_t probe_round, drain_round, extra_round; /* the last probe began, Drain, what extra[0] stands for */
    uint32_t probe_up_acked, probe_up_acked_per_inc;
    uint32_t min_rtt, rtt;                         /* rtt: the latest */
    uint32_t min_rtt_at, probe_rtt_done, cycle_at; /* coarse ticks */
    uint32_t probe_rtt_cwnd, prior_cwnd;
    uint32_t undo_bw_st, undo_inflight_st, undo_inflight_lt;
    uint16_t probe_wait; /* coarse ticks */
    uint8_t state, ack_phase, undo_state;
    uint8_t probe_up_rounds, full_bw_count, loss_events;
    uint8_t cover; /* per cent of the last round that were lost without a queue, up to LAN_BBR_LOSS_THRESHOLD */
    bool full_bw_now, full_bw_reached;
    bool round_start, loss_round_start, loss_in_round, ce_in_round;
    bool cwnd_limited, was_cwnd_limited; /* in this round, in the one before */
    bool probe_sample, probe_too_high, probe_precautionary;
    bool idle_restart, probe_rtt_timed, probe_rtt_round_done, recovering;
};

/* What was delivered and lost since the sender began, in bytes; and up to which `delivered` the application, not the
 * path, bounds the rate (0: it does not). */
struct lan_tcp_rate {
    uint32_t delivered_at; /* when `delivered` became what it is */
    uint32_t first_sent;   /* when the segment left whose ACK did that */
    uint32_t delivered, lost, app_limited;
    uint32_t in_flight;
};

/* A run of octets that share a fate (tcp_sack.c). */
struct lan_tcp_run {
    uint32_t end; /* it starts where the one before ends, or at SND.UNA */
    uint32_t flags;
    uint32_t sent; /* when its octets last were; if not all at once, the earliest such time, but for RUN_BLURRED */
};

/* What a connection knows of what it has under way, and what it learns of the path. Lives in a buffer of the pool from
 * the first byte sent until nothing has been under way for LAN_TCP_SENDER_KEEP: an idle connection is its TCB alone. */
struct lan_tcp_sender {
    struct lan_buf *buf;
    struct lan_buf *cursor; /* of the send queue: where the last segment ended, or NULL */
    uint64_t deadline_ns[LAN_TCP_DEADLINES - LAN_TCP_OWN_DEADLINES];
    struct lan_buf *table; /* one of the stack's, with more room for runs than this buffer has; NULL: none is needed */
    struct lan_tcp_run *runs; /* the table's, or own_runs */
    uint32_t first_run, run_count, run_room;
    uint32_t sacked, lost; /* bytes: arrived beyond a gap; lost and not sent again */
    uint32_t recover;
    uint32_t prr_delivered, prr_out, recover_flight; /* RFC 6937 */
    uint32_t cwnd_acked;                             /* bytes acknowledged towards the next step of cwnd */
    uint32_t undo_cwnd, undo_ssthresh;
    uint32_t undo_stamp;          /* time stamp of the first retransmission */
    uint32_t undo_bytes;          /* sent again and not reported as duplicate */
    uint32_t undo_una;            /* a duplicate before this was sent again by an earlier recovery */
    uint32_t rack_sent, rack_rtt; /* of the segment sent last of those that have arrived; 0: none that matters */
    uint32_t min_rtt;
    uint32_t min_rtt_at; /* coarse ticks */
    uint32_t rack_end, rack_fack;
    uint32_t reorder_round; /* a D-SACK before this is acknowledged is one of the same round */
    uint32_t tail_end;
    uint32_t retransmitted; /* segments */
    uint8_t frto;           /* FRTO_*: what the next ACK is to tell after a time-out */
    uint64_t pace_ns;       /* when the rate has made up for what has left */
    uint32_t turn_bytes;    /* have left in this turn of output */
    uint32_t pacing_rate;   /* bytes a second that congestion control allows; 0: any number */
    union {
        struct {
            struct lan_tcp_cubic cubic, cubic_before; /* before: as the last loss found it */
            struct lan_tcp_hystart hystart;
        };
        struct {
            struct lan_tcp_rate rate;
            struct lan_tcp_bbr bbr;
        };
    };
    struct lan_tcp_run own_runs[]; /* as many as the buffer holds */
};

/* What one ACK has told so far. */
struct lan_tcp_ack {
    uint32_t acked;       /* bytes by which snd_una has advanced */
    uint32_t delivered;   /* bytes newly known to have arrived, in order or not */
    uint32_t fack;        /* rack_fack to be */
    uint32_t dsack_bytes; /* reported to have arrived twice */
    uint32_t rtt;         /* of the last segment that it acknowledges and that was sent once; 0: none */
    /* When the one sent first of those that it acknowledges was, and the one sent last. 0: none, or nobody can tell. */
    uint32_t first_sent, last_sent;
    uint32_t again_sent; /* the same of those sent more than once: what left before it may have waited behind them */
    uint32_t stamp_age;  /* lan_tcp_stamp_age() */
    bool duplicate;
    bool ece;           /* told of congestion: no reason to grow (RFC 3168 6.1.2) */
    bool original;      /* it answers what was sent before the first retransmission */
    uint32_t dsack_end; /* with dsack_bytes: where they end */
};

/* tcp_sender.c */

/* To be called before something is sent; false: no memory. */
bool lan_tcp_sender_open(struct lan_tcb *tcb);

/* Nothing is under way any more: the sender stays for a while, if memory is plenty. */
void lan_tcp_sender_rest(struct lan_tcb *tcb);
void lan_tcp_sender_close(struct lan_tcb *tcb);  /* whatever is under way is forgotten */
void lan_tcp_sender_forget(struct lan_tcb *tcb); /* time-outs have gone on for minutes */
bool lan_tcp_on_quiet(struct lan_tcb *tcb);

/* tcp_sack.c */

/* [seq, end) has just been sent, again or for the first time; snd_nxt is still what it was. */
void lan_tcp_sent(struct lan_tcb *tcb, uint32_t seq, uint32_t end);

/* Moves snd_una to `una`. */
void lan_tcp_scoreboard_acked(struct lan_tcb *tcb, uint32_t una, struct lan_tcp_ack *ack);

/* The same where that is all that is under way, and left once and at one time. False, and nothing has been done: it is
 * not so. */
bool lan_tcp_all_acked(struct lan_tcb *tcb, uint32_t una, struct lan_tcp_ack *ack);
void lan_tcp_scoreboard_sacked(struct lan_tcb *tcb, const struct lan_tcp_segment *segment, struct lan_tcp_ack *ack);

/* How many runs a sender in this buffer has room for. */
static inline uint32_t lan_tcp_own_room(const struct lan_buf *buf)
{
    return (uint32_t)((buf->capacity - sizeof(struct lan_tcp_sender)) / sizeof(struct lan_tcp_run));
}

void lan_tcp_table_return(struct lan_tcb *tcb); /* if the runs are few enough again */

static inline void lan_tcp_scoreboard_shrink(struct lan_tcb *tcb)
{
    if (LAN_TCP_TABLES && tcb->sender->table)
        lan_tcp_table_return(tcb);
}

/* Whatever is old counts as sent a few minutes ago. */
void lan_tcp_scoreboard_blur(struct lan_tcb *tcb);

/* The first octets that are lost and not sent again; false: there are none. */
bool lan_tcp_next_lost(const struct lan_tcb *tcb, struct lan_tcp_block *lost);

/* Transmissions within half of this (SRTT may have been more then) may be one run, as of the time of the first. */
#define LAN_TCP_SAME_TIME(tcb) ((tcb)->srtt / 32)

/* Whatever was sent before `sent` (or then, and ends before `end`) and has not arrived is lost `age` after it was sent.
 * Returns in how long the next one will be, or LAN_TCP_NEVER. */
uint32_t lan_tcp_lose_older(struct lan_tcb *tcb, uint32_t sent, uint32_t end, uint32_t age);

/* The first `bytes` under way are lost, but for what SACK says has arrived. */
void lan_tcp_mark_lost(struct lan_tcb *tcb, uint32_t bytes);
void lan_tcp_not_lost(struct lan_tcb *tcb); /* nothing of it is */

/* A time-out, though the peer said that it has the first octets: it has thrown them away, so no SACK counts (RFC 2018
 * 8). */
void lan_tcp_reneged(struct lan_tcb *tcb);

/* Bytes in the network (RFC 6675 3). */
static inline uint32_t lan_tcp_pipe(const struct lan_tcb *tcb)
{
    uint32_t flight = tcb->snd_nxt - tcb->snd_una;
    uint32_t out = tcb->sender ? tcb->sender->sacked + tcb->sender->lost : 0;
    return flight > out ? flight - out : 0;
}

/* tcp_congestion.c */

/* NULL: there is no such algorithm. Reads a byte beyond what is equal to a name at most. */
const struct lan_tcp_congestion *lan_tcp_congestion_named(const char *name);

uint32_t lan_tcp_initial_window(const struct lan_tcb *tcb); /* RFC 6928 */
uint32_t lan_tcp_used_window(const struct lan_tcb *tcb);    /* without limited transmit */
/* So many twentieths of that, but two segments at least. */
uint32_t lan_tcp_reduced(const struct lan_tcb *tcb, uint32_t twentieths);
void lan_tcp_reduce_window(struct lan_tcb *tcb);    /* to ssthresh, for one loss or mark without a recovery */
void lan_tcp_restart_window(struct lan_tcb *tcb);   /* RFC 5681 4.1: the restart() of most algorithms */
void lan_tcp_start_congestion(struct lan_tcb *tcb); /* there is a sender */

/* tcp_hystart.c */

void lan_tcp_hystart_init(struct lan_tcb *tcb);
void lan_tcp_hystart_acked(struct lan_tcb *tcb, const struct lan_tcp_ack *ack); /* slow start of cwnd */

/* Whether the stamp tells that the ACK answers what left `since` ticks ago, which was not the first time; or that it
 * answers an earlier transmission of the same. Neither: it has no stamp. */
static inline bool lan_tcp_answers_last(const struct lan_tcp_ack *ack, uint32_t since)
{
    return ack->stamp_age <=
           LAN_TCP_COARSE_OF(since) + 1; /* two instants of the coarse clock may be one tick apart more */
}

static inline bool lan_tcp_answers_earlier(const struct lan_tcp_ack *ack, uint32_t since)
{
    return ack->stamp_age != LAN_TCP_NEVER && !lan_tcp_answers_last(ack, since);
}

/* tcp_rack.c */

/* What has arrived tells that the path took so long. */
void lan_tcp_rack_rtt(struct lan_tcb *tcb, uint32_t rtt, struct lan_tcp_ack *ack);

/* Octets up to `end` of a run with these flags, last sent at sent, have arrived. */
void lan_tcp_rack_update(struct lan_tcb *tcb, uint32_t sent, uint32_t end, uint32_t flags, struct lan_tcp_ack *ack);
void lan_tcp_rack_detect(struct lan_tcb *tcb); /* marks what is lost, and sets the deadline for the rest */
void lan_tcp_rack_dsack(struct lan_tcb *tcb);
void lan_tcp_rack_recovered(struct lan_tcb *tcb);
void lan_tcp_probe_arm(struct lan_tcb *tcb);
void lan_tcp_probe_acked(struct lan_tcb *tcb, const struct lan_tcp_ack *ack);
bool lan_tcp_on_reorder(struct lan_tcb *tcb);
bool lan_tcp_on_tail_probe(struct lan_tcb *tcb);

/* tcp_rate.c */

/* What was known when something was sent, then and until the next snapshot. */
struct lan_tcp_snapshot {
    uint32_t sent;
    struct lan_tcp_rate rate; /* in_flight includes what was sent */
};

/* What an ACK says about the time since the segment left that it answers. */
struct lan_tcp_sample {
    const struct lan_tcp_snapshot *sent; /* NULL: it says nothing */
    uint32_t rate;                       /* bytes a second; 0: no reliable one */
    uint32_t delivered, lost;            /* since then */
};

uint32_t lan_tcp_rate(uint32_t bytes, uint32_t ticks);       /* bytes a second, below UINT32_MAX; ticks: not 0 */
void lan_tcp_rate_sent(struct lan_tcb *tcb, uint32_t bytes); /* they have just been sent */
void lan_tcp_rate_acked(struct lan_tcb *tcb, const struct lan_tcp_ack *ack);
void lan_tcp_rate_lost(struct lan_tcb *tcb, uint32_t sent, uint32_t bytes);
void lan_tcp_rate_limited(struct lan_tcb *tcb); /* what is under way is less than the path would take */
void lan_tcp_rate_rest(struct lan_tcb *tcb);    /* nothing is under way */

/* Notices that the application has nothing to send, though it might: to be called before that changes. */
void lan_tcp_rate_check(struct lan_tcb *tcb);

/* tcp_pacing.c */

uint32_t lan_tcp_pacing_rate(const struct lan_tcb *tcb); /* bytes a second; UINT32_MAX: any number */

/* How much of `room` may go now; 0: nothing, and the deadline is set. */
uint32_t lan_tcp_pace(struct lan_tcb *tcb, uint32_t room);
void lan_tcp_paced(struct lan_tcb *tcb, uint32_t bytes);  /* they have just been sent */
uint32_t lan_tcp_send_quantum(const struct lan_tcb *tcb); /* bytes that may go at once */
bool lan_tcp_on_pace(struct lan_tcb *tcb);

static inline bool lan_tcp_is_paced(const struct lan_tcb *tcb)
{
    return tcb->opt.pacing_limit != UINT32_MAX || (tcb->sender && tcb->sender->pacing_rate);
}

/* The rate has not made up yet for what has left. There is a sender. */
static inline bool lan_tcp_ahead(const struct lan_tcb *tcb)
{
    return tcb->stack->tcp.now_ns < tcb->sender->pace_ns;
}

/* tcp_frto.c */

void lan_tcp_frto_begin(struct lan_tcb *tcb, bool first); /* a time-out; first: not during a recovery */

/* With frto on: true as long as nobody knows whether anything was lost. */
bool lan_tcp_frto_acked(struct lan_tcb *tcb, const struct lan_tcp_ack *ack);

/* tcp_recovery.c */

/* Takes what an ACK has told: finds losses, enters and leaves recovery, adapts cwnd. */
void lan_tcp_recovery(struct lan_tcb *tcb, struct lan_tcp_ack *ack);
void lan_tcp_recover_lost(struct lan_tcb *tcb); /* begins fast recovery if something is lost */
void lan_tcp_enter_loss(struct lan_tcb *tcb);   /* the retransmission time-out */
void lan_tcp_undo(struct lan_tcb *tcb);         /* nothing was lost: everything is as before the recovery */

#endif
