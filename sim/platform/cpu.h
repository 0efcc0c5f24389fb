// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <systemc>

namespace lanyard
{

// The processor of a simulated host: at most one of its threads runs at a time; the others queue up and get it in the
// order in which they asked.
class Cpu
{
  public:
    void take()
    {
        if (!taken_) {
            taken_ = true;
            return;
        }
        sc_core::sc_event turn;
        waiting_.push_back(&turn);
        sc_core::wait(turn);
    }

    bool taken() const
    {
        return taken_;
    }

    void give()
    {
        if (waiting_.empty()) {
            taken_ = false;
            return;
        }
        // Handed over, so that nobody can slip in before the waiter has woken up.
        waiting_.front()->notify(sc_core::SC_ZERO_TIME);
        waiting_.pop_front();
    }

  private:
    bool taken_ = false;
    std::deque<sc_core::sc_event *> waiting_;
};

} // namespace lanyard
