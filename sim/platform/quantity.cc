// SPDX-License-Identifier: Apache-2.0
#include "sim/platform/quantity.h"

#include <arpa/inet.h>
#include <charconv>
#include <cmath>
#include <initializer_list>
#include <string>

namespace lanyard
{

namespace
{

struct Unit {
    std::string_view name;
    double factor;
};

constexpr double LARGEST = 0x1p62;

std::optional<uint64_t> parse(std::string_view text, std::initializer_list<Unit> units)
{
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
    if (error != std::errc{})
        return std::nullopt;
    const std::string_view unit = text.substr(static_cast<size_t>(end - text.data()));
    for (const Unit &u : units)
        if (unit == u.name && number >= 0 && number * u.factor < LARGEST)
            return static_cast<uint64_t>(std::llround(number * u.factor));
    return std::nullopt;
}

} // namespace

std::optional<uint64_t> parse_time_ps(std::string_view text)
{
    return parse(text, {{"ps", 1}, {"ns", 1e3}, {"us", 1e6}, {"ms", 1e9}, {"s", 1e12}});
}

std::optional<uint64_t> parse_frequency_hz(std::string_view text)
{
    return parse(text, {{"Hz", 1}, {"kHz", 1e3}, {"MHz", 1e6}, {"GHz", 1e9}});
}

std::optional<uint64_t> parse_rate_bps(std::string_view text)
{
    return parse(text, {{"b/s", 1}, {"kb/s", 1e3}, {"Mb/s", 1e6}, {"Gb/s", 1e9}});
}

std::optional<uint32_t> parse_address(std::string_view text)
{
    in_addr address{};
    if (inet_pton(AF_INET, std::string(text).c_str(), &address) != 1)
        return std::nullopt;
    return ntohl(address.s_addr);
}

} // namespace lanyard
