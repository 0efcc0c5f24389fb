// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <set>

#include "sim/wire/cable.h"
#include "sim/wire/impairment.h"
#include "tests/sim/sim_test.h"

using namespace lanyard;

namespace
{

constexpr Picoseconds FRAME_TIME = (16 + 2 * 104 + 24) * Picoseconds{40'000}; // of a 100-octet frame, gap included

// A frame that carries its number.
std::vector<uint8_t> numbered(uint32_t number)
{
    auto frame = test_frame(100);
    for (int i = 0; i < 4; i++)
        frame[50 + i] = static_cast<uint8_t>(number >> (8 * i));
    return frame;
}

uint32_t number_of(const Frame &frame)
{
    uint32_t number = 0;
    for (int i = 0; i < 4; i++)
        number |= static_cast<uint32_t>(frame.bytes[50 + i]) << (8 * i);
    return number;
}

// a -- impairment -- b: `count` numbered frames from a, one every `interval`.
struct Path {
    explicit Path(const Impairment::Config &config) : box("box", engine, config, Impairment::Config{})
    {
        b.on_receive([this](Frame &frame) {
            received.push_back(number_of(frame));
            frames.push_back(frame);
        });
    }

    void run(uint32_t count, Picoseconds interval = FRAME_TIME)
    {
        Script script("script");
        for (uint32_t i = 0; i < count; i++)
            script.at(i * interval, [this, i] { a.send(numbered(i)); });
        sc_core::sc_start();
    }

    const Impairment::Counters &counters() const
    {
        return box.a_to_b();
    }

    ClockEngine engine{"engine"};
    FramePort a{engine, "a"}, b{engine, "b"};
    Impairment box;
    Cable left{a, box.a()}, right{box.b(), b};
    std::vector<uint32_t> received;
    std::vector<Frame> frames;
};

// Within four standard deviations of the binomial distribution.
bool plausible(uint64_t hits, uint64_t trials, double p)
{
    return std::abs(static_cast<double>(hits) - trials * p) <= 4 * std::sqrt(trials * p * (1 - p));
}

} // namespace

TEST_CASE("an impairment of nothing forwards everything in order")
{
    Path path(Impairment::Config{});
    path.run(100);
    CHECK(path.received.size() == 100);
    CHECK(std::is_sorted(path.received.begin(), path.received.end()));
}

TEST_CASE("frames are dropped with the probability asked for")
{
    Impairment::Config config;
    config.drop = 0.1;
    Path path(config);
    path.run(5000);
    CHECK(plausible(path.counters().dropped, 5000, 0.1));
    CHECK(path.received.size() == 5000 - path.counters().dropped);
}

TEST_CASE("a seed decides what is dropped")
{
    Random a(7), b(7), c(8);
    std::vector<bool> from_a, from_b, from_c;
    for (int i = 0; i < 1000; i++) {
        from_a.push_back(a.chance(0.5));
        from_b.push_back(b.chance(0.5));
        from_c.push_back(c.chance(0.5));
    }
    CHECK(from_a == from_b);
    CHECK(from_a != from_c);
}

TEST_CASE("frames are duplicated with the probability asked for, the twin next to it")
{
    Impairment::Config config;
    config.duplicate = 0.2;
    Path path(config);
    path.run(2000, 3 * FRAME_TIME);
    CHECK(plausible(path.counters().duplicated, 2000, 0.2));
    CHECK(path.received.size() == 2000 + path.counters().duplicated);
    CHECK(std::is_sorted(path.received.begin(), path.received.end()));
}

TEST_CASE("a reordered frame comes later than its successors, and none is lost")
{
    Impairment::Config config;
    config.reorder = 0.05;
    config.reorder_delay = 4 * FRAME_TIME;
    Path path(config);
    path.run(2000, 2 * FRAME_TIME);
    CHECK(plausible(path.counters().reordered, 2000, 0.05));
    CHECK(std::set<uint32_t>(path.received.begin(), path.received.end()).size() == 2000);
    uint64_t late = 0;
    for (size_t i = 1; i < path.received.size(); i++)
        late += path.received[i] < path.received[i - 1];
    CHECK(late > path.counters().reordered / 2);
}

TEST_CASE("corruption behind the FCS is delivered, one bit wrong")
{
    Impairment::Config config;
    config.corrupt = 1;
    Path path(config);
    path.run(200);
    REQUIRE(path.frames.size() == 200);
    for (uint32_t i = 0; i < 200; i++) {
        const auto sent = numbered(i);
        int wrong = 0;
        for (size_t k = 0; k < sent.size(); k++)
            wrong += __builtin_popcount(static_cast<unsigned>(sent[k] ^ path.frames[i].bytes[k]));
        CHECK(wrong == 1);
    }
}

TEST_CASE("corruption on the wire is found by the receiver's FCS check")
{
    Impairment::Config config;
    config.corrupt_fcs = 0.3;
    Path path(config);
    path.run(1000);
    CHECK(plausible(path.counters().corrupted_fcs, 1000, 0.3));
    CHECK(path.b.counters().rx_bad_fcs == path.counters().corrupted_fcs);
    CHECK(path.received.size() == 1000 - path.counters().corrupted_fcs);
}

TEST_CASE("a delay is exact")
{
    Impairment::Config config;
    config.delay = 10'000'000'000;
    Path path(config);
    path.run(1);
    REQUIRE(path.frames.size() == 1);
    const Picoseconds into_the_box = 40'000 + (16 + 2 * 104) * Picoseconds{40'000};
    CHECK(path.frames[0].start == into_the_box + config.delay + 40'000);
}

TEST_CASE("jitter spreads the delay and keeps the order")
{
    Impairment::Config config;
    config.delay = 1'000'000'000;
    config.jitter = 500'000'000;
    Path path(config);
    path.run(500, 100 * FRAME_TIME);
    REQUIRE(path.frames.size() == 500);
    CHECK(std::is_sorted(path.received.begin(), path.received.end()));
    Picoseconds least = NEVER, most = 0;
    for (uint32_t i = 0; i < 500; i++) {
        const Picoseconds delay = path.frames[i].start - i * 100 * FRAME_TIME;
        least = std::min(least, delay);
        most = std::max(most, delay);
    }
    CHECK(most - least > config.jitter * 9 / 10);
    CHECK(most - least <= config.jitter + 40'000);
}

TEST_CASE("a slow link on the way spaces frames by its rate and drops what its queue cannot hold")
{
    Impairment::Config config;
    config.rate_bps = 10'000'000;
    config.queue_bytes = 2000;
    Path path(config);
    path.run(1000);
    CHECK(path.counters().queue_dropped > 800);
    CHECK(path.received.size() + path.counters().queue_dropped == 1000);
    for (size_t i = 1; i < 10; i++)
        CHECK(path.frames[i].start - path.frames[i - 1].start >= 10 * (FRAME_TIME - 40'000));
    CHECK(path.frames.back().end < 1000 * FRAME_TIME + 2100 * 8 * Picoseconds{100'000} + 20 * FRAME_TIME);
}

TEST_CASE("the other direction is left alone")
{
    Impairment::Config config;
    config.drop = 1;
    Path path(config);
    uint64_t back = 0;
    path.a.on_receive([&](Frame &) { back++; });
    Script script("backwards");
    script.at(0, [&] { path.b.send(numbered(1)); });
    path.run(10);
    CHECK(path.received.empty());
    CHECK(back == 1);
}
