// SPDX-License-Identifier: Apache-2.0
#include "sim/wire/cable.h"
#include "sim/wire/frame_port.h"
#include "tests/sim/card_host.h"
#include "tests/sim/sim_test.h"

using namespace lanyard;

namespace
{

constexpr Picoseconds CLK = 40'000;
constexpr Picoseconds NIBBLE = 40'000;

Card::Config card_config(Picoseconds clk_period = CLK, MiiRate rate = MiiRate::mbps100)
{
    Card::Config config;
    config.clk_period = clk_period;
    config.mii_rate = rate;
    return config;
}

// A card on a cable to a frame port, and what each side has seen.
struct Bench {
    explicit Bench(const Card::Config &config = card_config(), bool dmi = true)
        : host("host", engine, config, dmi), port(engine, "port", config.mii_rate), cable(host.card, port)
    {
        port.on_receive([this](Frame &frame) { received.push_back(std::move(frame)); });
    }

    ClockEngine engine{"engine"};
    CardHost host;
    FramePort port;
    Cable cable;
    std::vector<Frame> received;
    Script script{"script"};
};

// Two cards of different clocks, each with its own host, on one cable.
void exchange_frames(Picoseconds clk_a, Picoseconds clk_b, MiiRate rate)
{
    ClockEngine engine("engine");
    CardHost a("a", engine, card_config(clk_a, rate)), b("b", engine, card_config(clk_b, rate));
    Cable cable(a.card, b.card, 300'000);
    Script script_a("script_a"), script_b("script_b");
    Picoseconds irq_a = 0, irq_b = 0;
    script_a.at(12'345, [&] {
        a.start();
        a.send(test_frame(64));
        wait(a.irq.posedge_event());
        irq_a = sc_now();
    });
    script_b.at(0, [&] {
        b.start();
        wait(b.irq.posedge_event());
        irq_b = sc_now();
    });
    sc_core::sc_start();
    CHECK(b.received(0) == test_frame(64));
    CHECK(irq_a % clk_a == 0);
    CHECK(irq_b % clk_b == 0);
    CHECK(irq_b > 0);
}

} // namespace

TEST_CASE("a register reads what was written just before, and the write takes no time")
{
    Bench bench;
    bench.script.at(1'000'000, [&] {
        for (uint32_t value : {1u, 2u, 3u})
            bench.host.write(NIC_REGISTER(MAX_FRAME), value);
        CHECK(sc_now() == 1'000'000);
        CHECK(bench.host.read(NIC_REGISTER(MAX_FRAME)) == 3);
        CHECK(bench.host.read(NIC_REGISTER(ID)) == 0x4C414E59);
    });
    sc_core::sc_start();
}

TEST_CASE("a read takes a few cycles and returns on an edge of clk")
{
    Bench bench;
    bench.script.at(1'000'001, [&] {
        bench.host.read(NIC_REGISTER(ID));
        CHECK(sc_now() % CLK == 0);
        CHECK(sc_now() - 1'000'000 <= 8 * CLK);
    });
    sc_core::sc_start();
}

TEST_CASE("two threads read at once and each gets its own register")
{
    Bench bench;
    Script other("other");
    uint32_t id = 0, version = 0;
    bench.script.at(1'000'000, [&] { id = bench.host.read(NIC_REGISTER(ID)); });
    other.at(1'000'000, [&] { version = bench.host.read(NIC_REGISTER(VERSION)); });
    sc_core::sc_start();
    CHECK(id == 0x4C414E59);
    CHECK(version == 0x00010000);
}

TEST_CASE("an access that is not one aligned word is refused")
{
    Bench bench;
    bench.script.at(0, [&] {
        CHECK_THROWS(bench.host.read(1));
        CHECK_THROWS(bench.host.write(0x1000, 0));
    });
    sc_core::sc_start();
}

TEST_CASE("after reset the address registers hold the configured address")
{
    auto config = card_config();
    config.mac_address = {0x02, 0x11, 0x22, 0x33, 0x44, 0x55};
    Bench bench(config);
    bench.script.at(0, [&] {
        CHECK(bench.host.read(NIC_REGISTER(MAC_LO)) == 0x33221102);
        CHECK(bench.host.read(NIC_REGISTER(MAC_HI)) == 0x5544);
    });
    sc_core::sc_start();
}

