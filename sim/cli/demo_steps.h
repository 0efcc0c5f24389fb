// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <list>
#include <string>
#include <vector>

#include "sim/cli/demo_site.h"
#include "sim/cli/progress.h"
#include "sim/platform/paced_child.h"
#include "sim/platform/topology.h"
#include "sim/platform/unique_fd.h"

namespace lanyard
{

// What the machine's own ping and curl do with the simulated host, step by step, each told on standard output.
class DemoSteps
{
  public:
    // `folder` is what the host serves, `files` those of it to fetch; what the programs write goes below `out`.
    DemoSteps(Topology &topology, std::string folder, std::vector<SiteFile> files, std::string out);

    // All of them. In a thread of the simulation.
    void run();

    // Takes away the line that tells what goes on.
    void clear_progress()
    {
        progress_.clear();
    }

    // One entry a check, and how many of them failed.
    const Json &results() const
    {
        return results_;
    }
    unsigned failures() const
    {
        return failures_;
    }

    // Of all fetches together.
    uint64_t fetched_bytes() const
    {
        return fetched_bytes_;
    }
    double fetch_seconds_simulated() const
    {
        return fetch_simulated_.to_seconds();
    }
    double fetch_seconds_wall() const
    {
        return std::chrono::duration<double>(fetch_wall_).count();
    }

  private:
    struct Outcome {
        int status;         // exit status
        std::string output; // standard output and error
    };

    PacedChild &start(const std::string &name, const std::vector<std::string> &argv);
    Outcome run_program(const std::string &name, const std::vector<std::string> &argv);
    std::string log(const std::string &name) const;
    void ping();
    void fetch(const std::vector<SiteFile> &files);
    void ask_for_headers();
    void ask_for_what_is_missing();
    void knock_at_closed_port();
    void check(const std::string &name, bool right, const std::string &detail);
    void show_progress();

    Topology &topology_;
    std::string folder_;
    std::vector<SiteFile> files_;
    std::string out_;
    std::list<PacedChild> children_; // here, so that they end with this object if the run ends first
    unsigned fetches_ = 0;
    Json results_ = Json::array();
    unsigned failures_ = 0;
    uint64_t fetched_bytes_ = 0;
    sc_core::sc_time fetch_simulated_;
    std::chrono::nanoseconds fetch_wall_{};
    Progress progress_;
    std::string current_;
    UniqueFd timer_;
};

} // namespace lanyard
