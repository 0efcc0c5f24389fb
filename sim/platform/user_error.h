// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdexcept>

namespace lanyard
{

// What the user can mend: what() is the one clear line (what, where, what was expected) that the program prints before
// it exits.
struct UserError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// It is in what the user wrote: on the command line, in a scenario.
struct UsageError : UserError {
    using UserError::UserError;
};

} // namespace lanyard
