// SPDX-License-Identifier: Apache-2.0
#include "sim/platform/scenario.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <set>

#include "sim/platform/quantity.h"
#include "sim/platform/toml_table.h"
#include "sim/wire/cable.h"

namespace lanyard
{

namespace
{

namespace fs = std::filesystem;

constexpr size_t DEVICE_NAME_BYTES = 15; // IFNAMSIZ less its terminator
constexpr Picoseconds SLOWEST_CLK = 40'000;
constexpr Picoseconds FASTEST_CLK = 1'000;
constexpr Picoseconds MAX_HUB_DELAY = 1'000'000'000;

constexpr const char *NAME_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";
constexpr const char *A_TIME = "a time such as \"1.5ms\"";

// A link with one of these is impaired.
constexpr std::string_view IMPAIRMENTS[] = {"drop",        "duplicate", "reorder", "reorder_delay", "corrupt",
                                            "corrupt_fcs", "jitter",    "rate",    "queue_bytes"};

struct ApplicationShape {
    std::string_view name;
    std::vector<std::string_view> keys;
    ApplicationKind kind;
    uint16_t port; // where it listens unless told otherwise
};

const ApplicationShape APPLICATIONS[] = {
    {"httpd", {"run", "host", "folder", "port"}, ApplicationKind::httpd, 80},
    {"echo", {"run", "host", "port"}, ApplicationKind::echo, 7},
    {"discard", {"run", "host", "port"}, ApplicationKind::discard, 9},
    {"fetch", {"run", "host", "start", "url", "file"}, ApplicationKind::fetch, 0},
    {"bulk-source", {"run", "host", "start", "to", "bytes", "duration"}, ApplicationKind::bulk_source, 0},
    {"bulk-sink", {"run", "host", "port"}, ApplicationKind::bulk_sink, 5001},
    {"command", {"run", "start", "argv", "file"}, ApplicationKind::command, 0},
};

const ApplicationShape *find_shape(const std::string &name)
{
    const auto *found = std::find_if(std::begin(APPLICATIONS), std::end(APPLICATIONS),
                                     [&](const ApplicationShape &shape) { return shape.name == name; });
    return found == std::end(APPLICATIONS) ? nullptr : found;
}

bool parse_number(std::string_view text, unsigned &number)
{
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc{} && end == text.data() + text.size();
}

std::optional<NetworkAddress> parse_network_address(std::string_view text)
{
    const size_t slash = text.find('/');
    const auto address = parse_address(text.substr(0, slash));
    if (!address || slash == std::string_view::npos)
        return std::nullopt;
    unsigned prefix = 0;
    if (!parse_number(text.substr(slash + 1), prefix) || prefix < 1 || prefix > 30)
        return std::nullopt;
    const NetworkAddress found = {*address, prefix};
    return is_station(found) ? std::optional(found) : std::nullopt;
}

std::optional<std::array<uint8_t, 6>> parse_mac(std::string_view text)
{
    std::array<uint8_t, 6> mac{};
    if (text.size() != 17)
        return std::nullopt;
    for (size_t i = 0; i < mac.size(); i++) {
        const char *octet = text.data() + 3 * i;
        const auto [end, error] = std::from_chars(octet, octet + 2, mac[i], 16);
        if (error != std::errc{} || end != octet + 2 || (i < 5 && *end != ':'))
            return std::nullopt;
    }
    const bool null = mac == std::array<uint8_t, 6>{};
    return null || mac[0] & 1 ? std::nullopt : std::optional(mac); // group addresses are no stations
}

std::optional<Picoseconds> parse_clk(std::string_view text)
{
    const auto hz = parse_frequency_hz(text);
    if (!hz || *hz == 0)
        return std::nullopt;
    const Picoseconds period = (1'000'000'000'000 + *hz / 2) / *hz;
    return period < FASTEST_CLK || period > SLOWEST_CLK ? std::nullopt : std::optional(period);
}

std::optional<MiiRate> parse_mii_rate(std::string_view text)
{
    const auto bps = parse_rate_bps(text);
    if (bps == 100'000'000)
        return MiiRate::mbps100;
    return bps == 10'000'000 ? std::optional(MiiRate::mbps10) : std::nullopt;
}

std::optional<uint64_t> parse_slower_rate(std::string_view text)
{
    const auto bps = parse_rate_bps(text);
    return bps && *bps > 0 ? bps : std::nullopt;
}

// What Linux takes for the name of a device.
bool is_device_name(const std::string &name)
{
    return name.size() <= DEVICE_NAME_BYTES && name != "." && name != ".." &&
           std::all_of(name.begin(), name.end(), [](unsigned char c) { return c > ' ' && !std::strchr("/:%\x7F", c); });
}

// "192.0.2.1:80", as it is.
std::optional<std::string> parse_endpoint(std::string_view text)
{
    const size_t colon = text.find(':');
    unsigned port = 0;
    if (colon == std::string_view::npos || !parse_address(text.substr(0, colon)) ||
        !parse_number(text.substr(colon + 1), port) || port < 1 || port > UINT16_MAX)
        return std::nullopt;
    return std::string(text);
}

std::optional<std::string> parse_url(std::string_view text)
{
    constexpr std::string_view SCHEME = "http://";
    const size_t slash = text.find('/', SCHEME.size());
    if (text.substr(0, SCHEME.size()) != SCHEME || slash == std::string_view::npos)
        return std::nullopt;
    const std::string_view host = text.substr(SCHEME.size(), slash - SCHEME.size());
    if (!parse_address(host) && !parse_endpoint(host))
        return std::nullopt;
    return std::string(text);
}

class Reader
{
  public:
    explicit Reader(const std::string &file) : file_(file), folder_(fs::path(file).parent_path())
    {
    }

