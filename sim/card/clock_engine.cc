// SPDX-License-Identifier: Apache-2.0
#include "sim/card/clock_engine.h"

#include <algorithm>
#include <queue>
#include <stdexcept>

namespace lanyard
{

using namespace sc_core;

namespace
{

// The thread calls frame receivers and C libraries.
constexpr size_t STACK_BYTES = 512 * 1024;

// Two would wait for each other in settle().
unsigned engines;

struct Wake {
    Picoseconds when;
    Clocked *thing;

    bool operator>(const Wake &other) const
    {
        return when > other.when;
    }
};

Picoseconds sc_now()
{
    return sc_time_stamp().value();
}

// When the next process is due that is not due now; NEVER: there is none.
Picoseconds next_event()
{
    if (!sc_pending_activity_at_future_time())
        return NEVER;
    return sc_now() + sc_time_to_pending_activity(sc_get_curr_simcontext()).value();
}

// Lets everybody else who is due now run first.
void settle()
{
    do
        wait(SC_ZERO_TIME);
    while (sc_pending_activity_at_current_time());
}

} // namespace

struct ClockEngine::State {
    Config config;
    Tracer *tracer = nullptr;

    std::vector<std::unique_ptr<ClockGrid>> grids;
    std::priority_queue<Wake, std::vector<Wake>, std::greater<Wake>> wakes;
    std::vector<ClockGrid::Member> merged; // who is due on several grids at once
    std::vector<Clocked *> attention;      // called for in the last instant
    unsigned awake = 0;
    unsigned sources = 0;
    Picoseconds undone = 0; // edges before this have happened
    uint64_t instants = 0;
    uint64_t kernel_entries = 0;
    bool sleeping = false;
    sc_event woken;

    ClockGrid *grid(Picoseconds period);
    void align(ClockGrid &grid) const;
    void join(ClockGrid *grid, Clocked *thing, unsigned edges);
    static void leave(ClockGrid *grid, const Clocked *thing);
    void enlist(Clocked &thing);
    void delist(Clocked &thing);
    void rouse(Clocked &thing);
    void lull(Clocked &thing);

