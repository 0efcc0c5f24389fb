// SPDX-License-Identifier: Apache-2.0
// The driver's settings, with the real card behind them: a simulated host on a cable to a port that sends and sees
// whole frames.
#include <cstring>

#include "sim/card/card.h"
#include "sim/platform/host.h"
#include "sim/platform/simulation.h"
#include "sim/wire/cable.h"
#include "sim/wire/frame_port.h"
#include "sim/wire/random.h"
#include "tests/sim/sim_test.h"

extern "C" {
#include "netif_internal.h"
}

using namespace lanyard;

namespace
{

constexpr Picoseconds US = 1'000'000;
using Mac = std::array<uint8_t, 6>;
using Bytes = std::vector<uint8_t>;

constexpr Mac OWN = {0x02, 0, 0, 0, 0, 0x01}, PEER = {0x02, 0, 0, 0, 0, 0x02}, OTHER = {0x02, 0, 0, 0, 0, 0x03};
constexpr Mac BROADCAST = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
constexpr Mac GROUP = {0x01, 0, 0x5e, 0, 0, 0xfb}, OTHER_GROUP = {0x01, 0, 0x5e, 0, 0, 0x05};

struct Bench {
    Bench()
    {
        host.registers.bind(card.registers);
        card.dma.bind(host.memory.bus);
        card.irq(irq);
        host.irq(irq);
        port.on_receive([this](Frame &frame) { received.push_back(std::move(frame)); });
    }

    static Host::Config host_config()
    {
        Host::Config config;
        config.address = 0xc0000201; // 192.0.2.1
        return config;
    }

    // A step of the test, on the host's processor. By 50 us the host has said all that it says of itself.
    void at(Picoseconds time, std::function<void()> step)
    {
        host.run("step at " + std::to_string(time), sc_core::sc_time::from_value(time), std::move(step));
    }

    void run(Picoseconds end)
    {
        at(50 * US, [this] { received.clear(); });
        spawn_thread("end", [end] {
            wait(sc_core::sc_time::from_value(end));
            sc_core::sc_stop();
        });
        simulate();
    }

    lan_nic *nic()
    {
        return host.nic();
    }

    lan_netif &netif()
    {
        return *lan_nic_netif(host.nic());
    }

    uint64_t statistic(const std::string &name)
    {
        uint64_t value = 0, found = UINT64_MAX;
        for (uint32_t i = 0; const char *one = lan_nic_statistic(nic(), i, &value); i++)
            found = one == name ? value : found;
        return found;
    }

