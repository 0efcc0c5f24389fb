// SPDX-License-Identifier: Apache-2.0
#include "sim/wire/impairment.h"

#include <algorithm>
#include <map>

namespace lanyard
{

using namespace sc_core;

namespace
{

constexpr size_t OVERHEAD_OCTETS = 8 + 4 + 12; // preamble with SFD, FCS, gap
constexpr Picoseconds PS_PER_S = 1'000'000'000'000;

uint64_t port_rate_bps(const FramePort &port)
{
    return 4 * PS_PER_S / mii_period(port.rate());
}

Picoseconds transmission_time(size_t frame_octets, uint64_t rate_bps)
{
    return 8 * (frame_octets + OVERHEAD_OCTETS) * PS_PER_S / rate_bps;
}

void flip_bits(std::vector<uint8_t> &octets, unsigned count, Random &random)
{
    for (unsigned i = 0; i < count; i++) {
        const uint64_t bit = random.below(8 * octets.size());
        octets[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
    }
}

} // namespace

class Impairment::Direction : public sc_module
{
  public:
    Direction(const sc_module_name &name, const Config &config, FramePort &from, FramePort &to);

    Counters counters;

  private:
    struct Departure {
        std::vector<uint8_t> octets;
        bool has_fcs;
    };

    void arrive(const std::vector<uint8_t> &frame);
    void schedule(const std::vector<uint8_t> &frame);
    void depart();

    Config config_;
    FramePort &to_;
    Random random_;
    uint64_t rate_bps_;
    Picoseconds link_free_ = 0; // when the slowest link will have sent what it has accepted
    Picoseconds last_ = 0;      // departure of the last frame in order
    std::multimap<Picoseconds, Departure> departures_;
    sc_event due_;
};

Impairment::Direction::Direction(const sc_module_name &name, const Config &config, FramePort &from, FramePort &to)
    : sc_module(name), config_(config), to_(to), random_(config.seed),
      rate_bps_(config.rate_bps ? std::min(config.rate_bps, port_rate_bps(to)) : port_rate_bps(to))
{
    from.on_receive([this](Frame &frame) { arrive(frame.bytes); });
    SC_HAS_PROCESS(Direction);
    SC_METHOD(depart);
    sensitive << due_;
    dont_initialize();
}

void Impairment::Direction::arrive(const std::vector<uint8_t> &frame)
{
    if (random_.chance(config_.drop)) {
        counters.dropped++;
        return;
    }
    const bool twice = random_.chance(config_.duplicate);
    counters.duplicated += twice;
    for (int copies = 1 + twice; copies > 0; copies--)
        schedule(frame);
}

// The last bit leaves the slowest link when that link would have sent it: the port, which is faster, begins later.
void Impairment::Direction::schedule(const std::vector<uint8_t> &frame)
{
    const Picoseconds now = sc_time_stamp().value();
    const Picoseconds begin = std::max(now, link_free_);
    const Picoseconds waiting_bytes =
        static_cast<Picoseconds>(static_cast<double>(begin - now) / PS_PER_S * rate_bps_ / 8);
    if (waiting_bytes > config_.queue_bytes) {
        counters.queue_dropped++;
        return;
    }
    const Picoseconds duration = transmission_time(frame.size(), rate_bps_);
    link_free_ = begin + duration;

    Departure departure{frame, false};
    if (random_.chance(config_.corrupt)) {
        counters.corrupted++;
        flip_bits(departure.octets, config_.corrupt_bits, random_);
    }
    if (random_.chance(config_.corrupt_fcs)) {
        counters.corrupted_fcs++;
        append_fcs(departure.octets);
        departure.has_fcs = true;
        flip_bits(departure.octets, config_.corrupt_bits, random_);
    }
    const Picoseconds spread = random_.below(config_.jitter + 1);
    Picoseconds at = link_free_ - transmission_time(frame.size(), port_rate_bps(to_)) + config_.delay + spread;
    at = last_ = std::max(at, last_);
    if (random_.chance(config_.reorder)) {
        counters.reordered++;
        at += config_.reorder_delay;
    }
    departures_.emplace(at, std::move(departure));
    due_.notify(sc_time::from_value(departures_.begin()->first - now));
}

void Impairment::Direction::depart()
{
    const Picoseconds now = sc_time_stamp().value();
    while (!departures_.empty() && departures_.begin()->first <= now) {
        Departure departure = std::move(departures_.begin()->second);
        departures_.erase(departures_.begin());
        counters.forwarded++;
        if (departure.has_fcs)
            to_.send_raw(std::move(departure.octets));
        else
            to_.send(std::move(departure.octets));
    }
    if (!departures_.empty())
        due_.notify(sc_time::from_value(departures_.begin()->first - now));
}

Impairment::Impairment(const sc_module_name &name, ClockEngine &engine, const Config &a_to_b, const Config &b_to_a,
                       MiiRate rate)
    : sc_module(name), a_(std::make_unique<FramePort>(engine, std::string(sc_object::name()) + ".a", rate)),
      b_(std::make_unique<FramePort>(engine, std::string(sc_object::name()) + ".b", rate)),
      a_to_b_(std::make_unique<Direction>("a_to_b", a_to_b, *a_, *b_)),
      b_to_a_(std::make_unique<Direction>("b_to_a", b_to_a, *b_, *a_))
{
}

Impairment::~Impairment() = default;

FramePort &Impairment::a()
{
    return *a_;
}

FramePort &Impairment::b()
{
    return *b_;
}

const Impairment::Counters &Impairment::a_to_b() const
{
    return a_to_b_->counters;
}

const Impairment::Counters &Impairment::b_to_a() const
{
    return b_to_a_->counters;
}

} // namespace lanyard
