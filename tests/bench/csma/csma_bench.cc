// SPDX-License-Identifier: Apache-2.0
//
// Half-duplex MACs (rtl/mac, Verilated) on one segment, one clock for all, every one with a frame to send at any time.
//
//   csma_bench share STATIONS CYCLES OCTETS   how they share the segment: frames of OCTETS (with FCS) sent by each
//   csma_bench draws FRAMES                   one of them, every attempt of which meets a collision: the slots it draws
//
// A cycle is a nibble: 25 million of them are a second at 100 Mb/s, ten seconds at 10 Mb/s. The result is one JSON
// object.

#include <array>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "Vmac.h"
#include "Vmac___024root.h"

namespace
{

constexpr int DELAY = 6; // cycles from one station to any other: cable, and a repeater's two PHYs
constexpr int SLOT = 128;
constexpr int GAP = 24;
constexpr int ATTEMPTS = 16;
constexpr unsigned CARRIER_ERROR = 2, LATE = 4, EXCESSIVE = 8;

// A MAC, and what offers it the same frame again and again.
class Station
{
  public:
    Station(unsigned number, int octets) : octets_(octets), number_(number)
    {
        mac_.tx_rst = mac_.rx_rst = 1;
        for (int cycle = 0; cycle < 8; ++cycle)
            tick(false, false);
        mac_.tx_rst = 0;
        mac_.half_duplex = 1;
        mac_.seed = number + 1;
    }

    void tick(bool carrier, bool collision)
    {
        mac_.mii_crs = carrier;
        mac_.mii_col = collision;
        mac_.s_axis_tvalid = place_ < octets_;
        mac_.s_axis_tdata = static_cast<std::uint8_t>(place_ * 7 + static_cast<int>(number_));
        mac_.s_axis_tlast = place_ == octets_ - 1 || judged_;
        const bool taken = mac_.s_axis_tvalid && mac_.s_axis_tready;
        const bool last = mac_.s_axis_tlast;
        mac_.mii_tx_clk = 1;
        mac_.eval();
        mac_.mii_tx_clk = 0;
        mac_.eval();
        if (taken)
            place_ = last ? octets_ : place_ + 1;
        if (mac_.tx_done)
            judged_ = true;
        if (judged_ && place_ == octets_) {
            judged_ = false;
            place_ = 0;
        }
    }

    bool sending() const
    {
        return mac_.mii_tx_en;
    }
    bool done() const
    {
        return mac_.tx_done;
    }
    bool again() const
    {
        return mac_.tx_again;
    }
    bool holding() const
    {
        return mac_.tx_holding;
    }
    unsigned flags() const
    {
        return mac_.tx_flags;
    }
    unsigned collisions() const
    {
        return flags() >> 4;
    }

    // The back-off under way, in slots; what is left of it is cut to nothing.
    unsigned draw()
    {
        auto &cycles = mac_.rootp->mac__DOT__mac_tx__DOT__tx_hold__DOT__timer__DOT__cycles;
        const unsigned slots = (cycles + SLOT - 1) / SLOT;
        cycles = slots ? 1 : 0;
        return slots;
    }

  private:
    Vmac mac_;
    int octets_;
    unsigned number_;
    int place_ = 0;
    bool judged_ = false; // the verdict is there, and the stream has not ended
};

struct Histogram {
    std::array<std::vector<std::uint64_t>, ATTEMPTS> of; // by attempt, from 1, then by slots

    Histogram()
    {
        for (unsigned n = 1; n < ATTEMPTS; ++n)
            of[n].resize(1u << std::min(n, 10u));
    }
    void add(unsigned attempt, unsigned slots)
    {
        ++of.at(attempt).at(slots);
    }

