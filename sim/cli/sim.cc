// SPDX-License-Identifier: Apache-2.0
#include <cstdio>

#include "sim/cli/commands.h"
#include "sim/cli/interruption.h"
#include "sim/cli/progress.h"
#include "sim/cli/report.h"
#include "sim/cli/traced.h"
#include "sim/platform/sandbox.h"
#include "sim/platform/simulation.h"
#include "sim/platform/topology.h"
#include "sim/platform/user_error.h"

namespace lanyard
{

namespace
{

// The scenario in the file, with what the command line puts over it.
Scenario scenario_of(const SimOptions &options)
{
    Scenario scenario = read_scenario(options.file);
    scenario.seed = options.seed.value_or(scenario.seed);
    scenario.idle_skip = !options.no_idle_skip;
    Recording &record = scenario.record;
    record.pcap = options.pcap.empty() ? record.pcap : options.pcap;
    record.fst = options.fst.empty() ? record.fst : options.fst;
    record.json = options.json.empty() ? record.json : options.json;
    if (!options.fst_window.empty()) {
        record.fst_window = parse_window(options.fst_window);
        if (!record.fst_window)
            throw UsageError("--fst-window " + options.fst_window + ", expected " + A_WINDOW);
        if (record.fst.empty())
            throw UsageError("--fst-window without a waveform, expected --fst FILE too");
    }
    return scenario;
}

// On a terminal, how far the run has come.
void show_progress(Progress &progress)
{
    for (;;) {
        sc_core::wait(10, sc_core::SC_MS);
        progress.show("simulated " + sc_core::sc_time_stamp().to_string());
    }
}

void print(const Json &report)
{
    std::printf("simulated %.6f s in %.1f s: %s\n", report["simulated_ns"].get<double>() / 1e9,
                report["wall_ns"].get<double>() / 1e9, report["end"].get<std::string>().c_str());
    for (const Json &application : report["applications"]) {
        std::printf("  %s", application["application"].get<std::string>().c_str());
        if (application.contains("goodput_bps"))
            std::printf(": %llu bytes", application["bytes"].get<unsigned long long>());
        if (application.value("goodput_bps", 0.0) > 0)
            std::printf(", %.2f Mb/s", application["goodput_bps"].get<double>() / 1e6);
        std::printf("\n");
    }
}

} // namespace

int sim(const SimOptions &options)
{
    const Scenario scenario = scenario_of(options);
    expect_writable(scenario.record.json);
    if (!scenario.record.fst.empty())
        become_traced();
    Interruption interruption;
    if (scenario.has_tap())
        enter_network_namespace();
    Topology topology(scenario);
    interruption.ends(topology);
    Progress progress;
    if (progress.on_terminal())
        spawn_thread("progress", [&] { show_progress(progress); });
    topology.run();
    progress.clear();

    if (scenario.record.json != "-")
        print(topology.report());
    if (!scenario.record.json.empty())
        write_report(scenario.record.json, topology.report());
    if (interruption.status() != 0) {
        std::fputs("lanyard: sim: interrupted\n", stderr);
        return interruption.status();
    }
    for (const std::string &error : topology.errors())
        std::fprintf(stderr, "lanyard: sim: %s\n", error.c_str());
    return topology.errors().empty() ? 0 : 1;
}

} // namespace lanyard
