// SPDX-License-Identifier: Apache-2.0
#include "sim/wire/hub.h"

namespace lanyard
{

namespace
{

// Looks like a preamble that never ends: no receiver finds a frame in it.
constexpr MiiNibble JAM = {0x5, true, false};

} // namespace

// The hub's end of a station's cable. All ports that are awake hear at one edge, then the hub decides, and what it has
// decided is sent at the next.
class Hub::Port : public MiiEnd
{
  public:
    Port(Hub &hub, ClockEngine &engine, std::string label, MiiRate rate)
        : MiiEnd(engine, std::move(label), rate), hub_(hub)
    {
    }

    LinkAbility ability() const override
    {
        return {true, false, 0, false};
    }
    MiiNibble heard() const
    {
        return heard_;
    }
    void send(MiiNibble nibble, Picoseconds when)
    {
        if (sent_.quiet() && !nibble.quiet())
            engine().wake_at(*this, when);
        sent_ = nibble;
    }

  private:
    void rise(Picoseconds now, unsigned) override
    {
        heard_ = exchange(sent_);
        if (!heard_.quiet() || !sent_.quiet())
            stay_awake(now);
    }
    void fall(Picoseconds now, unsigned) override
    {
        hub_.repeat(now);
    }

    Hub &hub_;
    MiiNibble heard_{}, sent_{};
};

Hub::Hub(ClockEngine &engine, std::string label, MiiRate rate) : engine_(engine), label_(std::move(label)), rate_(rate)
{
}

Hub::~Hub() = default;

Cable &Hub::connect(MiiEnd &station, Picoseconds delay)
{
    const std::string label = label_ + "." + std::to_string(ports_.size());
    ports_.push_back(std::make_unique<Port>(*this, engine_, label, rate_));
    cables_.push_back(std::make_unique<Cable>(station, *ports_.back(), delay));
    return *cables_.back();
}

void Hub::add_observer(LineObserver &observer)
{
    observers_.push_back(&observer);
}

unsigned Hub::source() const
{
    return ports_.at(0)->source();
}

// The repeater's states (802.3 9.6, 27.3): idle, repeating one port, collision, one port left.
void Hub::repeat(Picoseconds now)
{
    if (now == repeated_)
        return;
    repeated_ = now;
    const Port *only = nullptr;
    unsigned senders = 0;
    for (const auto &port : ports_) {
        if (port->heard().quiet())
            continue;
        senders++;
        only = port.get();
    }
    counters_.transmissions += senders > 0 && !carrying_;
    counters_.collisions += senders > 1 && !collision_;
    collision_ = senders > 1 || (senders == 1 && collision_);

    const MiiNibble nibble = collision_ ? JAM : senders == 1 ? only->heard() : MiiNibble{};
    for (const auto &port : ports_) {
        const bool is_only = senders == 1 && port.get() == only;
        port->send(is_only ? MiiNibble{} : nibble, now + mii_period(rate_));
    }
    observe(now, nibble);
    carrying_ = senders > 0;
}

void Hub::observe(Picoseconds now, MiiNibble nibble)
{
    if (nibble.quiet() && !carrying_)
        return;
    for (LineObserver *observer : observers_)
        observer->nibble(now, nibble);
}

} // namespace lanyard
