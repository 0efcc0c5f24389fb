/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKE_PHY_H
#define FAKE_PHY_H

/* A PHY in software, written from 802.3 clauses 22 and 28: it negotiates at once, with a partner that the test sets. */

#include <stdbool.h>
#include <stdint.h>

struct fake_phy {
    bool present;
    uint8_t address;
    uint16_t registers[32];
    bool cable;
    uint16_t partner; /* what the other side advertises */
    bool link_lost;   /* since the status was last read */
    uint32_t negotiations;
};

/* 10 and 100 Mb/s, half and full duplex; advertises all of them. */
void fake_phy_init(struct fake_phy *phy, uint8_t address);

/* The cable goes in, with this partner at its other end, or out. */
void fake_phy_plug(struct fake_phy *phy, uint16_t partner);
void fake_phy_unplug(struct fake_phy *phy);

uint16_t fake_phy_read(struct fake_phy *phy, uint32_t address, uint32_t reg);
void fake_phy_write(struct fake_phy *phy, uint32_t address, uint32_t reg, uint16_t value);

#endif
