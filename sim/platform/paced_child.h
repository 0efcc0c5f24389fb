// SPDX-License-Identifier: Apache-2.0
#pragma once

// A program of this machine whose end is an event of the simulation.

#include <string>
#include <systemc>
#include <vector>

#include "sim/platform/child.h"
#include "sim/platform/pacer.h"

namespace lanyard
{

class PacedChild
{
  public:
    // As Child; `pacer` is borrowed. From a thread of the simulation.
    PacedChild(Pacer &pacer, const std::vector<std::string> &argv, const std::string &output = {});
    ~PacedChild();

    // Lets simulated time pass until it has ended; its exit status, or 128 + the signal that ended it.
    int wait();

  private:
    Pacer &pacer_;
    Child child_;
    sc_core::sc_event ended_;
    int status_ = -1;
};

} // namespace lanyard
