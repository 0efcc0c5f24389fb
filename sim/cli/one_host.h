// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "sim/platform/scenario.h"

namespace lanyard
{

constexpr const char *HOST_NAME = "host";
constexpr const char *TAP_DEVICE = "lanyard0";
constexpr unsigned HOST_PREFIX = 24;
constexpr uint32_t HOST_ADDRESS = 0xC0000201;
constexpr const char *HOST_ADDRESS_TEXT = "192.0.2.1";

// One simulated host with echo and discard, and a web server if there is a folder to serve, beside Linux on a TAP
// device. Both are in one /24; Linux has the address after the host's, or before it if that is the last one.
Scenario one_host_on_tap(uint32_t address, const std::string &folder, uint64_t seed);

} // namespace lanyard
