/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_phy.h"

#include <string.h>

enum { BMCR, BMSR, ID, ANAR = 4, ANLPAR };
enum { NEGOTIATE = 1 << 12, RESTART = 1 << 9, LINK = 1 << 2, NEGOTIATED = 1 << 5, ABILITIES = 0x7809 };

static void update(struct fake_phy *phy)
{
    bool negotiates = phy->registers[BMCR] & NEGOTIATE;
    phy->registers[BMSR] = ABILITIES;
    phy->registers[ANLPAR] = 0;
    if (!phy->cable)
        return;
    phy->registers[BMSR] |= LINK;
    if (negotiates) {
        phy->registers[BMSR] |= NEGOTIATED;
        phy->registers[ANLPAR] = phy->partner;
    }
}

void fake_phy_init(struct fake_phy *phy, uint8_t address)
{
    memset(phy, 0, sizeof *phy);
    phy->present = true;
    phy->address = address;
    phy->registers[BMCR] = NEGOTIATE;
    phy->registers[ID] = 0x0022;
    phy->registers[ANAR] = 0x01e1;
    update(phy);
}

void fake_phy_plug(struct fake_phy *phy, uint16_t partner)
{
    phy->cable = true;
    phy->partner = partner;
    update(phy);
}

void fake_phy_unplug(struct fake_phy *phy)
{
    phy->cable = false;
    phy->link_lost = true;
    update(phy);
}

uint16_t fake_phy_read(struct fake_phy *phy, uint32_t address, uint32_t reg)
{
    if (!phy->present || address != phy->address)
        return 0xffff;
    uint16_t value = phy->registers[reg];
    if (reg == BMSR && phy->link_lost) {
        value &= (uint16_t)~LINK;
        phy->link_lost = false;
    }
    return value;
}

void fake_phy_write(struct fake_phy *phy, uint32_t address, uint32_t reg, uint16_t value)
{
    if (!phy->present || address != phy->address)
        return;
    if (reg == BMCR && (value & RESTART)) {
        phy->negotiations++;
        phy->link_lost = true;
        value &= (uint16_t)~RESTART;
    }
    if (reg == BMCR || reg == ANAR)
        phy->registers[reg] = value;
    update(phy);
}
