// SPDX-License-Identifier: Apache-2.0

#include <cstdio>
#include <stdexcept>

#include "sim/wire/capture.h"
#include "sim/wire/frame_port.h"
#include "sim/wire/hub.h"
#include "tests/sim/sim_test.h"

using namespace lanyard;

namespace
{

constexpr Picoseconds NIBBLE = 40'000;
constexpr uint64_t SLOT = 512 / 4; // nibbles (802.3 4.4.2)

// A station that sends when it is told to, whatever it hears, and notes the edges at which its PHY tells it something.
class Station : public MiiEnd
{
  public:
    Station(ClockEngine &engine, const char *label) : MiiEnd(engine, label, MiiRate::mbps100)
    {
    }

    // A burst of data nibbles from the edge `first` on; before the simulation, in rising order.
    void send(uint64_t first, uint64_t nibbles)
    {
        for (uint64_t i = 0; i < nibbles; i++)
            plan_[first + i] = {0x9, true, false};
    }

    std::vector<uint64_t> carrier, collision;
    std::map<uint64_t, unsigned> heard; // nibbles by edge

  private:
    void rise(Picoseconds now, unsigned) override
    {
        const uint64_t edge = now / NIBBLE;
        const auto planned = plan_.find(edge);
        const MiiNibble tx = planned == plan_.end() ? MiiNibble{} : planned->second;
        const MiiNibble rx = exchange(tx);
        if (!rx.quiet())
            heard[edge] = rx.data;
        if (sense(tx, rx).carrier)
            carrier.push_back(edge);
        if (sense(tx, rx).collision)
            collision.push_back(edge);
        if (!rx.quiet() || (!plan_.empty() && edge <= plan_.rbegin()->first))
            stay_awake(now);
    }

    std::map<uint64_t, MiiNibble> plan_;
};

std::vector<uint64_t> edges(uint64_t first, uint64_t count)
{
    std::vector<uint64_t> all;
    for (uint64_t i = 0; i < count; i++)
        all.push_back(first + i);
    return all;
}

std::vector<uint64_t> keys(const std::map<uint64_t, unsigned> &map)
{
    std::vector<uint64_t> all;
    for (const auto &[edge, nibble] : map)
        all.push_back(edge);
    return all;
}

struct Segment {
    explicit Segment(std::array<uint64_t, 3> delay_cycles = {1, 1, 1})
    {
        hub.connect(a, delay_cycles[0] * NIBBLE);
        hub.connect(b, delay_cycles[1] * NIBBLE);
        hub.connect(c, delay_cycles[2] * NIBBLE);
    }

    ClockEngine engine{"engine"};
    Station a{engine, "a"}, b{engine, "b"}, c{engine, "c"};
    Hub hub{engine, "hub", MiiRate::mbps100};
};

} // namespace

TEST_CASE("what one station sends all others hear, after both cables and the hub, but not itself")
{
    Segment segment({3, 10, 1});
    segment.a.send(100, 50);
    Script script("script");
    sc_core::sc_start();
    CHECK(keys(segment.b.heard) == edges(100 + 3 + Hub::LATENCY_CYCLES + 10, 50));
    CHECK(keys(segment.c.heard) == edges(100 + 3 + Hub::LATENCY_CYCLES + 1, 50));
    CHECK(segment.c.heard.begin()->second == 0x9);
    CHECK(segment.a.heard.empty());
    CHECK(segment.hub.counters().collisions == 0);
}

TEST_CASE("everybody has carrier while anybody sends, and nobody a collision while only one does")
{
    Segment segment({3, 10, 1});
    segment.a.send(100, 50);
    Script script("script");
    sc_core::sc_start();
    CHECK(segment.a.carrier == edges(100, 50));
    CHECK(segment.b.carrier == edges(114, 50));
    for (const Station *station : {&segment.a, &segment.b, &segment.c})
        CHECK(station->collision.empty());
}

TEST_CASE("stations that send at once hear of the collision while they send, and the others a jam")
{
    Segment segment;
    segment.a.send(100, 40);
    segment.b.send(110, 20);
    Script script("script");
    sc_core::sc_start();
    // B hears A from 103 on, before it begins. The hub hears B from 111 to 130, and A gets the jam two edges later.
    CHECK(segment.b.collision == edges(110, 20));
    CHECK(segment.a.collision == edges(113, 20));
    CHECK(segment.c.collision.empty());
    CHECK(segment.hub.counters().collisions == 1);
    CHECK(segment.c.heard.at(112) == 0x9);
    CHECK(segment.c.heard.at(113) == 0x5);
}

