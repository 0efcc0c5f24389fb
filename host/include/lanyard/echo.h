/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LANYARD_ECHO_H
#define LANYARD_ECHO_H

/* The echo service (RFC 862) and the discard service (RFC 863), each on TCP and UDP at once. */

#include "lanyard/loop.h"

enum { LAN_ECHO_PORT = 7, LAN_DISCARD_PORT = 9 };

struct lan_echo_stats {
    uint64_t connections;          /* TCP, accepted so far */
    uint64_t open;                 /* now */
    uint64_t bytes;                /* received on TCP */
    uint64_t datagrams;            /* received on UDP */
    uint64_t datagrams_unanswered; /* echo: no room to send them back */
};

struct lan_echo;

/* Bytes of memory for a service with at most `connections` TCP connections at once; more wait in the backlog. */
size_t lan_echo_size(uint32_t connections);
size_t lan_discard_size(uint32_t connections);

/* Listens on `port` (host byte order) as soon as the loop runs. `memory` (aligned as malloc() does) and `loop` are
 * borrowed until lan_echo_destroy(), which serves both. NULL with a negative errno in *error when a socket call fails.
 */
struct lan_echo *lan_echo_create(void *memory, struct lan_loop *loop, uint16_t port, uint32_t connections, int *error);
struct lan_echo *lan_discard_create(void *memory, struct lan_loop *loop, uint16_t port, uint32_t connections,
                                    int *error);
void lan_echo_destroy(struct lan_echo *echo);

const struct lan_echo_stats *lan_echo_stats(const struct lan_echo *echo);

#endif
