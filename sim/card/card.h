// SPDX-License-Identifier: Apache-2.0
#pragma once

// The card of rtl/nic behind TLM-2.0 sockets: the Verilated model, its AXI4-Lite master, its AXI4 memory and its PHY.
//
// `registers`: 32-bit accesses at byte offsets. Writes are posted: they return at once and reach the card in order, one
// after the other. A read waits (sc wait) until every earlier write has been answered and its own answer is there.
// `dma`: what the card reads and writes in host memory. Served through DMI where the target grants it, else through
// b_transport, which must not wait. A target's TLM_ADDRESS_ERROR_RESPONSE becomes DECERR, every other error SLVERR.
// `irq`: the level of the card's interrupt line, exact to the cycle.
//
// The card has been reset when the simulation starts. Two libraries hold this class: lanyard_card, the fast model, and
// lanyard_card_traced, which can write waveforms (waveform.h). A program links one of them.

#include <array>
#include <memory>
#include <tlm.h>
#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>

#include "sim/wire/mii.h"

namespace lanyard
{

class Card : public sc_core::sc_module, public MiiEnd
{
  public:
    struct Config {
        Picoseconds clk_period = 40'000; // at most 40,000: 25 MHz
        MiiRate mii_rate = MiiRate::mbps100;
        unsigned memory_latency = 8; // cycles from an AXI address (or last write data) to its first answer, >= 1
        unsigned phy_address = 1;    // on MDIO, 0 to 31
        std::array<uint8_t, 6> mac_address = {}; // in the address registers after reset; zero: the card's own
    };

    // Throws std::invalid_argument for what no card can be.
    Card(const sc_core::sc_module_name &name, ClockEngine &engine, const Config &config);
    ~Card() override;

    tlm_utils::simple_target_socket<Card> registers;
    tlm_utils::simple_initiator_socket<Card> dma;
    sc_core::sc_out<bool> irq;

    // Cycles of clk in which the card was ticked, and those it slept through, up to the engine's time.
    uint64_t cycles_ticked() const;
    uint64_t cycles_skipped() const;

  private:
    friend class Waveform;
    struct State;
    std::unique_ptr<State> state_;

    void transport(tlm::tlm_generic_payload &payload, sc_core::sc_time &delay);
    void invalidate_dmi(sc_dt::uint64 first, sc_dt::uint64 last);
    void rise(Picoseconds now, unsigned edges) override;
    void fall(Picoseconds now, unsigned edges) override;
    void attend() override;
    LinkAbility ability() const override;
    void link_changed() override;
};

} // namespace lanyard
