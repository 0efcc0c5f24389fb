// SPDX-License-Identifier: Apache-2.0
#pragma once

// The signals of one or more cards in one FST file, whole or in one window, each card under its own name. Only in
// programs that link lanyard_card_traced; elsewhere the constructor throws std::runtime_error.

#include <memory>
#include <string>

#include "sim/card/card.h"
#include "sim/wire/capture.h"

namespace lanyard
{

class Waveform : public Tracer
{
  public:
    static bool available();

    // Throws std::runtime_error (what, where) if `path` cannot be written or is something else than a file.
    Waveform(ClockEngine &engine, const std::string &path);
    ~Waveform() override; // closes

    // All before the simulation starts. Without a window everything is written.
    void add(Card &card);
    void window(Picoseconds from, Picoseconds to);
    // From the end of the frame before the n-th (from 1) of the capture to `after` past its end.
    void window_around_frame(Capture &capture, uint64_t number, Picoseconds after = 20'000'000);

    void close();

    void risen(Picoseconds now) override;
    void fallen(Picoseconds now) override;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace lanyard
