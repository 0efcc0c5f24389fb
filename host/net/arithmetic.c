/* SPDX-License-Identifier: Apache-2.0 */
#include "arithmetic.h"

#include <stdbool.h>

/* Bit by bit, where 32 of them do not hold the dividend. */
uint64_t lan_long_division(uint64_t dividend, uint32_t divisor)
{
    uint32_t high = (uint32_t)(dividend >> 32), low = (uint32_t)dividend, rest = high % divisor;

    if (!high)
        return low / divisor;
    for (int bit = 0; bit < 32; bit++) {
        bool carry = rest >> 31;

        rest = rest << 1 | low >> 31;
        low <<= 1;
        if (carry || rest >= divisor) {
            rest -= divisor;
            low |= 1;
        }
    }
    return (uint64_t)(high / divisor) << 32 | low;
}
