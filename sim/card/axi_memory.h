// SPDX-License-Identifier: Apache-2.0
#pragma once

// The AXI4 slave behind the card's DMA: one read and one write burst at a time, both at full rate once they flow.
//
// The first word of a read is taken `latency` cycles after its address; the response to a write is taken `latency`
// cycles after its address and last word. Memory is read when the first word is due, and written when the last arrives.

#include <array>

#include "sim/card/host_memory.h"
#include "sim/card/model.h"

namespace lanyard
{

class AxiMemory
{
  public:
    AxiMemory(Vnic &model, tlm::tlm_initiator_socket<> &socket, unsigned latency);

    HostMemory &memory()
    {
        return memory_;
    }

    // Something is under way, or about to begin.
    bool busy() const
    {
        return (reading_ | writing_ | model_.m_axi_arvalid | model_.m_axi_awvalid | model_.m_axi_wvalid) != 0;
    }

    // While busy: before each rising edge of clk, with the model settled; and after it.
    void sample()
    {
        took_ar_ = model_.m_axi_arvalid & model_.m_axi_arready;
        took_r_ = model_.m_axi_rvalid & model_.m_axi_rready;
        took_aw_ = model_.m_axi_awvalid & model_.m_axi_awready;
        took_w_ = model_.m_axi_wvalid & model_.m_axi_wready;
        took_b_ = model_.m_axi_bvalid & model_.m_axi_bready;
        if (took_ar_)
            accept_read();
        if (took_aw_)
            accept_write();
        if (took_w_)
            accept_word();
    }
    void drive(Picoseconds now)
    {
        if (reading_)
            drive_read(now);
        if (writing_)
            drive_write(now);
    }

  private:
    static constexpr unsigned MAX_BEATS = 256;

    struct Burst {
        uint32_t address = 0; // of the first word
        unsigned beats = 0;
        unsigned beat = 0; // the next
        unsigned wait = 0; // cycles until it is answered
        AxiResponse response = AxiResponse::okay;
        std::array<uint8_t, 4 *MAX_BEATS> bytes = {};
    };

    void accept_read();
    void accept_write();
    void accept_word();
    void drive_read(Picoseconds now);
    void drive_write(Picoseconds now);

    Vnic &model_;
    HostMemory memory_;
    unsigned latency_;
    Burst read_, write_;
    std::array<uint8_t, 4 *MAX_BEATS> enables_ = {};
    bool reading_ = false, writing_ = false;
    bool has_address_ = false, has_last_ = false, answering_ = false; // of the write
    // Handshakes of the coming edge.
    bool took_ar_ = false, took_r_ = false, took_aw_ = false, took_w_ = false, took_b_ = false;
};

} // namespace lanyard
