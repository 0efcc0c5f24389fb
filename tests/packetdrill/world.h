/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LANYARD_PACKETDRILL_WORLD_H
#define LANYARD_PACKETDRILL_WORLD_H

/* What a machine's stack lives in. A shared object has one of two: bare.c, where an interface of the stack hands
 * packets to the script, and card.cc, where driver, simulated card and a cable lie between. All of these are the
 * conductor's.
 */

#include "machine.h"

extern const bool WORLD_HAS_CARD;

/* Sets the machine's world, stack and time. False: no memory, or impossible addresses. */
bool world_create(struct machine *m, const struct machine_config *config);
void world_destroy(struct machine *m);

/* When something may happen by itself. */
uint64_t world_next(const struct machine *m);

/* Lets time pass until `until_ns`, or less if something has happened that concerns the machine. */
void world_step(struct machine *m, uint64_t until_ns);

/* After each use of the stack. */
void world_settle(struct machine *m);

/* A packet of the script: the stack has taken it when this returns. */
void world_receive(struct machine *m, const void *packet, size_t bytes);

/* The machine's, for its world: the port's functions, and a packet from the stack. */
void machine_random(uint64_t *state, void *out, size_t bytes);
void machine_block(struct machine *m, struct lan_wakeup *wakeup, uint64_t deadline_ns);
void machine_unblock(struct machine *m, struct lan_wakeup *wakeup);
void machine_emit(struct machine *m, const void *packet, size_t bytes, uint64_t sent_ns);

/* The link: the stack's end, and the gateway's, whose MAC address every address of the link has. */
enum { WORLD_ETH_BYTES = 14, WORLD_ARP_BYTES = 28, WORLD_TYPE_IP = 0x0800, WORLD_TYPE_ARP = 0x0806 };
extern const uint8_t WORLD_OWN_MAC[6], WORLD_GATEWAY_MAC[6];

/* Writes the header of a frame to the stack. */
void world_put_header(uint8_t out[WORLD_ETH_BYTES], unsigned type);

/* The answer to an ARP packet; false: it asked for nothing but announced itself. */
bool world_answer_arp(const uint8_t asked[WORLD_ARP_BYTES], uint8_t out[WORLD_ARP_BYTES]);

#endif
