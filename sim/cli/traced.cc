// SPDX-License-Identifier: Apache-2.0
#include "sim/cli/traced.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <unistd.h>

#include "sim/card/waveform.h"
#include "sim/platform/user_error.h"

namespace lanyard
{

namespace
{

char **arguments;

} // namespace

void remember_arguments(char **argv)
{
    arguments = argv;
}

void become_traced()
{
    if (Waveform::available())
        return;
    const auto traced = std::filesystem::read_symlink("/proc/self/exe").replace_filename("lanyard-traced");
    execv(traced.c_str(), arguments);
    throw UserError("cannot run " + traced.string() + ", which writes waveforms: " + std::strerror(errno));
}

} // namespace lanyard
