/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LANYARD_LOOP_H
#define LANYARD_LOOP_H

/* The event loop of the applications: one thread of a host serves any number of sockets. A turn costs what is ready,
 * not what is there. Level-triggered: a handler may do a part of the work and is called again while some is left.
 *
 *     lan_loop_init(&loop, stack, port);
 *     lan_httpd_create(...);            the applications add their sources
 *     lan_loop_run(&loop);              until somebody calls lan_loop_stop()
 *
 * The structures are the caller's memory; their fields belong to loop.c unless said otherwise.
 */

#include "lanyard/socket.h"

struct lan_source;

/* `ready`: the LAN_POLL bits that hold (ERR, HUP and NVAL unasked); 0: the deadline has come (and is gone, set a new
 * one if wanted). The handler may add, change and remove any source, its own too. On ERR, HUP or NVAL it must remove
 * the source or wait for nothing, or it is called again. */
typedef void lan_source_handler(struct lan_source *source, int ready);

struct lan_loop {
    struct lan_stack *stack;     /* may be read */
    const struct lan_port *port; /* may be read */
    struct lan_source *ready_head, *ready_tail;
    struct lan_source *timers;  /* pairing heap, earliest deadline on top */
    struct lan_source *running; /* whose handler is being called; NULL once it removed itself */
    struct lan_wakeup wakeup;
    uint32_t turn;
    bool stopped;
};

struct lan_source {
    struct lan_loop *loop; /* may be read; NULL while the source is in no loop */
    int fd;                /* may be read; -1: a timer only */
    int events;
    lan_source_handler *handler;
    uint64_t deadline_ns;
    bool queued, unfinished;
    uint32_t turn; /* in which it queued up */
    struct lan_source *ready_next, *ready_prev;
    struct lan_source *child, *sibling, *parent; /* of the heap; parent: or the elder sibling */
};

/* `stack` and `port` (the stack's own) are borrowed for the loop's life. */
void lan_loop_init(struct lan_loop *loop, struct lan_stack *stack, const struct lan_port *port);

/* Runs until lan_loop_stop(), which may come before it too, from a handler or from another thread of this host. */
void lan_loop_run(struct lan_loop *loop);
void lan_loop_stop(struct lan_loop *loop);

/* For those who have a loop of their own: does what is ready and due, without sleeping, and returns when it wants to be
 * called again (0: at once, LAN_NEVER: when the stack has had input). */
uint64_t lan_loop_turn(struct lan_loop *loop);

/* The port's time. */
uint64_t lan_loop_now(const struct lan_loop *loop);

/* Watches `fd` (-1: none) for `events` (LAN_POLLIN, LAN_POLLOUT, LAN_POLLRDHUP). `source` is new or removed. */
void lan_loop_add(struct lan_loop *loop, struct lan_source *source, int fd, int events, lan_source_handler *handler);

/* Ends the watch and the deadline; the socket stays open, and is to be closed after this, not before. Nothing happens
 * if the source is in no loop. */
void lan_loop_remove(struct lan_source *source);

/* Changes what is waited for; 0 with no deadline: nothing but errors. */
void lan_source_events(struct lan_source *source, int events);

/* From a handler that has more to do but lets others have their turn: it is called again in the next, with its events,
 * ready or not. */
void lan_source_yield(struct lan_source *source);

/* Calls the handler with 0 at this time of the port, once; LAN_NEVER takes the deadline away. */
void lan_source_deadline(struct lan_source *source, uint64_t deadline_ns);

#endif
