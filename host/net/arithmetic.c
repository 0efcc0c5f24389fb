/* SPDX-License-Identifier: Apache-2.0 */
#include "arithmetic.h"

#include <stdbool.h>

/* Leiserson, Prokop and Randall 1998: each bit of the factor and the four below it make a number of their own. */
uint32_t lan_lowest_bit(uint32_t bits)
{
    static const uint8_t numbers[32] = {0,  1,  28, 2,  29, 14, 24, 3, 30, 22, 20, 15, 25, 17, 4,  8,
                                        31, 27, 13, 23, 21, 19, 16, 7, 26, 12, 18, 6,  11, 5,  10, 9};

    return numbers[(bits & -bits) * 0x077cb531u >> 27];
}

uint32_t lan_highest_bit(uint64_t bits)
{
    uint32_t high = (uint32_t)(bits >> 32), half = high ? high : (uint32_t)bits;

    half |= half >> 1;
    half |= half >> 2;
    half |= half >> 4;
    half |= half >> 8;
    half |= half >> 16;
    return lan_lowest_bit(half ^ half >> 1) + (high ? 32 : 0);
}

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
