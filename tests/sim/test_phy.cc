// SPDX-License-Identifier: Apache-2.0
// The PHY as the card's own MDIO master sees it.

#include "sim/wire/frame_port.h"
#include "sim/wire/hub.h"
#include "tests/sim/card_host.h"
#include "tests/sim/sim_test.h"

using namespace lanyard;

namespace
{

constexpr uint32_t BMCR = 0, BMSR = 1, PHYID1 = 2, ANAR = 4, ANLPAR = 5, ANER = 6;
constexpr uint32_t BMSR_LINK = 1 << 2, BMSR_NEGOTIATED = 1 << 5;
constexpr Picoseconds MS = 1'000'000'000;

struct World {
    explicit World(const Card::Config &config = {}) : host("host", engine, config)
    {
    }

    uint32_t command(uint32_t frame)
    {
        host.write(NIC_REGISTER(MDIO), frame);
        uint32_t answer;
        do
            answer = host.read(NIC_REGISTER(MDIO));
        while (answer & NIC__MDIO__BUSY_bm);
        return answer & NIC__MDIO__DATA_bm;
    }
    uint32_t read(uint32_t reg, uint32_t phy = 1)
    {
        return command(phy << NIC__MDIO__PHY_bp | reg << NIC__MDIO__REG_bp);
    }
    void write(uint32_t reg, uint32_t value)
    {
        command(NIC__MDIO__WRITE_bm | 1 << NIC__MDIO__PHY_bp | reg << NIC__MDIO__REG_bp | value);
    }
    bool told()
    {
        const bool told = host.read(NIC_REGISTER(IRQ_CAUSE)) & NIC__IRQ_CAUSE__PHY_bm;
        host.write(NIC_REGISTER(IRQ_CAUSE), NIC__IRQ_CAUSE__PHY_bm);
        return told;
    }

    ClockEngine engine{"engine"};
    CardHost host;
    FramePort peer{engine, "peer"};
    Script script{"script", 10 * MS};
};

} // namespace

TEST_CASE("a PHY answers at its address only, with its identifier")
{
    Card::Config config;
    config.phy_address = 9;
    World world(config);
    world.script.at(MS, [&] {
        CHECK(world.read(PHYID1, 9) == 0x4c61);
        CHECK(world.read(PHYID1, 1) == 0xffff);
        CHECK(world.read(PHYID1, 8) == 0xffff);
    });
    sc_core::sc_start();
}

TEST_CASE("without a cable there is no link")
{
    World world;
    world.script.at(MS, [&] {
        CHECK((world.read(BMSR) & (BMSR_LINK | BMSR_NEGOTIATED)) == 0);
        CHECK(world.read(ANLPAR) == 0);
    });
    sc_core::sc_start();
}

TEST_CASE("with a cable the link stands from the start, in full duplex at the card's rate")
{
    World world;
    const Cable cable(world.host.card, world.peer);
    world.script.at(MS, [&] {
        CHECK(world.read(BMSR) == 0x602d);
        CHECK(world.read(BMCR) == 0x3100);
        CHECK(world.read(ANAR) == 0x0181);
        CHECK(world.read(ANLPAR) == 0x4181);
        CHECK(world.read(ANER) == 1);
        CHECK(!world.host.card.half_duplex());
        CHECK(!world.told());
    });
    sc_core::sc_start();
}

TEST_CASE("a PHY of 10 Mb/s has modes of 10 Mb/s")
{
    Card::Config config;
    config.mii_rate = MiiRate::mbps10;
    World world(config);
    world.script.at(MS, [&] {
        CHECK(world.read(BMSR) == 0x1809);
        CHECK(world.read(ANAR) == 0x0061);
        CHECK(world.read(BMCR) == 0x1100);
    });
    sc_core::sc_start();
}

TEST_CASE("at a hub parallel detection finds half duplex")
{
    World world;
    Hub hub(world.engine, "hub", MiiRate::mbps100);
    hub.connect(world.host.card);
    world.script.at(MS, [&] {
        CHECK(world.read(ANLPAR) == 0x0080);
        CHECK(world.read(ANER) == 0);
        CHECK((world.read(BMSR) & BMSR_LINK) != 0);
        CHECK(world.host.card.half_duplex());
    });
    sc_core::sc_start();
}

