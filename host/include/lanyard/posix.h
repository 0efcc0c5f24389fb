/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LANYARD_POSIX_H
#define LANYARD_POSIX_H

/* The port to a POSIX process: one stack, one thread, an event loop on poll(2). Drivers' file descriptors are watched;
 * a blocking socket call turns the loop until it is answered. Time is CLOCK_MONOTONIC, entropy getrandom(2).
 */

#include "lanyard/stack.h"

struct lan_posix;

/* NULL when memory is short. It outlives its stack, which has nothing to be freed but its memory. */
struct lan_posix *lan_posix_create(void);
void lan_posix_destroy(struct lan_posix *posix);

const struct lan_port *lan_posix_port(struct lan_posix *posix);

/* The stack whose deadlines the loop keeps; call it once lan_stack_create() has made it. */
void lan_posix_attach(struct lan_posix *posix, struct lan_stack *stack);

/* Calls `ready(arg)` when `fd` can be read (or has failed). 0, or -ENOMEM. */
int lan_posix_watch(struct lan_posix *posix, int fd, void (*ready)(void *arg), void *arg);

/* Calls `work(arg)` once, in the next turn, before the loop sleeps. May be called from inside the stack, as what a
 * loopback wants must not be done there (loopback.h). 0, or -ENOMEM. */
int lan_posix_later(struct lan_posix *posix, void (*work)(void *arg), void *arg);

/* One turn: sleeps until a descriptor is ready, a deadline of the stack or `deadline_ns` (of the port's clock) comes,
 * or a signal; then does what is due. */
void lan_posix_turn(struct lan_posix *posix, uint64_t deadline_ns);

#endif
