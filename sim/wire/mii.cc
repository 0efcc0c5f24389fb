// SPDX-License-Identifier: Apache-2.0
#include "sim/wire/mii.h"

#include <algorithm>

namespace lanyard
{

namespace
{

size_t ring_size(unsigned delay_cycles)
{
    size_t size = 2;
    while (size <= delay_cycles)
        size *= 2;
    return size;
}

} // namespace

MiiLine::MiiLine(MiiEnd &source, MiiEnd &sink, unsigned delay_cycles)
    : source_(source), sink_(sink), delay_cycles_(delay_cycles), ring_(ring_size(delay_cycles)), mask_(ring_.size() - 1)
{
}

void MiiLine::add_observer(LineObserver &observer)
{
    observers_.push_back(&observer);
}

// A burst begins, goes on under observation, or has ended. The sink may be asleep: it is woken for the first nibble of
// each burst, and stays awake while it hears one.
void MiiLine::note(uint64_t index, MiiNibble nibble)
{
    const Picoseconds period = mii_period(source_.rate());
    for (LineObserver *observer : observers_)
        observer->nibble(index * period, nibble);
    if (!carrying_)
        sink_.engine().wake_at(sink_, (index + delay_cycles_) * period);
    carrying_ = !nibble.quiet();
}

void MiiLine::cut(uint64_t index)
{
    if (carrying_)
        note(index, {});
    std::fill(ring_.begin(), ring_.end(), MiiNibble{});
}

MiiEnd::MiiEnd(ClockEngine &engine, std::string label, MiiRate rate, Picoseconds clk_period)
    : Clocked(engine, std::move(label), clk_period, mii_period(rate)), rate_(rate)
{
}

void MiiEnd::agree()
{
    const LinkAbility own = ability();
    const LinkAbility other = partner_ ? partner_->ability() : LinkAbility{};
    const bool full_duplex = own.full_duplex && (!own.negotiates || (other.negotiates && other.full_duplex));
    half_duplex_ = partner_ && !full_duplex;
    link_changed();
}

void MiiEnd::renegotiate()
{
    if (!partner_)
        return;
    agree();
    partner_->agree();
}

} // namespace lanyard
