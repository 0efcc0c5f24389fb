/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "nic_internal.h"

/* Descriptors that a frame takes; 0 if the card cannot send it at all. */
static uint32_t descriptors_of(const struct lan_nic *nic, const struct lan_buf *frame)
{
    uint64_t total = 0;
    uint32_t count = 0, flags = frame->flags;
    for (const struct lan_buf *fragment = frame; fragment; fragment = fragment->next) {
        total += fragment->len;
        count += fragment->len > 0; /* an empty fragment has no descriptor: length 0 stops the ring */
    }
    if (total > lan_nic_frame_limit(nic) || count > nic->netif.max_fragments)
        return 0;
    if ((flags & LAN_BUF_L4_CSUM) && (frame->csum_start > UINT8_MAX || frame->csum_offset > UINT8_MAX ||
                                      frame->csum_start + frame->csum_offset + 2u > total))
        return 0;
    return count;
}

static void fill(struct lan_nic *nic, struct lan_buf *frame, uint32_t count)
{
    struct lan_nic_ring *ring = &nic->tx;
    uint32_t offload = 0;
    if (frame->flags & LAN_BUF_IP_CSUM)
        offload |= TX_IP_CSUM;
    if (frame->flags & LAN_BUF_L4_CSUM)
        offload |= TX_L4_CSUM;

    for (struct lan_buf *fragment = frame; fragment; fragment = fragment->next) {
        if (fragment->len == 0)
            continue;
        uint32_t index = lan_nic_ring_index(ring, ring->tail++);
        struct lan_nic_descriptor *descriptor = &ring->descriptors[index];
        bool last = --count == 0;
        descriptor->address = ring->bus->dma_address(ring->bus->ctx, fragment->data);
        descriptor->checksum = frame->csum_start | (uint32_t)frame->csum_offset << DESC_CSUM_OFFSET_BIT;
        descriptor->stamp = 0;
        descriptor->status = fragment->len | offload | (last ? TX_EOP : 0);
        ring->buffers[index] = last ? frame : NULL; /* so the buffer marks its frame's end */
        offload = 0;
    }
}

/* The last frame in front of a doorbell always asks for an interrupt, so none stays unreclaimed; in a long batch each
 * quarter of the ring does, so the ring does not run dry while the batch is on its way. */
static void mark_last(struct lan_nic *nic)
{
    nic->tx.descriptors[lan_nic_ring_index(&nic->tx, nic->tx.tail - 1)].status |= TX_IRQ;
    nic->tx_unmarked = 0;
}

static void doorbell(struct lan_nic *nic)
{
    if (nic->tx_unmarked)
        mark_last(nic);
    lan_nic_ring_doorbell(&nic->tx);
}

int lan_nic_transmit(struct lan_netif *netif, struct lan_buf *frame)
{
    struct lan_nic *nic = netif->driver;
    struct lan_nic_ring *ring = &nic->tx;
    if (!netif->link_up)
        return -ENETDOWN;
    lan_nic_rx_refill(nic); /* in case the pool was empty when the last interrupt tried */

    uint32_t count = descriptors_of(nic, frame);
    if (count == 0) {
        nic->counters.tx_refused++;
        netif->stats.out_errors++;
        lan_buf_free(frame);
        return 0;
    }
    if (count > lan_nic_ring_room(ring))
        lan_nic_tx_reclaim(nic);
    if (count > lan_nic_ring_room(ring)) {
        nic->counters.tx_ring_full++;
        nic->tx_blocked = true;
        return -ENOBUFS;
    }

    fill(nic, frame, count);
    nic->tx_unmarked += count;
    if (nic->tx_unmarked >= ring->size / 4)
        mark_last(nic);

    /* While the card has frames to send, the doorbell of those that follow can wait for the end of the interrupt
     * handler; the wire does not notice. */
    if (!nic->in_interrupt || ring->head == ring->rung)
        doorbell(nic);
    return 0;
}

void lan_nic_tx_reclaim(struct lan_nic *nic)
{
    struct lan_nic_ring *ring = &nic->tx;
    while (ring->head != ring->rung) {
        uint32_t last = ring->head;
        while (!ring->buffers[lan_nic_ring_index(ring, last)])
            last++;
        uint32_t index = lan_nic_ring_index(ring, last);
        uint32_t status = ring->descriptors[index].status;
        if (!(status & DESC_DONE))
            break;
        if (status & TX_ERROR) {
            nic->counters.tx_errors++;
            nic->netif.stats.out_errors++;
        }
        struct lan_buf *frame = ring->buffers[index];
        ring->buffers[index] = NULL;
        ring->head = last + 1;
        ring->failures = 0;
        lan_buf_free(frame);
    }
}

void lan_nic_tx_resume(struct lan_nic *nic)
{
    /* Half a ring at a time, so that doorbells and interrupts are shared by many frames; the other half keeps the wire
     * busy meanwhile. */
    if (nic->tx_blocked && lan_nic_ring_room(&nic->tx) >= nic->tx.size / 2) {
        nic->tx_blocked = false;
        lan_netif_tx_ready(&nic->netif);
    }
    doorbell(nic);
}
