// SPDX-License-Identifier: Apache-2.0
#pragma once

// Running the one SystemC simulation of a process.

#include <functional>
#include <string>

namespace lanyard
{

// Starts a thread of the simulation, before or while it runs. What it throws ends the simulation and comes out of
// simulate().
void spawn_thread(const std::string &name, std::function<void()> body);

// Runs until a process calls sc_stop().
void simulate();

} // namespace lanyard
