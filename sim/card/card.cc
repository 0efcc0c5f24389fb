// SPDX-License-Identifier: Apache-2.0
#include "sim/card/card.h"

#include <algorithm>
#include <cstddef>
#include <nic_regs.h> // generated
#include <stdexcept>

#include "sim/card/card_state.h"

namespace lanyard
{

using namespace sc_core;

namespace
{

constexpr Picoseconds SLOWEST_CLK = 40'000;
constexpr unsigned RESET_CYCLES = 32;

// docs/card.md: activity that has just begun may take so many cycles of the slowest clock to lower `idle`.
constexpr unsigned LINGER_CYCLES = 16;

constexpr uint32_t REGISTER_SPACE = 1u << 12;

// One for all: models share a waveform only if they share their context. That it may be traced must be said beforehand.
VerilatedContext &verilated_context()
{
    static VerilatedContext context;
    context.traceEverOn(true);
    return context;
}

const Card::Config &checked(const Card::Config &config)
{
    if (config.clk_period == 0 || config.clk_period > SLOWEST_CLK)
        throw std::invalid_argument("a card's clock has 25 MHz or more");
    if (config.memory_latency == 0)
        throw std::invalid_argument("a card's memory answers after one cycle or more");
    if (config.phy_address > 31)
        throw std::invalid_argument("a PHY's address is 31 at most");
    return config;
}

tlm::tlm_response_status check(const tlm::tlm_generic_payload &payload)
{
    if (payload.get_data_length() != 4 || payload.get_streaming_width() < 4)
        return tlm::TLM_BURST_ERROR_RESPONSE;
    if (payload.get_address() % 4 != 0 || payload.get_address() >= REGISTER_SPACE)
        return tlm::TLM_ADDRESS_ERROR_RESPONSE;
    if (payload.get_byte_enable_ptr())
        return tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE;
    return tlm::TLM_OK_RESPONSE;
}

} // namespace

Card::State::State(const char *name, tlm::tlm_initiator_socket<> &dma, const Config &card_config)
    : model(&verilated_context(), name), config(card_config), registers(model),
      memory(model, dma, config.memory_latency), phy(config.phy_address, config.mii_rate),
      linger(LINGER_CYCLES * std::max(config.clk_period, mii_period(config.mii_rate)))
{
    model.mdio_i = phy.mdio();
}

// One cycle of all clocks together, outside of simulated time.
void Card::State::step()
{
    registers.sample();
    model.clk = model.mii_tx_clk = model.mii_rx_clk = 1;
    model.eval();
    model.clk = model.mii_tx_clk = model.mii_rx_clk = 0;
    registers.drive();
    model.eval();
}

// At an edge of MDC.
void Card::State::manage()
{
    mdc = model.mdc;
    if (!mdc)
        return;
    phy.clock(model.mdio_t || model.mdio_o);
    model.mdio_i = phy.mdio();
    model.phy_irq = phy.interrupt();
}

void Card::State::power_on()
{
    model.rst = 1;
    for (unsigned i = 0; i < RESET_CYCLES; i++)
        step();
    model.rst = 0;
    for (unsigned i = 0; i < RESET_CYCLES; i++)
        step();

    const auto &mac = config.mac_address;
    if (mac == std::array<uint8_t, 6>{})
        return;
    registers.write(offsetof(nic_t, MAC_LO), mac[0] | mac[1] << 8 | mac[2] << 16 | static_cast<uint32_t>(mac[3]) << 24);
    registers.write(offsetof(nic_t, MAC_HI), mac[4] | mac[5] << 8);
    while (registers.busy())
        step();
    for (unsigned i = 0; i < RESET_CYCLES; i++)
        step();
}

Card::Card(const sc_module_name &name, ClockEngine &engine, const Config &config)
    : sc_module(name), MiiEnd(engine, sc_object::name(), checked(config).mii_rate, config.clk_period),
      registers("registers"), dma("dma"), irq("irq"), state_(std::make_unique<State>(sc_object::name(), dma, config))
{
    registers.register_b_transport(this, &Card::transport);
    dma.register_invalidate_direct_mem_ptr(this, &Card::invalidate_dmi);
    state_->power_on();
}

Card::~Card()
{
    state_->model.final();
}

uint64_t Card::cycles_ticked() const
{
    return state_->cycles;
}

uint64_t Card::cycles_skipped() const
{
    const Picoseconds end = std::max<Picoseconds>(engine().now() + 1, sc_time_stamp().value());
    const uint64_t edges = (end + state_->config.clk_period - 1) / state_->config.clk_period;
    return edges - state_->cycles;
}

void Card::transport(tlm::tlm_generic_payload &payload, sc_time &delay)
{
    payload.set_response_status(check(payload));
    if (!payload.is_response_ok() || payload.get_command() == tlm::TLM_IGNORE_COMMAND)
        return;
    if (delay != SC_ZERO_TIME) {
        wait(delay);
        delay = SC_ZERO_TIME;
    }
    const auto offset = static_cast<uint32_t>(payload.get_address());
    uint32_t value = 0;
    if (payload.is_write()) {
        std::copy_n(payload.get_data_ptr(), 4, reinterpret_cast<uint8_t *>(&value));
        state_->registers.write(offset, value);
        engine().wake(*this);
        return;
    }
    RegisterMaster::Read read;
    state_->registers.read(offset, read);
    engine().wake(*this);
    while (!read.done)
        wait(state_->read_done);
    std::copy_n(reinterpret_cast<const uint8_t *>(&read.value), 4, payload.get_data_ptr());
    if (read.refused)
        payload.set_response_status(tlm::TLM_GENERIC_ERROR_RESPONSE);
}

void Card::invalidate_dmi(sc_dt::uint64, sc_dt::uint64)
{
    state_->memory.memory().invalidate();
}

void Card::rise(Picoseconds now, unsigned edges)
{
    State &s = *state_;
    Vnic &m = s.model;
    bool heard = false;
    if (edges & EDGE_CLK) {
        if (s.registers.busy())
            s.registers.sample();
        if (s.memory.busy())
            s.memory.sample();
        m.timestamp_ns = static_cast<uint32_t>(now / 1000);
        m.clk = 1;
        s.cycles++;
    }
    if (edges & EDGE_MII) {
        const MiiNibble tx = {m.mii_txd, m.mii_tx_en != 0, m.mii_tx_er != 0};
        const MiiNibble rx = exchange(tx);
        const MiiSense sense = this->sense(tx, rx);
        m.mii_rxd = rx.data;
        m.mii_rx_dv = rx.valid;
        m.mii_rx_er = rx.error;
        m.mii_crs = sense.carrier;
        m.mii_col = sense.collision;
        m.mii_tx_clk = m.mii_rx_clk = 1;
        heard = !rx.quiet();
    }
    m.eval();
    if (heard || !m.idle || s.registers.busy())
        stay_awake(now + s.linger);
}

void Card::fall(Picoseconds now, unsigned edges)
{
    State &s = *state_;
    Vnic &m = s.model;
    if (edges & EDGE_CLK) {
        m.clk = 0;
        if (s.registers.busy() && s.registers.drive()) {
            s.read_finished = true;
            call_attention();
        }
        s.memory.drive(now);
        if (m.mdc != s.mdc) {
            s.manage();
            if (s.phy.wants_negotiation())
                call_attention();
        }
    }
    if (edges & EDGE_MII)
        m.mii_tx_clk = m.mii_rx_clk = 0;
    m.eval();
    if (m.irq != s.irq) {
        s.irq = m.irq;
        call_attention();
    }
}

void Card::attend()
{
    irq.write(state_->irq);
    if (state_->phy.take_negotiation())
        renegotiate();
    if (state_->read_finished) {
        state_->read_finished = false;
        state_->read_done.notify(SC_ZERO_TIME);
    }
}

LinkAbility Card::ability() const
{
    return state_->phy.ability();
}

void Card::link_changed()
{
    State &s = *state_;
    s.phy.link_changed(partner());
    if (s.model.phy_irq == s.phy.interrupt())
        return;
    s.model.phy_irq = s.phy.interrupt();
    engine().wake(*this);
    stay_awake(sc_time_stamp().value() + s.linger);
}

} // namespace lanyard
