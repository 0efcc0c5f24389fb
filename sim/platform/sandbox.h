// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace lanyard
{

// Moves this process, with what it will start, into a network namespace of its own, as root or (through a user
// namespace) not; its loopback is up. The namespace and every device in it vanish with the process, however it ends.
// Call while the process has one thread. Throws UserError.
void enter_network_namespace();

// Gives `device` an IPv4 address and brings it up, without IPv6 so that nothing but what is asked for is sent. The
// address is in host byte order. Throws UserError.
void configure_device(const std::string &device, uint32_t address, unsigned prefix);

} // namespace lanyard
