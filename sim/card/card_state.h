// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a Card is made of: known to the sources that are compiled once for each Verilated model, and to nobody else.

#include "sim/card/axi_memory.h"
#include "sim/card/card.h"
#include "sim/card/model.h"
#include "sim/card/phy.h"
#include "sim/card/register_master.h"

namespace lanyard
{

struct Card::State {
    State(const char *name, tlm::tlm_initiator_socket<> &dma, const Config &card_config);

    void power_on();
    void step();
    void manage();

    Vnic model;
    Config config;
    RegisterMaster registers;
    AxiMemory memory;
    Phy phy;
    Picoseconds linger; // how long the clocks go on after the last activity
    uint64_t cycles = 0;
    bool mdc = false;
    bool irq = false;
    bool read_finished = false; // in the last instant
    sc_core::sc_event read_done;
};

} // namespace lanyard
