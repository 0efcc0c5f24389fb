// SPDX-License-Identifier: Apache-2.0
// Waveforms as GTKWave's own converter reads them.
#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>
#include <sstream>
#include <string>
#include <unistd.h>

#include "sim/card/waveform.h"
#include "sim/wire/frame_port.h"
#include "tests/sim/card_host.h"
#include "tests/sim/sim_test.h"

using namespace lanyard;

namespace
{

// The lines of an FST file as VCD.
std::vector<std::string> read_fst(const std::string &path)
{
    const std::unique_ptr<FILE, int (*)(FILE *)> pipe(popen(("fst2vcd " + path).c_str(), "r"), pclose);
    REQUIRE(pipe);
    std::string text;
    std::array<char, 4096> buffer;
    while (const size_t n = fread(buffer.data(), 1, buffer.size(), pipe.get()))
        text.append(buffer.data(), n);
    std::istringstream stream(text);
    std::vector<std::string> lines;
    for (std::string line; std::getline(stream, line);)
        lines.push_back(line);
    return lines;
}

bool has(const std::vector<std::string> &lines, const std::string &line)
{
    return std::find(lines.begin(), lines.end(), line) != lines.end();
}

std::vector<Picoseconds> times(const std::vector<std::string> &lines)
{
    std::vector<Picoseconds> result;
    for (const std::string &line : lines)
        if (line[0] == '#')
            result.push_back(std::stoull(line.substr(1)));
    return result;
}

// Two cards, and two frames from one to the other.
struct Run {
    Run() : a("a", engine, {}), b("b", engine, fast()), cable(a.card, b.card), waveform(engine, path())
    {
        waveform.add(a.card);
        waveform.add(b.card);
        capture.watch(cable);
        script.at(0, [this] { b.start(); });
        script.at(0, [this] { a.start(); });
        script.at(first, [this] { a.send(test_frame(60)); });
        script.at(second, [this] { a.send(test_frame(60)); });
    }
    ~Run()
    {
        std::remove(path().c_str());
        std::remove(capture_path().c_str());
    }

    std::vector<std::string> lines()
    {
        sc_core::sc_start();
        waveform.close();
        return read_fst(path());
    }

    static std::string path()
    {
        return "waveform.fst." + std::to_string(getpid());
    }
    static std::string capture_path()
    {
        return "waveform.pcap." + std::to_string(getpid());
    }
    static Card::Config fast()
    {
        Card::Config config;
        config.clk_period = 10'000;
        return config;
    }

    static constexpr Picoseconds first = 100'000'000, second = 300'000'000;
    ClockEngine engine{"engine"};
    CardHost a, b;
    Cable cable;
    Capture capture{capture_path()};
    Waveform waveform;
    Script script{"script"};
};

} // namespace

TEST_CASE("a waveform shows each card under its own name, in picoseconds")
{
    Run run;
    const auto lines = run.lines();
    CHECK(has(lines, "\t1ps"));
    CHECK(has(lines, "$scope module a.card $end"));
    CHECK(has(lines, "$scope module b.card $end"));
    CHECK(has(lines, "$scope module nic $end"));
    const auto stamps = times(lines);
    REQUIRE(!stamps.empty());
    CHECK(std::is_sorted(stamps.begin(), stamps.end()));
    CHECK(stamps.back() > Run::second);
}

TEST_CASE("clocks rise on their grid and fall in between")
{
    Run run;
    const auto stamps = times(run.lines());
    CHECK(std::all_of(stamps.begin(), stamps.end(), [](Picoseconds t) { return t % 5'000 == 0; }));
    CHECK(std::count(stamps.begin(), stamps.end(), Run::first + 40'000) == 1);
    CHECK(std::count(stamps.begin(), stamps.end(), Run::first + 45'000) == 1);
}

TEST_CASE("a window in time holds nothing outside of it")
{
    Run run;
    run.waveform.window(110'000'000, 112'000'000);
    const auto stamps = times(run.lines());
    REQUIRE(!stamps.empty());
    CHECK(stamps.front() == 110'000'000);
    CHECK(stamps.back() <= 112'000'000 + 5'000);
}

TEST_CASE("a window around the second frame begins with the end of the first")
{
    Run run;
    Picoseconds first_end = 0, second_end = 0;
    run.capture.on_frame(
        [&](uint64_t number, const Frame &frame) { (number == 1 ? first_end : second_end) = frame.end; });
    run.waveform.window_around_frame(run.capture, 2, 1'000'000);
    const auto stamps = times(run.lines());
    REQUIRE(!stamps.empty());
    CHECK(stamps.front() == first_end);
    CHECK(stamps.back() > second_end);
    CHECK(stamps.back() <= second_end + 1'000'000 + 5'000);
}

TEST_CASE("a window that is never reached leaves a file that opens")
{
    Run run;
    run.waveform.window(NEVER - 1, NEVER);
    CHECK(has(run.lines(), "$scope module a.card $end"));
}

TEST_CASE("a waveform that cannot be written is refused with its path")
{
    ClockEngine engine("engine");
    CHECK_THROWS_WITH(Waveform(engine, "/nowhere/x.fst"), "waveform /nowhere/x.fst: No such file or directory");
}
