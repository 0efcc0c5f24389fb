// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "sim/platform/topology.h"
#include "sim/platform/unique_fd.h"

namespace lanyard
{

// Ends a run with a pacer when the user interrupts it (SIGINT, SIGTERM, SIGHUP), so that everything is tidied up.
class Interruption
{
  public:
    // `topology` is borrowed. From now on the signals only end the run.
    explicit Interruption(Topology &topology);

    // The exit status of an interrupted run, 128 + the signal; 0 if it was not.
    int status() const
    {
        return status_;
    }

  private:
    UniqueFd fd_;
    int status_ = 0;
};

} // namespace lanyard
