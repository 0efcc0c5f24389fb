/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LANYARD_TESTS_NET_TCP_MODEL_RUN_H
#define LANYARD_TESTS_NET_TCP_MODEL_RUN_H

/* Plays a sequence of segments and calls on the stack and on the model at once, and compares. */

#include "cells.h"
#include "model.h"
#include "peer.h"

enum event_kind { SEGMENT, WRITE, SHUTDOWN, CLOSE, READ, ACCEPT, WAIT, EXPIRE, EVENT_KINDS };

/* Where SEQ and ACK stand; what is none of these is where it belongs. */
enum seq_place {
    SEQ_JUST_BEFORE,
    SEQ_BEFORE,
    SEQ_NEXT,
    SEQ_BEYOND,
    SEQ_LAST,
    SEQ_RIGHT,
    SEQ_IRS,
    SEQ_OPPOSITE,
    SEQ_FAR,
    SEQ_AT
};
enum ack_place { ACK_UNA, ACK_OLD, ACK_UNSENT, ACK_HALF, ACK_LEFT, ACK_FAR, ACK_ALL };

struct event {
    enum event_kind kind;
    uint8_t flags;
    uint8_t seq_place, ack_place;
    uint16_t bytes;
    uint32_t far; /* a distance drawn once, for the places that want one */
};

struct run {
    struct fixture *f;
    struct peer peer;
    struct model model;
    int listener, fd; /* fd: the application's socket, -1 when it has none */
    bool shut, written;
    unsigned waits;
    bool forbids; /* to try the search for failures: it is one to come to this state */
    enum model_state forbidden;
    char problem[256];

    /* Of the last segment, and of all. */
    struct cell cell;
    struct model_answer answer;
    uint64_t visits[CELL_STATES][CELL_KINDS][CELL_PLACES];
};

enum { PATH_MAX_EVENTS = 6 };

/* The shortest sequence that leads to `state` after an active or a passive open; its length, or -1: there is none. */
int run_path(enum model_state state, bool passive, struct event events[PATH_MAX_EVENTS]);

/* False: it went wrong, at event *at; run->problem tells how. */
bool run_play(struct run *run, const struct event *events, unsigned count, bool passive, unsigned *at);

#endif
