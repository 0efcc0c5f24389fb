// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/card_host.h"

#include <algorithm>
#include <stdexcept>

using namespace sc_core;

CardHost::CardHost(const sc_module_name &name, lanyard::ClockEngine &engine, const lanyard::Card::Config &config,
                   bool dmi)
    : sc_module(name), card("card", engine, config), memory(RX_BUFFERS + ENTRIES * BUFFER), dmi_(dmi)
{
    registers_.bind(card.registers);
    card.dma.bind(bus_);
    card.irq(irq);
    bus_.register_b_transport(this, &CardHost::serve);
    bus_.register_get_direct_mem_ptr(this, &CardHost::grant);
}

void CardHost::serve(tlm::tlm_generic_payload &payload, sc_time &)
{
    transports++;
    const uint64_t offset = payload.get_address() - BASE;
    if (offset > memory.size() || payload.get_data_length() > memory.size() - offset) {
        payload.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
        return;
    }
    const uint8_t *enables = payload.get_byte_enable_ptr();
    for (unsigned i = 0; i < payload.get_data_length(); i++) {
        if (payload.is_read())
            payload.get_data_ptr()[i] = memory[offset + i];
        else if (!enables || enables[i] == TLM_BYTE_ENABLED)
            memory[offset + i] = payload.get_data_ptr()[i];
    }
    payload.set_dmi_allowed(dmi_);
    payload.set_response_status(tlm::TLM_OK_RESPONSE);
}

bool CardHost::grant(tlm::tlm_generic_payload &, tlm::tlm_dmi &dmi)
{
    dmi.set_dmi_ptr(memory.data());
    dmi.set_start_address(BASE);
    dmi.set_end_address(BASE + memory.size() - 1);
    dmi.allow_read_write();
    return dmi_;
}

tlm::tlm_response_status CardHost::access(tlm::tlm_command command, uint32_t offset, uint32_t &value)
{
    tlm::tlm_generic_payload payload;
    payload.set_command(command);
    payload.set_address(offset);
    payload.set_data_ptr(reinterpret_cast<uint8_t *>(&value));
    payload.set_data_length(4);
    payload.set_streaming_width(4);
    sc_time delay = SC_ZERO_TIME;
    registers_->b_transport(payload, delay);
    return payload.get_response_status();
}

void CardHost::write(uint32_t offset, uint32_t value)
{
    if (access(tlm::TLM_WRITE_COMMAND, offset, value) != tlm::TLM_OK_RESPONSE)
        throw std::runtime_error("register write refused");
}

uint32_t CardHost::read(uint32_t offset)
{
    uint32_t value = 0;
    if (access(tlm::TLM_READ_COMMAND, offset, value) != tlm::TLM_OK_RESPONSE)
        throw std::runtime_error("register read refused");
    return value;
}

const lan_nic_descriptor &CardHost::tx(uint32_t index) const
{
    return reinterpret_cast<const lan_nic_descriptor *>(&memory[TX_RING])[index];
}

const lan_nic_descriptor &CardHost::rx(uint32_t index) const
{
    return reinterpret_cast<const lan_nic_descriptor *>(&memory[RX_RING])[index];
}

std::vector<uint8_t> CardHost::received(uint32_t index) const
{
    const auto begin = memory.begin() + RX_BUFFERS + index * BUFFER;
    return {begin, begin + (rx(index).status & DESC_LEN)};
}

void CardHost::start()
{
    auto *rx_ring = reinterpret_cast<lan_nic_descriptor *>(&memory[RX_RING]);
    for (uint32_t i = 0; i < ENTRIES; i++) {
        rx_ring[i].address = BASE + RX_BUFFERS + i * BUFFER;
        rx_ring[i].status = BUFFER;
    }
    write(NIC_REGISTER(TX_BASE), BASE + TX_RING);
    write(NIC_REGISTER(TX_SIZE), 4);
    write(NIC_REGISTER(TX_CONTROL), NIC__RING_CONTROL__ENABLE_bm);
    write(NIC_REGISTER(RX_BASE), BASE + RX_RING);
    write(NIC_REGISTER(RX_SIZE), 4);
    write(NIC_REGISTER(RX_CONTROL), NIC__RING_CONTROL__ENABLE_bm);
    write(NIC_REGISTER(RX_TAIL), ENTRIES - 1);
    write(NIC_REGISTER(IRQ_ENABLE), NIC__IRQ_ENABLE__TX_DONE_bm | NIC__IRQ_ENABLE__RX_DONE_bm);
    write(NIC_REGISTER(CONTROL),
          NIC__CONTROL__TX_ENABLE_bm | NIC__CONTROL__RX_ENABLE_bm | NIC__CONTROL__PROMISCUOUS_bm);
}

void CardHost::send(const std::vector<uint8_t> &frame)
{
    auto *tx_ring = reinterpret_cast<lan_nic_descriptor *>(&memory[TX_RING]);
    const uint32_t buffer = TX_BUFFERS + tx_tail_ * BUFFER;
    std::copy(frame.begin(), frame.end(), memory.begin() + buffer);
    tx_ring[tx_tail_].address = BASE + buffer;
    tx_ring[tx_tail_].status = static_cast<uint32_t>(frame.size()) | TX_EOP | TX_IRQ;
    tx_tail_ = (tx_tail_ + 1) % ENTRIES;
    write(NIC_REGISTER(TX_TAIL), tx_tail_);
}
