// SPDX-License-Identifier: Apache-2.0
#include "sim/wire/cable.h"

#include <algorithm>
#include <stdexcept>

namespace lanyard
{

namespace
{

unsigned delay_cycles(Picoseconds delay, MiiRate rate)
{
    const Picoseconds period = mii_period(rate);
    const Picoseconds cycles = std::max<Picoseconds>((delay + period - 1) / period, 1);
    if (cycles > Cable::MAX_DELAY_CYCLES)
        throw std::invalid_argument("a cable's delay is at most " + std::to_string(Cable::MAX_DELAY_CYCLES) +
                                    " MII cycles");
    return static_cast<unsigned>(cycles);
}

void check_free(const MiiEnd &end, bool has_cable)
{
    if (has_cable)
        throw std::invalid_argument(end.label() + " has a cable already");
}

} // namespace

Cable::Cable(MiiEnd &a, MiiEnd &b, Picoseconds delay)
    : a_(a), b_(b), a_to_b_(a, b, delay_cycles(delay, a.rate())), b_to_a_(b, a, delay_cycles(delay, a.rate()))
{
    check_free(a, a.out_);
    check_free(b, b.out_);
    if (&a == &b)
        throw std::invalid_argument(a.label() + " cannot be both ends of a cable");
    if (a.rate() != b.rate())
        throw std::invalid_argument(a.label() + " and " + b.label() + " have different MII rates");
    join();
}

Cable::~Cable()
{
    a_.out_ = a_.in_ = nullptr;
    b_.out_ = b_.in_ = nullptr;
    a_.partner_ = b_.partner_ = nullptr;
}

void Cable::join()
{
    a_.out_ = b_.in_ = &a_to_b_;
    b_.out_ = a_.in_ = &b_to_a_;
    a_.partner_ = &b_;
    b_.partner_ = &a_;
    a_.agree();
    b_.agree();
}

void Cable::part()
{
    const uint64_t next_edge = a_.engine().now() / mii_period(a_.rate()) + 1;
    a_to_b_.cut(next_edge);
    b_to_a_.cut(next_edge);
    a_.out_ = a_.in_ = b_.out_ = b_.in_ = nullptr;
    a_.partner_ = b_.partner_ = nullptr;
    a_.agree();
    b_.agree();
}

void Cable::plug(const MiiEnd &end, bool in)
{
    const bool was_in = in_at_a_ && in_at_b_;
    (&end == &a_ ? in_at_a_ : in_at_b_) = in;
    const bool is_in = in_at_a_ && in_at_b_;
    if (is_in && !was_in)
        join();
    if (!is_in && was_in)
        part();
}

} // namespace lanyard
