// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "sim/platform/application.h"

namespace lanyard
{

// Before a run whose report is to go to `file`; empty: there is none. Throws UserError if it cannot be written.
void expect_writable(const std::string &file);

// "-" is standard output. Throws UserError if it cannot be written.
void write_report(const std::string &file, const Json &report);

} // namespace lanyard
