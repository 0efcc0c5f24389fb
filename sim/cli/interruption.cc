// SPDX-License-Identifier: Apache-2.0
#include "sim/cli/interruption.h"

#include <cerrno>
#include <csignal>
#include <sys/signalfd.h>
#include <system_error>

namespace lanyard
{

Interruption::Interruption()
{
    sigset_t signals;
    sigemptyset(&signals);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP})
        sigaddset(&signals, signal);
    sigprocmask(SIG_BLOCK, &signals, nullptr);
    fd_ = UniqueFd(signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
    if (fd_.get() < 0)
        throw std::system_error(errno, std::generic_category(), "signalfd");
}

void Interruption::ends(Topology &topology)
{
    topology.pacer()->watch(fd_.get(), [this, &topology] {
        signalfd_siginfo info{};
        if (read(fd_.get(), &info, sizeof info) == sizeof info) {
            status_ = 128 + static_cast<int>(info.ssi_signo);
            topology.stop("interrupted");
        }
    });
}

} // namespace lanyard
