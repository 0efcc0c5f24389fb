/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LANYARD_BYTES_H
#define LANYARD_BYTES_H

/* Fields of packets, at any alignment, on any host. get/put convert between network and host order; load/store keep
 * the order of the bytes, which is how addresses travel through the stack.
 */

#include <stdint.h>
#include <string.h>

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define LAN_HTONS(x) ((uint16_t)(((x)&0xffu) << 8 | ((x) >> 8 & 0xffu)))
#define LAN_HTONL(x) (((x)&0xffu) << 24 | ((x)&0xff00u) << 8 | ((x) >> 8 & 0xff00u) | ((x) >> 24 & 0xffu))
#else
#define LAN_HTONS(x) ((uint16_t)(x))
#define LAN_HTONL(x) ((uint32_t)(x))
#endif

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
    return LAN_HTONS(lan_load16(p));
}

static inline uint32_t lan_get32(const void *p)
{
    return LAN_HTONL(lan_load32(p));
}

static inline void lan_put16(void *p, uint16_t v)
{
    lan_store16(p, LAN_HTONS(v));
}

static inline void lan_put32(void *p, uint32_t v)
{
    lan_store32(p, LAN_HTONL(v));
}

#endif