TEST_CASE("who is left after a collision does not hear its own jam, the others do until it has ended")
{
    Segment segment;
    segment.a.send(100, 40);
    segment.b.send(105, 8);
    Script script("script");
    sc_core::sc_start();
    CHECK(keys(segment.a.heard) == edges(108, 8));
    CHECK(keys(segment.b.heard) == edges(103, 40));
    CHECK(segment.b.heard.at(142) == 0x5);
    CHECK(segment.hub.counters().transmissions == 1);
}

TEST_CASE("a station that begins when the other has just ended does not collide at the hub")
{
    Segment segment;
    segment.a.send(100, 20);
    segment.b.send(120, 20);
    Script script("script");
    sc_core::sc_start();
    CHECK(segment.hub.counters().collisions == 0);
    CHECK(segment.hub.counters().transmissions == 1);
    CHECK(keys(segment.c.heard) == edges(103, 40));
}

TEST_CASE("three at once are one collision")
{
    Segment segment;
    for (Station *station : {&segment.a, &segment.b, &segment.c})
        station->send(100, 16);
    Script script("script");
    sc_core::sc_start();
    CHECK(segment.hub.counters().collisions == 1);
    for (const Station *station : {&segment.a, &segment.b, &segment.c})
        CHECK(station->collision == edges(103, 13));
}

TEST_CASE("on the longest legal segment the first to send hears of any collision within the slot time")
{
    // 802.3 clause 29, one class I repeater: 140 bit times of round trip for it, 111.2 for each 100 m of cable, 100 for
    // the two stations. Here: one way from a station to the middle.
    constexpr uint64_t ONE_WAY = (140 + 2 * 112 + 100) / 4 / 4;
    Segment segment({ONE_WAY, ONE_WAY, 1});
    segment.a.send(1000, 200);
    segment.b.send(1000 + 2 * ONE_WAY + Hub::LATENCY_CYCLES - 1, 16); // just before it would have heard A
    Script script("script");
    sc_core::sc_start();
    REQUIRE(!segment.a.collision.empty());
    CHECK(segment.a.collision.front() - 1000 < SLOT);
    CHECK(segment.b.collision.size() == 15);
}

TEST_CASE("a frame reaches every other station and the capture once, and what collides is bad")
{
    ClockEngine engine("engine");
    FramePort a(engine, "a"), b(engine, "b"), c(engine, "c");
    Hub hub(engine, "hub", MiiRate::mbps100);
    for (FramePort *port : {&a, &b, &c})
        hub.connect(*port);
    const std::string path = "hub-" + std::to_string(reinterpret_cast<uintptr_t>(&engine)) + ".pcap";
    Capture capture(path);
    std::vector<Picoseconds> ends;
    capture.on_frame([&](uint64_t, const Frame &frame) { ends.push_back(frame.end); });
    capture.watch(hub);
    Script script("script");
    script.at(0, [&] { a.send(test_frame(60)); });
    script.at(1'000 * NIBBLE, [&] { a.send(test_frame(60)); });
    script.at(1'020 * NIBBLE, [&] { b.send(test_frame(60)); });
    script.at(2'000 * NIBBLE, [&] { c.send(test_frame(60)); });
    sc_core::sc_start();
    std::remove(path.c_str());
    CHECK(a.counters().rx_frames == 1);
    CHECK(b.counters().rx_frames == 2);
    CHECK(c.counters().rx_frames == 1);
    CHECK(c.counters().rx_bad_fcs + c.counters().rx_no_frame == 1);
    CHECK(ends == std::vector<Picoseconds>{(144 + 1) * NIBBLE, (2'000 + 144 + 1) * NIBBLE});
    CHECK(capture.bad() == 1);
}

TEST_CASE("a hub sleeps while nobody sends")
{
    Segment segment({1, 100, 1});
    segment.a.send(10, 20);
    Script script("script", 1'000'000'000'000);
    sc_core::sc_start();
    CHECK(segment.b.heard.size() == 20);
    CHECK(segment.engine.instants() < 200);
}

TEST_CASE("a station at a hub is half duplex, one at the end of a cable is not")
{
    Segment segment;
    CHECK(segment.a.half_duplex());
    FramePort x(segment.engine, "x"), y(segment.engine, "y");
    const Cable cable(x, y);
    CHECK(!x.half_duplex());
}

TEST_CASE("a station of another rate, or with another cable, cannot be connected")
{
    Segment segment;
    FramePort slow(segment.engine, "slow", MiiRate::mbps10);
    CHECK_THROWS_AS(segment.hub.connect(slow), std::invalid_argument);
    CHECK_THROWS_AS(segment.hub.connect(segment.a), std::invalid_argument);
}
