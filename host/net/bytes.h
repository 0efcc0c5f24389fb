/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LANYARD_BYTES_H
#define LANYARD_BYTES_H

/* Fields of packets, on any host. get/put convert between network and host order, at any alignment. load/store keep the
 * order of the bytes, which is how addresses travel through the stack, and want a field where its size says: IP headers
 * and what is behind them stand on 4-byte boundaries (netif.h).
 */

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Whether to have ways that only save time, beside one that does the same: not in a stack compiled for size (-Os). */
#ifdef __OPTIMIZE_SIZE__
enum { LAN_FOR_SPEED = 0 };
#else
enum { LAN_FOR_SPEED = 1 };
#endif

/* LAN_RARE: a function off the way of the common packet, which is to stay as short as it looks: not inlined.
 * LAN_SHARED: one that stands in one place in a stack compiled for size, which compilers misjudge.
 * LAN_FLAT: one that nearly every packet takes: what it calls is compiled into it. */
#ifdef __OPTIMIZE_SIZE__
#define LAN_FLAT
#define LAN_RARE __attribute__((cold))
#define LAN_SHARED __attribute__((noinline))
#else
#define LAN_FLAT __attribute__((flatten))
#define LAN_RARE __attribute__((noinline, cold))
#define LAN_SHARED
#endif

/* Between network and host order, either way. */
static inline uint16_t lan_htons(uint16_t x)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    return __builtin_bswap16(x);
#else
    return x;
#endif
}

static inline uint32_t lan_htonl(uint32_t x)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    return __builtin_bswap32(x);
#else
    return x;
#endif
}

typedef uint16_t __attribute__((may_alias)) lan_field16;
typedef uint32_t __attribute__((may_alias)) lan_field32;

static inline uint16_t lan_load16(const void *p)
{
    return *(const lan_field16 *)p;
}

static inline uint32_t lan_load32(const void *p)
{
    return *(const lan_field32 *)p;
}

static inline void lan_store16(void *p, uint16_t v)
{
    *(lan_field16 *)p = v;
}

static inline void lan_store32(void *p, uint32_t v)
{
    *(lan_field32 *)p = v;
}

/* Two MAC addresses. Compilers compare four bytes at once, and two, but not six. */
static inline bool lan_same_mac(const uint8_t *a, const uint8_t *b)
{
    return LAN_FOR_SPEED ? memcmp(a, b, 4) == 0 && memcmp(a + 4, b + 4, 2) == 0 : memcmp(a, b, 6) == 0;
}

static inline uint32_t lan_get16(const void *p)
{
    const uint8_t *b = p;

    return b[0] * 256u + b[1];
}

static inline uint32_t lan_get32(const void *p)
{
    const uint8_t *b = p;

    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static inline void lan_put16(void *p, uint16_t v)
{
    uint8_t *b = p;

    b[0] = (uint8_t)(v >> 8);
    b[1] = (uint8_t)v;
}

static inline void lan_put32(void *p, uint32_t v)
{
    uint8_t *b = p;

    b[0] = (uint8_t)(v >> 24);
    b[1] = (uint8_t)(v >> 16);
    b[2] = (uint8_t)(v >> 8);
    b[3] = (uint8_t)v;
}

#endif