    ClockEngine engine{"engine"};
    Card card{"card", engine, Card::Config()};
    Host host{"host", host_config()};
    FramePort port{engine, "port", MiiRate::mbps100};
    Cable cable{card, port};
    sc_core::sc_signal<bool> irq{"irq"};
    std::vector<Frame> received;
};

// "Who has 192.0.2.1?" asked by 192.0.2.2.
Bytes question(const Mac &destination, const Bytes &tag = {})
{
    Bytes frame(destination.begin(), destination.end());
    frame.insert(frame.end(), PEER.begin(), PEER.end());
    frame.insert(frame.end(), tag.begin(), tag.end());
    const Bytes arp = {8, 6, 0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 2, 192, 0, 2, 2, 0, 0, 0, 0, 0, 0, 192, 0, 2, 1};
    frame.insert(frame.end(), arp.begin(), arp.end());
    return frame;
}

Bytes long_frame(size_t octets)
{
    Bytes frame(octets, 0x5a);
    std::copy(OWN.begin(), OWN.end(), frame.begin());
    std::copy(PEER.begin(), PEER.end(), frame.begin() + 6);
    return frame;
}

lan_buf *packet(lan_pool *pool, const Bytes &bytes)
{
    lan_buf *first = nullptr, **end = &first;
    for (size_t done = 0; done < bytes.size();) {
        lan_buf *buf = lan_buf_alloc(pool, 0);
        const size_t n = std::min<size_t>(bytes.size() - done, lan_buf_tailroom(buf));
        std::memcpy(lan_buf_put(buf, static_cast<uint32_t>(n)), bytes.data() + done, n);
        done += n;
        *end = buf;
        end = &buf->next;
    }
    return first;
}

// A TCP segment of `payload` random octets in random fragments, to be cut by `mss`, as TCP hands it down: the sum of
// the pseudo-header stands in the checksum's place.
lan_buf *tcp_packet(lan_pool *pool, Random &random, size_t options, size_t payload, uint16_t mss)
{
    const size_t tcp_bytes = 20 + options, ip_bytes = 20 + tcp_bytes + payload;
    Bytes headers = long_frame(14 + 20 + tcp_bytes);
    uint8_t *ip = headers.data() + 14, *tcp = ip + 20;
    const Bytes fixed = {
        8,   0, 0x45, 0, uint8_t(ip_bytes >> 8), uint8_t(ip_bytes), 0xff, 0xfe, 0x40, 0, 64, 6, 0, 0, 192, 0, 2, 1,
        192, 0, 2,    2};
    std::copy(fixed.begin(), fixed.end(), ip - 2);
    tcp[4] = tcp[5] = tcp[6] = 0xff; // the sequence number wraps
    tcp[12] = uint8_t(tcp_bytes / 4 << 4);
    tcp[13] = 0x99; // CWR, ACK, PSH, FIN
    uint32_t sum = 6 + uint32_t(tcp_bytes + payload);
    for (int i = 12; i < 20; i += 2)
        sum += uint32_t(ip[i]) << 8 | ip[i + 1];
    sum = (sum & 0xffff) + (sum >> 16);
    tcp[16] = uint8_t(sum >> 8);
    tcp[17] = uint8_t(sum);

    lan_buf *first = packet(pool, headers), *last = first;
    for (size_t left = payload; left > 0; left -= last->len) {
        last->next = lan_buf_alloc(pool, uint32_t(random.next() % 8));
        last = last->next;
        const size_t most = left < 2000 ? left : 2000, bytes = 1 + random.next() % most;
        uint8_t *to = lan_buf_put(last, uint32_t(bytes));
        std::generate_n(to, bytes, [&] { return uint8_t(random.next()); });
    }
    first->flags = LAN_BUF_IP_CSUM | LAN_BUF_L4_CSUM | (payload > mss ? LAN_BUF_TSO : 0);
    first->csum_start = 34;
    first->csum_offset = 16;
    first->hdr_len = uint16_t(headers.size());
    first->gso_size = mss;
    return first;
}

} // namespace

TEST_CASE("what the card does to a packet is what the stack does in its place")
{
    Bench bench;
    std::vector<std::vector<Bytes>> seen;
    Picoseconds time = 100 * US;
    const std::vector<uint32_t> off = {0, LAN_NETIF_TSO, LAN_NETIF_VLAN_TX, LAN_NETIF_TSO | LAN_NETIF_TX_L4_CSUM, ~0u};
    for (const uint32_t without : off) {
        bench.at(time, [&, without] {
            bench.received.clear();
            CHECK((lan_nic_features(bench.nic()) & LAN_NETIF_TSO) != 0);
            CHECK((lan_nic_features(bench.nic()) & LAN_NETIF_VLAN_TX) != 0);
            CHECK(lan_nic_set_features(bench.nic(), lan_nic_features(bench.nic()) & ~without) == 0);
            Random random(1);
            for (const auto &[options, payload, mss] : std::vector<std::array<size_t, 3>>{
                     {0, 1, 1460}, {12, 5000, 1000}, {12, 20000, 1448}, {8, 1453, 1452}, {0, 2920, 1460}}) {
                for (const bool tagged : {false, true}) {
                    lan_buf *one =
                        tcp_packet(lan_stack_pool(bench.host.stack()), random, options, payload, uint16_t(mss));
                    one->flags |= tagged ? LAN_BUF_VLAN : 0;
                    one->vlan_tci = 0xa123;
                    CHECK(lan_netif_transmit(&bench.netif(), one) == 0);
                }
            }
        });
        time += 10'000 * US;
        bench.at(time, [&] {
            seen.emplace_back();
            for (const Frame &frame : bench.received)
                seen.back().push_back(frame.bytes);
        });
        time += 100 * US;
    }
    bench.run(time);
    CHECK(lan_nic_counters(bench.nic())->tx_refused == 0);
    CHECK(seen[0].size() == 2 * (1 + 5 + 14 + 2 + 2));
    for (const auto &frames : seen)
        CHECK(frames == seen[0]);
}

