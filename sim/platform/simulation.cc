// SPDX-License-Identifier: Apache-2.0
#define SC_INCLUDE_DYNAMIC_PROCESSES
#include "sim/platform/simulation.h"

#include <algorithm>
#include <exception>
#include <systemc>

namespace lanyard
{

namespace
{

// Room for the deepest path, from an application through stack and driver, and for what libraries put there.
constexpr int STACK_BYTES = 512 * 1024;

std::exception_ptr failure;

} // namespace

void spawn_thread(const std::string &name, std::function<void()> body)
{
    sc_core::sc_spawn_options options;
    options.set_stack_size(STACK_BYTES);
    const auto guarded = [body = std::move(body)] {
        try {
            body();
        } catch (const sc_core::sc_unwind_exception &) {
            throw; // the kernel's way of ending a thread
        } catch (...) {
            failure = std::current_exception();
            sc_core::sc_stop();
        }
    };
    std::string legal = name; // for SystemC, which allows no spaces
    std::replace(legal.begin(), legal.end(), ' ', '_');
    sc_core::sc_spawn(guarded, sc_core::sc_gen_unique_name(legal.c_str()), &options);
}

void simulate()
{
    sc_core::sc_report_handler::set_actions("/OSCI/SystemC", sc_core::SC_INFO, sc_core::SC_DO_NOTHING); // "stopped"
    sc_core::sc_start();
    if (failure)
        std::rethrow_exception(failure);
}

} // namespace lanyard
