// SPDX-License-Identifier: Apache-2.0
#define DOCTEST_CONFIG_IMPLEMENT
#include "tests/sim/sim_test.h"

using namespace sc_core;

Script::Script(const sc_module_name &name, lanyard::Picoseconds end) : sc_module(name), end_(end)
{
    SC_HAS_PROCESS(Script);
    SC_THREAD(run);
}

Script::~Script()
{
    CHECK_MESSAGE(finished_, name(), " did not finish");
}

void Script::at(lanyard::Picoseconds time, std::function<void()> action)
{
    actions_.emplace(time, std::move(action));
}

void Script::run()
{
    for (const auto &[time, action] : actions_) {
        if (time > sc_now())
            wait(sc_time::from_value(time - sc_now()));
        action();
    }
    if (end_ != lanyard::NEVER) {
        wait(sc_time::from_value(end_ - sc_now()));
        sc_stop();
    }
    finished_ = true;
}

std::vector<uint8_t> test_frame(size_t octets, uint8_t first)
{
    std::vector<uint8_t> frame(octets);
    for (size_t i = 0; i < octets; i++)
        frame[i] = static_cast<uint8_t>(first + i);
    return frame;
}

lanyard::Picoseconds sc_now()
{
    return sc_time_stamp().value();
}

int sc_main(int argc, char **argv)
{
    sc_report_handler::set_actions("/OSCI/SystemC", SC_INFO, SC_DO_NOTHING); // that the simulation was stopped
    return doctest::Context(argc, argv).run();
}
