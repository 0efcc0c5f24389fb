/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LANYARD_ARITHMETIC_H
#define LANYARD_ARITHMETIC_H

/* What a machine of 32 bits has no instruction for, and its compiler a library that is larger than the need. */

#include <stddef.h>
#include <stdint.h>

uint64_t lan_long_division(uint64_t dividend, uint32_t divisor);

static inline uint64_t lan_divide(uint64_t dividend, uint32_t divisor)
{
    return sizeof(size_t) < sizeof dividend ? lan_long_division(dividend, divisor) : dividend / divisor;
}

#endif
