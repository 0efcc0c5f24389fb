// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "sim/platform/application.h"

namespace lanyard
{

// "-" is standard output. Throws UserError if it cannot be written.
void write_report(const std::string &file, const Json &report);

} // namespace lanyard
