/* SPDX-License-Identifier: Apache-2.0 */
#include "nic_ring.h"

#define ENABLE NIC__RING_CONTROL__ENABLE_bm
#define RESET NIC__RING_CONTROL__RESET_bm

/* A reset waits for one bus burst; a card that needs more reads than this is broken. */
enum { RESET_READS = 10000 };

static void write_register(struct lan_nic_ring *ring, uint32_t offset, uint32_t value)
{
    ring->bus->write(ring->bus->ctx, ring->registers + offset, value);
}

void lan_nic_ring_doorbell(struct lan_nic_ring *ring)
{
    if (ring->rung == ring->tail)
        return;
    ring->bus->barrier(ring->bus->ctx);
    write_register(ring, RING_TAIL, lan_nic_ring_index(ring, ring->tail));
    ring->rung = ring->tail;
}

bool lan_nic_ring_reset(struct lan_nic_ring *ring)
{
    write_register(ring, RING_CONTROL, RESET);
    for (int reads = 0; ring->bus->read(ring->bus->ctx, ring->registers + RING_CONTROL) & RESET; reads++) {
        if (reads == RESET_READS)
            return false;
    }
    for (uint32_t i = 0; i < ring->size; i++) {
        lan_buf_free(ring->buffers[i]);
        ring->buffers[i] = NULL;
    }
    ring->head = ring->tail = ring->rung = 0;
    return true;
}

void lan_nic_ring_start(struct lan_nic_ring *ring)
{
    write_register(ring, RING_BASE, ring->bus->dma_address(ring->bus->ctx, ring->descriptors));
    write_register(ring, RING_SIZE, (uint32_t)__builtin_ctz(ring->size));
    write_register(ring, RING_CONTROL, ENABLE);
}
