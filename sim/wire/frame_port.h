// SPDX-License-Identifier: Apache-2.0
#pragma once

// A behavioural MAC: an MII end through which whole frames enter and leave the simulated wire.

#include <deque>
#include <functional>

#include "sim/wire/frame.h"

namespace lanyard
{

class FramePort : public MiiEnd
{
  public:
    struct Counters {
        uint64_t tx_frames = 0;
        uint64_t rx_frames = 0; // good ones
        uint64_t rx_bad_fcs = 0, rx_errors = 0, rx_no_frame = 0;
    };

    // Called at the SystemC time frame.end, in the engine's thread: may send, notify and schedule; must not wait.
    // The frame may be moved from.
    using Receiver = std::function<void(Frame &frame)>;

    FramePort(ClockEngine &engine, std::string label, MiiRate rate = MiiRate::mbps100);

    void on_receive(Receiver receiver);

    // Called when the last nibble of a frame has left, at that SystemC time, if queued() is 0 then.
    void on_drained(std::function<void()> drained);

    // Queues a frame without FCS, from any SystemC process. It is padded to 60 octets; preamble, SFD, FCS and a gap of
    // 24 nibbles go with it. The first preamble nibble leaves at the first edge from now on at which the gap is over.
    void send(std::vector<uint8_t> frame);

    // The same for octets that are to stand between SFD and gap as they are: FCS included, right or wrong, no padding.
    void send_raw(std::vector<uint8_t> octets);

    // Frames that wait or are being sent.
    size_t queued() const
    {
        return queue_.size();
    }
    const Counters &counters() const
    {
        return counters_;
    }

  private:
    void rise(Picoseconds now, unsigned edges) override;
    void attend() override;
    MiiNibble next_tx();
    void end_tx();
    void end_rx(FrameAssembler::Result result);

    Receiver receiver_;
    std::function<void()> drained_;
    std::deque<std::vector<uint8_t>> queue_;
    size_t tx_nibble_ = 0; // of the frame at the head of the queue, preamble included
    unsigned gap_ = 0;     // nibbles of silence still owed
    bool has_drained_ = false;
    FrameAssembler assembler_;
    std::deque<Frame> received_;
    Counters counters_;
};

} // namespace lanyard