TEST_CASE("a pulled cable is told by interrupt, read as a link that was lost, and back when it is plugged")
{
    World world;
    Cable cable(world.host.card, world.peer);
    world.script.at(MS, [&] { world.read(BMSR); });
    world.script.at(2 * MS, [&] { cable.plug(world.host.card, false); });
    world.script.at(3 * MS, [&] {
        CHECK(world.told());
        CHECK((world.read(BMSR) & BMSR_LINK) == 0);
    });
    world.script.at(4 * MS, [&] { cable.plug(world.host.card, true); });
    world.script.at(5 * MS, [&] {
        CHECK(world.told());
        CHECK((world.read(BMSR) & BMSR_LINK) == 0); // latched
        CHECK((world.read(BMSR) & BMSR_LINK) != 0);
        CHECK(!world.told());
    });
    sc_core::sc_start();
}

TEST_CASE("a cable that is out at either end carries nothing, and what was on it is lost")
{
    World world;
    FramePort other(world.engine, "other");
    Cable cable(world.peer, other, MS);
    world.script.at(MS, [&] { world.peer.send(test_frame(60)); });
    world.script.at(3 * MS / 2, [&] { cable.plug(world.peer, false); });
    world.script.at(2 * MS, [&] { cable.plug(other, false); });
    world.script.at(3 * MS, [&] { cable.plug(world.peer, true); });
    world.script.at(4 * MS, [&] { world.peer.send(test_frame(60)); });
    world.script.at(5 * MS, [&] {
        CHECK(world.peer.partner() == nullptr);
        cable.plug(other, true);
    });
    world.script.at(6 * MS, [&] { world.peer.send(test_frame(60, 9)); });
    sc_core::sc_start();
    CHECK(other.counters().rx_frames == 1);
    CHECK(other.counters().rx_bad_fcs + other.counters().rx_errors + other.counters().rx_no_frame == 0);
}

TEST_CASE("a frame cut by the pull of the cable is no good frame")
{
    World world;
    FramePort other(world.engine, "other");
    Cable cable(world.peer, other);
    world.script.at(MS, [&] { world.peer.send(test_frame(1000)); });
    world.script.at(MS + 1'000 * 40'000, [&] { cable.plug(other, false); });
    world.script.at(2 * MS, [&] { cable.plug(other, true); });
    world.script.at(3 * MS, [&] { world.peer.send(test_frame(60)); });
    sc_core::sc_start();
    CHECK(other.counters().rx_frames == 1);
    CHECK(other.counters().rx_bad_fcs == 1);
}

TEST_CASE("what is advertised anew is negotiated, and told to the other end")
{
    World world;
    CardHost partner("partner", world.engine);
    const Cable cable(world.host.card, partner.card);
    world.script.at(MS, [&] {
        world.read(BMSR);
        world.write(ANAR, 0x0481); // half duplex, and PAUSE
        CHECK(!world.host.card.half_duplex());
        world.write(BMCR, 0x1200);
        CHECK(world.read(ANAR) == 0x0481);
        CHECK(world.read(BMCR) == 0x3000);
        CHECK(world.host.card.half_duplex());
        CHECK(partner.card.half_duplex());
        CHECK(world.told());
    });
    sc_core::sc_start();
}

TEST_CASE("a forced mode is taken, and the other end finds half duplex")
{
    World world;
    CardHost partner("partner", world.engine);
    const Cable cable(world.host.card, partner.card);
    world.script.at(MS, [&] {
        world.write(BMCR, 0x2100);
        CHECK(world.read(BMCR) == 0x2100);
        CHECK((world.read(BMSR) & BMSR_NEGOTIATED) == 0);
        CHECK(!world.host.card.half_duplex());
        CHECK(partner.card.half_duplex());
        world.write(BMCR, 0x8000);
        CHECK(world.read(BMCR) == 0x3100);
        CHECK(!partner.card.half_duplex());
    });
    sc_core::sc_start();
}
