/* SPDX-License-Identifier: Apache-2.0 */
#include "timer.h"
#include "arithmetic.h"

#include <string.h>

enum { EXPIRED = LAN_TIMER_LEVELS }; /* "level" of a timer that waits for its turn in lan_timers_run() */

void lan_timers_init(struct lan_timers *timers, uint64_t now_ns)
{
    memset(timers, 0, sizeof *timers);
    timers->now_ns = now_ns;
    timers->bound_ns = UINT64_MAX;
}

static void push(struct lan_timer **list, struct lan_timer *timer)
{
    timer->next = *list;
    timer->link = list;
    if (timer->next)
        timer->next->link = &timer->next;
    *list = timer;
}

static void detach(struct lan_timer *timer)
{
    *timer->link = timer->next;
    if (timer->next)
        timer->next->link = timer->link;
    timer->link = NULL;
}

/* In slots of this level. */
static uint64_t slot_time(uint64_t time_ns, unsigned level)
{
    return time_ns >> (level * LAN_TIMER_SLOT_BITS);
}

static void place(struct lan_timers *timers, struct lan_timer *timer)
{
    uint64_t due = timer->deadline_ns > timers->now_ns ? timer->deadline_ns : timers->now_ns;
    uint64_t differing = due ^ timers->now_ns;
    unsigned level = differing ? lan_highest_bit(differing) / LAN_TIMER_SLOT_BITS : 0;
    unsigned index = slot_time(due, level) & (LAN_TIMER_SLOTS - 1);
    struct lan_timer_slot *slot = &timers->slots[level][index];
    timer->level = (uint8_t)level;
    timer->slot = (uint8_t)index;
    if (!slot->first || due < slot->earliest_ns)
        slot->earliest_ns = due;
    if (due < timers->bound_ns)
        timers->bound_ns = due;
    push(&slot->first, timer);
    timers->levels |= 1u << level;
    timers->used[level] |= 1u << index;
}

static void mark_unused(struct lan_timers *timers, unsigned level, unsigned index)
{
    timers->used[level] &= ~(1u << index);
    if (!timers->used[level])
        timers->levels &= ~(1u << level);
}

void lan_timer_cancel(struct lan_timers *timers, struct lan_timer *timer)
{
    if (!timer->link)
        return;
    detach(timer);
    if (timer->level != EXPIRED && !timers->slots[timer->level][timer->slot].first)
        mark_unused(timers, timer->level, timer->slot);
}

void lan_timer_set(struct lan_timers *timers, struct lan_timer *timer, uint64_t deadline_ns)
{
    lan_timer_cancel(timers, timer);
    timer->deadline_ns = deadline_ns;
    place(timers, timer);
}

uint64_t lan_timers_next(const struct lan_timers *timers)
{
    if (!timers->levels)
        return UINT64_MAX;
    unsigned level = lan_lowest_bit(timers->levels);
    return timers->slots[level][lan_lowest_bit(timers->used[level])].earliest_ns;
}

/* Moves everything that is due to `expired`, in order. Each timer comes down at most one slot per level in its life. */
static void collect(struct lan_timers *timers, uint64_t now_ns, struct lan_timer **expired)
{
    struct lan_timer **tail = expired;
    while (timers->levels) {
        unsigned level = lan_lowest_bit(timers->levels), index = lan_lowest_bit(timers->used[level]);
        struct lan_timer_slot *slot = &timers->slots[level][index];
        if (slot_time(slot->earliest_ns, level) > slot_time(now_ns, level))
            break;
        /* Nothing is due before the earliest of this slot: the wheel may turn up to there. */
        timers->now_ns = slot->earliest_ns < now_ns ? slot->earliest_ns : now_ns;
        struct lan_timer *timer = slot->first;
        slot->first = NULL;
        mark_unused(timers, level, index);
        while (timer) {
            struct lan_timer *next = timer->next;
            if (level == 0) {
                timer->level = EXPIRED;
                timer->next = NULL;
                timer->link = tail;
                *tail = timer;
                tail = &timer->next;
            } else {
                place(timers, timer);
            }
            timer = next;
        }
    }
    if (timers->now_ns < now_ns)
        timers->now_ns = now_ns;
}

void lan_timers_run(struct lan_timers *timers, uint64_t now_ns)
{
    struct lan_timer *expired = NULL;
    collect(timers, now_ns, &expired);
    while (expired) {
        struct lan_timer *timer = expired;
        detach(timer);
        timer->fire(timer);
    }
}
