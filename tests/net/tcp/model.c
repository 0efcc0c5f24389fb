/* SPDX-License-Identifier: Apache-2.0 */
#include "model.h"

#include <string.h>

static bool before(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) < 0;
}

static uint32_t sequence_bytes(const struct model_segment *segment)
{
    return segment->bytes + !!(segment->flags & M_SYN) + !!(segment->flags & M_FIN);
}

const char *model_state_name(enum model_state state)
{
    static const char *const NAMES[] = {"CLOSED",      "LISTEN",     "SYN-SENT",   "SYN-RECEIVED",
                                        "ESTABLISHED", "FIN-WAIT-1", "FIN-WAIT-2", "CLOSE-WAIT",
                                        "CLOSING",     "LAST-ACK",   "TIME-WAIT"};

    return NAMES[state];
}

void model_reset(struct model *m, bool listener)
{
    *m = (struct model){.state = listener ? M_LISTEN : M_CLOSED, .listener = listener, .application = true};
}

void model_connect(struct model *m, uint32_t iss)
{
    m->state = M_SYN_SENT;
    m->iss = m->snd_una = iss;
    m->snd_nxt = iss + 1;
}

static void gone(struct model *m)
{
    model_reset(m, m->listener);
}

void model_sent(struct model *m, uint32_t bytes)
{
    m->snd_nxt += bytes;
}

void model_fin(struct model *m)
{
    m->snd_nxt++;
    m->state = m->state == M_CLOSE_WAIT ? M_LAST_ACK : M_FIN_WAIT_1;
}

void model_expire(struct model *m)
{
    gone(m);
}

static struct model_answer reset_at(uint32_t seq)
{
    return (struct model_answer){.reset = true, .reset_seq = seq};
}

/* 3.10.7.1. */
static struct model_answer closed(const struct model_segment *segment)
{
    if (segment->flags & M_RST)
        return (struct model_answer){0};
    return reset_at(segment->flags & M_ACK ? segment->ack : 0);
}

static struct model_answer take_syn(struct model *m, const struct model_segment *segment)
{
    m->irs = segment->seq;
    m->rcv_nxt = segment->seq + 1;
    m->state = M_SYN_RECEIVED;
    return (struct model_answer){.syn = true};
}

/* 3.10.7.2. */
static struct model_answer listen(struct model *m, const struct model_segment *segment)
{
    if (segment->flags & M_RST)
        return (struct model_answer){0};
    if (segment->flags & M_ACK)
        return reset_at(segment->ack);
    if (!(segment->flags & M_SYN))
        return (struct model_answer){0};
    m->passive = true;
    return take_syn(m, segment);
}

/* Keeps [start, end) beyond the gap, joined with what it touches. */
static void hold(struct model *m, uint32_t start, uint32_t end)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < m->held_count; i++) {
        struct model_range *range = &m->held[i];

        if (before(end, range->start) || before(range->end, start)) {
            m->held[kept++] = *range;
        } else {
            start = before(range->start, start) ? range->start : start;
            end = before(end, range->end) ? range->end : end;
        }
    }
    m->held[kept] = (struct model_range){start, end};
    m->held_count = kept + 1;
}

/* What now lies at RCV.NXT is received. */
static void join(struct model *m)
{
    for (unsigned i = 0; i < m->held_count; i++) {
        struct model_range range = m->held[i];

        if (before(m->rcv_nxt, range.start))
            continue;
        if (before(m->rcv_nxt, range.end))
            m->rcv_nxt = range.end;
        m->held[i] = m->held[--m->held_count];
        join(m);
        return;
    }
}

static void fin_received(struct model *m)
{
    m->rcv_nxt++;
    if (m->state == M_ESTABLISHED)
        m->state = M_CLOSE_WAIT;
    else
        m->state = m->state == M_FIN_WAIT_1 ? M_CLOSING : M_TIME_WAIT;
}

/* Seventh and eighth: text and FIN. */
static void text(struct model *m, const struct model_segment *segment, uint32_t seq, uint32_t right_edge,
                 struct model_answer *answer)
{
    uint32_t start = seq, end = seq + segment->bytes;
    bool fin = segment->flags & M_FIN;

    if ((!segment->bytes && !fin) ||
        (m->state != M_ESTABLISHED && m->state != M_FIN_WAIT_1 && m->state != M_FIN_WAIT_2))
        return;
    answer->may_ack = true;
    if (before(start, m->rcv_nxt)) {
        start = before(end, m->rcv_nxt) ? end : m->rcv_nxt;
        answer->must_ack = true;
        fin = fin && start == m->rcv_nxt;
    }
    if (before(right_edge, end)) {
        end = before(start, right_edge) ? right_edge : start;
        answer->must_ack = true;
        fin = false;
    }
    if (start != end && !m->application) { /* RFC 1122 4.2.2.13: nobody will read it */
        *answer = reset_at(segment->ack);
        gone(m);
        return;
    }
    if (fin && (!m->fin_noted || before(m->fin_seq, m->rcv_nxt))) {
        m->fin_noted = answer->must_ack = true;
        m->fin_seq = end;
    }
    if (start != end) {
        if (start != m->rcv_nxt)
            answer->must_ack = true; /* RFC 5681 4.2 */
        hold(m, start, end);
        join(m);
    }
    if (m->fin_noted && m->rcv_nxt == m->fin_seq) {
        answer->must_ack = true;
        fin_received(m);
    }
}

