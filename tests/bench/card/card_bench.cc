// SPDX-License-Identifier: Apache-2.0

// The card by itself, with nothing between the measurement and the registers: rings filled by hand, a behavioural MAC
// at the far end of the cable. Clock = MII clock = 25 MHz, memory answers after 8 cycles.
//
//   card_bench rate BYTES FRAMES   frames of BYTES (FCS included) back to back, both directions at once
//   card_bench latency             doorbell to first preamble nibble, last SFD nibble to irq, 64-byte frames
//   card_bench idle MICROSECONDS   nothing happens for so long
//
// Prints one JSON object. Exits 1 if a frame was lost or damaged.

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string>
#include <systemc>
#include <tlm_utils/simple_initiator_socket.h>

#include "sim/card/card.h"
#include "sim/card/clock_engine.h"
#include "sim/platform/memory.h"
#include "sim/platform/simulation.h"
#include "sim/wire/cable.h"
#include "sim/wire/frame_port.h"

extern "C" {
#include "host/driver/nic_hw.h"
}

using namespace lanyard;

namespace
{

constexpr Picoseconds MII_CYCLE = 40'000;
constexpr unsigned RING_LOG2 = 12;
constexpr uint32_t RING_ENTRIES = 1u << RING_LOG2;
constexpr uint32_t BUFFER_BYTES = 2048;
constexpr uint32_t TX_RING = 0, RX_RING = TX_RING + RING_ENTRIES * sizeof(lan_nic_descriptor);
constexpr uint32_t TX_FRAME = RX_RING + RING_ENTRIES * sizeof(lan_nic_descriptor), RX_BUFFERS = TX_FRAME + BUFFER_BYTES;
constexpr size_t MEMORY_BYTES = RX_BUFFERS + size_t{RING_ENTRIES} * BUFFER_BYTES;

Picoseconds now()
{
    return sc_core::sc_time_stamp().value();
}

// Tells when a frame's SFD went into a line.
class SfdWatch : public LineObserver
{
  public:
    Picoseconds when = 0;

  private:
    void nibble(Picoseconds time, MiiNibble nibble) override
    {
        if (!nibble.valid)
            seen_ = false;
        else if (!seen_ && nibble.data == 0xD) {
            seen_ = true;
            when = time;
        }
    }

    bool seen_ = false;
};

class Bench : public sc_core::sc_module
{
  public:
    tlm_utils::simple_initiator_socket<Bench> registers{"registers"};
    sc_core::sc_signal<bool> irq{"irq"};
    Memory memory{"memory", MEMORY_BYTES};
    ClockEngine engine{"engine"};
    Card card{"card", engine, {}};
    FramePort port{engine, "port"};
    Cable cable{card, port};
    SfdWatch sfd_to_card;
    std::vector<Frame> arrived;

    explicit Bench(const sc_core::sc_module_name &name) : sc_module(name)
    {
        registers.bind(card.registers);
        card.dma.bind(memory.bus);
        card.irq.bind(irq);
        cable.b_to_a().add_observer(sfd_to_card);
        port.on_receive([this](Frame &frame) { arrived.push_back(frame); });
    }

    uint32_t read(size_t offset)
    {
        uint32_t value = 0;
        access(tlm::TLM_READ_COMMAND, offset, value);
        return value;
    }

    void write(size_t offset, uint32_t value)
    {
        access(tlm::TLM_WRITE_COMMAND, offset, value);
    }

    // Rings as large as can be, every receive buffer posted; transmit descriptors all name the same frame.
    void start(uint32_t frame_bytes)
    {
        for (uint32_t i = 0; i < frame_bytes; i++)
            memory.data()[TX_FRAME + i] = static_cast<uint8_t>(i < 6 ? 0x02 : i);
        for (uint32_t i = 0; i < RING_ENTRIES; i++) {
            descriptor(TX_RING, i) = {Memory::BASE + TX_FRAME, 0, 0, frame_bytes | TX_EOP};
            descriptor(RX_RING, i) = {Memory::BASE + RX_BUFFERS + i * BUFFER_BYTES + 2, 0, 0, BUFFER_BYTES - 2};
        }
        write(offsetof(nic_t, CONTROL),
              NIC__CONTROL__TX_ENABLE_bm | NIC__CONTROL__RX_ENABLE_bm | NIC__CONTROL__PROMISCUOUS_bm);
        write(offsetof(nic_t, TX_BASE), Memory::BASE + TX_RING);
        write(offsetof(nic_t, RX_BASE), Memory::BASE + RX_RING);
        write(offsetof(nic_t, TX_SIZE), RING_LOG2);
        write(offsetof(nic_t, RX_SIZE), RING_LOG2);
        write(offsetof(nic_t, TX_CONTROL), NIC__RING_CONTROL__ENABLE_bm);
        write(offsetof(nic_t, RX_CONTROL), NIC__RING_CONTROL__ENABLE_bm);
        write(offsetof(nic_t, RX_TAIL), RING_ENTRIES - 1);
        read(offsetof(nic_t, ID)); // all of it has reached the card
    }

    void send_from_card(uint32_t frames)
    {
        write(offsetof(nic_t, TX_TAIL), frames);
    }

    void send_to_card(uint32_t frame_bytes)
    {
        const uint8_t *frame = memory.data() + TX_FRAME;
        port.send({frame, frame + frame_bytes});
    }

