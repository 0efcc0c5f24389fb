// SPDX-License-Identifier: Apache-2.0
#pragma once

// Host memory as the card's DMA reaches it: a TLM-2.0 initiator that uses DMI where it may.

#include <cstdint>
#include <tlm.h>

#include "sim/card/clock_engine.h"

namespace lanyard
{

enum class AxiResponse : uint8_t { okay = 0, slverr = 2, decerr = 3 };

class HostMemory
{
  public:
    // The socket is borrowed, and may be bound later.
    explicit HostMemory(tlm::tlm_initiator_socket<> &socket) : socket_(socket)
    {
    }

    // Accesses take no time here; `now` is the engine's time, which is ahead of the kernel's.
    AxiResponse read(Picoseconds now, uint32_t address, uint8_t *data, unsigned length);
    // Writes the bytes whose enable is TLM_BYTE_ENABLED.
    AxiResponse write(Picoseconds now, uint32_t address, uint8_t *data, uint8_t *enables, unsigned length);

    // The target takes DMI back.
    void invalidate();

  private:
    uint8_t *direct(uint32_t address, unsigned length) const;
    AxiResponse transport(Picoseconds now, tlm::tlm_generic_payload &payload);

    tlm::tlm_initiator_socket<> &socket_;
    tlm::tlm_dmi dmi_;
    bool has_dmi_ = false;
};

} // namespace lanyard
