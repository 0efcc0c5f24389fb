/* SPDX-License-Identifier: Apache-2.0 */
#include "siphash.h"

struct sip_state {
    uint64_t v0, v1, v2, v3;
};

static inline uint64_t rotate_left(uint64_t x, unsigned bits)
{
    return x << bits | x >> (64 - bits);
}

static inline void sip_round(struct sip_state *s)
{
    s->v0 += s->v1;
    s->v1 = rotate_left(s->v1, 13) ^ s->v0;
    s->v0 = rotate_left(s->v0, 32);
    s->v2 += s->v3;
    s->v3 = rotate_left(s->v3, 16) ^ s->v2;
    s->v0 += s->v3;
    s->v3 = rotate_left(s->v3, 21) ^ s->v0;
    s->v2 += s->v1;
    s->v1 = rotate_left(s->v1, 17) ^ s->v2;
    s->v2 = rotate_left(s->v2, 32);
}

static inline void sip_compress(struct sip_state *s, uint64_t word)
{
    s->v3 ^= word;
    sip_round(s);
    sip_round(s);
    s->v0 ^= word;
}

/* Little-endian, as the algorithm defines it, on any host. */
static uint64_t load_le(const uint8_t *p, size_t bytes)
{
    uint64_t word = 0;
    while (bytes--)
        word = word << 8 | p[bytes];
    return word;
}

uint64_t lan_siphash(const uint64_t key[2], const void *data, size_t bytes)
{
    struct sip_state s = {
        .v0 = key[0] ^ 0x736f6d6570736575,
        .v1 = key[1] ^ 0x646f72616e646f6d,
        .v2 = key[0] ^ 0x6c7967656e657261,
        .v3 = key[1] ^ 0x7465646279746573,
    };
    const uint8_t *p = data;
    for (size_t at = 0; at <= bytes; at += 8) { /* the last word has less than eight, and their number */
        size_t left = bytes - at;
        sip_compress(&s, left < 8 ? load_le(p + at, left) | (uint64_t)bytes << 56 : load_le(p + at, 8));
    }
    s.v2 ^= 0xff;
    for (int i = 0; i < 4; i++)
        sip_round(&s);
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
