// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <memory>
#include <thread>

#include "sim/platform/topology.h"
#include "sim/platform/unique_fd.h"

namespace lanyard
{

// Ends a run when the user interrupts it (SIGINT, SIGTERM, SIGHUP), so that its files are whole and everything is
// tidied up.
class Interruption
{
  public:
    // From now on the signals only wait. Before anything starts a thread, which would take them otherwise.
    Interruption();
    ~Interruption();

    // From now on they end the run (borrowed; before it starts). With a pacer that looks for them. Without one the run
    // hears of it when it is back in the kernel; a second signal ends the process at once.
    void ends(Topology &topology);

    // The exit status of an interrupted run, 128 + the signal; 0 if it was not.
    int status() const
    {
        return status_;
    }

  private:
    class Stop;

    int read_signal();
    void watch();

    UniqueFd signals_;
    UniqueFd done_; // readable when nobody is to wait for signals any longer
    std::atomic<int> status_ = 0;
    std::unique_ptr<Stop> stop_;
    std::thread watcher_;
};

} // namespace lanyard
