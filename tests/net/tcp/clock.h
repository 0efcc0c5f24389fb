/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LANYARD_TESTS_NET_TCP_CLOCK_H
#define LANYARD_TESTS_NET_TCP_CLOCK_H

/* TCP's clock, for tests that call parts of TCP themselves; and what it shows in units of others. */

#include "tcp_internal.h"

/* No entry into TCP notices. */
static inline void let_pass(struct lan_stack *stack, uint64_t ns)
{
    lan_tcp_set_clock(&stack->tcp, stack->tcp.now_ns + ns);
}

static inline uint32_t ticks_in_us(uint32_t ticks)
{
    return (uint32_t)(((uint64_t)ticks << LAN_TCP_TICK_BITS) / 1000);
}

#endif
