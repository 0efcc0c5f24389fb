// SPDX-License-Identifier: Apache-2.0
#pragma once

// The PHY behind a card's MDIO pins: the registers of 802.3 clause 22 and clause 28, over management frames.
//
// It has one rate, so it can that rate only, in half and in full duplex. It is found with auto-negotiation on, and its
// link stands from the start if a cable is plugged: what negotiation takes is not simulated. Loopback, power-down and
// isolation are not there, their bits read 0.
//
// The interrupt line rises when the link has changed since BMSR was last read, and falls when BMSR is read. Nobody who
// has never read it is interrupted.

#include "sim/wire/mii.h"

namespace lanyard
{

class Phy
{
  public:
    Phy(unsigned address, MiiRate rate);

    // At each rising edge of MDC: the level that the master drives, or 1 where it has released the line.
    void clock(bool level);

    // The line where the master has released it.
    bool mdio() const
    {
        return mdio_;
    }
    bool interrupt() const
    {
        return changed_ && status_was_read_;
    }

    // What the registers offer to others; and whether it is to be negotiated anew, which take_negotiation() forgets.
    LinkAbility ability() const;
    bool wants_negotiation() const
    {
        return wants_negotiation_;
    }
    bool take_negotiation();

    // Null: there is no link.
    void link_changed(const MiiEnd *partner);

  private:
    void end_header();
    void end_frame();
    void reset();
    uint16_t read(unsigned reg);
    void write(unsigned reg, uint16_t value);
    uint16_t read_status();
    uint16_t partner_modes() const;

    unsigned address_;
    bool fast_; // 100 Mb/s

    // Management frames (802.3 22.2.4.5)
    unsigned ones_ = 0; // of the preamble
    unsigned bits_ = 0; // of the frame after it; 0: none is under way
    uint32_t shift_ = 0;
    bool reading_ = false, writing_ = false; // the frame is this PHY's
    uint16_t answer_ = 0;
    bool mdio_ = true;

    uint16_t control_ = 0, advertisement_ = 0;
    bool has_link_ = false;
    bool lost_link_ = false; // since BMSR was last read
    bool changed_ = false, status_was_read_ = false;
    LinkAbility partner_;
    bool wants_negotiation_ = false;
};

} // namespace lanyard
