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
    // From now on the signals only wait. Before anything starts a thread, which would take them otherwise.
    Interruption();

    // From now on they end the run (borrowed).
    void ends(Topology &topology);

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
