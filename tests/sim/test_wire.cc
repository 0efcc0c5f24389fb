// SPDX-License-Identifier: Apache-2.0

#include "sim/wire/cable.h"
#include "sim/wire/frame_port.h"
#include "tests/sim/sim_test.h"

using namespace lanyard;

namespace
{

constexpr Picoseconds NIBBLE = 40'000;

// Preamble, SFD, octets, FCS.
constexpr Picoseconds nibbles(size_t octets)
{
    return 16 + 2 * (octets + 4);
}

struct Arrival {
    Frame frame;
    Picoseconds time;
};

struct Link {
    explicit Link(Picoseconds delay = 0, MiiRate rate = MiiRate::mbps100)
        : a(engine, "a", rate), b(engine, "b", rate), cable(a, b, delay)
    {
        a.on_receive([this](Frame &frame) { at_a.push_back({frame, sc_now()}); });
        b.on_receive([this](Frame &frame) { at_b.push_back({frame, sc_now()}); });
    }

    ClockEngine engine{"engine"};
    FramePort a, b;
    Cable cable;
    std::vector<Arrival> at_a, at_b;
};

} // namespace

TEST_CASE("a frame crosses the cable in both directions at once, at exact times")
{
    Link link(500'000); // 12.5 nibbles: 13
    Script script("script");
    script.at(1'000'000, [&] {
        link.a.send(test_frame(60));
        link.b.send(test_frame(1514, 7));
    });
    sc_core::sc_start();

    REQUIRE(link.at_b.size() == 1);
    CHECK(link.at_b[0].frame.bytes == test_frame(60));
    const Picoseconds start = 1'000'000 + 13 * NIBBLE;
    CHECK(link.at_b[0].frame.start == start);
    CHECK(link.at_b[0].frame.sfd == start + 15 * NIBBLE);
    CHECK(link.at_b[0].frame.end == start + nibbles(60) * NIBBLE);
    CHECK(link.at_b[0].time == link.at_b[0].frame.end);

    REQUIRE(link.at_a.size() == 1);
    CHECK(link.at_a[0].frame.bytes == test_frame(1514, 7));
    CHECK(link.at_a[0].time == start + nibbles(1514) * NIBBLE);
}

TEST_CASE("a frame that is sent between two edges leaves at the next")
{
    Link link;
    Script script("script");
    script.at(1'000'001, [&] { link.a.send(test_frame(60)); });
    sc_core::sc_start();
    REQUIRE(link.at_b.size() == 1);
    CHECK(link.at_b[0].frame.start == 1'040'000 + NIBBLE);
}

TEST_CASE("the gap between two frames is 24 nibbles")
{
    Link link;
    Script script("script");
    script.at(0, [&] {
        link.a.send(test_frame(60));
        link.a.send(test_frame(60));
    });
    sc_core::sc_start();
    REQUIRE(link.at_b.size() == 2);
    CHECK(link.at_b[1].frame.start - link.at_b[0].frame.end == 24 * NIBBLE);
}

TEST_CASE("a frame sent when the port has just fallen silent keeps the gap")
{
    Link link;
    Script script("script");
    script.at(0, [&] { link.a.send(test_frame(60)); });
    script.at((nibbles(60) + 5) * NIBBLE, [&] { link.a.send(test_frame(60)); });
    sc_core::sc_start();
    REQUIRE(link.at_b.size() == 2);
    CHECK(link.at_b[1].frame.start - link.at_b[0].frame.end == 24 * NIBBLE);
}

TEST_CASE("short frames are padded with zeros to 60 octets")
{
    Link link;
    Script script("script");
    script.at(0, [&] { link.a.send(test_frame(42)); });
    sc_core::sc_start();
    REQUIRE(link.at_b.size() == 1);
    auto padded = test_frame(42);
    padded.resize(60);
    CHECK(link.at_b[0].frame.bytes == padded);
}

TEST_CASE("at 10 Mb/s everything takes ten times as long")
{
    Link link(0, MiiRate::mbps10);
    Script script("script");
    script.at(100, [&] { link.a.send(test_frame(60)); });
    sc_core::sc_start();
    REQUIRE(link.at_b.size() == 1);
    CHECK(link.at_b[0].frame.start == 800'000);
    CHECK(link.at_b[0].frame.end == 800'000 + nibbles(60) * 400'000);
}

TEST_CASE("a receiver sleeps through the delay of a long cable")
{
    constexpr Picoseconds DELAY = 10'000'000'000; // 10 ms
    Link link(DELAY);
    Script script("script");
    script.at(0, [&] {
        link.a.send(test_frame(60));
        link.a.send(test_frame(60));
    });
    sc_core::sc_start();
    REQUIRE(link.at_b.size() == 2);
    CHECK(link.at_b[0].frame.start == DELAY);
    CHECK(link.engine.instants() < 4 * nibbles(60) + 100);
}

TEST_CASE("what is no good frame is counted by cause and not delivered")
{
    Link link;
    Script script("script");
    script.at(0, [&] {
        auto bad = test_frame(64);
        append_fcs(bad);
        bad[20] ^= 1;
        link.a.send_raw(bad);
        link.a.send_raw({1, 2, 3, 4, 5}); // too short to be a frame
        link.a.send_raw({});
        link.a.send(test_frame(64));
    });
    sc_core::sc_start();
    CHECK(link.at_b.size() == 1);
    CHECK(link.b.counters().rx_frames == 1);
    CHECK(link.b.counters().rx_bad_fcs == 1);
    CHECK(link.b.counters().rx_no_frame == 2);
}

TEST_CASE("a frame of endless length costs bounded memory and is not delivered")
{
    Link link;
    Script script("script");
    script.at(0, [&] {
        auto endless = test_frame(3 * FrameAssembler::MAX_OCTETS);
        append_fcs(endless);
        link.a.send_raw(endless);
    });
    sc_core::sc_start();
    CHECK(link.at_b.empty());
    CHECK(link.b.counters().rx_bad_fcs == 1);
}

TEST_CASE("the FCS is that of 802.3")
{
    const std::string check = "123456789"; // the CRC-32 check value of the catalogues
    CHECK(ethernet_fcs(reinterpret_cast<const uint8_t *>(check.data()), check.size()) == 0xcbf43926);
}

TEST_CASE("a port tells when its queue has drained")
{
    Link link;
    std::vector<Picoseconds> drained;
    link.a.on_drained([&] { drained.push_back(sc_now()); });
    Script script("script");
    script.at(0, [&] {
        link.a.send(test_frame(60));
        link.a.send(test_frame(60));
    });
    sc_core::sc_start();
    CHECK(drained == std::vector<Picoseconds>{(2 * nibbles(60) + 24 - 1) * NIBBLE});
}

TEST_CASE("a cable refuses ends that do not fit")
{
    ClockEngine engine("engine");
    FramePort a(engine, "a"), b(engine, "b"), c(engine, "c"), slow(engine, "slow", MiiRate::mbps10);
    Cable cable(a, b);
    CHECK_THROWS_WITH(Cable(a, c), "a has a cable already");
    CHECK_THROWS_WITH(Cable(c, slow), "c and slow have different MII rates");
    CHECK_THROWS_WITH(Cable(c, c), "c cannot be both ends of a cable");
}

TEST_CASE("an end without a cable sends into nothing")
{
    ClockEngine engine("engine");
    FramePort alone(engine, "alone");
    Script script("script");
    script.at(0, [&] { alone.send(test_frame(60)); });
    sc_core::sc_start();
    CHECK(alone.counters().tx_frames == 1);
    CHECK(engine.idle());
}
