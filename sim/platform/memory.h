// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <systemc>
#include <tlm>
#include <tlm_utils/simple_target_socket.h>

namespace lanyard
{

// A host's memory as its card sees it: one region from BASE, page by page taken from the system when it is first
// touched. What lies outside is an address error. Its latency is the card's configuration.
class Memory : public sc_core::sc_module
{
  public:
    // Not 0, so that an address that was never set is an error.
    static constexpr uint32_t BASE = 0x10000000;

    tlm_utils::simple_target_socket<Memory> bus;

    Memory(const sc_core::sc_module_name &name, size_t bytes);
    ~Memory() override;

    uint8_t *data()
    {
        return data_;
    }
    size_t size() const
    {
        return bytes_;
    }

  private:
    bool covers(const tlm::tlm_generic_payload &access) const;
    void move(tlm::tlm_generic_payload &access);
    void b_transport(tlm::tlm_generic_payload &access, sc_core::sc_time &delay);
    bool get_direct_mem_ptr(tlm::tlm_generic_payload &access, tlm::tlm_dmi &dmi);
    unsigned transport_dbg(tlm::tlm_generic_payload &access);

    size_t bytes_;
    uint8_t *data_;
};

} // namespace lanyard
