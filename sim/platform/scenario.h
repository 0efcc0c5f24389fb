// SPDX-License-Identifier: Apache-2.0
#pragma once

// A scenario: what docs/scenario.md describes, checked and ready to be built. Addresses in host byte order.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sim/wire/impairment.h"

namespace lanyard
{

struct NetworkAddress {
    uint32_t address = 0;
    unsigned prefix = 0; // bits of the netmask
};

// Whether a station can have it: not the network's own address nor its broadcast address, no group, no loopback.
// Prefixes up to 30 bits.
bool is_station(const NetworkAddress &address);

struct HostSpec {
    std::string name;
    NetworkAddress address;
    std::array<uint8_t, 6> mac{};
    Picoseconds clk_period = 40'000;
    MiiRate mii_rate = MiiRate::mbps100;
    unsigned memory_latency_cycles = 8;
    unsigned phy_address = 1;
    Picoseconds unplug = NEVER, plug = NEVER;                        // of its cable, at run time
    std::optional<uint32_t> send_buffer_bytes, receive_buffer_bytes; // the stack's defaults
};

struct LinkSpec {
    std::string a; // a host
    std::string b; // a host; empty: the other end is `tap`
    std::string tap;
    NetworkAddress tap_address; // Linux's
    Picoseconds delay = 0;
    std::optional<Impairment::Config> impairment; // both ways alike, but for the seed
};

struct HubSpec {
    std::vector<std::string> hosts;
    std::vector<Picoseconds> delays; // of each host's cable, one way
};

enum class ApplicationKind { httpd, fetch, echo, discard, bulk_source, bulk_sink, command };

struct ApplicationSpec {
    ApplicationKind kind{};
    std::string label; // "fetch on b": how reports call it
    std::string host;  // not of a command
    Picoseconds start = 0;
    uint16_t port = 0;             // of a service
    std::string folder;            // httpd
    std::string url;               // fetch
    std::string file;              // fetch: where to put it; empty: nowhere. command: where its output goes
    std::string to;                // bulk source: "address:port"
    uint64_t bytes = 0;            // bulk source; 0: until `duration` is over
    Picoseconds duration = 0;      // bulk source; 0: until `bytes` are sent
    std::vector<std::string> argv; // command

    // Services run until the others have ended.
    bool ends() const
    {
        return kind == ApplicationKind::fetch || kind == ApplicationKind::bulk_source ||
               kind == ApplicationKind::command;
    }
};

// A part of a run: from an instant on, or around a frame.
struct Window {
    uint64_t frame = 0;     // of the capture, from 1 on; 0: none
    Picoseconds start = 0;  // without a frame
    Picoseconds length = 0; // behind the start, or the end of the frame
};

struct Recording {
    std::string pcap, fst, json;      // files; empty: none
    std::optional<Window> fst_window; // none: the whole run
};

struct Scenario {
    uint64_t seed = 1;
    Picoseconds duration = 0; // 0: until the applications end
    bool idle_skip = true;
    std::vector<HostSpec> hosts;
    std::vector<LinkSpec> links;
    std::vector<HubSpec> hubs;
    std::vector<ApplicationSpec> applications;
    Recording record;

    bool has_tap() const;
};

// Throws UsageError, "FILE:LINE: what, expected ..." for what is wrong in the file.
Scenario read_scenario(const std::string &file);

// "START:LENGTH" or "frameNUMBER:LENGTH".
constexpr const char *A_WINDOW = "START:LENGTH such as \"1ms:20us\", or frameNUMBER:LENGTH such as \"frame12:20us\"";
std::optional<Window> parse_window(std::string_view text);

// The generator of one part of a run: equal seeds and names give equal sequences, different names unlike ones.
uint64_t seed_of(uint64_t seed, const std::string &part);

} // namespace lanyard
