// SPDX-License-Identifier: Apache-2.0
#pragma once

// Couples simulated time to the wall clock for a run with a peer outside of it.
//
// While nothing is in flight simulated time follows the wall clock, and the process sleeps until the next simulated
// event is due or a watched descriptor becomes readable. While something is in flight, time takes what computing it
// takes. It never runs ahead of the wall clock, and what it has fallen behind it never catches up.

#include <chrono>
#include <cstdint>
#include <functional>
#include <poll.h>
#include <systemc>
#include <vector>

namespace lanyard
{

class Pacer : public sc_core::sc_module
{
  public:
    struct Counters {
        uint64_t sleeps = 0;   // times the process slept
        uint64_t by_input = 0; // of those, ended by a descriptor
        uint64_t slept_ns = 0;
        uint64_t behind_ns = 0; // wall time by which simulated time has fallen behind in all
    };

    // `idle`: whether nothing is in flight now.
    Pacer(const sc_core::sc_module_name &name, std::function<bool()> idle);

    // Calls `readable` in a thread of the simulation whenever `fd` (borrowed) is readable. It must take what made it
    // so, or unwatch, and must not wait.
    void watch(int fd, std::function<void()> readable);
    void unwatch(int fd);

    const Counters &counters() const
    {
        return counters_;
    }

  private:
    using WallClock = std::chrono::steady_clock;

    struct Watch {
        int fd;
        std::function<void()> readable;
    };

    void run();
    void follow_wall_clock(const sc_core::sc_time &next);
    void synchronise();
    void call_readable();
    std::vector<pollfd> poll_until(WallClock::time_point deadline) const;
    WallClock::time_point wall_of(const sc_core::sc_time &simulated) const;

    std::function<bool()> idle_;
    std::vector<Watch> watches_;
    sc_core::sc_time anchor_simulated_; // these two belong together
    WallClock::time_point anchor_wall_;
    Counters counters_;
};

} // namespace lanyard