TEST_CASE("a frame from the ring arrives whole, and irq rises in the cycle that the kernel sees")
{
    Bench bench;
    Picoseconds raised = 0, engine_then = 0;
    uint32_t status_then = 0;
    bench.script.at(1'000'000, [&] {
        bench.host.start();
        bench.host.send(test_frame(100));
        wait(bench.host.irq.posedge_event());
        raised = sc_now();
        engine_then = bench.engine.now();
        status_then = bench.host.tx(0).status;
    });
    sc_core::sc_start();
    REQUIRE(bench.received.size() == 1);
    CHECK(bench.received[0].bytes == test_frame(100));
    CHECK(raised == engine_then);
    CHECK(raised % CLK == 0);
    CHECK(raised > bench.received[0].end - NIBBLE);
    CHECK((status_then & DESC_DONE) != 0);
    CHECK((status_then & TX_ERROR) == 0);
}

TEST_CASE("a frame from the wire is in the buffer when irq rises, with its time of arrival")
{
    Bench bench;
    bench.script.at(0, [&] { bench.host.start(); });
    bench.script.at(3'000'000'000, [&] {
        bench.port.send(test_frame(200));
        wait(bench.host.irq.posedge_event());
        CHECK(bench.host.received(0) == test_frame(200));
        const Picoseconds end = 3'000'000'000 + NIBBLE + (16 + 2 * 204) * NIBBLE;
        const Picoseconds stamp = Picoseconds{bench.host.rx(0).stamp} * 1000;
        CHECK(stamp >= end);
        CHECK(stamp < end + 16 * CLK);
    });
    sc_core::sc_start();
}

TEST_CASE("irq falls when its cause is acknowledged")
{
    Bench bench;
    bench.script.at(0, [&] {
        bench.host.start();
        bench.host.send(test_frame(60));
        wait(bench.host.irq.posedge_event());
        bench.host.write(NIC_REGISTER(IRQ_CAUSE), bench.host.read(NIC_REGISTER(IRQ_CAUSE)));
        bench.host.read(NIC_REGISTER(IRQ_CAUSE));
        CHECK(!bench.host.irq.read());
    });
    sc_core::sc_start();
}

TEST_CASE("memory without DMI is reached by transport, to the same end")
{
    Bench bench(card_config(), false);
    bench.script.at(0, [&] {
        bench.host.start();
        bench.host.send(test_frame(300));
    });
    sc_core::sc_start();
    REQUIRE(bench.received.size() == 1);
    CHECK(bench.received[0].bytes == test_frame(300));
    CHECK(bench.host.transports > 5);
}

TEST_CASE("memory with DMI is reached by transport once")
{
    Bench bench;
    bench.script.at(0, [&] {
        bench.host.start();
        bench.host.send(test_frame(300));
    });
    sc_core::sc_start();
    CHECK(bench.received.size() == 1);
    CHECK(bench.host.transports == 1);
}

TEST_CASE("an address where there is no memory stops the ring with an error")
{
    Bench bench;
    bench.script.at(0, [&] {
        bench.host.start();
        bench.host.write(NIC_REGISTER(TX_CONTROL), 0);
        bench.host.write(NIC_REGISTER(TX_BASE), 0xf0000000);
        bench.host.write(NIC_REGISTER(TX_CONTROL), NIC__RING_CONTROL__ENABLE_bm);
        bench.host.write(NIC_REGISTER(IRQ_ENABLE), NIC__IRQ_ENABLE__TX_ERROR_bm);
        bench.host.write(NIC_REGISTER(TX_TAIL), 1);
        wait(bench.host.irq.posedge_event());
        const uint32_t status = bench.host.read(NIC_REGISTER(TX_STATUS));
        CHECK((status & NIC__RING_STATUS__ERROR_bm) == 1u << NIC__RING_STATUS__ERROR_bp);
    });
    sc_core::sc_start();
}

TEST_CASE("slower memory delays a frame by whole cycles")
{
    auto config = card_config();
    config.memory_latency = 40;
    Bench bench(config);
    bench.script.at(0, [&] {
        bench.host.start();
        bench.host.send(test_frame(60));
    });
    sc_core::sc_start();
    REQUIRE(bench.received.size() == 1);
    CHECK(bench.received[0].start > 3 * 40 * CLK / 2);
    CHECK(bench.received[0].bytes == test_frame(60));
}

TEST_CASE("an idle card sleeps")
{
    Bench bench;
    bench.script.at(1'000'000'000'000, [&] {}); // a second
    sc_core::sc_start();
    CHECK(bench.host.card.cycles_ticked() < 200);
    CHECK(bench.host.card.cycles_ticked() + bench.host.card.cycles_skipped() == 25'000'000);
}

TEST_CASE("25 MHz and 100 MHz at 100 Mb/s")
{
    exchange_frames(40'000, 10'000, MiiRate::mbps100);
}

TEST_CASE("50 MHz and 30 MHz at 100 Mb/s")
{
    exchange_frames(20'000, 33'333, MiiRate::mbps100);
}

TEST_CASE("25 MHz and 100 MHz at 10 Mb/s")
{
    exchange_frames(40'000, 10'000, MiiRate::mbps10);
}
