/* SPDX-License-Identifier: Apache-2.0 */
#include "timer.h"

void lan_timers_init(struct lan_timers *timers, uint64_t now_ns)
{
    timers->now_ns = now_ns;
    timers->bound_ns = timers->levels[LAN_TIMER_LEVELS].earliest_ns = UINT64_MAX;
}

/* By half the number of the highest bit that is set, rounded down. */
static struct lan_timer_level *level_of(struct lan_timers *timers, uint64_t differing)
{
    struct lan_timer_level *level = timers->levels;
    if (sizeof(size_t) == sizeof differing) /* these machines have an instruction for it */
        return level + (63 - (unsigned)__builtin_clzll(differing | 1)) / LAN_TIMER_LEVEL_BITS;
    while (differing >>= LAN_TIMER_LEVEL_BITS)
        level++;
    return level;
}

void lan_timer_cancel(struct lan_timer *timer)
{
    if (!timer->link)
        return;
    *timer->link = timer->next;
    if (timer->next)
        timer->next->link = timer->link;
    timer->link = NULL;
}

void lan_timer_set(struct lan_timers *timers, struct lan_timer *timer, uint64_t deadline_ns)
{
    uint64_t due = deadline_ns > timers->now_ns ? deadline_ns : timers->now_ns;
    struct lan_timer_level *level = level_of(timers, due ^ timers->now_ns);
    lan_timer_cancel(timer);
    if (!level->first || due < level->earliest_ns)
        level->earliest_ns = due;
    if (due < timers->bound_ns)
        timers->bound_ns = due;
    timer->deadline_ns = deadline_ns;
    timer->next = level->first;
    timer->link = &level->first;
    if (timer->next)
        timer->next->link = &timer->next;
    level->first = timer;
}

/* The first level in use, which holds the next deadline, or the last one. */
static struct lan_timer_level *first_in_use(struct lan_timers *timers)
{
    struct lan_timer_level *level = timers->levels;
    while (level < timers->levels + LAN_TIMER_LEVELS && !level->first)
        level++;
    return level;
}

uint64_t lan_timers_next(struct lan_timers *timers)
{
    return first_in_use(timers)->earliest_ns;
}

/* Moves everything that is due to `expired`, in order. Each time the first level in use is emptied, the wheel's time
 * goes on by at least one in that level's bits, so each timer moves a bounded number of times in its life. */
static void collect(struct lan_timers *timers, uint64_t now_ns, struct lan_timer **expired)
{
    struct lan_timer **tail = expired;
    for (;;) {
        struct lan_timer_level *level = first_in_use(timers);
        if (level->earliest_ns > now_ns)
            return;
        struct lan_timer *list = level->first;
        list->link = &list;
        level->first = NULL;
        timers->now_ns = level->earliest_ns;
        while (list) {
            struct lan_timer *timer = list;
            if (timer->deadline_ns > timers->now_ns) {
                lan_timer_set(timers, timer, timer->deadline_ns);
                continue;
            }
            lan_timer_cancel(timer);
            timer->next = NULL;
            timer->link = tail;
            *tail = timer;
            tail = &timer->next;
        }
    }
}

void lan_timers_run(struct lan_timers *timers, uint64_t now_ns)
{
    struct lan_timer *expired = NULL;
    collect(timers, now_ns, &expired);
    while (expired) {
        struct lan_timer *timer = expired;
        lan_timer_cancel(timer);
        timer->fire(timer);
    }
}
