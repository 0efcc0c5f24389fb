// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/wire/capture.h"
#include "sim/wire/frame_port.h"
#include "tests/sim/card_host.h"
#include "tests/sim/sim_test.h"

using namespace lanyard;

namespace
{

std::string contents(const std::string &path)
{
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

// A file that goes with the test.
struct TemporaryFile {
    explicit TemporaryFile(const std::string &name) : path(name + "." + std::to_string(getpid()))
    {
    }
    ~TemporaryFile()
    {
        std::remove(path.c_str());
    }

    std::string path;
};

// What tshark reads: time, length and octets of each frame, one a line.
std::string tshark(const std::string &path)
{
    const std::string command =
        "tshark -r " + path + " -T fields -e frame.time_epoch -e frame.len -e frame.encap_type 2>/dev/null";
    const std::unique_ptr<FILE, int (*)(FILE *)> pipe(popen(command.c_str(), "r"), pclose);
    REQUIRE(pipe);
    std::string text;
    std::array<char, 256> buffer;
    while (fgets(buffer.data(), buffer.size(), pipe.get()))
        text += buffer.data();
    return text;
}

// SystemC allows one simulation per process.
void in_a_process_of_its_own(const std::function<void()> &simulation)
{
    const pid_t pid = fork();
    REQUIRE(pid >= 0);
    if (pid == 0) {
        simulation();
        _exit(0);
    }
    int status = 0;
    waitpid(pid, &status, 0);
    REQUIRE(status == 0);
}

struct Link {
    explicit Link(const std::string &path) : capture(path)
    {
        capture.watch(cable);
    }

    ClockEngine engine{"engine"};
    FramePort a{engine, "a"}, b{engine, "b"};
    Cable cable{a, b, 480'000};
    Capture capture;
};

// Two cards and a frame port's worth of traffic with long silences, all of it captured.
void simulate_cards(bool idle_skip, const std::string &path)
{
    ClockEngine::Config config;
    config.idle_skip = idle_skip;
    ClockEngine engine("engine", config);
    Card::Config fast;
    fast.clk_period = 10'000;
    CardHost a("a", engine), b("b", engine, fast);
    Cable cable(a.card, b.card, 1'000'000);
    Capture capture(path);
    capture.watch(cable);
    Script script_a("script_a", 8'000'000'000), script_b("script_b");
    for (Picoseconds at : {1'000'001u, 30'000'000u, 900'000'123u, 2'000'000'000u})
        script_a.at(at, [&a, at] {
            if (at == 1'000'001)
                a.start();
            a.send(test_frame(60 + at % 1000));
            a.read(NIC_REGISTER(IRQ_CAUSE));
        });
    for (Picoseconds at : {0u, 31'234'567u, 900'000'000u, 4'000'000'000u})
        script_b.at(at, [&b, at] {
            if (at == 0)
                b.start();
            b.send(test_frame(1000 - at % 900));
        });
    sc_core::sc_start();
    if (capture.frames() != 8)
        throw std::runtime_error("not every frame was sent");
    capture.close();
}

} // namespace

TEST_CASE("tshark reads the frames of both directions with stamps exact to the nanosecond")
{
    TemporaryFile file("capture.pcap");
    Link link(file.path);
    Script script("script");
    script.at(5'000'000'000'000, [&] { link.a.send(test_frame(60)); });
    script.at(5'000'100'000'000, [&] { link.b.send(test_frame(1514)); });
    sc_core::sc_start();
    link.capture.close();
    // Preamble, frame and FCS in nibbles of 40 ns: 144 and 3052.
    CHECK(tshark(file.path) == "5.000005760\t60\t1\n5.000222080\t1514\t1\n");
}

TEST_CASE("frames that end in one instant are written in the order of their sources")
{
    TemporaryFile file("capture.pcap");
    Link link(file.path);
    Script script("script");
    script.at(1'000'000, [&] {
        link.b.send(test_frame(100, 0xb0));
        link.a.send(test_frame(100, 0xa0));
    });
    sc_core::sc_start();
    link.capture.close();
    const std::string pcap = contents(file.path);
    constexpr size_t FILE_HEADER = 24, RECORD_HEADER = 16;
    REQUIRE(pcap.size() == FILE_HEADER + 2 * (RECORD_HEADER + 100));
    CHECK(pcap[FILE_HEADER + RECORD_HEADER] == '\xa0');
}

TEST_CASE("a frame with a bad FCS is counted and not written")
{
    TemporaryFile file("capture.pcap");
    Link link(file.path);
    Script script("script");
    script.at(0, [&] { link.a.send_raw(test_frame(80)); });
    sc_core::sc_start();
    link.capture.close();
    CHECK(link.capture.bad() == 1);
    CHECK(link.capture.frames() == 0);
    CHECK(tshark(file.path).empty());
}

TEST_CASE("a capture that is not closed by hand is whole all the same")
{
    TemporaryFile file("capture.pcap");
    {
        Link link(file.path);
        Script script("script");
        script.at(0, [&] { link.a.send(test_frame(60)); });
        sc_core::sc_start();
    }
    CHECK(tshark(file.path) == "0.000005760\t60\t1\n");
}

TEST_CASE("a capture that cannot be written is refused with its path")
{
    CHECK_THROWS_AS(Capture("/nowhere/x.pcap"), std::runtime_error);
    try {
        Capture capture("/nowhere/x.pcap");
    } catch (const std::runtime_error &error) {
        CHECK(std::string(error.what()).find("/nowhere/x.pcap") != std::string::npos);
    }
}

TEST_CASE("a full disk is reported when the capture is closed")
{
    Link link("/dev/full");
    Script script("script");
    script.at(0, [&] { link.a.send(test_frame(60)); });
    sc_core::sc_start();
    CHECK_THROWS_WITH(link.capture.close(), "capture /dev/full: could not be written whole");
}

TEST_CASE("with and without the idle skip the capture is the same, byte for byte")
{
    TemporaryFile with("with.pcap"), without("without.pcap");
    in_a_process_of_its_own([&] { simulate_cards(true, with.path); });
    in_a_process_of_its_own([&] { simulate_cards(false, without.path); });
    CHECK(contents(with.path).size() > 8 * 60);
    CHECK(contents(with.path) == contents(without.path));
}

TEST_CASE("the same run gives the same capture twice, byte for byte")
{
    TemporaryFile first("first.pcap"), second("second.pcap");
    in_a_process_of_its_own([&] { simulate_cards(true, first.path); });
    in_a_process_of_its_own([&] { simulate_cards(true, second.path); });
    CHECK(contents(first.path) == contents(second.path));
}
