/* SPDX-License-Identifier: Apache-2.0 */
/* Samples of the delivery rate (draft-ietf-ccwg-bbr 4.1), for congestion control that wants them.
 *
 * What a sample needs of the moment when a segment left depends on that moment only, and the scoreboard knows when each
 * octet was sent last. So nothing is kept with a segment: snapshots taken SRTT / SPACING apart, in a ring that fills a
 * buffer of its own behind the sender's while anything is under way, serve everything sent until the next one. A sample
 * then begins a little before its segment left, which is as true.
 */

#include "tcp_internal.h"

enum { SPACING = 16 };

/* In the buffer: `count` snapshots, the newest at `newest`. */
struct ring {
    uint32_t newest, count;
    struct lan_tcp_snapshot snapshots[];
};

static struct ring *ring_of(const struct lan_tcb *tcb)
{
    const struct lan_buf *buf = tcb->sender->buf->next;
    return buf ? (struct ring *)buf->store : NULL;
}

static uint32_t room_of(const struct lan_tcb *tcb)
{
    return (uint32_t)((tcb->sender->buf->next->capacity - sizeof(struct ring)) / sizeof(struct lan_tcp_snapshot));
}

static struct ring *open_ring(struct lan_tcb *tcb)
{
    if (!ring_of(tcb)) {
        struct lan_buf *buf = lan_tcp_memory_low(tcb->stack) ? NULL : lan_buf_alloc(tcb->stack->pool, 0);
        if (!buf)
            return NULL; /* without snapshots there are no samples */
        *(struct ring *)buf->store = (struct ring){0};
        tcb->sender->buf->next = buf;
    }
    return ring_of(tcb);
}

void lan_tcp_rate_rest(struct lan_tcb *tcb)
{
    lan_buf_free(tcb->sender->buf->next);
    tcb->sender->buf->next = NULL;
}

void lan_tcp_rate_sent(struct lan_tcb *tcb, uint32_t bytes)
{
    struct lan_tcp_rate *rate = &tcb->sender->rate;
    struct ring *ring = open_ring(tcb);
    uint32_t now = lan_tcp_now(tcb);
    rate->in_flight = lan_tcp_pipe(tcb);
    if (rate->in_flight <= bytes)
        rate->first_sent = rate->delivered_at = now;
    if (!ring)
        return;
    struct lan_tcp_snapshot *newest = &ring->snapshots[ring->newest];
    if (ring->count && now - newest->sent < tcb->srtt / SPACING && !newest->rate.app_limited == !rate->app_limited) {
        newest->rate.in_flight = rate->in_flight;
        return;
    }
    uint32_t room = room_of(tcb);
    ring->newest = ring->newest + 1 < room ? ring->newest + 1 : 0;
    ring->count += ring->count < room;
    ring->snapshots[ring->newest] = (struct lan_tcp_snapshot){.sent = now, .rate = *rate};
}

/* The last snapshot before something was sent; NULL: it is gone. */
static const struct lan_tcp_snapshot *find(const struct lan_tcb *tcb, uint32_t sent)
{
    const struct ring *ring = ring_of(tcb);
    uint32_t at = ring ? ring->newest : 0;
    for (uint32_t i = 0; ring && i < ring->count; i++) {
        if (lan_seq_leq(ring->snapshots[at].sent, sent))
            return &ring->snapshots[at];
        at = (at ? at : room_of(tcb)) - 1;
    }
    return NULL;
}

LAN_SHARED uint32_t lan_tcp_rate(uint32_t bytes, uint32_t ticks)
{
    uint64_t rate = lan_divide(bytes * LAN_S >> LAN_TCP_TICK_BITS, ticks);
    return rate < UINT32_MAX ? (uint32_t)rate : UINT32_MAX - 1;
}

/* 4.1.2.3, GenerateRateSample(). One ACK may tell of much that has arrived long ago, without SACK or after a time-out:
 * then the sample takes as long as sending that did. */
static struct lan_tcp_sample take_sample(const struct lan_tcb *tcb, const struct lan_tcp_ack *ack)
{
    const struct lan_tcp_rate *rate = &tcb->sender->rate;
    struct lan_tcp_sample sample = {.sent = find(tcb, ack->last_sent)};
    if (!sample.sent)
        return sample;
    const struct lan_tcp_rate *then = &sample.sent->rate;
    uint32_t first = lan_seq_lt(ack->first_sent, then->first_sent) ? ack->first_sent : then->first_sent;
    uint32_t to_send = ack->last_sent - first, to_ack = rate->delivered_at - then->delivered_at;
    uint32_t interval = to_send > to_ack ? to_send : to_ack;
    sample.delivered = rate->delivered - then->delivered;
    sample.lost = rate->lost - then->lost;
    if (interval && interval >= tcb->sender->min_rtt)
        sample.rate = lan_tcp_rate(sample.delivered, interval);
    return sample;
}

void lan_tcp_rate_acked(struct lan_tcb *tcb, const struct lan_tcp_ack *ack)
{
    struct lan_tcp_rate *rate = &tcb->sender->rate;
    if (ack->delivered) {
        rate->delivered += ack->delivered;
        rate->delivered_at = lan_tcp_now(tcb);
    }
    struct lan_tcp_sample sample = {0};
    if (ack->last_sent) {
        sample = take_sample(tcb, ack);
        if (lan_seq_lt(rate->first_sent, ack->last_sent))
            rate->first_sent = ack->last_sent;
    }
    rate->in_flight = lan_tcp_pipe(tcb);
    if (rate->app_limited && lan_seq_lt(rate->app_limited, rate->delivered))
        rate->app_limited = 0;
    tcb->opt.congestion->sampled(tcb, ack, &sample);
}

void lan_tcp_rate_lost(struct lan_tcb *tcb, uint32_t sent, uint32_t bytes)
{
    tcb->sender->rate.lost += bytes;
    tcb->opt.congestion->lost(tcb, find(tcb, sent), bytes);
}

void lan_tcp_rate_limited(struct lan_tcb *tcb)
{
    struct lan_tcp_rate *rate = &tcb->sender->rate;
    uint32_t until = rate->delivered + lan_tcp_pipe(tcb);
    rate->app_limited = until ? until : 1;
}

/* 4.1.2.4. */
void lan_tcp_rate_check(struct lan_tcb *tcb)
{
    uint32_t flight = tcb->snd_nxt - tcb->snd_una;
    if (tcb->snd_queued <= flight && lan_tcp_pipe(tcb) < tcb->cwnd && !tcb->sender->lost)
        lan_tcp_rate_limited(tcb);
}
