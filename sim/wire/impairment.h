// SPDX-License-Identifier: Apache-2.0
#pragma once

// An impaired link: a box with two frame ports that forwards frames from each to the other, not always faithfully.
// Each direction draws from its own generator, so what happens in one does not change the other.

#include <memory>
#include <systemc>

#include "sim/wire/frame_port.h"
#include "sim/wire/random.h"

namespace lanyard
{

class Impairment : public sc_core::sc_module
{
  public:
    // Probabilities from 0 to 1, for each frame by itself, in this order.
    struct Config {
        uint64_t seed = 1;
        double drop = 0;
        double duplicate = 0;   // sent twice, one right after the other
        double corrupt = 0;     // bits flipped in a box on the way: the FCS is right, only checksums above find them
        double corrupt_fcs = 0; // bits flipped on the wire: the receiver's FCS check finds them
        double reorder = 0;     // held back by reorder_delay more, while later ones pass
        unsigned corrupt_bits = 1;
        Picoseconds reorder_delay = 2'000'000'000;
        Picoseconds delay = 0;
        Picoseconds jitter = 0;       // uniform from 0 to this, added to the delay; keeps the order
        uint64_t rate_bps = 0;        // of the slowest link on the way, preamble and gap included; 0: the port's
        size_t queue_bytes = 250'000; // waiting for that link, from which what does not fit is dropped
    };
    struct Counters {
        uint64_t forwarded = 0; // handed to the other port
        uint64_t dropped = 0, duplicated = 0, corrupted = 0, corrupted_fcs = 0, reordered = 0, queue_dropped = 0;
    };

    Impairment(const sc_core::sc_module_name &name, ClockEngine &engine, const Config &a_to_b, const Config &b_to_a,
               MiiRate rate = MiiRate::mbps100);
    ~Impairment() override;

    FramePort &a();
    FramePort &b();
    const Counters &a_to_b() const;
    const Counters &b_to_a() const;

  private:
    class Direction;
    std::unique_ptr<FramePort> a_, b_;
    std::unique_ptr<Direction> a_to_b_, b_to_a_;
};

} // namespace lanyard
