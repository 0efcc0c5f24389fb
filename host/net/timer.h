/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LANYARD_TIMER_H
#define LANYARD_TIMER_H

/* Timers with nanosecond deadlines on a timing wheel of many levels (Varghese and Lauck, 1987), one list a level as in
 * a radix heap (Ahuja, Mehlhorn, Orlin and Tarjan, 1990): setting, cancelling and asking for the next deadline cost the
 * same with one timer as with a hundred thousand. A timer never fires early.
 *
 * A timer stands in the level of the highest pair of bits in which its deadline differs from the wheel's time,
 * so everything in a level comes before everything in the levels above it, and the first level in use holds the next
 * deadline.
 */

#include <stddef.h>
#include <stdint.h>

enum {
    LAN_TIMER_LEVEL_BITS = 2,
    LAN_TIMER_LEVELS = (64 + LAN_TIMER_LEVEL_BITS - 1) / LAN_TIMER_LEVEL_BITS,
};

/* Embedded in what it times, zeroed before its first use. Its owner cancels it before it goes away. */
struct lan_timer {
    void (*fire)(struct lan_timer *timer); /* set by the owner; may set or cancel any timer, its own too */
    struct lan_timer *next, **link;        /* link: what points at this timer; NULL when it is not running */
    uint64_t deadline_ns;
};

struct lan_timer_level {
    struct lan_timer *first;
    uint64_t earliest_ns; /* no timer here is due before; exact unless the earliest one was cancelled */
};

struct lan_timers {
    uint64_t now_ns;   /* the wheel's time: no running timer is due before it, but late ones set to the past */
    uint64_t bound_ns; /* no timer is due before: for a quick look whether the earliest deadline may have changed */
    struct lan_timer_level levels[LAN_TIMER_LEVELS + 1]; /* the last one: no timer, and never due */
};

/* `timers` is zeroes. */
void lan_timers_init(struct lan_timers *timers, uint64_t now_ns);

/* Starts a timer, or moves it when it is running. A deadline in the past fires at the next run. */
void lan_timer_set(struct lan_timers *timers, struct lan_timer *timer, uint64_t deadline_ns);

/* Does nothing when the timer is not running. */
void lan_timer_cancel(struct lan_timer *timer);

static inline int lan_timer_running(const struct lan_timer *timer)
{
    return timer->link != NULL;
}

/* Fires every timer that is due, in the order of their deadlines. A timer that sets itself to a deadline that is due
 * fires in the next run, so a run ends. */
void lan_timers_run(struct lan_timers *timers, uint64_t now_ns);

/* The earliest deadline, LAN_NEVER (UINT64_MAX) without timers. Never later than the truth; earlier only after the
 * earliest timer of a level was cancelled, and then once. */
uint64_t lan_timers_next(struct lan_timers *timers);

#endif
