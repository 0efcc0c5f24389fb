// SPDX-License-Identifier: Apache-2.0
#pragma once

// The clock engine: the one thing that toggles clocks.
//
// It is one SystemC thread, and there is one in a simulation. Between two SystemC events it ticks everything that is
// awake in a plain loop, ahead of the kernel's time, and comes back to the kernel at the exact instant in which
// somebody needs it: an interrupt line changed, a register read completed, a frame port has a frame. What sleeps costs
// nothing.
//
// Order within an instant: first every SystemC process that is due, then the clock edges, then whoever was called for
// by those edges. Rising edges lie on fixed grids, n * period from n = 0, so a run with the idle skip equals one
// without it.
//
// End a run with sc_stop() from a process: the engine looks ahead to the next event, and the end of sc_start(duration)
// is none.

#include <cstdint>
#include <memory>
#include <string>
#include <systemc>
#include <vector>

namespace lanyard
{

using Picoseconds = uint64_t;
constexpr Picoseconds NEVER = UINT64_MAX;

class ClockEngine;
class Clocked;

enum ClockEdge : unsigned { EDGE_CLK = 1, EDGE_MII = 2 };

// The rising edges of one clock period, at index * period, and the things that are awake on them.
struct ClockGrid {
    struct Member {
        Clocked *thing;
        unsigned edges; // ClockEdge
    };

    Picoseconds period = 0;
    uint64_t index = 0; // of the edge under way, or else of the next
    Picoseconds time = 0;
    std::vector<Member> awake; // by source
};

// A thing with clocks. It is ticked while it has said that it is busy, and put to sleep afterwards.
class Clocked
{
  public:
    Clocked(const Clocked &) = delete;
    Clocked &operator=(const Clocked &) = delete;

    const std::string &label() const
    {
        return label_;
    }
    ClockEngine &engine() const
    {
        return engine_;
    }

    // Source number: order of creation. Decides between things that happen in the same instant.
    unsigned source() const
    {
        return source_;
    }

  protected:
    // Periods in picoseconds; 0: it has no such clock.
    Clocked(ClockEngine &engine, std::string label, Picoseconds clk_period, Picoseconds mii_period);
    virtual ~Clocked();

    // The clocks in `edges` rise at `now`; all that happens in the same instant rises before anything falls.
    virtual void rise(Picoseconds now, unsigned edges) = 0;

    // They fall again. No logic is sensitive to that; it is the time to react to what the edge has brought.
    virtual void fall(Picoseconds, unsigned)
    {
    }

    // Runs in the engine's thread at the SystemC time of the edge that called call_attention(). Must not wait.
    virtual void attend()
    {
    }

    // Wants to be ticked at every edge up to `until`, and at the first one after it. Call from rise() or fall().
    void stay_awake(Picoseconds until)
    {
        if (until > busy_until_)
            busy_until_ = until;
    }

    // From rise() or fall(): the kernel is to be entered in this very instant, and attend() called.
    void call_attention();

    const ClockGrid &mii_clock() const
    {
        return *mii_clock_;
    }

  private:
    friend class ClockEngine;

    ClockEngine &engine_;
    std::string label_;
    unsigned source_ = 0;
    unsigned edges_ = 0; // scratch of the engine's
    bool awake_ = false;
    bool wants_attention_ = false;
    Picoseconds busy_until_ = 0;
    ClockGrid *clock_ = nullptr;
    ClockGrid *mii_clock_ = nullptr;
};

// Sees the state of all models after the rising and after the falling of the clocks.
class Tracer
{
  public:
    virtual ~Tracer() = default;
    virtual void risen(Picoseconds now) = 0;
    virtual void fallen(Picoseconds now) = 0;
};

class ClockEngine : public sc_core::sc_module
{
  public:
    struct Config {
        bool idle_skip = true; // false: tick everything at every edge
    };

    explicit ClockEngine(const sc_core::sc_module_name &name);
    ClockEngine(const sc_core::sc_module_name &name, const Config &config);
    ~ClockEngine() override;

    // Borrowed; before the simulation starts.
    void set_tracer(Tracer *tracer);

    // Ticks `thing` from now on, until it is no longer busy. From any SystemC process, or from attend().
    void wake(Clocked &thing);

    // The same from an instant to come; from rise() or fall().
    void wake_at(Clocked &thing, Picoseconds when);

    // All edges up to here, inclusive, have happened. Equals the SystemC time, or is ahead of it, when the engine runs.
    Picoseconds now() const;

    // Nothing is awake and nothing is on any line.
    bool idle() const;

    // Instants in which something was ticked, and returns to the SystemC kernel.
    uint64_t instants() const;
    uint64_t kernel_entries() const;

  private:
    friend class Clocked;
    struct State;
    std::unique_ptr<State> state_;

    void run();
};

} // namespace lanyard
