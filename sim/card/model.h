// SPDX-License-Identifier: Apache-2.0
#pragma once

// The Verilated card. Beside SystemC, Verilator's headers look for its clock in the global namespace.

#include <systemc>

using sc_core::sc_time_stamp;

#include "Vnic.h"
