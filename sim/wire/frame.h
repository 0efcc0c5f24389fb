// SPDX-License-Identifier: Apache-2.0
#pragma once

// Whole Ethernet frames, and how they are read out of nibbles.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "sim/wire/mii.h"

namespace lanyard
{

struct Frame {
    std::vector<uint8_t> bytes; // destination to end of padding, without FCS
    Picoseconds start = 0;      // edge of the first preamble nibble
    Picoseconds sfd = 0;        // edge of the SFD's last nibble
    Picoseconds end = 0;        // edge after the last nibble: the first one without carrier
};

// CRC-32 of 802.3 3.2.9: the value whose least significant byte is sent first.
uint32_t ethernet_fcs(const uint8_t *bytes, size_t length);
void append_fcs(std::vector<uint8_t> &bytes);

// Assembles frames as a MAC's receiver does (802.3 4.2.4, clause 22).
class FrameAssembler
{
  public:
    enum class Result {
        none,    // nothing has ended
        good,    // frame() holds a frame whose FCS was right
        bad_fcs, // carrier has ended, and it was no such frame
        error,   // RX_ER within the frame
        no_frame // carrier without SFD, or fewer than 14 octets before the FCS
    };

    // At every edge while there is carrier and at the first one without; others change nothing.
    Result nibble(Picoseconds now, MiiNibble nibble)
    {
        return nibble.valid || state_ != State::idle ? step(now, nibble) : Result::none;
    }

    bool receiving() const
    {
        return state_ != State::idle;
    }

    // Valid after `good`, until the next frame begins; may be moved from.
    Frame &frame()
    {
        return frame_;
    }

    // Octets kept of one frame; of a longer one the rest is lost, and its FCS is wrong.
    static constexpr size_t MAX_OCTETS = 65'536;

  private:
    enum class State { idle, preamble, data, junk };

    Result step(Picoseconds now, MiiNibble nibble);
    Result finish(Picoseconds now);

    State state_ = State::idle;
    bool error_ = false;
    bool high_ = false; // the next nibble is an octet's upper half
    uint8_t low_ = 0;
    Frame frame_;
};

} // namespace lanyard