    void print() const
    {
        std::cout << "\"draws\": [";
        for (unsigned n = 1; n < ATTEMPTS; ++n) {
            std::cout << (n > 1 ? ", [" : "[");
            for (std::size_t slots = 0; slots < of[n].size(); ++slots)
                std::cout << (slots ? "," : "") << of[n][slots];
            std::cout << "]";
        }
        std::cout << "]";
    }
};

// What the medium has seen, by station, and whom it reaches DELAY cycles later.
void share(unsigned stations, std::uint64_t cycles, int octets)
{
    std::vector<std::unique_ptr<Station>> station;
    for (unsigned i = 0; i < stations; ++i)
        station.push_back(std::make_unique<Station>(i, octets - 4));
    std::vector<std::uint32_t> history(stations); // of sending, this cycle in bit 0
    std::vector<std::uint64_t> sent(stations), excessive(stations);
    std::vector<unsigned> held(stations), attempt(stations);
    std::vector<bool> disturbed(stations);
    std::uint64_t collisions = 0;
    Histogram histogram;

    for (std::uint64_t cycle = 0; cycle < cycles; ++cycle) {
        unsigned heard = 0;
        for (unsigned i = 0; i < stations; ++i) {
            history[i] = history[i] << 1 | (station[i]->sending() ? 1 : 0);
            heard += history[i] >> DELAY & 1;
        }
        for (unsigned i = 0; i < stations; ++i) {
            Station &it = *station[i];
            const bool own = history[i] & 1;
            const bool others = heard > (history[i] >> DELAY & 1);
            if (own && others)
                disturbed[i] = true;
            it.tick(own || others, own && others);
            if (it.holding())
                ++held[i];
            if (it.sending() && !own && attempt[i]) { // the attempt after a back-off begins
                histogram.add(attempt[i], (held[i] + SLOT - 1) / SLOT);
                attempt[i] = 0;
            }
            if (!it.done())
                continue;
            if (it.flags() & (LATE | CARRIER_ERROR))
                throw std::runtime_error("late collision or carrier error on a short segment");
            held[i] = it.holding() ? 1 : 0;
            if (it.again() || it.flags() & EXCESSIVE)
                ++collisions;
            if (it.again())
                attempt[i] = it.collisions();
            else if (it.flags() & EXCESSIVE)
                ++excessive[i];
            else if (disturbed[i])
                throw std::runtime_error("a frame that met a collision was told as sent");
            else
                ++sent[i];
            disturbed[i] = false;
        }
    }

    double sum = 0, squares = 0;
    for (const auto frames : sent) {
        sum += static_cast<double>(frames);
        squares += static_cast<double>(frames) * static_cast<double>(frames);
    }
    const double capacity = static_cast<double>(cycles) / (2 * (8 + octets) + GAP);
    std::cout << "{\"jain\": " << sum * sum / (stations * squares) << ", \"efficiency\": " << sum / capacity
              << ", \"collisions\": " << collisions << ", \"sent\": [";
    for (unsigned i = 0; i < stations; ++i)
        std::cout << (i ? ", " : "") << sent[i];
    std::cout << "], \"excessive\": [";
    for (unsigned i = 0; i < stations; ++i)
        std::cout << (i ? ", " : "") << excessive[i];
    std::cout << "], ";
    histogram.print();
    std::cout << "}\n";
}

void draws(unsigned frames)
{
    constexpr int CYCLES_AT_MOST = 1000; // of an attempt, from the end of the one before
    Station station(0, 60);
    std::mt19937 random(1);
    Histogram histogram;

    for (unsigned frame = 0; frame < frames; ++frame) {
        for (unsigned attempt = 1; attempt <= ATTEMPTS; ++attempt) {
            const int hit = static_cast<int>(random() % 100); // the nibble that meets the collision
            int nibble = 0, cycle = 0;
            do {
                const bool own = station.sending();
                if (own)
                    ++nibble;
                station.tick(own, own && nibble > hit);
                if (++cycle > CYCLES_AT_MOST)
                    throw std::runtime_error("an attempt does not come");
            } while (!station.done());
            if (station.collisions() != attempt || station.again() != (attempt < ATTEMPTS))
                throw std::runtime_error("attempt " + std::to_string(attempt) + " has another verdict");
            if (attempt < ATTEMPTS)
                histogram.add(attempt, station.draw());
        }
    }
    std::cout << "{";
    histogram.print();
    std::cout << "}\n";
}

} // namespace

int main(int argc, char **argv)
try {
    const std::vector<std::string> words(argv + 1, argv + argc);
    if (words.size() == 4 && words[0] == "share")
        share(static_cast<unsigned>(std::stoul(words[1])), std::stoull(words[2]), std::stoi(words[3]));
    else if (words.size() == 2 && words[0] == "draws")
        draws(static_cast<unsigned>(std::stoul(words[1])));
    else
        throw std::runtime_error("expected share STATIONS CYCLES OCTETS, or draws FRAMES");
} catch (const std::exception &error) {
    std::cerr << "csma_bench: " << error.what() << "\n";
    return EXIT_FAILURE;
}
