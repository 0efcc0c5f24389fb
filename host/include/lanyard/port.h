/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LANYARD_PORT_H
#define LANYARD_PORT_H

/* The port: what the stack asks of the world it runs in. The stack itself has no clock, no entropy, no memory and no
 * threads of its own. Implementations: host/os/posix (an event loop on poll(2)), sim/platform (SystemC).
 *
 * One stack is entered by one execution context at a time. A port with several threads (SystemC) lets a second thread
 * of the same host in only while the first is inside block().
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LAN_NEVER UINT64_MAX /* the deadline that does not come */

/* One sleep of one caller. The stack sets `woken`; `task` is the port's own, for finding the sleeper. */
struct lan_wakeup {
    bool woken;
    void *task;
};

struct lan_port {
    void *ctx;

    /* Monotonic time in nanoseconds, from any origin. */
    uint64_t (*now_ns)(void *ctx);

    /* Fills `out` with `bytes` unpredictable bytes (a seeded generator in simulation). Cannot fail. */
    void (*random)(void *ctx, void *out, size_t bytes);

    /* The stack's earliest deadline is now `deadline_ns` (LAN_NEVER: none). The port calls lan_stack_poll() then, or
     * a little later; it must not call it from inside this function. */
    void (*set_alarm)(void *ctx, uint64_t deadline_ns);

    /* Lets time pass until w->woken is set, or deadline_ns is reached: runs drivers and timers, or sleeps while
     * others do. May return early; the caller looks again. Only blocking socket calls use it. */
    void (*block)(void *ctx, struct lan_wakeup *w, uint64_t deadline_ns);

    /* w->woken has just been set; wake the sleeper (w->task) if the port put one there. */
    void (*unblock)(void *ctx, struct lan_wakeup *w);
};

#endif
