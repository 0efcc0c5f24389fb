// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "sim/platform/unique_fd.h"

#include <string>
#include <sys/types.h>
#include <vector>

namespace lanyard
{

// A program that runs beside the simulation, in a process namespace of its own: when it ends, is ended, or this process
// dies, the kernel ends everything it has started.
class Child
{
  public:
    // argv[0] is looked up in PATH. `output`: a file for its standard output and error; empty: they are ours. Throws
    // UserError when it cannot be started.
    explicit Child(const std::vector<std::string> &argv, const std::string &output = {});
    Child(const Child &) = delete;
    Child &operator=(const Child &) = delete;
    // Ends it if it still runs.
    ~Child();

    // Readable when it has ended.
    int fd() const
    {
        return pidfd_.get();
    }

    // Waits for the end: the exit status, or 128 + the signal that ended it.
    int wait();

  private:
    pid_t pid_ = -1;
    UniqueFd pidfd_;
};

} // namespace lanyard
