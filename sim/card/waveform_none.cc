// SPDX-License-Identifier: Apache-2.0
// Waveform beside the fast model, which has nothing to write.
#include "sim/card/waveform.h"

#include <stdexcept>

namespace lanyard
{

struct Waveform::State {
};

bool Waveform::available()
{
    return false;
}

Waveform::Waveform(ClockEngine &, const std::string &path)
{
    throw std::runtime_error("waveform " + path + ": this program holds the fast model; the traced one can write it");
}

Waveform::~Waveform() = default;

void Waveform::add(Card &)
{
}

void Waveform::window(Picoseconds, Picoseconds)
{
}

void Waveform::window_around_frame(Capture &, uint64_t, Picoseconds)
{
}

void Waveform::close()
{
}

void Waveform::risen(Picoseconds)
{
}

void Waveform::fallen(Picoseconds)
{
}

} // namespace lanyard
