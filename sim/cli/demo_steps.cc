// SPDX-License-Identifier: Apache-2.0
#include "sim/cli/demo_steps.h"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iomanip>
#include <sstream>
#include <sys/timerfd.h>

#include "sim/cli/one_host.h"
#include "sim/platform/sha256.h"

namespace lanyard
{

namespace
{

namespace fs = std::filesystem;

constexpr unsigned PINGS = 5;
constexpr int CURL_REFUSED = 7; // its exit status when it could not connect

// No retransmission timer of Linux's can have run out before (RFC 6298: 1 s).
constexpr double AT_ONCE_S = 0.9;

std::string fixed(double value, int digits)
{
    std::ostringstream text;
    text << std::fixed << std::setprecision(digits) << value;
    return text.str();
}

// curl as it is, whatever the user's settings.
std::vector<std::string> curl(std::vector<std::string> arguments, const std::string &path, unsigned port = 80)
{
    std::vector<std::string> argv = {"curl",      "--disable", "--silent",   "--show-error",
                                     "--noproxy", "*",         "--max-time", "300"};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    argv.push_back("http://" + std::string(HOST_ADDRESS_TEXT) + ":" + std::to_string(port) + "/" + url_path(path));
    return argv;
}

// How long something takes, on both clocks.
class Stopwatch
{
  public:
    sc_core::sc_time simulated() const
    {
        return sc_core::sc_time_stamp() - simulated_start_;
    }
    std::chrono::nanoseconds wall() const
    {
        return Clock::now() - wall_start_;
    }
    std::string text() const
    {
        return fixed(simulated().to_seconds(), 3) + " s simulated, " +
               fixed(std::chrono::duration<double>(wall()).count(), 1) + " s wall";
    }

  private:
    using Clock = std::chrono::steady_clock;

    sc_core::sc_time simulated_start_ = sc_core::sc_time_stamp();
    Clock::time_point wall_start_ = Clock::now();
};

} // namespace

DemoSteps::DemoSteps(Topology &topology, std::string folder, std::vector<SiteFile> files, std::string out)
    : topology_(topology), folder_(std::move(folder)), files_(std::move(files)), out_(std::move(out)),
      timer_(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK))
{
    const itimerspec every_second = {{1, 0}, {1, 0}};
    timerfd_settime(timer_.get(), 0, &every_second, nullptr);
    topology_.pacer()->watch(timer_.get(), [this] { show_progress(); });
}

void DemoSteps::run()
{
    ping();
    for (const SiteFile &file : files_)
        fetch({file});
    if (!files_.empty()) {
        fetch({files_.back(), files_.back()});
        ask_for_headers();
    }
    ask_for_what_is_missing();
    knock_at_closed_port();
    progress_.clear();
}

void DemoSteps::ping()
{
    const Outcome ping = run_program("ping", {"ping", "-n", "-c", std::to_string(PINGS), HOST_ADDRESS_TEXT});
    unsigned answered = 0;
    const size_t count = ping.output.find(" received");
    if (count != std::string::npos)
        answered = std::stoul(ping.output.substr(ping.output.rfind(' ', count - 1)));
    check("ping", ping.status == 0 && answered == PINGS,
          std::to_string(answered) + " of " + std::to_string(PINGS) + " answered");
}

// All of them at the same time.
void DemoSteps::fetch(const std::vector<SiteFile> &files)
{
    struct Running {
        const SiteFile &file;
        std::string name, to;
        PacedChild &child;
    };
    const Stopwatch stopwatch;
    std::vector<Running> running;
    for (const SiteFile &file : files) {
        const std::string name = "fetch-" + std::to_string(++fetches_);
        const std::string to =
            (fs::path(out_) / "fetched" / (name + fs::path(file.path).extension().string())).string();
        fs::remove(to); // of an earlier run
        running.push_back({file, name, to, start(name, curl({"--fail", "--output", to}, file.path))});
    }
    for (Running &r : running) {
        const int status = r.child.wait();
        const std::string name = files.size() == 1 ? "curl" : "curl, both at once";
        const bool same =
            status == 0 && sha256_of_file(r.to) == sha256_of_file((fs::path(folder_) / r.file.path).string());
        const std::string what = status != 0 ? "exit status " + std::to_string(status) + ", see " + log(r.name)
                                 : same      ? "SHA-256 equal"
                                             : "SHA-256 differs";
        check(name, same,
              r.file.path + ", " + std::to_string(r.file.bytes) + " bytes in " + stopwatch.text() + ": " + what);
        fetched_bytes_ += r.file.bytes;
    }
    fetch_simulated_ += stopwatch.simulated();
    fetch_wall_ += stopwatch.wall();
}

void DemoSteps::ask_for_headers()
{
    const SiteFile &file = files_.back();
    const Outcome head = run_program("head", curl({"--head"}, file.path));
    const bool right = head.status == 0 && head.output.find(" 200 ") != std::string::npos &&
                       head.output.find("Content-Length: " + std::to_string(file.bytes)) != std::string::npos;
    check("curl --head", right, right ? "200 with the right Content-Length" : "see " + log("head"));
}

void DemoSteps::ask_for_what_is_missing()
{
    const Outcome missing =
        run_program("missing", curl({"--output", "/dev/null", "--write-out", "%{http_code}"}, "no/such/file"));
    check("curl, missing file", missing.status == 0 && missing.output == "404", "HTTP status " + missing.output);
}

void DemoSteps::knock_at_closed_port()
{
    const Stopwatch stopwatch;
    const Outcome refused = run_program("refused", curl({}, "", 81));
    const bool right = refused.status == CURL_REFUSED && stopwatch.simulated().to_seconds() < AT_ONCE_S;
    check("curl, closed port", right,
          (right ? "refused after " : "not refused at once: see " + log("refused") + ", ") + stopwatch.text());
}

PacedChild &DemoSteps::start(const std::string &name, const std::vector<std::string> &argv)
{
    current_ = name;
    progress_.restart();
    return children_.emplace_back(*topology_.pacer(), argv, log(name));
}

DemoSteps::Outcome DemoSteps::run_program(const std::string &name, const std::vector<std::string> &argv)
{
    const int status = start(name, argv).wait();
    std::ostringstream output;
    output << std::ifstream(log(name)).rdbuf();
    return {status, output.str()};
}

std::string DemoSteps::log(const std::string &name) const
{
    return (fs::path(out_) / "log" / (name + ".txt")).string();
}

void DemoSteps::check(const std::string &name, bool right, const std::string &detail)
{
    progress_.clear();
    std::printf("  %-4s  %-20s %s\n", right ? "ok" : "FAIL", name.c_str(), detail.c_str());
    std::fflush(stdout);
    results_.push_back({{"check", name}, {"ok", right}, {"detail", detail}});
    failures_ += !right;
}

void DemoSteps::show_progress()
{
    uint64_t expirations = 0;
    if (read(timer_.get(), &expirations, sizeof expirations) > 0)
        progress_.show(current_ + ": simulated " + fixed(sc_core::sc_time_stamp().to_seconds(), 3) + " s");
}

} // namespace lanyard
