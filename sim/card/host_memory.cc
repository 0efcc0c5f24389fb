// SPDX-License-Identifier: Apache-2.0
#include "sim/card/host_memory.h"

#include <cstring>

namespace lanyard
{

namespace
{

void fill(tlm::tlm_generic_payload &payload, tlm::tlm_command command, uint32_t address, uint8_t *data, unsigned length)
{
    payload.set_command(command);
    payload.set_address(address);
    payload.set_data_ptr(data);
    payload.set_data_length(length);
    payload.set_streaming_width(length);
    payload.set_byte_enable_ptr(nullptr);
    payload.set_dmi_allowed(false);
    payload.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
}

} // namespace

uint8_t *HostMemory::direct(uint32_t address, unsigned length) const
{
    if (!has_dmi_ || address < dmi_.get_start_address() || uint64_t{address} + length - 1 > dmi_.get_end_address())
        return nullptr;
    return dmi_.get_dmi_ptr() + (address - dmi_.get_start_address());
}

AxiResponse HostMemory::transport(Picoseconds now, tlm::tlm_generic_payload &payload)
{
    sc_core::sc_time ahead = sc_core::sc_time::from_value(now) - sc_core::sc_time_stamp();
    socket_->b_transport(payload, ahead);
    if (payload.get_response_status() == tlm::TLM_ADDRESS_ERROR_RESPONSE)
        return AxiResponse::decerr;
    if (!payload.is_response_ok())
        return AxiResponse::slverr;
    if (payload.is_dmi_allowed()) {
        payload.set_dmi_allowed(false);
        has_dmi_ = socket_->get_direct_mem_ptr(payload, dmi_) && dmi_.is_read_write_allowed();
    }
    return AxiResponse::okay;
}

AxiResponse HostMemory::read(Picoseconds now, uint32_t address, uint8_t *data, unsigned length)
{
    if (const uint8_t *memory = direct(address, length)) {
        std::memcpy(data, memory, length);
        return AxiResponse::okay;
    }
    tlm::tlm_generic_payload payload;
    fill(payload, tlm::TLM_READ_COMMAND, address, data, length);
    return transport(now, payload);
}

AxiResponse HostMemory::write(Picoseconds now, uint32_t address, uint8_t *data, uint8_t *enables, unsigned length)
{
    if (uint8_t *memory = direct(address, length)) {
        for (unsigned i = 0; i < length; i++)
            if (enables[i] == TLM_BYTE_ENABLED)
                memory[i] = data[i];
        return AxiResponse::okay;
    }
    tlm::tlm_generic_payload payload;
    fill(payload, tlm::TLM_WRITE_COMMAND, address, data, length);
    payload.set_byte_enable_ptr(enables);
    payload.set_byte_enable_length(length);
    return transport(now, payload);
}

void HostMemory::invalidate()
{
    has_dmi_ = false;
}

} // namespace lanyard
