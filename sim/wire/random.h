// SPDX-License-Identifier: Apache-2.0
#pragma once

// The simulation's generator: SplitMix64. Equal seeds give equal sequences on every machine.

#include <cstdint>

namespace lanyard
{

class Random
{
  public:
    explicit Random(uint64_t seed) : state_(seed)
    {
    }

    uint64_t next()
    {
        uint64_t z = state_ += 0x9e3779b97f4a7c15;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    }

    // Uniform in [0, bound); bound > 0.
    uint64_t below(uint64_t bound)
    {
        return static_cast<uint64_t>((static_cast<unsigned __int128>(next()) * bound) >> 64);
    }

    // True with probability p.
    bool chance(double p)
    {
        return static_cast<double>(next() >> 11) * 0x1p-53 < p;
    }

  private:
    uint64_t state_;
};

} // namespace lanyard
