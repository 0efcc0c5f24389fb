// SPDX-License-Identifier: Apache-2.0
#pragma once

// A cable between two MII ends of the same rate. It delays, and does nothing else.

#include "sim/wire/mii.h"

namespace lanyard
{

class Cable
{
  public:
    static constexpr unsigned MAX_DELAY_CYCLES = 1u << 26; // 2.7 s at 100 Mb/s

    // The ends outlive the cable, have no other one, and equal rates (else std::invalid_argument). The delay is rounded
    // up to whole MII cycles, and is at least one.
    Cable(MiiEnd &a, MiiEnd &b, Picoseconds delay = 0);
    Cable(const Cable &) = delete;
    Cable &operator=(const Cable &) = delete;
    ~Cable();

    // Pulls the cable out at one of its ends, or puts it in again: there is a link while both are plugged. What is on
    // the cable is lost. From a SystemC process; both are at first.
    void plug(const MiiEnd &end, bool in);

    MiiLine &a_to_b()
    {
        return a_to_b_;
    }
    MiiLine &b_to_a()
    {
        return b_to_a_;
    }

  private:
    void join();
    void part();

    MiiEnd &a_, &b_;
    MiiLine a_to_b_, b_to_a_;
    bool in_at_a_ = true, in_at_b_ = true;
};

} // namespace lanyard
