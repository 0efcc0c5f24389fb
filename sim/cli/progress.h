// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>

namespace lanyard
{

// Signs of life on standard error for work that takes longer than two seconds: on a terminal one line that is written
// anew every second, elsewhere a line every ten seconds.
class Progress
{
  public:
    Progress();
    ~Progress();

    // A new piece of work begins.
    void restart();

    // What goes on; shown when it is time. Call as often as you like.
    void show(const std::string &text);

    // Takes the line away, before something else is printed.
    void clear();

    bool on_terminal() const
    {
        return terminal_;
    }

  private:
    using Clock = std::chrono::steady_clock;

    bool terminal_;
    bool shown_ = false;
    Clock::time_point next_;
};

} // namespace lanyard
