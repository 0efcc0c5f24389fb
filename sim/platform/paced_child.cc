// SPDX-License-Identifier: Apache-2.0
#include "sim/platform/paced_child.h"

namespace lanyard
{

PacedChild::PacedChild(Pacer &pacer, const std::vector<std::string> &argv, const std::string &output)
    : pacer_(pacer), child_(argv, output)
{
    pacer_.watch(child_.fd(), [this] {
        pacer_.unwatch(child_.fd());
        status_ = child_.wait();
        ended_.notify(sc_core::SC_ZERO_TIME);
    });
}

PacedChild::~PacedChild()
{
    pacer_.unwatch(child_.fd());
}

int PacedChild::wait()
{
    if (status_ < 0)
        sc_core::wait(ended_);
    return status_;
}

} // namespace lanyard
