// SPDX-License-Identifier: Apache-2.0
#include "sim/cli/progress.h"

#include <cstdio>
#include <unistd.h>

namespace lanyard
{

using std::chrono::seconds;

Progress::Progress() : terminal_(isatty(STDERR_FILENO) == 1)
{
    restart();
}

Progress::~Progress()
{
    clear();
}

void Progress::restart()
{
    next_ = Clock::now() + seconds(2);
}

void Progress::show(const std::string &text)
{
    if (Clock::now() < next_)
        return;
    next_ = Clock::now() + seconds(terminal_ ? 1 : 10);
    std::fprintf(stderr, terminal_ ? "\r\033[K%s" : "%s\n", text.c_str());
    shown_ = terminal_;
}

void Progress::clear()
{
    if (shown_)
        std::fputs("\r\033[K", stderr);
    shown_ = false;
}

} // namespace lanyard
