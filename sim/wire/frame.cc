// SPDX-License-Identifier: Apache-2.0
#include "sim/wire/frame.h"

#include <array>

namespace lanyard
{

namespace
{

constexpr uint8_t PREAMBLE = 0x5;
constexpr uint8_t SFD = 0xd;
constexpr size_t FCS_OCTETS = 4;
constexpr uint32_t FCS_RESIDUE = 0x2144df1c; // the FCS of anything that ends with its own FCS
constexpr size_t HEADER_OCTETS = 14;

constexpr std::array<uint32_t, 256> crc_table()
{
    std::array<uint32_t, 256> table{};
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t crc = i;
        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ (crc & 1 ? 0xedb88320 : 0);
        table[i] = crc;
    }
    return table;
}

constexpr std::array<uint32_t, 256> CRC_TABLE = crc_table();

} // namespace

uint32_t ethernet_fcs(const uint8_t *bytes, size_t length)
{
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < length; i++)
        crc = (crc >> 8) ^ CRC_TABLE[(crc ^ bytes[i]) & 0xff];
    return ~crc;
}

void append_fcs(std::vector<uint8_t> &bytes)
{
    const uint32_t fcs = ethernet_fcs(bytes.data(), bytes.size());
    for (unsigned shift = 0; shift < 32; shift += 8)
        bytes.push_back(static_cast<uint8_t>(fcs >> shift));
}

FrameAssembler::Result FrameAssembler::step(Picoseconds now, MiiNibble nibble)
{
    if (!nibble.valid)
        return finish(now);
    switch (state_) {
    case State::idle:
        frame_ = Frame{};
        frame_.start = now;
        error_ = false;
        high_ = false;
        state_ = State::preamble;
        [[fallthrough]];
    case State::preamble:
        if (nibble.data == SFD) {
            frame_.sfd = now;
            state_ = State::data;
        } else if (nibble.data != PREAMBLE) {
            state_ = State::junk;
        }
        break;
    case State::data:
        if (high_ && frame_.bytes.size() < MAX_OCTETS)
            frame_.bytes.push_back(static_cast<uint8_t>(low_ | nibble.data << 4));
        low_ = nibble.data;
        high_ = !high_;
        break;
    case State::junk:
        break;
    }
    error_ |= nibble.error;
    return Result::none;
}

// A dribble nibble is left out (802.3 4.2.4.2.1).
FrameAssembler::Result FrameAssembler::finish(Picoseconds now)
{
    const bool has_data = state_ == State::data && frame_.bytes.size() >= HEADER_OCTETS + FCS_OCTETS;
    state_ = State::idle;
    frame_.end = now;
    if (error_)
        return Result::error;
    if (!has_data)
        return Result::no_frame;
    const bool good = ethernet_fcs(frame_.bytes.data(), frame_.bytes.size()) == FCS_RESIDUE;
    frame_.bytes.resize(frame_.bytes.size() - FCS_OCTETS);
    return good ? Result::good : Result::bad_fcs;
}

} // namespace lanyard
