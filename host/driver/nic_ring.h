/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LANYARD_NIC_RING_H
#define LANYARD_NIC_RING_H

/* A descriptor ring, as both directions share it. Positions are running counts, so that tail - head is the number of
 * posted descriptors; only the card sees them modulo the size. The card's own head register is never read: what has
 * happened stands in memory.
 */

#include "lanyard/buf.h"
#include "lanyard/bus.h"
#include "nic_hw.h"

struct lan_nic_ring {
    const struct lan_bus *bus;
    struct lan_nic_descriptor *descriptors;
    struct lan_buf **buffers; /* what stands behind each descriptor; NULL: nothing to give back */
    uint32_t registers;       /* offset of the ring's BASE register */
    uint32_t size;            /* power of two */
    uint32_t head;            /* first posted descriptor */
    uint32_t tail;            /* one past the last filled one */
    uint32_t rung;            /* tail as the card knows it */
    uint32_t failures;        /* restarts since the last completion that was in order */
};

static inline uint32_t lan_nic_ring_index(const struct lan_nic_ring *ring, uint32_t position)
{
    return position & (ring->size - 1);
}

/* Descriptors that may still be filled: one stays free, or a full ring would look empty. */
static inline uint32_t lan_nic_ring_room(const struct lan_nic_ring *ring)
{
    return ring->size - 1 - (ring->tail - ring->head);
}

/* Tells the card of the descriptors filled since the last time, if any. */
void lan_nic_ring_doorbell(struct lan_nic_ring *ring);

/* Resets the ring and gives every buffer in it back. false: the card does not answer; it may still own the memory, and
 * the buffers stay where they are. */
bool lan_nic_ring_reset(struct lan_nic_ring *ring);

/* Starts an empty ring that has been reset. */
void lan_nic_ring_start(struct lan_nic_ring *ring);

#endif
