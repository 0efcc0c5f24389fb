// SPDX-License-Identifier: Apache-2.0
#include "sim/card/register_master.h"

#include <systemc>

namespace lanyard
{

RegisterMaster::RegisterMaster(Vnic &model) : model_(model)
{
    model_.s_axil_bready = 1;
    model_.s_axil_rready = 1;
    model_.s_axil_wstrb = 0xf;
}

void RegisterMaster::write(uint32_t offset, uint32_t value)
{
    queue_.push_back({offset, value, nullptr});
}

void RegisterMaster::read(uint32_t offset, Read &read)
{
    queue_.push_back({offset, 0, &read});
}

void RegisterMaster::sample()
{
    took_aw_ = model_.s_axil_awvalid && model_.s_axil_awready;
    took_w_ = model_.s_axil_wvalid && model_.s_axil_wready;
    took_ar_ = model_.s_axil_arvalid && model_.s_axil_arready;
    answered_ = model_.s_axil_bvalid || model_.s_axil_rvalid;
    answer_ = model_.s_axil_rdata;
    refused_ = model_.s_axil_rvalid ? model_.s_axil_rresp != 0 : model_.s_axil_bresp != 0;
}

bool RegisterMaster::drive()
{
    if (took_aw_)
        model_.s_axil_awvalid = 0;
    if (took_w_)
        model_.s_axil_wvalid = 0;
    if (took_ar_)
        model_.s_axil_arvalid = 0;
    const bool read_done = begun_ && answered_ && end();
    if (!begun_ && !queue_.empty())
        begin(queue_.front());
    return read_done;
}

void RegisterMaster::begin(const Access &access)
{
    begun_ = true;
    if (access.read) {
        model_.s_axil_araddr = access.offset;
        model_.s_axil_arvalid = 1;
    } else {
        model_.s_axil_awaddr = access.offset;
        model_.s_axil_awvalid = 1;
        model_.s_axil_wdata = access.value;
        model_.s_axil_wvalid = 1;
    }
}

// Nobody waits for a posted write, so nobody but the user can be told that it was refused.
bool RegisterMaster::end()
{
    const Access access = queue_.front();
    queue_.pop_front();
    begun_ = false;
    if (access.read)
        *access.read = {answer_, refused_, true};
    else if (refused_)
        SC_REPORT_WARNING("lanyard",
                          ("the card refused a register write at offset " + std::to_string(access.offset)).c_str());
    return access.read;
}

} // namespace lanyard
