// SPDX-License-Identifier: Apache-2.0
#pragma once

// A card and the least host that can drive it: memory, two rings filled by hand, and no interrupt handler but the
// test's. All of it lies in `memory`, from address BASE.

#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>

#include "sim/card/card.h"

extern "C" {
#include "host/driver/nic_hw.h"
}

class CardHost : public sc_core::sc_module
{
  public:
    static constexpr uint32_t BASE = 0x10000000;
    static constexpr uint32_t TX_RING = 0, RX_RING = 0x1000, TX_BUFFERS = 0x2000, RX_BUFFERS = 0x12000;
    static constexpr uint32_t ENTRIES = 16, BUFFER = 2048;

    CardHost(const sc_core::sc_module_name &name, lanyard::ClockEngine &engine,
             const lanyard::Card::Config &config = {}, bool dmi = true);

    // From a SystemC thread. read() waits.
    void write(uint32_t offset, uint32_t value);
    uint32_t read(uint32_t offset);

    // Both rings ready, all receive buffers posted, everything accepted, interrupts on.
    void start();
    void send(const std::vector<uint8_t> &frame);

    const lan_nic_descriptor &tx(uint32_t index) const;
    const lan_nic_descriptor &rx(uint32_t index) const;
    std::vector<uint8_t> received(uint32_t index) const;

    lanyard::Card card;
    sc_core::sc_signal<bool> irq{"irq"};
    std::vector<uint8_t> memory;
    uint64_t transports = 0; // DMA accesses that came by b_transport

  private:
    tlm::tlm_response_status access(tlm::tlm_command command, uint32_t offset, uint32_t &value);
    void serve(tlm::tlm_generic_payload &payload, sc_core::sc_time &delay);
    bool grant(tlm::tlm_generic_payload &payload, tlm::tlm_dmi &dmi);

    tlm_utils::simple_initiator_socket<CardHost> registers_{"registers"};
    tlm_utils::simple_target_socket<CardHost> bus_{"bus"};
    bool dmi_;
    uint32_t tx_tail_ = 0;
};
