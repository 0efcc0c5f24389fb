// SPDX-License-Identifier: Apache-2.0
#include "sim/wire/frame_port.h"

namespace lanyard
{

namespace
{

constexpr size_t MIN_OCTETS = 60;        // without FCS (802.3 4.2.3.3)
constexpr size_t PREAMBLE_NIBBLES = 16;  // SFD included
constexpr unsigned GAP_NIBBLES = 96 / 4; // 802.3 4.2.3.2.1

} // namespace

FramePort::FramePort(ClockEngine &engine, std::string label, MiiRate rate) : MiiEnd(engine, std::move(label), rate)
{
}

void FramePort::on_receive(Receiver receiver)
{
    receiver_ = std::move(receiver);
}

void FramePort::on_drained(std::function<void()> drained)
{
    drained_ = std::move(drained);
}

void FramePort::send(std::vector<uint8_t> frame)
{
    if (frame.size() < MIN_OCTETS)
        frame.resize(MIN_OCTETS);
    append_fcs(frame);
    send_raw(std::move(frame));
}

void FramePort::send_raw(std::vector<uint8_t> octets)
{
    queue_.push_back(std::move(octets));
    engine().wake(*this);
}

void FramePort::rise(Picoseconds now, unsigned)
{
    const MiiNibble rx = exchange(next_tx());
    const FrameAssembler::Result result = assembler_.nibble(now, rx);
    if (result != FrameAssembler::Result::none)
        end_rx(result);
    if (!queue_.empty() || gap_ > 0 || assembler_.receiving())
        stay_awake(now);
}

MiiNibble FramePort::next_tx()
{
    if (gap_ > 0) {
        gap_--;
        return {};
    }
    if (queue_.empty())
        return {};

    const std::vector<uint8_t> &octets = queue_.front();
    const size_t n = tx_nibble_++;
    MiiNibble nibble{0x5, true, false};
    if (n >= PREAMBLE_NIBBLES) {
        const size_t at = n - PREAMBLE_NIBBLES;
        nibble.data = octets[at / 2] >> (at % 2 * 4) & 0xf;
    } else if (n == PREAMBLE_NIBBLES - 1) {
        nibble.data = 0xd;
    }
    if (tx_nibble_ == PREAMBLE_NIBBLES + 2 * octets.size())
        end_tx();
    return nibble;
}

void FramePort::end_tx()
{
    counters_.tx_frames++;
    queue_.pop_front();
    tx_nibble_ = 0;
    gap_ = GAP_NIBBLES;
    if (queue_.empty() && drained_) {
        has_drained_ = true;
        call_attention();
    }
}

void FramePort::end_rx(FrameAssembler::Result result)
{
    switch (result) {
    case FrameAssembler::Result::good:
        counters_.rx_frames++;
        received_.push_back(std::move(assembler_.frame()));
        call_attention();
        break;
    case FrameAssembler::Result::bad_fcs:
        counters_.rx_bad_fcs++;
        break;
    case FrameAssembler::Result::error:
        counters_.rx_errors++;
        break;
    case FrameAssembler::Result::no_frame:
        counters_.rx_no_frame++;
        break;
    case FrameAssembler::Result::none:
        break;
    }
}

void FramePort::attend()
{
    while (!received_.empty()) {
        Frame frame = std::move(received_.front());
        received_.pop_front();
        if (receiver_)
            receiver_(frame);
    }
    if (has_drained_) {
        has_drained_ = false;
        drained_();
    }
}

} // namespace lanyard
