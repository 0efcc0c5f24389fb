// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <systemc>
#include <vector>

namespace lanyard
{

// A scenario: what docs/scenario.md describes. Times in picoseconds of simulated time, addresses in host byte order,
// paths ready for use.

struct NetworkAddress {
    uint32_t address = 0;
    unsigned prefix = 0; // bits of the netmask
};

struct HostSpec {
    std::string name;
    NetworkAddress address;
    std::array<uint8_t, 6> mac{};
    uint64_t clk_hz = 25000000;
    unsigned mii_mbps = 100;
    unsigned memory_latency_cycles = 8;
    std::optional<uint32_t> send_buffer_bytes, receive_buffer_bytes;
};

struct LinkSpec {
    std::string a; // a host
    std::string b; // a host; empty: `tap` is the other end
    std::string tap;
    NetworkAddress tap_address;
    uint64_t delay_ps = 5000;
    // Per frame and direction, 0 to 1.
    double drop = 0, duplicate = 0, reorder = 0, corrupt = 0;
    uint64_t jitter_ps = 0;
    uint64_t rate_bps = 0; // 0: the line's

    bool impaired() const
    {
        return drop > 0 || duplicate > 0 || reorder > 0 || corrupt > 0 || jitter_ps > 0 || rate_bps > 0;
    }
};

enum class ApplicationKind { HTTPD, FETCH, ECHO, DISCARD, BULK_SOURCE, BULK_SINK, COMMAND };

struct ApplicationSpec {
    ApplicationKind kind{};
    std::string name; // "fetch on b (line 12)": how reports call it
    std::string host; // empty for a command
    uint64_t start_ps = 0;
    uint16_t port = 0;
    std::string folder;            // httpd
    std::string url;               // fetch
    std::string to;                // fetch: the file to write, empty: none; bulk source: "address:port"
    uint64_t bytes = 0;            // bulk source; 0: for `duration_ps`
    uint64_t duration_ps = 0;      // bulk source; 0: until `bytes`
    std::vector<std::string> argv; // command
};

struct Recording {
    std::string pcap, fst, json;                                // files; empty: none
    std::optional<std::pair<uint64_t, uint64_t>> fst_window_ps; // start, length
};

struct Scenario {
    uint64_t seed = 1;
    uint64_t duration_ps = 0; // 0: until the applications end
    std::vector<HostSpec> hosts;
    std::vector<LinkSpec> links;
    std::vector<ApplicationSpec> applications;
    Recording record;
    bool idle_skip = true;

    bool has_tap() const;
};

// Throws UserError, "FILE:LINE: what, expected ..." for what is wrong in the file.
Scenario read_scenario(const std::string &file);

// "10us", "1.5ms", "2s" in picoseconds; nothing if it is not a time.
std::optional<uint64_t> parse_time(const std::string &text);

} // namespace lanyard
