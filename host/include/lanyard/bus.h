/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LANYARD_BUS_H
#define LANYARD_BUS_H

/* The bus contract: how the card's driver reaches registers, and how the card reaches memory. Implemented by the
 * simulation (sim/platform, over TLM-2.0); in a firmware it would be volatile accesses.
 */

#include <stdint.h>

struct lan_bus {
    void *ctx;

    /* 32-bit register access at a byte offset from the card's base. Writes are posted, in order; a read returns after
     * every earlier write has taken effect. */
    uint32_t (*read)(void *ctx, uint32_t offset);
    void (*write)(void *ctx, uint32_t offset, uint32_t value);

    /* The address under which the card sees `ptr`, which lies in the stack's memory region. */
    uint32_t (*dma_address)(void *ctx, const void *ptr);

    /* Every earlier store is visible to the card, and every later load sees what the card wrote before. */
    void (*barrier)(void *ctx);
};

#endif
