// SPDX-License-Identifier: Apache-2.0
#include "sim/card/axi_memory.h"

#include <cstring>

namespace lanyard
{

AxiMemory::AxiMemory(Vnic &model, tlm::tlm_initiator_socket<> &socket, unsigned latency)
    : model_(model), memory_(socket), latency_(latency)
{
    model_.m_axi_arready = 1;
    model_.m_axi_awready = 1;
    model_.m_axi_wready = 1;
}

void AxiMemory::accept_read()
{
    reading_ = true;
    read_.address = model_.m_axi_araddr & ~3u;
    read_.beats = model_.m_axi_arlen + 1u;
    read_.beat = 0;
    read_.wait = latency_;
}

void AxiMemory::drive_read(Picoseconds now)
{
    if (took_ar_)
        model_.m_axi_arready = 0;
    if (took_r_ && ++read_.beat == read_.beats) {
        model_.m_axi_rvalid = 0;
        model_.m_axi_arready = 1;
        reading_ = false;
        return;
    }
    if (read_.wait > 0 && --read_.wait == 0) {
        read_.response = memory_.read(now, read_.address, read_.bytes.data(), 4 * read_.beats);
        model_.m_axi_rresp = static_cast<uint8_t>(read_.response);
        model_.m_axi_rvalid = 1;
    }
    if (read_.wait == 0) {
        std::memcpy(&model_.m_axi_rdata, &read_.bytes[4 * read_.beat], 4); // lanes are little-endian, as the host is
        model_.m_axi_rlast = read_.beat + 1 == read_.beats;
    }
}

void AxiMemory::accept_write()
{
    writing_ = true;
    has_address_ = true;
    write_.address = model_.m_axi_awaddr & ~3u;
}

// Words may come before their address.
void AxiMemory::accept_word()
{
    writing_ = true;
    const unsigned at = 4 * write_.beats;
    std::memcpy(&write_.bytes[at], &model_.m_axi_wdata, 4);
    for (unsigned lane = 0; lane < 4; lane++)
        enables_[at + lane] = model_.m_axi_wstrb >> lane & 1 ? TLM_BYTE_ENABLED : TLM_BYTE_DISABLED;
    write_.beats++;
    has_last_ = model_.m_axi_wlast || write_.beats == MAX_BEATS;
}

void AxiMemory::drive_write(Picoseconds now)
{
    if (took_b_) {
        model_.m_axi_bvalid = 0;
        model_.m_axi_awready = 1;
        model_.m_axi_wready = 1;
        write_.beats = 0;
        writing_ = has_address_ = has_last_ = answering_ = false;
        return;
    }
    if (has_address_)
        model_.m_axi_awready = 0;
    if (has_last_)
        model_.m_axi_wready = 0;
    if (has_address_ && has_last_ && !answering_) {
        answering_ = true;
        write_.wait = latency_;
        write_.response = memory_.write(now, write_.address, write_.bytes.data(), enables_.data(), 4 * write_.beats);
    }
    if (answering_ && write_.wait > 0 && --write_.wait == 0) {
        model_.m_axi_bresp = static_cast<uint8_t>(write_.response);
        model_.m_axi_bvalid = 1;
    }
}

} // namespace lanyard
