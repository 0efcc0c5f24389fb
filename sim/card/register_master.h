// SPDX-License-Identifier: Apache-2.0
#pragma once

// The AXI4-Lite master before the card's registers: one access after the other, in the order in which they came.

#include <cstdint>
#include <deque>

#include "sim/card/model.h"

namespace lanyard
{

class RegisterMaster
{
  public:
    // A read under way; its owner keeps it until `done`.
    struct Read {
        uint32_t value = 0;
        bool refused = false; // SLVERR or DECERR
        bool done = false;
    };

    explicit RegisterMaster(Vnic &model);

    void write(uint32_t offset, uint32_t value);
    void read(uint32_t offset, Read &read);

    // Something is queued or under way.
    bool busy() const
    {
        return !queue_.empty();
    }

    // While busy: before each rising edge of clk, with the model settled; and after it. True: a read is done.
    void sample();
    bool drive();

  private:
    struct Access {
        uint32_t offset;
        uint32_t value;
        Read *read; // NULL: a write
    };

    void begin(const Access &access);
    bool end();

    Vnic &model_;
    std::deque<Access> queue_; // the head is under way if begun_
    bool begun_ = false;
    // Handshakes of the coming edge.
    bool took_aw_ = false, took_w_ = false, took_ar_ = false, answered_ = false;
    uint32_t answer_ = 0;
    bool refused_ = false;
};

} // namespace lanyard
