// SPDX-License-Identifier: Apache-2.0
#pragma once

// MII: nibbles, the delay line that carries them one way, and the ends that a cable joins. An end stands for a PHY and
// what is behind it: it has a link when its cable is plugged at both ends, of the duplex that the ends agree on.

#include <cstdint>
#include <vector>

#include "sim/card/clock_engine.h"

namespace lanyard
{

// What the MII signals say at one rising edge of their clock (802.3 clause 22).
struct MiiNibble {
    uint8_t data : 4;
    uint8_t valid : 1; // TX_EN or RX_DV
    uint8_t error : 1; // TX_ER or RX_ER

    bool quiet() const
    {
        return !valid && !error;
    }
};

enum class MiiRate { mbps10, mbps100 };

constexpr Picoseconds mii_period(MiiRate rate)
{
    return rate == MiiRate::mbps100 ? 40'000 : 400'000;
}

// What a PHY tells its MAC beside nibbles, in half duplex (802.3 22.2.2.11, 22.2.2.12); in full duplex nothing.
struct MiiSense {
    bool carrier;
    bool collision;
};

// Sees every nibble that enters a line, and the first quiet one after them; called ahead of SystemC's time.
class LineObserver
{
  public:
    virtual ~LineObserver() = default;
    virtual void nibble(Picoseconds now, MiiNibble nibble) = 0;
};

class MiiEnd;

// One direction of a cable: what enters at edge n comes out at edge n + delay.
class MiiLine
{
  public:
    MiiLine(MiiEnd &source, MiiEnd &sink, unsigned delay_cycles);

    // Each at most once per edge `index` of the MII clock, in rising order.
    void put(uint64_t index, MiiNibble nibble)
    {
        const bool carries = !nibble.quiet();
        if (carries != carrying_ || (carries && !observers_.empty()))
            note(index, nibble);
        if (carries)
            ring_[index & mask_] = nibble;
    }
    MiiNibble take(uint64_t index)
    {
        MiiNibble &place = ring_[(index - delay_cycles_) & mask_];
        const MiiNibble nibble = place;
        place = {};
        return nibble;
    }

    const MiiEnd &source() const
    {
        return source_;
    }
    void add_observer(LineObserver &observer);

    // Loses what is in flight: from the edge `index` on there is silence.
    void cut(uint64_t index);

  private:
    void note(uint64_t index, MiiNibble nibble);

    MiiEnd &source_, &sink_;
    unsigned delay_cycles_;
    std::vector<MiiNibble> ring_; // a power of two, longer than the delay; quiet where nothing is in flight
    uint64_t mask_;               // of indices into it
    bool carrying_ = false;       // the last nibble put was not quiet
    std::vector<LineObserver *> observers_;
};

// What an end offers in auto-negotiation (802.3 clause 28), at its one rate.
struct LinkAbility {
    bool half_duplex = true;
    bool full_duplex = true;
    unsigned pause = 0;     // PAUSE 1, ASM_DIR 2 (28B.2)
    bool negotiates = true; // else others find it by parallel detection, and take it for half duplex (28.2.3.1)
};

// One end of a cable. An end without a link sends into nothing and hears nothing.
class MiiEnd : public Clocked
{
  public:
    MiiRate rate() const
    {
        return rate_;
    }

    // Who is at the other end; null: there is no link.
    const MiiEnd *partner() const
    {
        return partner_;
    }
    bool half_duplex() const
    {
        return half_duplex_;
    }

    virtual LinkAbility ability() const
    {
        return {};
    }

  protected:
    MiiEnd(ClockEngine &engine, std::string label, MiiRate rate, Picoseconds clk_period = 0);

    // At each rising edge of the MII clock: what this end has been driving, against what arrives.
    MiiNibble exchange(MiiNibble tx)
    {
        const uint64_t index = mii_clock().index;
        if (!out_)
            return {};
        out_->put(index, tx);
        return in_->take(index);
    }

    // ability() has changed. From a SystemC process or attend().
    void renegotiate();

    // The partner has come, gone, or offers something else. In a SystemC process, or before the simulation starts.
    virtual void link_changed()
    {
    }

    // At the same edge, of what was exchanged.
    MiiSense sense(MiiNibble tx, MiiNibble rx) const
    {
        return {half_duplex_ && (tx.valid || !rx.quiet()), half_duplex_ && tx.valid && !rx.quiet()};
    }

  private:
    friend class Cable;

    void agree();

    MiiRate rate_;
    MiiEnd *partner_ = nullptr;
    bool half_duplex_ = false;
    MiiLine *out_ = nullptr;
    MiiLine *in_ = nullptr;
};

} // namespace lanyard