TEST_CASE("what is received follows address, groups and filters")
{
    Bench bench;
    uint64_t before = 0;
    // One frame to each of them; those that the card takes are seen by the stack.
    const std::vector<Mac> all = {OWN, OTHER, BROADCAST, GROUP, OTHER_GROUP};
    const auto expect_taken = [&](Picoseconds time, uint64_t count) {
        bench.at(time, [&] {
            before = bench.netif().stats.in_frames;
            for (const Mac &mac : all)
                bench.port.send(question(mac));
        });
        bench.at(time + 100 * US, [&, count] { CHECK(bench.netif().stats.in_frames - before == count); });
    };
    expect_taken(100 * US, 2); // itself and broadcast
    bench.at(300 * US, [&] { CHECK(lan_nic_join(bench.nic(), GROUP.data()) == 0); });
    expect_taken(400 * US, 3);
    bench.at(600 * US, [&] { CHECK(lan_nic_set_filter(bench.nic(), LAN_NIC_ALL_MULTICAST) == 0); });
    expect_taken(700 * US, 3);
    bench.at(900 * US, [&] { CHECK(lan_nic_set_filter(bench.nic(), LAN_NIC_PROMISCUOUS) == 0); });
    expect_taken(1000 * US, 5);
    bench.at(1200 * US, [&] {
        CHECK(lan_nic_set_filter(bench.nic(), 0) == 0);
        CHECK(lan_nic_leave(bench.nic(), GROUP.data()) == 0);
        CHECK(lan_nic_set_mac(bench.nic(), OTHER.data()) == 0);
    });
    expect_taken(1300 * US, 1);
    bench.run(1500 * US);
}

TEST_CASE("tags are taken out, and only this network's frames answered")
{
    Bench bench;
    bench.at(100 * US, [&] { bench.port.send(question(BROADCAST, {0x81, 0, 0xe0, 0})); }); // a priority
    bench.at(200 * US, [&] { CHECK(bench.received.size() == 1); });
    bench.at(300 * US, [&] { bench.port.send(question(BROADCAST, {0x81, 0, 0, 100})); }); // another network
    bench.at(400 * US, [&] {
        CHECK(bench.received.size() == 1);
        CHECK(bench.netif().stats.in_unknown_protocols == 1);
        CHECK(lan_nic_set_features(bench.nic(), lan_nic_features(bench.nic()) & ~LAN_NETIF_VLAN_RX) == 0);
        bench.port.send(question(BROADCAST, {0x81, 0, 0xe0, 0})); // with its tag it is no ARP
    });
    bench.at(500 * US, [&] {
        CHECK(bench.received.size() == 1);
        CHECK(bench.netif().stats.in_unknown_protocols == 2);
    });
    bench.run(600 * US);
}

TEST_CASE("moderated frames share interrupts and none is forgotten")
{
    Bench bench;
    uint64_t interrupts = 0;
    const auto send_ten = [&](Picoseconds time) {
        bench.at(time, [&] {
            interrupts = lan_nic_counters(bench.nic())->interrupts;
            for (int i = 0; i < 10; i++)
                bench.port.send(question(OTHER_GROUP));
        });
    };
    const auto expect = [&](Picoseconds time, uint64_t frames, uint64_t at_most) {
        bench.at(time, [&, frames, at_most] {
            CHECK(bench.netif().stats.in_frames == frames);
            CHECK(lan_nic_counters(bench.nic())->interrupts - interrupts <= at_most);
        });
    };
    bench.at(50 * US, [&] {
        CHECK(lan_nic_set_filter(bench.nic(), LAN_NIC_PROMISCUOUS) == 0);
        const struct lan_nic_coalesce coalesce = {200, 0, 200, 4};
        CHECK(lan_nic_set_coalesce(bench.nic(), &coalesce) == 0);
    });
    send_ten(100 * US);
    expect(180 * US, 8, 2);  // by count
    expect(400 * US, 10, 3); // and the rest by time
    bench.run(500 * US);
}

TEST_CASE("statistics tell what was on the wire")
{
    Bench bench;
    bench.at(100 * US, [&] {
        bench.port.send(question(BROADCAST));
        bench.port.send(question(OTHER));
        bench.port.send_raw(Bytes(100, 0)); // no FCS
    });
    bench.at(200 * US, [&] {
        CHECK(bench.received.size() == 1);
        CHECK(bench.statistic("aFramesTransmittedOK") == 2); // it announced itself before
        CHECK(bench.statistic("aFramesReceivedOK") == 1);
        CHECK(bench.statistic("aBroadcastFramesReceivedOK") == 1);
        CHECK(bench.statistic("rx_filtered") == 1);
        CHECK(bench.statistic("aFrameCheckSequenceErrors") == 1);
        CHECK(bench.statistic("etherStatsPkts") == 3);
    });
    bench.run(300 * US);
}

