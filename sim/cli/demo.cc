// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <sys/file.h>
#include <unistd.h>

#include "sim/cli/commands.h"
#include "sim/cli/demo_site.h"
#include "sim/cli/demo_steps.h"
#include "sim/cli/interruption.h"
#include "sim/cli/one_host.h"
#include "sim/cli/report.h"
#include "sim/cli/traced.h"
#include "sim/platform/sandbox.h"
#include "sim/platform/simulation.h"
#include "sim/platform/topology.h"
#include "sim/platform/unique_fd.h"
#include "sim/platform/user_error.h"

namespace lanyard
{

namespace
{

namespace fs = std::filesystem;

constexpr uint64_t LARGEST_FETCHED = 4 << 20;          // bytes; keeps the demo short
constexpr Picoseconds WAVEFORM_LENGTH = 2'000'000'000; // 2 ms hold ARP and the first echo
constexpr uint64_t FIRST_FROM_LINUX = 2;               // frame; the first one is the host's own announcement

void need_program(const char *name, const char *package)
{
    const char *path = getenv("PATH");
    std::istringstream folders(path ? path : "");
    for (std::string folder; std::getline(folders, folder, ':');)
        if (access((folder + "/" + name).c_str(), X_OK) == 0)
            return;
    throw UserError(std::string(name) + " is missing; install it with 'apt install " + package + "'");
}

// The folder `name` below `out`.
std::string folder_in(const std::string &out, const char *name)
{
    const fs::path folder = fs::path(out) / name;
    std::error_code error;
    fs::create_directories(folder, error);
    if (error)
        throw UserError("cannot make the folder " + folder.string() + ": " + error.message());
    return folder.string();
}

// The folder `out` for this run alone, for as long as the result lives.
UniqueFd occupy(const std::string &out)
{
    UniqueFd folder(open(out.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (folder.get() >= 0 && flock(folder.get(), LOCK_EX | LOCK_NB) < 0)
        throw UserError("demo: another one writes to " + out + ", expected another --out, or its end");
    return folder;
}

// A counter of Linux's TCP in this network namespace, such as "RetransSegs".
uint64_t linux_tcp_counter(const std::string &name)
{
    std::ifstream file("/proc/self/net/snmp");
    for (std::string names, values; std::getline(file, names) && std::getline(file, values);) {
        std::istringstream names_in(names);
        std::istringstream values_in(values);
        std::string protocol, key, value;
        names_in >> protocol;
        values_in >> value;
        while (protocol == "Tcp:" && names_in >> key && values_in >> value)
            if (key == name)
                return std::stoull(value);
    }
    return 0;
}

Json summary(const Topology &topology, const DemoSteps &steps)
{
    const Json &report = topology.report();
    const Json &host = report["hosts"][HOST_NAME];
    const uint64_t ticked = host["cycles_ticked"];
    const double busy = (report["wall_ns"].get<double>() - report["pacer"]["slept_ns"].get<double>()) / 1e9;
    const auto bytes = static_cast<double>(steps.fetched_bytes());
    Json all;
    all["simulated_s"] = report["simulated_ns"].get<double>() / 1e9;
    all["cycles"] = ticked;
    all["cycles_skipped"] = host["cycles_skipped"];
    all["cycles_per_wall_s"] = busy > 0 ? ticked / busy : 0; // without the time that it slept
    all["fetched_bytes"] = steps.fetched_bytes();
    all["fetch_simulated_s"] = steps.fetch_seconds_simulated();
    all["fetch_wall_s"] = steps.fetch_seconds_wall();
    all["goodput_simulated_bps"] = bytes > 0 ? bytes * 8 / steps.fetch_seconds_simulated() : 0;
    all["goodput_wall_bps"] = bytes > 0 ? bytes * 8 / steps.fetch_seconds_wall() : 0;
    all["frames_to_linux"] = report["links"][0]["frames_to_linux"];
    all["frames_from_linux"] = report["links"][0]["frames_from_linux"];
    all["retransmissions"] = host["stack"]["TcpRetransSegs"];
    all["retransmissions_by_linux"] = linux_tcp_counter("RetransSegs");
    all["bad_checksums_seen_by_linux"] = linux_tcp_counter("InCsumErrors");
    return all;
}

void print(const Json &summary, const Recording &record)
{
    const auto number = [&summary](const char *key) { return summary[key].get<double>(); };
    std::printf("\n  simulated time       %.3f s\n", number("simulated_s"));
    std::printf("  card cycles          %.0f ticked, %.0f idle and skipped, %.0f a wall second\n", number("cycles"),
                number("cycles_skipped"), number("cycles_per_wall_s"));
    std::printf("  goodput              %.2f Mb/s simulated, %.2f Mb/s wall\n", number("goodput_simulated_bps") / 1e6,
                number("goodput_wall_bps") / 1e6);
    std::printf("  frames               %.0f to Linux, %.0f from Linux, %.0f with a bad checksum\n",
                number("frames_to_linux"), number("frames_from_linux"), number("bad_checksums_seen_by_linux"));
    std::printf("  retransmissions      %.0f by the stack, %.0f by Linux\n", number("retransmissions"),
                number("retransmissions_by_linux"));
    std::printf("  capture              %s\n  waveform             %s (ARP and the first echo)\n"
                "  report               %s\n",
                record.pcap.c_str(), record.fst.c_str(), record.json.c_str());
}

} // namespace

int demo(const DemoOptions &options)
{
    if (!options.folder.empty() && !fs::is_directory(options.folder))
        throw UserError("demo: there is no folder " + options.folder);
    need_program("ping", "iputils-ping");
    need_program("curl", "curl");
    become_traced();
    folder_in(options.out, "log");
    const UniqueFd occupied = occupy(options.out);
    std::string folder = options.folder;
    if (folder.empty()) {
        folder = folder_in(options.out, "site");
        make_sample_site(folder, options.seed);
    }
    folder_in(options.out, "fetched");
    const std::vector<SiteFile> files = pick_files(folder, LARGEST_FETCHED);

    Interruption interruption;
    enter_network_namespace();
    Scenario scenario = one_host_on_tap(HOST_ADDRESS, folder, options.seed);
    scenario.record.pcap = options.out + "/demo.pcap";
    scenario.record.fst = options.out + "/demo.fst";
    scenario.record.fst_window = {FIRST_FROM_LINUX, 0, WAVEFORM_LENGTH};
    scenario.record.json = options.out + "/report.json";
    expect_writable(scenario.record.json);
    Topology topology(scenario);
    interruption.ends(topology);
    DemoSteps steps(topology, folder, files, options.out);
    std::printf("Serving %s from the simulated card at %s; up to three files of at most %llu MiB are fetched.\n",
                folder.c_str(), HOST_ADDRESS_TEXT, static_cast<unsigned long long>(LARGEST_FETCHED >> 20));
    spawn_thread("steps", [&] {
        topology.host(HOST_NAME).wait_until_up();
        steps.run();
        topology.stop("all steps done");
    });
    topology.run();
    if (interruption.status() != 0) {
        steps.clear_progress();
        std::fputs("lanyard: demo: interrupted\n", stderr);
        return interruption.status();
    }
    Json report = topology.report();
    report["summary"] = summary(topology, steps);
    report["checks"] = steps.results();
    write_report(scenario.record.json, report);
    print(report["summary"], scenario.record);
    if (steps.failures() == 0)
        return 0;
    std::fprintf(stderr, "lanyard: demo: %u of %zu checks failed\n", steps.failures(), steps.results().size());
    return 1;
}

} // namespace lanyard
