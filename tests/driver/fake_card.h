/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKE_CARD_H
#define FAKE_CARD_H

/* A card in software, written from docs/card.md and rtl/nic/nic.rdl, behind a struct lan_bus. It does nothing by
 * itself: a test lets it send and receive frame by frame, or makes it misbehave. Posted writes take effect when the
 * card next does something, or, with slow_bus, as late as the bus contract allows.
 *
 * What the driver must not do (a buffer at an odd address, memory outside the region, a change of a running ring's
 * base, a change of duplex at the wrong time) fails the test at once.
 */

#include "fake_phy.h"
#include "lanyard/bus.h"
#include "nic_hw.h"

#include <stdbool.h>

enum { FAKE_CARD_DMA_BASE = 0x40000000, FAKE_CARD_FRAME_BYTES = 70000, FAKE_CARD_POSTED = 256 };

/* Everything, with frame buffers of 16 KiB, but no MDIO master. */
enum {
    FAKE_CARD_BUFFER_LOG2 = 14,
    FAKE_CARD_FEATURES = NIC__FEATURES__TX_CSUM_bm | NIC__FEATURES__RX_CSUM_bm | NIC__FEATURES__TSO_bm |
                         NIC__FEATURES__HALF_DUPLEX_bm | NIC__FEATURES__VLAN_bm | NIC__FEATURES__PAUSE_bm |
                         NIC__FEATURES__STATISTICS_bm | NIC__FEATURES__LOOPBACK_bm |
                         FAKE_CARD_BUFFER_LOG2 << NIC__FEATURES__TX_BUFFER_LOG2_bp |
                         FAKE_CARD_BUFFER_LOG2 << NIC__FEATURES__RX_BUFFER_LOG2_bp,
};

enum fake_ring { FAKE_TX, FAKE_RX };

/* Interrupt moderation of one direction: what has happened and has not been told. */
struct fake_moderation {
    uint32_t events;
    uint64_t first_ns;
};

struct fake_card {
    struct lan_bus bus;
    uint8_t *memory; /* seen by the card at FAKE_CARD_DMA_BASE */
    size_t memory_bytes;
    nic_t registers;
    bool deaf_to_reset;   /* RESET never reads 0 again */
    bool slow_bus;        /* nothing but a read pushes posted writes on */
    uint32_t drain_reads; /* of STATUS, until the card that has been disabled is idle */
    uint64_t now_ns;
    struct fake_moderation moderation[2];

    struct fake_phy phy;
    uint32_t mdio_reads; /* of MDIO, until the frame under way has ended */
    bool mdio_stuck;     /* it never ends */

    struct {
        uint32_t offset, value;
    } posted[FAKE_CARD_POSTED];
    size_t posted_count;

    uint32_t reads, writes, doorbells[2];

    /* The frame that fake_card_send() took last. */
    uint8_t frame[FAKE_CARD_FRAME_BYTES];
    uint32_t frame_bytes, frame_fragments;
    struct lan_nic_descriptor frame_first; /* offload fields */

    uint16_t tci; /* of the tag that the next received frame had */
};

void fake_card_init(struct fake_card *card, void *memory, size_t bytes);

/* Lets every posted write take effect, if the bus is not slow. */
void fake_card_settle(struct fake_card *card);

bool fake_card_irq(struct fake_card *card);

/* Lets time go by; what has been moderated is told when it is due. */
void fake_card_pass(struct fake_card *card, uint64_t ns);

/* Whether a frame with this destination would be taken from the wire. */
bool fake_card_accepts(struct fake_card *card, const uint8_t destination[6]);

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

/* Stops a ring as a bus error does, or with another error code. */
void fake_card_fail(struct fake_card *card, enum fake_ring ring);
void fake_card_fail_with(struct fake_card *card, enum fake_ring ring, uint32_t error);

#endif
