/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LANYARD_TESTS_NET_TCP_MODEL_H
#define LANYARD_TESTS_NET_TCP_MODEL_H

/* One end of one TCP connection as RFC 9293 3.10 describes it, written from the text and without the stack: what state
 * follows from a segment or a call, and what has to be answered. RFC 5961 decides where it is stricter.
 *
 * Left to the stack, as the RFC leaves it: the window it offers (given to the model with each segment), when it delays
 * an ACK, and how often it challenges. Sequence numbers are absolute.
 */

#include <stdbool.h>
#include <stdint.h>

enum model_state {
    M_CLOSED,
    M_LISTEN,
    M_SYN_SENT,
    M_SYN_RECEIVED,
    M_ESTABLISHED,
    M_FIN_WAIT_1,
    M_FIN_WAIT_2,
    M_CLOSE_WAIT,
    M_CLOSING,
    M_LAST_ACK,
    M_TIME_WAIT,
};

enum { M_FIN = 1, M_SYN = 2, M_RST = 4, M_ACK = 16 };
enum { MODEL_GAPS = 32 };

struct model_segment {
    uint8_t flags;
    uint32_t seq, ack, bytes;
};

struct model_range {
    uint32_t start, end;
};

struct model {
    enum model_state state;
    bool listener;    /* the port is open: where CLOSED would be, there is LISTEN */
    bool passive;     /* this connection came out of LISTEN */
    bool application; /* someone may still read */
    uint32_t iss, snd_una, snd_nxt, max_window;
    uint32_t irs, rcv_nxt;
    bool fin_noted; /* the peer's FIN is known to stand at fin_seq */
    uint32_t fin_seq;
    struct model_range held[MODEL_GAPS]; /* beyond a gap, apart and in order */
    unsigned held_count;
};

/* What the stack may and must send for it. Data, SYN and FIN of its own come on top of this. */
struct model_answer {
    bool reset;
    uint32_t reset_seq;
    bool must_ack; /* a segment that acknowledges rcv_nxt */
    bool may_ack;
    bool syn; /* a SYN, alone or with ACK */
};

const char *model_state_name(enum model_state state);

/* Where a new connection starts from. */
void model_reset(struct model *m, bool listener);

/* The stack has sent its first SYN. */
void model_connect(struct model *m, uint32_t iss);

/* SEGMENT ARRIVES (3.10.7). `right_edge` is the end of the receive window the stack has offered. After a SYN in LISTEN
 * the caller sets iss, snd_una and snd_nxt to what the stack chose. */
struct model_answer model_segment(struct model *m, const struct model_segment *segment, uint32_t right_edge);

void model_sent(struct model *m, uint32_t bytes); /* SEND (3.10.2): they have left */
void model_fin(struct model *m);                  /* CLOSE (3.10.4), or a shutdown of sending; the FIN has left */
void model_expire(struct model *m);               /* TIME-WAIT TIMEOUT (3.10.8) */

#endif