    // Frames that came in whole and are equal to what was sent.
    uint32_t received_intact(uint32_t frames, uint32_t frame_bytes)
    {
        uint32_t intact = 0;
        for (uint32_t i = 0; i < frames; i++) {
            const uint32_t status = descriptor(RX_RING, i).status;
            const bool whole = (status & DESC_DONE) && (status & 0xFFFF) == frame_bytes;
            const uint8_t *bytes = memory.data() + RX_BUFFERS + size_t{i} * BUFFER_BYTES + 2;
            intact += whole && std::memcmp(bytes, memory.data() + TX_FRAME, frame_bytes) == 0;
        }
        return intact;
    }

  private:
    lan_nic_descriptor &descriptor(uint32_t ring, uint32_t index)
    {
        return reinterpret_cast<lan_nic_descriptor *>(memory.data() + ring)[index];
    }

    void access(tlm::tlm_command command, size_t offset, uint32_t &value)
    {
        tlm::tlm_generic_payload payload;
        sc_core::sc_time delay;
        payload.set_command(command);
        payload.set_address(offset);
        payload.set_data_ptr(reinterpret_cast<unsigned char *>(&value));
        payload.set_data_length(sizeof(value));
        payload.set_streaming_width(sizeof(value));
        registers->b_transport(payload, delay);
        if (payload.is_response_error())
            throw std::runtime_error("register access refused at " + std::to_string(offset));
    }
};

nlohmann::json measure_rate(Bench &bench, uint32_t wire_bytes, uint32_t frames)
{
    const uint32_t frame_bytes = wire_bytes - 4;
    const Picoseconds frame_time = (wire_bytes + 20) * 2 * MII_CYCLE;

    bench.start(frame_bytes);
    bench.send_from_card(frames);
    for (uint32_t i = 0; i < frames; i++)
        bench.send_to_card(frame_bytes);
    sc_core::wait(sc_core::sc_time::from_value((frames + 10) * frame_time));

    const std::vector<Frame> &sent = bench.arrived;
    if (sent.size() != frames)
        throw std::runtime_error("sent " + std::to_string(sent.size()) + " of " + std::to_string(frames) + " frames");
    const uint32_t received = bench.received_intact(frames, frame_bytes);
    if (received != frames)
        throw std::runtime_error("received " + std::to_string(received) + " of " + std::to_string(frames) + " frames");
    Picoseconds shortest = NEVER, longest = 0;
    for (size_t i = 1; i < sent.size(); i++) {
        shortest = std::min(shortest, sent[i].start - sent[i - 1].end);
        longest = std::max(longest, sent[i].start - sent[i - 1].end);
    }
    return {{"frames", frames},
            {"frames_per_s", (frames - 1) / ((sent.back().start - sent.front().start) * 1e-12)},
            {"gap_nibbles_min", shortest / MII_CYCLE},
            {"gap_nibbles_max", longest / MII_CYCLE},
            {"ticked", bench.card.cycles_ticked()},
            {"skipped", bench.card.cycles_skipped()}};
}

nlohmann::json measure_latency(Bench &bench)
{
    constexpr uint32_t FRAME_BYTES = 60;
    const Picoseconds cable_delay = MII_CYCLE;

    bench.start(FRAME_BYTES);
    const Picoseconds rung = now();
    bench.send_from_card(1);
    sc_core::wait(100, sc_core::SC_US);
    const Picoseconds preamble = bench.arrived.at(0).start - cable_delay;

    bench.write(offsetof(nic_t, IRQ_CAUSE), ~0u);
    bench.write(offsetof(nic_t, IRQ_ENABLE), NIC__IRQ_CAUSE__RX_DONE_bm);
    bench.send_to_card(FRAME_BYTES);
    sc_core::wait(bench.irq.posedge_event());
    return {{"tx_doorbell_to_preamble_cycles", (preamble - rung) / MII_CYCLE},
            {"rx_sfd_to_irq_cycles", (now() - bench.sfd_to_card.when - cable_delay) / MII_CYCLE}};
}

nlohmann::json measure_idle(Bench &bench, double microseconds)
{
    bench.start(60);
    sc_core::wait(microseconds, sc_core::SC_US);
    return {{"ticked", bench.card.cycles_ticked()}, {"skipped", bench.card.cycles_skipped()}};
}

[[noreturn]] void usage()
{
    std::fprintf(stderr,
                 "usage: card_bench rate BYTES FRAMES | latency | idle MICROSECONDS\n"
                 "BYTES from 64 to 1518, FRAMES from 2 to %u\n",
                 RING_ENTRIES - 1);
    std::exit(2);
}

} // namespace

int sc_main(int argc, char **argv)
{
    const std::string mode = argc > 1 ? argv[1] : "";
    const unsigned long first = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 0;
    const unsigned long second = argc > 3 ? std::strtoul(argv[3], nullptr, 10) : 0;
    const bool rate = mode == "rate" && first >= 64 && first <= 1518 && second >= 2 && second < RING_ENTRIES;
    if (!rate && mode != "latency" && mode != "idle")
        usage();

    sc_core::sc_set_time_resolution(1, sc_core::SC_PS);
    Bench bench("bench");
    nlohmann::json result;
    spawn_thread("measure", [&] {
        if (rate)
            result = measure_rate(bench, first, second);
        else
            result = mode == "latency" ? measure_latency(bench) : measure_idle(bench, first);
        sc_core::sc_stop();
    });
    try {
        simulate();
    } catch (const std::exception &error) {
        std::fprintf(stderr, "card_bench: %s\n", error.what());
        return 1;
    }
    std::printf("%s\n", result.dump().c_str());
    return 0;
}
