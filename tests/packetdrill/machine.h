/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LANYARD_PACKETDRILL_MACHINE_H
#define LANYARD_PACKETDRILL_MACHINE_H

/* One host in virtual time behind a link of IP packets, used by several threads.
 *
 * The thread that creates the machine conducts: only it lets time pass and handles packets. Others make socket calls
 * between machine_enter() and machine_leave(), and sleep in those that block; time stands still while one of them runs,
 * so a run is the same every time. Addresses are in network byte order, times in virtual nanoseconds from 0.
 */

#include "lanyard/socket.h"
#include <pthread.h>

struct packet { /* an IP packet that left the stack */
    struct packet *next;
    uint64_t sent_ns;
    size_t bytes;
    uint8_t data[];
};

struct sleeper;

struct machine {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_t conductor;
    unsigned running;  /* calls of other threads that do not sleep */
    unsigned returned; /* threads back from a call that slept, which have not looked at the clock since */
    struct sleeper *sleepers;
    struct packet *first, **last;

    /* world.h's. */
    struct world *world;
    struct lan_stack *stack;
    uint64_t now_ns;
};

struct machine_config {
    uint32_t address, netmask, gateway;
    struct lan_config stack;
    bool card; /* through the driver and the simulated card */
};

/* NULL: no memory. */
struct machine *machine_create(const struct machine_config *config);
void machine_destroy(struct machine *m);

/* Around every use of the stack. */
void machine_enter(struct machine *m);
void machine_leave(struct machine *m);

/* The conductor's, outside of enter and leave. */
void machine_advance(struct machine *m, uint64_t ns);
void machine_receive(struct machine *m, const void *packet, size_t bytes);

/* As machine_advance(), but whoever comes back from a call that slept may look at the clock before it goes on:
 * packetdrill's thread notes when the call ended, but may not run at once. */
void machine_sleep(struct machine *m, uint64_t ns);

/* A thread that is not the conductor looks. */
void machine_looked(struct machine *m);

/* The next packet that the stack sent, with time passing until there is one, `limit_ns` at most; NULL: none. The caller
 * frees it. */
struct packet *machine_sent(struct machine *m, uint64_t limit_ns);

#endif
