// SPDX-License-Identifier: Apache-2.0
#pragma once

// Numbers with units, as people write them: "1.5us", "25MHz", "100Mb/s". Nothing for what is none.

#include <cstdint>
#include <optional>
#include <string_view>

namespace lanyard
{

std::optional<uint64_t> parse_time_ps(std::string_view text);      // ps, ns, us, ms, s
std::optional<uint64_t> parse_frequency_hz(std::string_view text); // Hz, kHz, MHz, GHz
std::optional<uint64_t> parse_rate_bps(std::string_view text);     // b/s, kb/s, Mb/s, Gb/s

// "192.0.2.1" in host byte order.
std::optional<uint32_t> parse_address(std::string_view text);

} // namespace lanyard
