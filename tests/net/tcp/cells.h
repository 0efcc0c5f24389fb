/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LANYARD_TESTS_NET_TCP_CELLS_H
#define LANYARD_TESTS_NET_TCP_CELLS_H

/* The table of RFC 9293 3.10.7: eleven states by kind of segment by place. Where there is a window the place is where
 * the segment stands against it; in SYN-SENT it is what the segment acknowledges; before that there is none. */

#include "model.h"

enum cell_kind { K_SYN, K_SYN_ACK, K_SYN_FIN, K_RST, K_ACK, K_ACK_UNSENT, K_DATA, K_FIN, K_NO_ACK, CELL_KINDS };
enum cell_place {
    P_ANY, /* CLOSED, LISTEN */
    P_NO_ACK,
    P_OUR_SYN, /* SYN-SENT: what the segment acknowledges */
    P_NOT_OURS,
    P_LEFT,
    P_ACROSS, /* begins left of the window and reaches into it */
    P_AT,     /* begins at RCV.NXT */
    P_IN,     /* begins beyond it */
    P_RIGHT,
    CELL_PLACES
};
enum { CELL_STATES = M_TIME_WAIT + 1 };

struct cell {
    enum model_state state;
    enum cell_kind kind;
    enum cell_place place;
};

/* Where a segment belongs that arrives now. */
struct cell cell_of(const struct model *m, const struct model_segment *segment, uint32_t right_edge);

/* Whether there is such a segment. */
bool cell_exists(struct cell cell);

const char *cell_kind_name(enum cell_kind kind);
const char *cell_place_name(enum cell_place place);

#endif
