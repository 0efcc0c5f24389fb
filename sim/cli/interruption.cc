// SPDX-License-Identifier: Apache-2.0
#include "sim/cli/interruption.h"

#include <cerrno>
#include <csignal>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <system_error>

namespace lanyard
{

// What another thread may ask the kernel to do: stop the run.
class Interruption::Stop : public sc_core::sc_prim_channel
{
  public:
    explicit Stop(Topology &topology) : topology_(topology)
    {
    }

    void ask()
    {
        async_request_update();
    }

  private:
    void update() override
    {
        topology_.stop("interrupted");
    }

    Topology &topology_;
};

Interruption::Interruption() : done_(eventfd(0, EFD_CLOEXEC))
{
    sigset_t signals;
    sigemptyset(&signals);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP})
        sigaddset(&signals, signal);
    sigprocmask(SIG_BLOCK, &signals, nullptr);
    signals_ = UniqueFd(signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
    if (signals_.get() < 0 || done_.get() < 0)
        throw std::system_error(errno, std::generic_category(), "signalfd");
}

Interruption::~Interruption()
{
    if (!watcher_.joinable())
        return;
    eventfd_write(done_.get(), 1);
    watcher_.join();
}

void Interruption::ends(Topology &topology)
{
    if (topology.pacer()) {
        topology.pacer()->watch(signals_.get(), [this, &topology] {
            if (read_signal() != 0)
                topology.stop("interrupted");
        });
        return;
    }
    stop_ = std::make_unique<Stop>(topology);
    watcher_ = std::thread([this] { watch(); });
}

// The exit status that goes with the signal that has come; 0: there is none.
int Interruption::read_signal()
{
    signalfd_siginfo info{};
    if (read(signals_.get(), &info, sizeof info) != sizeof info)
        return 0;
    status_ = 128 + static_cast<int>(info.ssi_signo);
    return status_;
}

void Interruption::watch()
{
    pollfd polled[] = {{signals_.get(), POLLIN, 0}, {done_.get(), POLLIN, 0}};
    for (bool asked = false; poll(polled, 2, -1) > 0 && !polled[1].revents;) {
        if (read_signal() == 0)
            continue;
        if (asked)
            _exit(status_);
        asked = true;
        stop_->ask();
    }
}

} // namespace lanyard
