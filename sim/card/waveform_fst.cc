// SPDX-License-Identifier: Apache-2.0
// Waveform beside the traced model.
#include "sim/card/waveform.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <stdexcept>

#include "sim/card/card_state.h"

#include <verilated_fst_c.h> // after model.h, as all of Verilator's headers

namespace lanyard
{

namespace
{

constexpr int ALL_LEVELS = 99;

} // namespace

struct Waveform::State {
    std::string path;
    VerilatedFstC file;
    Picoseconds from = 0, to = NEVER;
    // All clocks rise at multiples of this; they are shown to fall after half of it, before anything else can rise.
    Picoseconds raster = std::gcd(mii_period(MiiRate::mbps10), mii_period(MiiRate::mbps100));
    bool was_open = false;

    void open();
};

void Waveform::State::open()
{
    was_open = true;
    file.open(path.c_str());
    if (!file.isOpen())
        throw std::runtime_error("waveform " + path + ": " + std::strerror(errno));
}

bool Waveform::available()
{
    return true;
}

Waveform::Waveform(ClockEngine &engine, const std::string &path) : state_(std::make_unique<State>())
{
    state_->path = path;
    // The writer removes what has this name: no device is to be lost to that.
    if (std::filesystem::exists(path) && !std::filesystem::is_regular_file(path))
        throw std::runtime_error("waveform " + path + ": is not a file");
    if (!std::ofstream(state_->path))
        throw std::runtime_error("waveform " + state_->path + ": " + std::strerror(errno));
    state_->file.set_time_unit("1ps");
    state_->file.set_time_resolution("1ps");
    engine.set_tracer(this);
}

Waveform::~Waveform()
{
    state_->file.close();
}

void Waveform::add(Card &card)
{
    card.state_->model.trace(&state_->file, ALL_LEVELS);
    state_->raster = std::gcd(state_->raster, card.state_->config.clk_period);
}

void Waveform::window(Picoseconds from, Picoseconds to)
{
    state_->from = from;
    state_->to = to;
}

void Waveform::window_around_frame(Capture &capture, uint64_t number, Picoseconds after)
{
    window(number == 1 ? 0 : NEVER, NEVER);
    capture.on_frame([this, number, after](uint64_t n, const Frame &frame) {
        if (n + 1 == number)
            state_->from = frame.end;
        if (n == number)
            state_->to = frame.end + after;
    });
}

// What was never reached leaves a file without samples, but a file that opens.
void Waveform::close()
{
    if (!state_->was_open)
        state_->open();
    state_->file.close();
}

void Waveform::risen(Picoseconds now)
{
    State &s = *state_;
    if (now < s.from || now > s.to)
        return;
    if (!s.was_open)
        s.open();
    s.file.dump(now);
}

void Waveform::fallen(Picoseconds now)
{
    State &s = *state_;
    if (now >= s.from && now <= s.to && s.was_open)
        s.file.dump(now + s.raster / 2);
}

} // namespace lanyard
