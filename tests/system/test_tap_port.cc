// SPDX-License-Identifier: Apache-2.0
// A TAP port, a pacer and a namespace, without a card: a station of a few lines answers Linux's own ping.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstring>

#include "sim/platform/paced_child.h"
#include "sim/platform/sandbox.h"
#include "sim/platform/simulation.h"
#include "sim/wire/cable.h"
#include "sim/wire/tap_port.h"

using namespace lanyard;

namespace
{

constexpr uint8_t STATION_MAC[6] = {2, 0, 0, 0, 0, 1};
constexpr uint8_t STATION_ADDRESS[4] = {192, 0, 2, 1};
constexpr uint32_t LINUX_ADDRESS = 0xC0000202;

// Answers ARP requests for its address and ICMP echo requests, trusting that they are well formed.
void answer(FramePort &station, Frame &frame)
{
    std::vector<uint8_t> reply = frame.bytes;
    std::copy_n(&frame.bytes[6], 6, reply.begin());
    std::copy_n(STATION_MAC, 6, &reply[6]);
    if (frame.bytes[12] == 8 && frame.bytes[13] == 6 && std::equal(STATION_ADDRESS, STATION_ADDRESS + 4, &reply[38])) {
        reply[21] = 2; // ARP reply
        std::copy_n(&frame.bytes[22], 10, &reply[32]);
        std::copy_n(STATION_MAC, 6, &reply[22]);
        std::copy_n(STATION_ADDRESS, 4, &reply[28]);
        station.send(reply);
    } else if (frame.bytes[12] == 8 && frame.bytes[13] == 0 && frame.bytes[23] == 1 && frame.bytes[34] == 8) {
        std::swap_ranges(&reply[26], &reply[30], &reply[30]);
        reply[34] = 0; // echo reply: the type's word falls by 0x0800, so the checksum rises by it
        const unsigned sum = (reply[36] << 8 | reply[37]) + 0x0800;
        const unsigned folded = (sum & 0xFFFF) + (sum >> 16);
        reply[36] = static_cast<uint8_t>(folded >> 8);
        reply[37] = static_cast<uint8_t>(folded);
        station.send(reply);
    }
}

struct Run {
    int ping_status = -1;
    double simulated = 0, wall = 0; // seconds
    Pacer::Counters pacer;
    TapPort::Counters tap;
};

const Run &the_run()
{
    static Run run;
    static bool done = false;
    if (std::exchange(done, true))
        return run;
    enter_network_namespace();
    ClockEngine engine("engine");
    Pacer pacer("pacer", [&] { return engine.idle(); });
    FramePort station(engine, "station");
    TapPort tap(engine, "lanyard0");
    configure_device(tap.device(), LINUX_ADDRESS, 24);
    Cable cable(station, tap.port());
    station.on_receive([&](Frame &frame) { answer(station, frame); });
    pacer.watch(tap.fd(), [&] { tap.receive(); });
    spawn_thread("ping", [&] {
        run.ping_status =
            PacedChild(pacer, {"ping", "-q", "-n", "-c", "5", "-i", "0.2", "-W", "2", "192.0.2.1"}).wait();
        sc_core::sc_stop();
    });
    const auto start = std::chrono::steady_clock::now();
    simulate();
    run.wall = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    run.simulated = sc_core::sc_time_stamp().to_seconds();
    run.pacer = pacer.counters();
    run.tap = tap.counters();
    return run;
}

} // namespace

TEST_CASE("ping gets every answer over a TAP port")
{
    CHECK(the_run().ping_status == 0);
    CHECK(the_run().tap.to_linux >= 6); // ARP and five echoes
    CHECK(the_run().tap.refused_by_linux == 0);
}

TEST_CASE("simulated time follows the wall clock while nothing is in flight, and never runs ahead")
{
    CHECK(the_run().simulated <= the_run().wall);
    CHECK(the_run().simulated > 0.5 * the_run().wall);
}

TEST_CASE("an idle simulation sleeps instead of looking around")
{
    CHECK(the_run().pacer.sleeps < 1000);
    CHECK(the_run().pacer.slept_ns > 0.5e9 * the_run().wall);
}

int sc_main(int argc, char **argv)
{
    return doctest::Context(argc, argv).run();
}