/* 3.10.7.3. */
static struct model_answer syn_sent(struct model *m, const struct model_segment *segment, uint32_t right_edge)
{
    struct model_answer answer = {0};
    bool acks = segment->flags & M_ACK;

    if (acks && segment->ack != m->snd_nxt)
        return segment->flags & M_RST ? answer : reset_at(segment->ack);
    if (segment->flags & M_RST) {
        if (acks)
            gone(m);
        return answer;
    }
    if (!(segment->flags & M_SYN))
        return answer;
    answer = take_syn(m, segment);
    if (acks) {
        m->snd_una = segment->ack;
        m->state = M_ESTABLISHED;
        answer = (struct model_answer){0};
        text(m, segment, segment->seq + 1, right_edge, &answer);
        answer.must_ack = !answer.reset;
    }
    return answer;
}

/* First (3.10.7.4): the four cases of the table in 3.4. */
static bool acceptable(const struct model *m, const struct model_segment *segment, uint32_t right_edge)
{
    uint32_t window = right_edge - m->rcv_nxt, length = sequence_bytes(segment);
    uint32_t first = segment->seq - m->rcv_nxt, last = first + length - 1; /* places in the window */

    if (length == 0)
        return window == 0 ? first == 0 : first < window;
    return window != 0 && (first < window || last < window);
}

/* Fifth. False: the segment is dropped. */
static bool acknowledge(struct model *m, const struct model_segment *segment, struct model_answer *answer)
{
    if (before(m->snd_nxt, segment->ack) || before(segment->ack, m->snd_una - m->max_window)) {
        answer->may_ack = true; /* RFC 5961 5.2 */
        return false;
    }
    if (before(m->snd_una, segment->ack))
        m->snd_una = segment->ack;
    if (m->snd_una != m->snd_nxt)
        return true;
    switch (m->state) { /* all is acknowledged, our FIN too if there was one */
    case M_FIN_WAIT_1:
        m->state = M_FIN_WAIT_2;
        return true;
    case M_CLOSING:
        m->state = M_TIME_WAIT;
        return true;
    case M_LAST_ACK:
        gone(m);
        return false;
    default:
        return true;
    }
}

static struct model_answer synchronized(struct model *m, const struct model_segment *segment, uint32_t right_edge)
{
    struct model_answer answer = {0};

    if (m->state == M_SYN_RECEIVED && segment->flags == (M_SYN | M_ACK) && segment->seq == m->irs) { /* 3.5, figure 7 */
        if (segment->ack != m->snd_nxt)
            return reset_at(segment->ack);
        m->state = M_ESTABLISHED;
        if (acknowledge(m, segment, &answer))
            text(m, segment, segment->seq + 1, right_edge, &answer);
        return answer;
    }
    if (!acceptable(m, segment, right_edge)) {
        answer.may_ack = !(segment->flags & M_RST);
        answer.must_ack = answer.may_ack && sequence_bytes(segment) && !(segment->flags & M_SYN); /* RFC 5961 4.2 */
        if (m->state == M_SYN_RECEIVED && segment->flags == M_SYN && segment->seq == m->irs)
            answer = (struct model_answer){.syn = true}; /* our SYN-ACK was lost */
        return answer;
    }
    if (segment->flags & M_RST) { /* second; RFC 5961 3.2 */
        if (segment->seq == m->rcv_nxt)
            gone(m);
        else
            answer.may_ack = true;
        return answer;
    }
    if (segment->flags & M_SYN) { /* fourth; RFC 5961 4.2 */
        if (m->state == M_SYN_RECEIVED && m->passive)
            gone(m);
        else
            answer.may_ack = true;
        return answer;
    }
    if (!(segment->flags & M_ACK))
        return answer;
    if (m->state == M_SYN_RECEIVED) {
        if (segment->ack != m->snd_nxt)
            return reset_at(segment->ack);
        m->state = M_ESTABLISHED;
    }
    if (acknowledge(m, segment, &answer))
        text(m, segment, segment->seq, right_edge, &answer);
    return answer;
}

struct model_answer model_segment(struct model *m, const struct model_segment *segment, uint32_t right_edge)
{
    if ((segment->flags & M_SYN) && (segment->flags & (M_FIN | M_RST))) /* no honest stack sends these */
        return (struct model_answer){0};
    if (m->state == M_TIME_WAIT && m->listener && segment->flags == M_SYN && before(m->rcv_nxt, segment->seq))
        gone(m); /* MAY-2 */
    switch (m->state) {
    case M_CLOSED:
        return closed(segment);
    case M_LISTEN:
        return listen(m, segment);
    case M_SYN_SENT:
        return syn_sent(m, segment, right_edge);
    default:
        return synchronized(m, segment, right_edge);
    }
}
