/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LANYARD_TESTS_NET_START_H
#define LANYARD_TESTS_NET_START_H

#include <stdint.h>
#include <stdlib.h>

/* At this time all that TCP counts in 32 bits wraps at once: ticks of 2^10 ns, of 2^20 ns and of 2^30 ns. */
#define START_WRAP_NS (UINT64_C(1) << 62)

/* What virtual time begins with: a second; or, where the environment's LANYARD_WRAP_MS says so, as much before that. */
static inline uint64_t start_ns(void)
{
    const char *wrap_ms = getenv("LANYARD_WRAP_MS");

    return wrap_ms ? START_WRAP_NS - strtoull(wrap_ms, NULL, 10) * 1000000 : 1000000000;
}

/* What random numbers begin with: `seed`; or, where the environment's LANYARD_SEED says so, as much more. */
static inline uint64_t start_seed(uint64_t seed)
{
    const char *more = getenv("LANYARD_SEED");

    return seed + (more ? strtoull(more, NULL, 10) : 0);
}

#endif