    bool quiet() const
    {
        return awake == 0 && wakes.empty();
    }
    Picoseconds done() const
    {
        return undone == 0 ? 0 : undone - 1;
    }
    Picoseconds next_instant() const;
    Picoseconds advance(Picoseconds limit);
    const std::vector<ClockGrid::Member> &due(Picoseconds now);
    void tick(Picoseconds now);
    void settle_down(const std::vector<ClockGrid::Member> &members, Picoseconds now);
    void catch_up(Picoseconds now);
    void serve();
    void sleep();
};

ClockGrid *ClockEngine::State::grid(Picoseconds period)
{
    if (period == 0)
        return nullptr;
    for (auto &g : grids)
        if (g->period == period)
            return g.get();
    grids.push_back(std::make_unique<ClockGrid>());
    grids.back()->period = period;
    return grids.back().get();
}

void ClockEngine::State::align(ClockGrid &grid) const
{
    grid.index = (undone + grid.period - 1) / grid.period;
    grid.time = grid.index * grid.period;
}

// A grid without members stands still; the first to come sets it to the first edge that has not happened.
void ClockEngine::State::join(ClockGrid *grid, Clocked *thing, unsigned edges)
{
    if (!grid)
        return;
    if (grid->awake.empty())
        align(*grid);
    const auto after = std::find_if(grid->awake.begin(), grid->awake.end(),
                                    [thing](const ClockGrid::Member &m) { return m.thing->source_ > thing->source_; });
    grid->awake.insert(after, {thing, edges});
}

void ClockEngine::State::leave(ClockGrid *grid, const Clocked *thing)
{
    if (!grid)
        return;
    const auto member = std::find_if(grid->awake.begin(), grid->awake.end(),
                                     [thing](const ClockGrid::Member &m) { return m.thing == thing; });
    if (member != grid->awake.end())
        grid->awake.erase(member);
}

// One entry where both clocks lie on the same grid.
void ClockEngine::State::enlist(Clocked &thing)
{
    if (thing.clock_ == thing.mii_clock_) {
        join(thing.clock_, &thing, EDGE_CLK | EDGE_MII);
    } else {
        join(thing.clock_, &thing, EDGE_CLK);
        join(thing.mii_clock_, &thing, EDGE_MII);
    }
}

void ClockEngine::State::delist(Clocked &thing)
{
    leave(thing.clock_, &thing);
    leave(thing.mii_clock_, &thing);
}

void ClockEngine::State::rouse(Clocked &thing)
{
    thing.stay_awake(undone);
    if (thing.awake_)
        return;
    thing.awake_ = true;
    awake++;
    if (config.idle_skip)
        enlist(thing);
}

void ClockEngine::State::lull(Clocked &thing)
{
    thing.awake_ = false;
    awake--;
    if (config.idle_skip)
        delist(thing);
}

Picoseconds ClockEngine::State::next_instant() const
{
    Picoseconds next = wakes.empty() ? NEVER : wakes.top().when;
    for (const auto &grid : grids)
        if (!grid->awake.empty() && grid->time < next)
            next = grid->time;
    return next;
}

// Ticks all that is due before `limit`, up to the first instant in which somebody calls for attention. Returns the time
// to which the kernel may go: that instant, the last one if all fell asleep on the way, or else the limit.
Picoseconds ClockEngine::State::advance(Picoseconds limit)
{
    const Picoseconds first = undone;
    while (attention.empty()) {
        if (limit == NEVER && quiet())
            break;
        const Picoseconds now = next_instant();
        if (now >= limit)
            return now == NEVER && undone != first ? done() : limit;
        for (; !wakes.empty() && wakes.top().when <= now; wakes.pop()) {
            undone = now;
            rouse(*wakes.top().thing);
        }
        tick(now);
    }
    return done();
}

// Who is due at `now`, each once. Nearly always that is one grid as it is.
const std::vector<ClockGrid::Member> &ClockEngine::State::due(Picoseconds now)
{
    const ClockGrid *only = nullptr;
    unsigned count = 0;
    for (const auto &grid : grids) {
        if (grid->time == now && !grid->awake.empty()) {
            only = grid.get();
            count++;
        }
    }
    if (count == 1)
        return only->awake;

    merged.clear();
    for (const auto &grid : grids) {
        if (grid->time != now)
            continue;
        for (const ClockGrid::Member &member : grid->awake) {
            if (member.thing->edges_ == 0)
                merged.push_back(member);
            member.thing->edges_ |= member.edges;
        }
    }
    for (ClockGrid::Member &member : merged) {
        member.edges = member.thing->edges_;
        member.thing->edges_ = 0;
    }
    return merged;
}

void ClockEngine::State::tick(Picoseconds now)
{
    const std::vector<ClockGrid::Member> &members = due(now);
    for (const ClockGrid::Member &member : members)
        member.thing->rise(now, member.edges);
    if (tracer)
        tracer->risen(now);
    for (const ClockGrid::Member &member : members)
        member.thing->fall(now, member.edges);
    if (tracer)
        tracer->fallen(now);

    for (const auto &grid : grids) {
        if (grid->time == now) {
            grid->index++;
            grid->time += grid->period;
        }
    }
    instants++;
    undone = now + 1;
    settle_down(members, now);
}

// From the last to the first: whoever leaves may do so from the very list.
void ClockEngine::State::settle_down(const std::vector<ClockGrid::Member> &members, Picoseconds now)
{
    for (size_t i = members.size(); i-- > 0;) {
        Clocked &thing = *members[i].thing;
        const bool busy = thing.busy_until_ >= now;
        if (busy == thing.awake_)
            continue;
        if (busy)
            rouse(thing);
        else
            lull(thing);
    }
}

// Edges before `now` that nobody was awake for are past.
void ClockEngine::State::catch_up(Picoseconds now)
{
    undone = std::max(undone, now);
    for (const auto &grid : grids) {
        if (grid->time < undone)
            align(*grid);
    }
}

void ClockEngine::State::serve()
{
    std::vector<Clocked *> callers;
    callers.swap(attention);
    std::sort(callers.begin(), callers.end(),
              [](const Clocked *a, const Clocked *b) { return a->source() < b->source(); });
    for (Clocked *thing : callers) {
        thing->wants_attention_ = false;
        thing->attend();
    }
}

ClockEngine::ClockEngine(const sc_module_name &name) : ClockEngine(name, Config())
{
}

ClockEngine::ClockEngine(const sc_module_name &name, const Config &config)
    : sc_module(name), state_(std::make_unique<State>())
{
    if (sc_get_time_resolution() != sc_time(1, SC_PS))
        throw std::logic_error("the clock engine needs SystemC's time resolution to be 1 ps");
    if (engines > 0)
        throw std::logic_error("there is one clock engine in a simulation");
    engines++;
    state_->config = config;
    SC_HAS_PROCESS(ClockEngine);
    SC_THREAD(run);
    set_stack_size(STACK_BYTES);
}

ClockEngine::~ClockEngine()
{
    engines--;
}

void ClockEngine::set_tracer(Tracer *tracer)
{
    state_->tracer = tracer;
}

void ClockEngine::wake(Clocked &thing)
{
    state_->catch_up(sc_now());
    state_->rouse(thing);
    if (state_->sleeping)
        state_->woken.notify(SC_ZERO_TIME);
}

void ClockEngine::wake_at(Clocked &thing, Picoseconds when)
{
    state_->wakes.push({when, &thing});
}

Picoseconds ClockEngine::now() const
{
    return state_->done();
}

bool ClockEngine::idle() const
{
    return state_->quiet();
}

uint64_t ClockEngine::instants() const
{
    return state_->instants;
}

uint64_t ClockEngine::kernel_entries() const
{
    return state_->kernel_entries;
}

void ClockEngine::State::sleep()
{
    sleeping = true;
    sc_core::wait(woken);
    sleeping = false;
}

void ClockEngine::run()
{
    State &s = *state_;
    for (;; s.kernel_entries++) {
        settle();
        if (s.quiet() && (s.config.idle_skip || next_event() == NEVER)) {
            s.sleep();
            continue;
        }
        const Picoseconds until = s.advance(next_event());
        if (until > sc_now())
            wait(sc_time::from_value(until - sc_now()));
        s.serve();
    }
}

Clocked::Clocked(ClockEngine &engine, std::string label, Picoseconds clk_period, Picoseconds mii_period)
    : engine_(engine), label_(std::move(label))
{
    ClockEngine::State &s = *engine.state_;
    source_ = s.sources++;
    clock_ = s.grid(clk_period);
    mii_clock_ = s.grid(mii_period);
    if (!s.config.idle_skip)
        s.enlist(*this);
    engine.wake(*this);
}

Clocked::~Clocked() = default;

void Clocked::call_attention()
{
    if (wants_attention_)
        return;
    wants_attention_ = true;
    engine_.state_->attention.push_back(this);
}

} // namespace lanyard
