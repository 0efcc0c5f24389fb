/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INSTANT_CARD_H
#define INSTANT_CARD_H

/* A card that has everything and takes no time: what is posted is sent when the doorbell rings. It looks at no payload
 * and receives nothing. In an object file of its own, so that its instructions are not counted with the driver's.
 */

#include "lanyard/bus.h"
#include "nic_hw.h"

struct instant_card {
    struct lan_bus bus;
    uint8_t *memory; /* seen by the card from address 0 */
    nic_t registers;
    uint64_t descriptors, frames, bytes;
};

void instant_card_init(struct instant_card *card, uint8_t *memory);

#endif
