// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <poll.h>
#include <systemc>
#include <unistd.h>

#include "sim/cli/commands.h"
#include "sim/cli/traced.h"
#include "sim/platform/user_error.h"

namespace
{

using namespace lanyard;

constexpr int USAGE = 2;

// CLI11 knows errors by the dozen; here it is one line, and one exit status.
std::string one_line(const CLI::App *, const CLI::Error &error)
{
    return std::string("lanyard: ") + error.what() + " (see --help)\n";
}

// CLI11 itself takes -1, and what is too large, for other numbers.
std::string check_seed(const std::string &text)
{
    int64_t seed = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seed);
    const bool good = error == std::errc{} && end == text.data() + text.size() && seed >= 0;
    return good ? "" : text + ", expected an integer from 0 to " + std::to_string(INT64_MAX);
}

void add_demo(CLI::App &app, DemoOptions &options, int &status)
{
    CLI::App *command = app.add_subcommand("demo", "Serve a folder through the simulated card to this machine's ping "
                                                   "and curl, compare what arrives, and sum up");
    command->add_option("DIR", options.folder, "Folder to serve; without it a sample site is made");
    command->add_option("--out", options.out, "Where capture, waveform, report and fetched files go")
        ->capture_default_str();
    command->add_option("--seed", options.seed, "Seed of the simulated host")->check(check_seed)->capture_default_str();
    command->callback([&] { status = demo(options); });
}

void add_tap(CLI::App &app, TapOptions &options, int &status)
{
    CLI::App *command = app.add_subcommand("tap", "A simulated host on a TAP device, in a network namespace of its "
                                                  "own, until interrupted or CMD ends");
    command->add_option("--serve", options.serve, "Folder that its web server serves");
    command->add_option("--address", options.address, "Its address, in a /24; Linux has the next one")
        ->capture_default_str();
    command->add_option("--pcap", options.pcap, "File for a capture of what is on the wire");
    command->add_option("--seed", options.seed, "Seed of the simulated host")->check(check_seed)->capture_default_str();
    command->add_option("CMD", options.command, "Command to run inside the namespace, after --");
    command->callback([&] { status = tap(options); });
}

void add_sim(CLI::App &app, SimOptions &options, int &status)
{
    CLI::App *command = app.add_subcommand("sim", "Run a scenario (docs/scenario.md)");
    command->add_option("FILE", options.file, "The scenario")->required();
    command->add_option("--seed", options.seed, "Over the seed in the file")->check(check_seed);
    command->add_option("--pcap", options.pcap, "File for a capture");
    command->add_option("--fst", options.fst, "File for a waveform");
    command->add_option("--fst-window", options.fst_window,
                        "START:LENGTH of the waveform, such as 1ms:20us, or frameNUMBER:LENGTH");
    command->add_option("--json", options.json, "File for the result, - for standard output");
    command->add_flag("--no-idle-skip", options.no_idle_skip,
                      "Tick the cards at every edge; changes nothing but speed");
    command->callback([&] { status = sim(options); });
}

int run(int argc, char **argv)
{
    CLI::App app("A simulated network card with its driver and TCP/IP stack");
    app.name("lanyard");
    app.failure_message(one_line);
    app.set_version_flag("--version", "lanyard " LANYARD_VERSION);
    app.require_subcommand(1);
    int status = 0;
    DemoOptions demo_options;
    demo_options.out = LANYARD_OUT "/demo";
    TapOptions tap_options;
    SimOptions sim_options;
    add_demo(app, demo_options, status);
    add_tap(app, tap_options, status);
    add_sim(app, sim_options, status);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError &error) {
        return app.exit(error) == 0 ? 0 : USAGE;
    }
    return status;
}

// What was printed has arrived, or the run has failed. Who reads no further (head) need not be told.
int flushed(int status)
{
    if (std::fflush(stdout) == 0 && !std::ferror(stdout))
        return status;
    pollfd out = {STDOUT_FILENO, POLLOUT, 0};
    if (poll(&out, 1, 0) != 1 || !(out.revents & POLLERR)) // a pipe without a reader has POLLERR
        std::fputs("lanyard: cannot write standard output\n", stderr);
    return status == 0 ? 1 : status;
}

} // namespace

int sc_main(int argc, char **argv)
{
    remember_arguments(argv);
    std::signal(SIGPIPE, SIG_IGN); // a run is to end with its files whole
    try {
        return flushed(run(argc, argv));
    } catch (const UsageError &error) {
        std::fprintf(stderr, "lanyard: %s\n", error.what());
        return USAGE;
    } catch (const std::exception &error) {
        std::fprintf(stderr, "lanyard: %s\n", error.what());
        return 1;
    }
}

// SystemC's own main() prints its banner; this one calls sc_main() without.
int main(int argc, char **argv)
{
    setenv("SYSTEMC_DISABLE_COPYRIGHT_MESSAGE", "1", 1);
    return sc_core::sc_elab_and_sim(argc, argv);
}
