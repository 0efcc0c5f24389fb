/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LANYARD_BYTES_H
#define LANYARD_BYTES_H

/* Fields of packets, at any alignment, on any host. get/put convert between network and host order; load/store keep
 * the order of the bytes, which is how addresses travel through the stack.
 */

#include <stdint.h>
#include <string.h>

/* A function off the way of the common packet, which is to stay as short as it looks: not inlined. */
#define LAN_RARE __attribute__((noinline, cold))

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

static inline uint16_t lan_load16(const void *p)
{
    uint16_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline uint32_t lan_load32(const void *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline void lan_store16(void *p, uint16_t v)
{
    memcpy(p, &v, sizeof v);
}

static inline void lan_store32(void *p, uint32_t v)
{
    memcpy(p, &v, sizeof v);
}

static inline uint16_t lan_get16(const void *p)
{
    return lan_htons(lan_load16(p));
}

static inline uint32_t lan_get32(const void *p)
{
    return lan_htonl(lan_load32(p));
}

static inline void lan_put16(void *p, uint16_t v)
{
    lan_store16(p, lan_htons(v));
}

static inline void lan_put32(void *p, uint32_t v)
{
    lan_store32(p, lan_htonl(v));
}

#endif
