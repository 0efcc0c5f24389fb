// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <filesystem>
#include <memory>
#include <unistd.h>

#include "sim/cli/commands.h"
#include "sim/cli/interruption.h"
#include "sim/cli/one_host.h"
#include "sim/platform/paced_child.h"
#include "sim/platform/quantity.h"
#include "sim/platform/sandbox.h"
#include "sim/platform/simulation.h"
#include "sim/platform/topology.h"
#include "sim/platform/user_error.h"

namespace lanyard
{

namespace
{

Scenario scenario_of(const TapOptions &options)
{
    const auto address = parse_address(options.address);
    if (!address || !is_station({*address, HOST_PREFIX}))
        throw UsageError("--address " + options.address + ", expected a host's address in a /24 such as 192.0.2.1");
    if (!options.serve.empty() && !std::filesystem::is_directory(options.serve))
        throw UserError("--serve " + options.serve + ": there is no such folder");
    Scenario scenario = one_host_on_tap(*address, options.serve, options.seed);
    scenario.record.pcap = options.pcap;
    return scenario;
}

void tell_how_to_enter(const TapOptions &options, bool as_root)
{
    std::printf("A simulated host is at %s (ports 7, 9%s), until interrupted. To reach it:\n"
                "  nsenter --target %d %s ping %s\n",
                options.address.c_str(), options.serve.empty() ? "" : ", 80", getpid(),
                as_root ? "--net" : "--user --preserve-credentials --net", options.address.c_str());
    std::fflush(stdout);
}

} // namespace

int tap(const TapOptions &options)
{
    const Scenario scenario = scenario_of(options);
    const bool as_root = geteuid() == 0;
    Interruption interruption;
    enter_network_namespace();
    Topology topology(scenario);
    interruption.ends(topology);
    std::unique_ptr<PacedChild> child;
    int status = 0;
    spawn_thread("command", [&] {
        topology.host(HOST_NAME).wait_until_up();
        if (options.command.empty()) {
            tell_how_to_enter(options, as_root);
            return;
        }
        child = std::make_unique<PacedChild>(*topology.pacer(), options.command);
        status = child->wait();
        topology.stop("the command has ended");
    });
    topology.run();
    for (const std::string &error : topology.errors())
        std::fprintf(stderr, "lanyard: %s\n", error.c_str());
    return interruption.status() != 0 ? interruption.status() : status;
}

} // namespace lanyard
