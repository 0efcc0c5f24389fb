/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LANYARD_SIPHASH_H
#define LANYARD_SIPHASH_H

/* SipHash-2-4 (Aumasson and Bernstein, 2012): a keyed pseudo-random function for short inputs. Whoever does not know
 * the key cannot predict or collide its results, so it stands behind sequence numbers, ports and hash tables.
 */

#include <stddef.h>
#include <stdint.h>

/* Over words: `bytes` is a multiple of 4, as is the address. A big-endian host takes them for other words, and gets
 * results as good. */
uint64_t lan_siphash(const uint64_t key[2], const void *data, size_t bytes);

#endif
