// SPDX-License-Identifier: Apache-2.0
#include "sim/platform/pacer.h"

#include <algorithm>
#include <thread>

#include "sim/platform/simulation.h"

namespace lanyard
{

using namespace sc_core;
using std::chrono::nanoseconds;

namespace
{

// How often descriptors are looked at while something is in flight: some hundred cycles of a card, which cost far more
// than the look.
constexpr uint64_t BUSY_INTERVAL_PS = 20'000'000;

// The longest sleep in one go: it bounds the arithmetic, not the behaviour.
constexpr uint64_t LONGEST_SLEEP_PS = 3600 * uint64_t{1'000'000'000'000};

} // namespace

Pacer::Pacer(const sc_module_name &name, std::function<bool()> idle) : sc_module(name), idle_(std::move(idle))
{
    spawn_thread("pacer", [this] { run(); });
}

void Pacer::watch(int fd, std::function<void()> readable)
{
    watches_.push_back({fd, std::move(readable)});
}

void Pacer::unwatch(int fd)
{
    watches_.erase(std::remove_if(watches_.begin(), watches_.end(), [fd](const Watch &w) { return w.fd == fd; }),
                   watches_.end());
}

void Pacer::run()
{
    anchor_wall_ = WallClock::now();
    for (;;) {
        synchronise();
        if (idle_()) {
            follow_wall_clock(sc_time_to_pending_activity(sc_get_curr_simcontext()));
        } else {
            std::this_thread::sleep_until(wall_of(sc_time_stamp())); // it has come ahead
            wait(sc_time::from_value(BUSY_INTERVAL_PS));
        }
        call_readable();
    }
}

// Where simulated time has fallen behind the wall clock, the present becomes the new anchor.
void Pacer::synchronise()
{
    const auto wall_now = WallClock::now();
    const nanoseconds behind = wall_now - wall_of(sc_time_stamp());
    if (behind > nanoseconds::zero()) {
        counters_.behind_ns += static_cast<uint64_t>(behind.count());
        anchor_simulated_ = sc_time_stamp();
        anchor_wall_ = wall_now;
    }
}

// Lets both clocks go on by `step`, or by less if there is input.
void Pacer::follow_wall_clock(const sc_time &next)
{
    const sc_time step = std::min(next, sc_time::from_value(LONGEST_SLEEP_PS));
    const auto wall_start = wall_of(sc_time_stamp());
    counters_.sleeps++;
    counters_.by_input += !poll_until(wall_of(sc_time_stamp() + step)).empty();
    const auto slept = std::max<int64_t>(nanoseconds(WallClock::now() - wall_start).count(), 0);
    counters_.slept_ns += static_cast<uint64_t>(slept);
    wait(std::min(step, sc_time::from_value(static_cast<uint64_t>(slept) * 1000)));
}

void Pacer::call_readable()
{
    for (const pollfd &p : poll_until(WallClock::now())) {
        // A callback may have changed the watches.
        auto w = std::find_if(watches_.begin(), watches_.end(), [&p](const Watch &watch) { return watch.fd == p.fd; });
        if (p.revents && w != watches_.end()) {
            const auto callback = w->readable;
            callback();
        }
    }
}

// One entry a watch; empty if none becomes readable in time.
std::vector<pollfd> Pacer::poll_until(WallClock::time_point deadline) const
{
    std::vector<pollfd> polled;
    for (const Watch &w : watches_)
        polled.push_back({w.fd, POLLIN, 0});
    const int64_t left = std::max<int64_t>(nanoseconds(deadline - WallClock::now()).count(), 0);
    const timespec timeout = {left / 1'000'000'000, left % 1'000'000'000};
    if (ppoll(polled.data(), polled.size(), &timeout, nullptr) <= 0)
        polled.clear();
    return polled;
}

Pacer::WallClock::time_point Pacer::wall_of(const sc_time &simulated) const
{
    return anchor_wall_ + nanoseconds((simulated - anchor_simulated_).value() / 1000);
}

} // namespace lanyard
