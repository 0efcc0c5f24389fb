/* SPDX-License-Identifier: Apache-2.0 */
#include "siphash.h"
#include "bytes.h"

static inline uint64_t rotate_left(uint64_t x, unsigned bits)
{
    return x << bits | x >> (64 - bits);
}

static void sip_rounds(uint64_t v[4], int rounds)
{
    while (rounds-- > 0) {
        v[0] += v[1];
        v[1] = rotate_left(v[1], 13) ^ v[0];
        v[0] = rotate_left(v[0], 32);
        v[2] += v[3];
        v[3] = rotate_left(v[3], 16) ^ v[2];
        v[0] += v[3];
        v[3] = rotate_left(v[3], 21) ^ v[0];
        v[2] += v[1];
        v[1] = rotate_left(v[1], 17) ^ v[2];
        v[2] = rotate_left(v[2], 32);
    }
}

/* Numbers are little-endian here. */
static inline uint32_t load(const uint8_t *p)
{
    return __builtin_bswap32(lan_htonl(lan_load32(p)));
}

uint64_t lan_siphash(const uint64_t key[2], const void *data, size_t bytes)
{
    static const uint64_t START[4] = {0x736f6d6570736575, 0x646f72616e646f6d, 0x6c7967656e657261, 0x7465646279746573};
    const uint8_t *p = data;
    uint64_t v[4];
    for (int i = 0; i < 4; i++)
        v[i] = key[i & 1] ^ START[i];
    for (size_t at = 0; at <= bytes; at += 8) {
        uint32_t low = at < bytes ? load(p + at) : 0;
        uint32_t high = at + 4 < bytes ? load(p + at + 4) : (uint32_t)bytes << 24; /* the last: their number */
        uint64_t word = (uint64_t)high << 32 | low;
        v[3] ^= word;
        sip_rounds(v, 2);
        v[0] ^= word;
    }
    v[2] ^= 0xff;
    sip_rounds(v, 4);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}