    Scenario read();

  private:
    void read_host(const toml::table &table);
    void read_link(const toml::table &table);
    void read_hub(const toml::table &table);
    void read_application(const toml::table &table);
    void read_record(const toml::table &table);
    void read_delays(const TomlTable &hub, HubSpec &spec) const;
    void read_details(const TomlTable &application, ApplicationSpec &spec) const;
    void read_impairment(const TomlTable &link, LinkSpec &spec) const;
    void attach(const TomlTable &link, const char *key, const std::string &host);
    static void expect_neighbours(const TomlTable &link, const char *key, const HostSpec &a, const HostSpec &b);
    const HostSpec *find_host(const std::string &name) const;
    std::string path(const std::string &relative) const
    {
        return relative.empty() ? relative : (folder_ / relative).string();
    }

    std::string file_;
    fs::path folder_;
    Scenario scenario_;
    std::set<std::string> attached_; // hosts that have their link
};

Scenario Reader::read()
{
    std::ifstream stream(file_);
    if (!stream || fs::is_directory(file_))
        throw UsageError("cannot read " + file_ + ", expected a scenario (docs/scenario.md)");
    toml::table root;
    try {
        root = toml::parse(stream, file_);
    } catch (const toml::parse_error &error) {
        const unsigned line = std::max<unsigned>(error.source().begin.line, 1);
        throw UsageError(file_ + ":" + std::to_string(line) + ": " + std::string(error.description()) +
                         ", expected TOML (docs/scenario.md)");
    }
    const TomlTable top(root, file_, "", {"seed", "duration", "host", "link", "hub", "application", "record"});
    scenario_.seed = top.integer("seed", 0, INT64_MAX, 1);
    scenario_.duration = top.parsed<Picoseconds>("duration", parse_time_ps, A_TIME, 0);
    for (const toml::table *host : top.tables("host"))
        read_host(*host);
    for (const toml::table *link : top.tables("link"))
        read_link(*link);
    for (const toml::table *hub : top.tables("hub"))
        read_hub(*hub);
    for (const toml::table *application : top.tables("application"))
        read_application(*application);
    if (const toml::table *record = top.table("record"))
        read_record(*record);
    if (scenario_.hosts.empty())
        throw top.wrong("there is no host, expected at least one [[host]]");
    const auto &applications = scenario_.applications;
    if (scenario_.duration == 0 &&
        std::none_of(applications.begin(), applications.end(), [](const ApplicationSpec &a) { return a.ends(); }))
        throw top.wrong("nothing ends this run, expected a duration, or an application that ends");
    return scenario_;
}

void Reader::read_host(const toml::table &table)
{
    const TomlTable host(table, file_, "host",
                         {"name", "address", "mac", "clk", "mii", "memory_latency_cycles", "send_buffer_bytes",
                          "receive_buffer_bytes", "phy_address", "unplug", "plug"});
    const size_t number = scenario_.hosts.size() + 1;
    HostSpec spec;
    spec.name = host.text("name");
    if (find_host(spec.name) || spec.name.find_first_not_of(NAME_LETTERS) != std::string::npos)
        throw host.bad("name", "letters, digits and _ that no other host has for its name");
    spec.address = host.parsed<NetworkAddress>("address", parse_network_address,
                                               "a host's address with prefix such as \"192.0.2.1/24\"");
    spec.mac = host.parsed<std::array<uint8_t, 6>>(
        "mac", parse_mac, "a station's address such as \"02:00:00:00:00:01\"",
        std::array<uint8_t, 6>{2, 0, 0, 0, static_cast<uint8_t>(number >> 8), static_cast<uint8_t>(number)});
    spec.clk_period = host.parsed<Picoseconds>("clk", parse_clk, "a frequency from \"25MHz\" to \"1GHz\"", SLOWEST_CLK);
    spec.mii_rate = host.parsed<MiiRate>("mii", parse_mii_rate, "\"100Mb/s\" or \"10Mb/s\"", MiiRate::mbps100);
    spec.memory_latency_cycles = static_cast<unsigned>(host.integer("memory_latency_cycles", 1, 1000, 8));
    if (host.has("send_buffer_bytes"))
        spec.send_buffer_bytes = host.integer("send_buffer_bytes", 2048, 1 << 24);
    if (host.has("receive_buffer_bytes"))
        spec.receive_buffer_bytes = host.integer("receive_buffer_bytes", 2048, 1 << 24);
    spec.phy_address = static_cast<unsigned>(host.integer("phy_address", 0, 31, 1));
    spec.unplug = host.parsed<Picoseconds>("unplug", parse_time_ps, A_TIME, NEVER);
    spec.plug = host.parsed<Picoseconds>("plug", parse_time_ps, A_TIME, NEVER);
    if (host.has("plug") && spec.plug <= spec.unplug)
        throw host.bad("plug", "a time after that of unplug");
    scenario_.hosts.push_back(spec);
}

void Reader::read_link(const toml::table &table)
{
    std::vector<std::string_view> keys = {"between", "host", "tap", "address", "delay"};
    keys.insert(keys.end(), std::begin(IMPAIRMENTS), std::end(IMPAIRMENTS));
    const TomlTable link(table, file_, "link", keys);
    LinkSpec spec;
    if (link.has("between")) {
        const auto ends = link.texts("between");
        if (ends.size() != 2 || link.has("host") || link.has("tap") || link.has("address"))
            throw link.bad("between", "the names of two hosts, without host, tap and address");
        spec.a = ends[0];
        spec.b = ends[1];
        attach(link, "between", spec.a);
        attach(link, "between", spec.b);
        expect_neighbours(link, "between", *find_host(spec.a), *find_host(spec.b));
    } else {
        spec.a = link.text("host");
        attach(link, "host", spec.a);
        spec.tap = link.text("tap");
        const auto &links = scenario_.links;
        const bool taken =
            std::any_of(links.begin(), links.end(), [&](const LinkSpec &l) { return l.tap == spec.tap; });
        if (!is_device_name(spec.tap) || taken)
            throw link.bad("tap", "a device name of at most 15 letters that no other link has");
        spec.tap_address = link.parsed<NetworkAddress>("address", parse_network_address,
                                                       "Linux's address with prefix such as \"192.0.2.2/24\"");
        if (spec.tap_address.address == find_host(spec.a)->address.address)
            throw link.bad("address", "one for Linux, other than its host's");
    }
    spec.delay = link.parsed<Picoseconds>("delay", parse_time_ps, A_TIME, 0);
    read_impairment(link, spec);
    const Picoseconds longest = Cable::MAX_DELAY_CYCLES * mii_period(find_host(spec.a)->mii_rate);
    if (spec.delay > longest)
        throw link.bad("delay", "at most " + std::to_string(longest / 1'000'000'000) + "ms");
    scenario_.links.push_back(spec);
}

void Reader::read_hub(const toml::table &table)
{
    const TomlTable hub(table, file_, "hub", {"hosts", "delay", "delays"});
    HubSpec spec;
    spec.hosts = hub.texts("hosts");
    for (size_t i = 0; i < spec.hosts.size(); i++) {
        attach(hub, "hosts", spec.hosts[i]);
        for (size_t j = 0; j < i; j++)
            expect_neighbours(hub, "hosts", *find_host(spec.hosts[i]), *find_host(spec.hosts[j]));
    }
    spec.delays.assign(spec.hosts.size(), hub.parsed<Picoseconds>("delay", parse_time_ps, A_TIME, 0));
    if (hub.has("delays"))
        read_delays(hub, spec);
    for (const Picoseconds delay : spec.delays)
        if (delay > MAX_HUB_DELAY)
            throw hub.bad(hub.has("delays") ? "delays" : "delay", "at most 1ms");
    scenario_.hubs.push_back(spec);
}

// Two that share a wire.
void Reader::expect_neighbours(const TomlTable &link, const char *key, const HostSpec &a, const HostSpec &b)
{
    if (a.mii_rate != b.mii_rate)
        throw link.bad(key, "hosts with the same mii rate");
    if (a.address.address == b.address.address || a.mac == b.mac)
        throw link.bad(key, "hosts with an address and a mac of their own");
}

void Reader::read_delays(const TomlTable &hub, HubSpec &spec) const
{
    const auto delays = hub.texts("delays");
    for (size_t i = 0; i < delays.size(); i++) {
        const auto delay = parse_time_ps(delays[i]);
        if (!delay || delays.size() != spec.hosts.size() || hub.has("delay"))
            throw hub.bad("delays", "a time such as \"250ns\" for each host, without delay");
        spec.delays[i] = *delay;
    }
}

void Reader::read_impairment(const TomlTable &link, LinkSpec &spec) const
{
    if (std::none_of(std::begin(IMPAIRMENTS), std::end(IMPAIRMENTS), [&](auto key) { return link.has(key); }))
        return;
    Impairment::Config config;
    config.delay = std::exchange(spec.delay, 0);
    config.drop = link.probability("drop");
    config.duplicate = link.probability("duplicate");
    config.reorder = link.probability("reorder");
    config.reorder_delay = link.parsed<Picoseconds>("reorder_delay", parse_time_ps, A_TIME, config.reorder_delay);
    config.corrupt = link.probability("corrupt");
    config.corrupt_fcs = link.probability("corrupt_fcs");
    config.jitter = link.parsed<Picoseconds>("jitter", parse_time_ps, A_TIME, 0);
    config.rate_bps = link.parsed<uint64_t>("rate", parse_slower_rate, "a rate such as \"10Mb/s\"", 0);
    config.queue_bytes = link.integer("queue_bytes", 1518, 1 << 30, config.queue_bytes);
    spec.impairment = config;
}

void Reader::attach(const TomlTable &link, const char *key, const std::string &host)
{
    if (!find_host(host))
        throw link.bad(key, "the name of a host");
    if (!attached_.insert(host).second)
        throw link.bad(key, "a host that has no other link");
}

void Reader::read_application(const toml::table &table)
{
    std::vector<std::string_view> all_keys;
    std::string names;
    for (const ApplicationShape &shape : APPLICATIONS) {
        all_keys.insert(all_keys.end(), shape.keys.begin(), shape.keys.end());
        names.append(names.empty() ? "" : ", ").append(shape.name);
    }
    const TomlTable any(table, file_, "application", all_keys);
    const std::string run = any.text("run");
    const ApplicationShape *shape = find_shape(run);
    if (!shape)
        throw any.bad("run", "one of " + names);

    const TomlTable application(table, file_, run, shape->keys);
    ApplicationSpec spec;
    spec.kind = shape->kind;
    spec.label = run;
    if (spec.kind != ApplicationKind::command) {
        spec.host = application.text("host");
        spec.label += " on " + spec.host;
        if (!find_host(spec.host))
            throw application.bad("host", "the name of a host");
    }
    if (shape->port != 0)
        spec.port = static_cast<uint16_t>(application.integer("port", 1, UINT16_MAX, shape->port));
    spec.start = application.parsed<Picoseconds>("start", parse_time_ps, A_TIME, 0);
    spec.file = path(application.text("file", ""));
    read_details(application, spec);
    scenario_.applications.push_back(spec);
}

void Reader::read_details(const TomlTable &application, ApplicationSpec &spec) const
{
    switch (spec.kind) {
    case ApplicationKind::httpd:
        spec.folder = path(application.text("folder"));
        if (!fs::is_directory(spec.folder))
            throw application.bad("folder", "a folder that exists");
        break;
    case ApplicationKind::fetch:
        spec.url = application.parsed<std::string>("url", parse_url, "http://address[:port]/path");
        break;
    case ApplicationKind::bulk_source:
        spec.to = application.parsed<std::string>("to", parse_endpoint, "\"address:port\"");
        spec.bytes = application.integer("bytes", 1, INT64_MAX, 0);
        spec.duration = application.parsed<Picoseconds>("duration", parse_time_ps, A_TIME, 0);
        if (spec.bytes == 0 && spec.duration == 0)
            throw application.wrong("bytes and duration are missing, expected one of them");
        break;
    case ApplicationKind::command:
        spec.argv = application.texts("argv");
        if (!scenario_.has_tap())
            throw application.wrong("a command needs a network, expected a link with a tap");
        break;
    default:
        break;
    }
}

void Reader::read_record(const toml::table &table)
{
    const TomlTable record(table, file_, "record", {"pcap", "fst", "fst_window", "json"});
    scenario_.record.pcap = path(record.text("pcap", ""));
    scenario_.record.fst = path(record.text("fst", ""));
    scenario_.record.json = path(record.text("json", ""));
    if (record.has("fst_window"))
        scenario_.record.fst_window = record.parsed<Window>("fst_window", parse_window, A_WINDOW);
}

const HostSpec *Reader::find_host(const std::string &name) const
{
    const auto &hosts = scenario_.hosts;
    const auto found = std::find_if(hosts.begin(), hosts.end(), [&](const HostSpec &h) { return h.name == name; });
    return found == hosts.end() ? nullptr : &*found;
}

} // namespace

Scenario read_scenario(const std::string &file)
{
    return Reader(file).read();
}

bool is_station(const NetworkAddress &address)
{
    const uint32_t host_bits = ~uint32_t{0} >> address.prefix;
    const uint32_t net = address.address >> 24;
    return net != 0 && net != 127 && net < 224 && (address.address & host_bits) != 0 &&
           (address.address & host_bits) != host_bits;
}

std::optional<Window> parse_window(std::string_view text)
{
    constexpr std::string_view FRAME = "frame";
    const size_t colon = text.find(':');
    if (colon == std::string_view::npos)
        return std::nullopt;
    const std::string_view from = text.substr(0, colon);
    const auto length = parse_time_ps(text.substr(colon + 1));
    if (!length || *length == 0)
        return std::nullopt;
    if (from.substr(0, FRAME.size()) == FRAME) {
        unsigned number = 0;
        const bool good = parse_number(from.substr(FRAME.size()), number) && number > 0;
        return good ? std::optional(Window{number, 0, *length}) : std::nullopt;
    }
    const auto start = parse_time_ps(from);
    return start ? std::optional(Window{0, *start, *length}) : std::nullopt;
}

bool Scenario::has_tap() const
{
    return std::any_of(links.begin(), links.end(), [](const LinkSpec &link) { return !link.tap.empty(); });
}

uint64_t seed_of(uint64_t seed, const std::string &part)
{
    uint64_t hash = 0xcbf29ce484222325; // FNV-1a
    for (const char letter : part)
        hash = (hash ^ static_cast<uint8_t>(letter)) * 0x100000001b3;
    return Random(seed ^ hash).next();
}

} // namespace lanyard
