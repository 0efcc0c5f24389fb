/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LANYARD_TESTS_NET_TCP_SACK_PEER_H
#define LANYARD_TESTS_NET_TCP_SACK_PEER_H

/* A peer that takes whole segments of the host's, counted from 0, and tells of them by SACK. */

#include "peer.h"

enum { RTT_MS = 20 };

uint32_t seq_of(uint32_t segment);

/* Writes a sequence number. */
void put_seq(uint8_t *p, uint32_t v);

/* A block of an option: octets [from, to) of the host's stream. */
struct block {
    uint32_t from, to;
};

/* The peer acknowledges everything before `ack`, and n blocks beyond. */
void sack_bytes(struct peer *p, uint32_t ack, const struct block *blocks, uint32_t n);

/* The same of one block, by numbers of segments. */
void sack(struct peer *p, uint32_t ack, uint32_t from, uint32_t to);

void expect_segment(struct peer *p, uint32_t segment);

/* The host sends segments [from, to), and a round trip passes. */
void send_flight(struct peer *p, uint32_t from, uint32_t to);

/* For cmocka: a connection with SACK whose round trip is RTT_MS. The first two segments have been sent and
 * acknowledged. */
int sack_setup(void **state);

#endif
