/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LANYARD_CHECKSUM_H
#define LANYARD_CHECKSUM_H

/* The Internet checksum (RFC 1071). Sums are kept in the byte order of memory, which the ones'-complement sum does not
 * mind: what lan_sum_fold() returns is stored with lan_store16(), and compared with what lan_load16() gives. A running
 * sum is 32 bits wide and may be folded at any time.
 */

#include "lanyard/buf.h"

/* Adds `bytes` bytes at any address to a running sum. An odd last byte counts as followed by a zero. */
uint32_t lan_sum(const void *data, size_t bytes, uint32_t initial);

/* The same over `bytes` bytes from `offset` of a chain, fragments of odd length included. The bytes must be there. */
uint32_t lan_sum_buf(const struct lan_buf *buf, uint32_t offset, uint32_t bytes, uint32_t initial);

static inline uint32_t lan_sum_add(uint32_t a, uint32_t b)
{
    a += b;
    return a + (a < b);
}

/* Folds a running sum to the 16 bits of RFC 1071; not yet complemented. */
static inline uint16_t lan_sum_fold(uint32_t sum)
{
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)(sum + (sum >> 16));
}

/* Sum of the pseudo-header of RFC 768 and RFC 9293 3.1. Addresses in network order, `l4_bytes` in host order. */
uint32_t lan_sum_pseudo(uint32_t src, uint32_t dst, uint8_t protocol, uint32_t l4_bytes);

#endif
