/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKE_CARD_H
#define FAKE_CARD_H

/* A card in software, written from docs/card.md and rtl/nic/nic.rdl, behind a struct lan_bus. It does nothing by
 * itself: a test lets it send and receive frame by frame, or makes it misbehave. Posted writes take effect when the
 * card next does something, or, with slow_bus, as late as the bus contract allows.
 *
 * What the driver must not do (a buffer at an odd address, memory outside the region, a change of a running ring's
 * base) fails the test at once.
 */

#include "lanyard/bus.h"
#include "nic_hw.h"

#include <stdbool.h>

enum { FAKE_CARD_DMA_BASE = 0x40000000, FAKE_CARD_FRAME_BYTES = 2048, FAKE_CARD_POSTED = 256 };

enum fake_ring { FAKE_TX, FAKE_RX };

struct fake_card {
    struct lan_bus bus;
    uint8_t *memory; /* seen by the card at FAKE_CARD_DMA_BASE */
    size_t memory_bytes;
    nic_t registers;
    bool deaf_to_reset; /* RESET never reads 0 again */
    bool slow_bus;      /* nothing but a read pushes posted writes on */

    struct {
        uint32_t offset, value;
    } posted[FAKE_CARD_POSTED];
    size_t posted_count;

    uint32_t reads, writes, doorbells[2];

    /* The frame that fake_card_send() took last. */
    uint8_t frame[FAKE_CARD_FRAME_BYTES];
    uint32_t frame_bytes, frame_fragments;
    struct lan_nic_descriptor frame_first; /* offload fields */
};

void fake_card_init(struct fake_card *card, void *memory, size_t bytes);

/* Lets every posted write take effect, if the bus is not slow. */
void fake_card_settle(struct fake_card *card);

bool fake_card_irq(struct fake_card *card);

/* Sends the next frame of the ring into card->frame, without completing it. false: nothing is posted. A malformed
 * descriptor stops the ring. */
bool fake_card_fetch(struct fake_card *card);

/* The same, and completes it with this error code (0: sent). */
bool fake_card_send(struct fake_card *card, uint32_t error);

/* A frame from the wire, over as many buffers as it takes; `flags` (RX_IP_OK ...) go to its last descriptor. false and
 * RX_OVERFLOW when buffers are missing. */
bool fake_card_receive(struct fake_card *card, const void *frame, uint32_t bytes, uint32_t flags);

/* Buffers that are posted and free. */
uint32_t fake_card_posted(struct fake_card *card, enum fake_ring ring);

/* Completes the next receive descriptor with this status, true or not, and raises RX_DONE. */
void fake_card_complete(struct fake_card *card, uint32_t status);

/* Stops a ring as a bus error does. */
void fake_card_fail(struct fake_card *card, enum fake_ring ring);

#endif
