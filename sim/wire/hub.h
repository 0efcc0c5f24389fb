// SPDX-License-Identifier: Apache-2.0
#pragma once

// A repeater hub (802.3 clauses 9 and 27): what one station sends, all others hear. Where two send at once there is a
// collision, and all hear a jam; when only one of them is left, all but that one do until it has ended.
//
// It stands at the middle of a half-duplex segment. A station's carrier sense and collision are its own to find out: it
// hears something, and sends meanwhile (802.3 22.2.2.11, 22.2.2.12).

#include <memory>
#include <string>
#include <vector>

#include "sim/wire/cable.h"

namespace lanyard
{

class Hub
{
  public:
    // How long a nibble takes through the hub itself, in MII cycles, beside the cables before and behind it.
    static constexpr unsigned LATENCY_CYCLES = 1;

    struct Counters {
        uint64_t transmissions = 0; // of one station or more, from silence to silence
        uint64_t collisions = 0;    // of them those with one
    };

    Hub(ClockEngine &engine, std::string label, MiiRate rate);
    ~Hub();

    // Connects a station by a cable of this delay, one way. The station outlives the hub and has no other cable, else
    // std::invalid_argument. The cable is the hub's.
    Cable &connect(MiiEnd &station, Picoseconds delay = 0);

    // Sees what the hub repeats: a station's nibbles, or the jam.
    void add_observer(LineObserver &observer);

    // Of the hub's first port, before which no other station's is: orders captures. There is one once connected.
    unsigned source() const;
    const Counters &counters() const
    {
        return counters_;
    }

  private:
    class Port;

    void repeat(Picoseconds now);
    void observe(Picoseconds now, MiiNibble nibble);

    ClockEngine &engine_;
    std::string label_;
    MiiRate rate_;
    std::vector<std::unique_ptr<Port>> ports_;
    std::vector<std::unique_ptr<Cable>> cables_;
    std::vector<LineObserver *> observers_;
    Picoseconds repeated_ = NEVER; // the last edge for which the ports know what to send
    bool carrying_ = false;        // something was heard at that edge
    bool collision_ = false;       // and since the last silence two stations have sent at once
    Counters counters_;
};

} // namespace lanyard