TEST_CASE("the card takes and sends frames as long as the MTU says")
{
    Bench bench;
    const Bytes bytes = long_frame(4014);
    bench.at(100 * US, [&] { bench.port.send(bytes); });
    bench.at(600 * US, [&] {
        CHECK(bench.netif().stats.in_frames == 0);
        CHECK(lan_nic_set_mtu(bench.nic(), 4000) == 0);
        CHECK(lan_nic_set_mtu(bench.nic(), 9000) == -ERANGE);
        bench.port.send(bytes);
        lan_pool *pool = lan_stack_pool(bench.host.stack());
        CHECK(bench.netif().ops->transmit(&bench.netif(), packet(pool, bytes)) == 0);
    });
    bench.at(1200 * US, [&] {
        CHECK(bench.netif().stats.in_frames == 1);
        REQUIRE(bench.received.size() == 1);
        CHECK(bench.received[0].bytes == bytes);
    });
    bench.run(1300 * US);
}

TEST_CASE("the link follows the cable")
{
    Bench bench;
    const auto expect = [&](Picoseconds time, bool up) {
        bench.at(time, [&, up] {
            CHECK(lan_nic_link(bench.nic())->up == up);
            CHECK(bench.netif().link_up == up);
        });
    };
    expect(5000 * US, true);
    bench.at(5001 * US, [&] { bench.cable.plug(bench.card, false); });
    expect(10000 * US, false);
    bench.at(10001 * US, [&] { bench.cable.plug(bench.card, true); });
    expect(15000 * US, true);
    bench.at(15001 * US, [&] {
        CHECK(lan_nic_link(bench.nic())->mbps == 100);
        CHECK(lan_nic_link(bench.nic())->full_duplex);
        CHECK(lan_nic_set_link(bench.nic(), true, LAN_NIC_100_FULL) == 0);
        CHECK(lan_nic_set_link(bench.nic(), true, LAN_NIC_10_FULL) == -EOPNOTSUPP); // not this PHY
    });
    bench.run(15002 * US);
}

TEST_CASE("looped frames come back without a cable, and the cable sees none")
{
    Bench bench;
    uint64_t before = 0;
    const auto loop = [&](Picoseconds time, lan_nic_loopback where, uint64_t back, size_t out) {
        bench.at(time, [&, where] {
            CHECK(lan_nic_set_loopback(bench.nic(), where) == 0);
            CHECK(bench.netif().link_up);
            bench.received.clear();
        });
        bench.at(time + 20 * US, [&] {
            lan_pool *pool = lan_stack_pool(bench.host.stack());
            before = bench.netif().stats.in_frames;
            for (const size_t octets : {42, 60, 1514})
                CHECK(bench.netif().ops->transmit(&bench.netif(), packet(pool, long_frame(octets))) == 0);
            bench.port.send(long_frame(100));
        });
        bench.at(time + 420 * US, [&, back, out] {
            CHECK(bench.netif().stats.in_frames - before == back);
            CHECK(bench.received.size() == out);
        });
    };
    loop(3000 * US, LAN_NIC_LOOPBACK_MAC, 3, 0);
    loop(4000 * US, LAN_NIC_LOOPBACK_MII, 3, 0);
    loop(5000 * US, LAN_NIC_LOOPBACK_OFF, 1, 3);
    bench.at(6000 * US, [&] { bench.cable.plug(bench.card, false); });
    loop(10000 * US, LAN_NIC_LOOPBACK_MAC, 3, 0);
    bench.run(11000 * US);
    CHECK(lan_nic_counters(bench.nic())->tx_errors == 0);
}

TEST_CASE("who asks is told when the frame had left")
{
    Bench bench;
    lan_buf *frame = nullptr;
    bench.at(100 * US, [&] {
        frame = packet(lan_stack_pool(bench.host.stack()), long_frame(200));
        frame->flags = LAN_BUF_TX_TIMESTAMP;
        CHECK(bench.netif().ops->transmit(&bench.netif(), lan_buf_ref(frame)) == 0);
    });
    bench.at(200 * US, [&] {
        REQUIRE(bench.received.size() == 1);
        REQUIRE((frame->flags & LAN_BUF_TIMESTAMP) != 0);
        const uint64_t left = bench.received[0].end / 1000;
        CHECK(frame->timestamp_ns >= left - 500);
        CHECK(frame->timestamp_ns <= left + 500);
        lan_buf_free(frame);
    });
    bench.run(300 * US);
}
