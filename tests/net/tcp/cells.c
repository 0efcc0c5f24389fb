/* SPDX-License-Identifier: Apache-2.0 */
#include "cells.h"

static enum cell_kind kind_of(const struct model *m, const struct model_segment *segment)
{
    uint8_t flags = segment->flags;

    if (flags & M_SYN && flags & (M_FIN | M_RST))
        return K_SYN_FIN;
    if (flags & M_RST)
        return K_RST;
    if (flags & M_SYN)
        return flags & M_ACK ? K_SYN_ACK : K_SYN;
    if (!(flags & M_ACK))
        return K_NO_ACK;
    if (flags & M_FIN)
        return K_FIN;
    if (segment->bytes)
        return K_DATA;
    return (int32_t)(segment->ack - m->snd_nxt) > 0 ? K_ACK_UNSENT : K_ACK;
}

static enum cell_place place_of(const struct model *m, const struct model_segment *segment, uint32_t right_edge)
{
    uint32_t len = segment->bytes + !!(segment->flags & M_SYN) + !!(segment->flags & M_FIN);
    int32_t first = (int32_t)(segment->seq - m->rcv_nxt), end = first + (int32_t)len;

    if (m->state < M_SYN_SENT)
        return P_ANY;
    if (m->state == M_SYN_SENT && !(segment->flags & M_ACK))
        return P_NO_ACK;
    if (m->state == M_SYN_SENT)
        return segment->ack == m->snd_nxt ? P_OUR_SYN : P_NOT_OURS;
    if (first < 0)
        return end > 0 ? P_ACROSS : P_LEFT;
    if (first == 0)
        return P_AT;
    return first < (int32_t)(right_edge - m->rcv_nxt) ? P_IN : P_RIGHT;
}

struct cell cell_of(const struct model *m, const struct model_segment *segment, uint32_t right_edge)
{
    return (struct cell){m->state, kind_of(m, segment), place_of(m, segment, right_edge)};
}

bool cell_exists(struct cell cell)
{
    bool acks = cell.kind != K_SYN && cell.kind != K_NO_ACK;

    if (cell.state < M_SYN_SENT)
        return cell.place == P_ANY;
    if (cell.state > M_SYN_SENT) /* what has no length, or one, does not reach across an edge */
        return cell.place >= P_LEFT && (cell.place != P_ACROSS || cell.kind == K_DATA || cell.kind == K_FIN);
    switch (cell.place) {
    case P_NO_ACK:
        return !acks || cell.kind == K_RST || cell.kind == K_SYN_FIN;
    case P_OUR_SYN:
        return acks && cell.kind != K_ACK_UNSENT;
    case P_NOT_OURS:
        return acks;
    default:
        return false;
    }
}

const char *cell_kind_name(enum cell_kind kind)
{
    static const char *const NAMES[] = {"SYN",        "SYN-ACK", "SYN-FIN", "RST",   "ACK",
                                        "ACK-unsent", "data",    "FIN",     "no-ACK"};

    return NAMES[kind];
}

const char *cell_place_name(enum cell_place place)
{
    static const char *const NAMES[] = {"any", "no ACK", "of our SYN", "of something else", "left", "across",
                                        "at",  "in",     "right"};

    return NAMES[place];
}
