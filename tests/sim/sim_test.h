// SPDX-License-Identifier: Apache-2.0
#pragma once

// SystemC knows one simulation per process, so CTest runs every test case in a process of its own.

#include <doctest/doctest.h>
#include <functional>
#include <map>
#include <vector>

#include "sim/card/clock_engine.h"
#include "sim/wire/frame.h"

// A process of the test that does each action at its time, in picoseconds, and then stops the simulation at `end`. The
// test fails if it has not come to its end.
class Script : public sc_core::sc_module
{
  public:
    explicit Script(const sc_core::sc_module_name &name, lanyard::Picoseconds end = lanyard::NEVER);
    ~Script() override;

    void at(lanyard::Picoseconds time, std::function<void()> action);

  private:
    void run();

    lanyard::Picoseconds end_;
    bool finished_ = false;
    std::multimap<lanyard::Picoseconds, std::function<void()>> actions_;
};

// A frame of `octets` octets whose payload counts up from `first`.
std::vector<uint8_t> test_frame(size_t octets, uint8_t first = 0);

lanyard::Picoseconds sc_now();
