// SPDX-License-Identifier: Apache-2.0
#include "sim/platform/memory.h"

#include <cerrno>
#include <cstring>
#include <sys/mman.h>
#include <system_error>

namespace lanyard
{

using namespace sc_core;

Memory::Memory(const sc_module_name &name, size_t bytes) : sc_module(name), bus("bus"), bytes_(bytes)
{
    void *region = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (region == MAP_FAILED)
        throw std::system_error(errno, std::generic_category(), "memory of a host");
    data_ = static_cast<uint8_t *>(region);
    bus.register_b_transport(this, &Memory::b_transport);
    bus.register_get_direct_mem_ptr(this, &Memory::get_direct_mem_ptr);
    bus.register_transport_dbg(this, &Memory::transport_dbg);
}

Memory::~Memory()
{
    munmap(data_, bytes_);
}

bool Memory::covers(const tlm::tlm_generic_payload &access) const
{
    const uint64_t offset = access.get_address() - BASE; // an address below BASE wraps to a large one
    return offset <= bytes_ && access.get_data_length() <= bytes_ - offset;
}

void Memory::move(tlm::tlm_generic_payload &access)
{
    uint8_t *there = data_ + (access.get_address() - BASE);
    uint8_t *here = access.get_data_ptr();
    const uint8_t *enables = access.get_byte_enable_ptr();
    for (unsigned i = 0; i < access.get_data_length(); i++) {
        if (enables && enables[i % access.get_byte_enable_length()] != TLM_BYTE_ENABLED)
            continue;
        if (access.is_read())
            here[i] = there[i];
        else
            there[i] = here[i];
    }
}

void Memory::b_transport(tlm::tlm_generic_payload &access, sc_time &)
{
    if (access.get_command() == tlm::TLM_IGNORE_COMMAND) {
        access.set_response_status(tlm::TLM_OK_RESPONSE);
    } else if (access.get_streaming_width() < access.get_data_length()) {
        access.set_response_status(tlm::TLM_BURST_ERROR_RESPONSE);
    } else if (!covers(access)) {
        access.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
    } else {
        move(access);
        access.set_dmi_allowed(true);
        access.set_response_status(tlm::TLM_OK_RESPONSE);
    }
}

bool Memory::get_direct_mem_ptr(tlm::tlm_generic_payload &access, tlm::tlm_dmi &dmi)
{
    if (access.get_address() < BASE || access.get_address() - BASE >= bytes_)
        return false;
    dmi.set_dmi_ptr(data_);
    dmi.set_start_address(BASE);
    dmi.set_end_address(BASE + bytes_ - 1);
    dmi.allow_read_write();
    return true;
}

unsigned Memory::transport_dbg(tlm::tlm_generic_payload &access)
{
    if (!covers(access))
        return 0;
    move(access);
    return access.get_data_length();
}

} // namespace lanyard
