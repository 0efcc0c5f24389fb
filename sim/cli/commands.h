// SPDX-License-Identifier: Apache-2.0
#pragma once

// The commands of the program. Each returns its exit status and throws UserError for what the user can mend.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace lanyard
{

struct DemoOptions {
    std::string folder; // what to serve; empty: a sample site
    std::string out;
    uint64_t seed = 1;
};
int demo(const DemoOptions &options);

struct TapOptions {
    std::string serve; // a folder; empty: no web server
    std::string address = "192.0.2.1";
    std::string pcap;
    uint64_t seed = 1;
    std::vector<std::string> command; // empty: until interrupted
};
int tap(const TapOptions &options);

struct SimOptions {
    std::string file;
    std::optional<uint64_t> seed;
    std::string pcap, fst, fst_window, json; // over what the file says
    bool no_idle_skip = false;
};
int sim(const SimOptions &options);

} // namespace lanyard
