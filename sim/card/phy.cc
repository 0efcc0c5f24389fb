// SPDX-License-Identifier: Apache-2.0
#include "sim/card/phy.h"

#include <utility>

namespace lanyard
{

namespace
{

enum Register : unsigned { BMCR = 0, BMSR = 1, PHYID1 = 2, PHYID2 = 3, ANAR = 4, ANLPAR = 5, ANER = 6 };

// 802.3 22.2.4.1, 22.2.4.2
constexpr uint16_t BMCR_RESET = 1 << 15, BMCR_100 = 1 << 13, BMCR_NEGOTIATE = 1 << 12, BMCR_RESTART = 1 << 9,
                   BMCR_FULL_DUPLEX = 1 << 8;
constexpr uint16_t BMSR_100_FULL = 1 << 14, BMSR_100_HALF = 1 << 13, BMSR_10_FULL = 1 << 12, BMSR_10_HALF = 1 << 11,
                   BMSR_NEGOTIATED = 1 << 5, BMSR_CAN_NEGOTIATE = 1 << 3, BMSR_LINK = 1 << 2, BMSR_EXTENDED = 1 << 0;
// 802.3 28.2.4.1, annex 28B
constexpr unsigned AN_PAUSE_BIT = 10;
constexpr uint16_t AN_ACKNOWLEDGE = 1 << 14, AN_PAUSE = 3 << AN_PAUSE_BIT, AN_100_FULL = 1 << 8, AN_100_HALF = 1 << 7,
                   AN_10_FULL = 1 << 6, AN_10_HALF = 1 << 5, AN_SELECTOR = 1;
constexpr uint16_t ANER_PARTNER_NEGOTIATES = 1 << 0;
constexpr uint16_t ID[] = {0x4c61, 0x6e00}; // of no maker's

// 802.3 22.2.4.5: start, operation, addresses; turn-around; data
constexpr unsigned PREAMBLE = 32, HEADER = 14, TURN_AROUND = 16, FRAME = 32;

} // namespace

Phy::Phy(unsigned address, MiiRate rate) : address_(address), fast_(rate == MiiRate::mbps100)
{
    reset();
}

void Phy::reset()
{
    control_ = static_cast<uint16_t>(BMCR_NEGOTIATE | BMCR_FULL_DUPLEX | (fast_ ? BMCR_100 : 0));
    advertisement_ = static_cast<uint16_t>(AN_SELECTOR | (fast_ ? AN_100_FULL | AN_100_HALF : AN_10_FULL | AN_10_HALF));
}

// What the master is to sample at the next edge is put on the line behind this one.
void Phy::clock(bool level)
{
    if (bits_ == 0 && level) {
        ones_++;
        return;
    }
    if (bits_ == 0 && std::exchange(ones_, 0) < PREAMBLE)
        return;
    shift_ = shift_ << 1 | level;
    bits_++;
    if (bits_ == HEADER)
        end_header();
    if (reading_ && bits_ > HEADER)
        mdio_ = bits_ >= TURN_AROUND && (answer_ >> (FRAME - 1 - bits_) & 1);
    if (bits_ == FRAME)
        end_frame();
}

void Phy::end_header()
{
    const unsigned start = shift_ >> 12 & 3, operation = shift_ >> 10 & 3, phy = shift_ >> 5 & 0x1f;
    const bool addressed = start == 1 && phy == address_;
    reading_ = addressed && operation == 2;
    writing_ = addressed && operation == 1;
    if (reading_)
        answer_ = read(shift_ & 0x1f);
}

void Phy::end_frame()
{
    if (writing_)
        write(shift_ >> 18 & 0x1f, static_cast<uint16_t>(shift_));
    bits_ = 0;
    reading_ = writing_ = false;
    mdio_ = true;
}

uint16_t Phy::read(unsigned reg)
{
    switch (reg) {
    case BMCR:
        return control_;
    case BMSR:
        return read_status();
    case PHYID1:
    case PHYID2:
        return ID[reg - PHYID1];
    case ANAR:
        return advertisement_;
    case ANLPAR:
        return partner_modes();
    case ANER:
        return has_link_ && partner_.negotiates ? ANER_PARTNER_NEGOTIATES : 0;
    default:
        return 0;
    }
}

uint16_t Phy::read_status()
{
    uint16_t status = BMSR_EXTENDED | BMSR_CAN_NEGOTIATE;
    status |= fast_ ? BMSR_100_FULL | BMSR_100_HALF : BMSR_10_FULL | BMSR_10_HALF;
    if (has_link_ && !lost_link_)
        status |= BMSR_LINK;
    if (has_link_ && (control_ & BMCR_NEGOTIATE))
        status |= BMSR_NEGOTIATED;
    lost_link_ = !has_link_;
    changed_ = false;
    status_was_read_ = true;
    return status;
}

// Parallel detection shows the one mode that it has found (28.2.3.1).
uint16_t Phy::partner_modes() const
{
    if (!has_link_ || !(control_ & BMCR_NEGOTIATE))
        return 0;
    uint16_t modes = 0;
    if (partner_.half_duplex || !partner_.negotiates)
        modes |= fast_ ? AN_100_HALF : AN_10_HALF;
    if (partner_.full_duplex && partner_.negotiates)
        modes |= fast_ ? AN_100_FULL : AN_10_FULL;
    if (partner_.negotiates)
        modes |= static_cast<uint16_t>(AN_ACKNOWLEDGE | partner_.pause << AN_PAUSE_BIT | AN_SELECTOR);
    return modes;
}

void Phy::write(unsigned reg, uint16_t value)
{
    const uint16_t modes = fast_ ? AN_100_FULL | AN_100_HALF : AN_10_FULL | AN_10_HALF;
    switch (reg) {
    case BMCR: {
        const uint16_t before = control_;
        control_ = (control_ & BMCR_100) | (value & (BMCR_NEGOTIATE | BMCR_FULL_DUPLEX));
        if (value & BMCR_RESET)
            reset();
        wants_negotiation_ = wants_negotiation_ || control_ != before || (value & (BMCR_RESET | BMCR_RESTART));
        break;
    }
    case ANAR:
        advertisement_ = (value & (modes | AN_PAUSE)) | AN_SELECTOR;
        break;
    default:
        break;
    }
}

LinkAbility Phy::ability() const
{
    LinkAbility ability;
    ability.negotiates = control_ & BMCR_NEGOTIATE;
    if (ability.negotiates) {
        ability.half_duplex = advertisement_ & (AN_100_HALF | AN_10_HALF);
        ability.full_duplex = advertisement_ & (AN_100_FULL | AN_10_FULL);
        ability.pause = advertisement_ >> AN_PAUSE_BIT & 3;
    } else {
        ability.full_duplex = control_ & BMCR_FULL_DUPLEX;
        ability.half_duplex = !ability.full_duplex;
    }
    return ability;
}

bool Phy::take_negotiation()
{
    return std::exchange(wants_negotiation_, false);
}

void Phy::link_changed(const MiiEnd *partner)
{
    lost_link_ = lost_link_ || !partner || (has_link_ && status_was_read_);
    has_link_ = partner != nullptr;
    partner_ = partner ? partner->ability() : LinkAbility{};
    changed_ = true;
}

} // namespace lanyard
