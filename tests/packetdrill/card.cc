// SPDX-License-Identifier: Apache-2.0
// The stack on a simulated host: its driver, the card, and a cable to a port that the script's packets go in and out
// at.
//
// The conductor's thread is SystemC's. The simulation runs inside world_step() only; everywhere else it is paused, with
// no thread of the host in the middle of something, so that calls of the script may use the stack from any thread.
#include <arpa/inet.h>
#include <cstring>
#include <memory>

#include "sim/card/card.h"
#include "sim/platform/host.h"
#include "sim/platform/simulation.h"
#include "sim/wire/cable.h"
#include "sim/wire/frame_port.h"

extern "C" {
#include "world.h"
}

using namespace lanyard;

extern "C" const bool WORLD_HAS_CARD = true;

// SystemC's library has a main() of its own, which would call this.
extern "C" __attribute__((visibility("default"))) int sc_main(int, char **)
{
    return 0;
}

namespace
{

constexpr uint64_t PS_PER_NS = 1000;
constexpr Picoseconds CPU_LOOK = 100'000;
constexpr uint64_t SLICE_NS = 1'000'000'000; // of idle time, between two looks
constexpr uint64_t ARRIVAL_STEP_NS = 1'000, ARRIVAL_MAX_NS = 10'000'000;

unsigned prefix_of(uint32_t netmask)
{
    return static_cast<unsigned>(__builtin_popcount(netmask));
}

} // namespace

struct world {
    world(machine *machine, const machine_config &config)
        : m(machine), card("card", engine, card_config()), port(engine, "script"), cable(card, port),
          host("host", host_config(machine, config))
    {
        host.registers.bind(card.registers);
        card.dma.bind(host.memory.bus);
        card.irq(irq);
        host.irq(irq);
        port.on_receive([this](Frame &frame) { leave(frame); });
        host.run("ready", sc_core::SC_ZERO_TIME, [this] { up = true; });
        spawn_thread("pause", [this] { pause(); });
    }

    static Card::Config card_config()
    {
        Card::Config config;
        std::memcpy(config.mac_address.data(), WORLD_OWN_MAC, 6);
        return config;
    }

    static Host::Config host_config(machine *m, const machine_config &config)
    {
        Host::Config host;
        host.address = ntohl(config.address);
        host.prefix = prefix_of(config.netmask);
        host.stack = config.stack;
        host.block = [m](lan_wakeup *wakeup, uint64_t deadline_ns) { machine_block(m, wakeup, deadline_ns); };
        host.unblock = [m](lan_wakeup *wakeup) {
            machine_unblock(m, wakeup);
            m->world->attention.notify(sc_core::SC_ZERO_TIME);
        };
        return host;
    }

    // A frame of the stack's; the answer to a question goes back at once.
    void leave(const Frame &frame)
    {
        const uint8_t *data = frame.bytes.data();
        const unsigned type = data[12] << 8 | data[13];
        if (type == WORLD_TYPE_ARP) {
            std::vector<uint8_t> answer(WORLD_ETH_BYTES + WORLD_ARP_BYTES);
            world_put_header(answer.data(), WORLD_TYPE_ARP);
            if (world_answer_arp(data + WORLD_ETH_BYTES, answer.data() + WORLD_ETH_BYTES))
                port.send(answer);
        } else if (type == WORLD_TYPE_IP && up) {
            const uint8_t *packet = data + WORLD_ETH_BYTES;
            machine_emit(m, packet, static_cast<size_t>(packet[2] << 8 | packet[3]), frame.end / PS_PER_NS);
            attention.notify(sc_core::SC_ZERO_TIME);
        }
    }

    // Ends world_step() as soon as no thread of the host is at work.
    void pause()
    {
        for (;;) {
            sc_core::wait(attention);
            while (host.busy())
                sc_core::wait(sc_core::sc_time::from_value(CPU_LOOK));
            sc_core::sc_pause();
        }
    }

    machine *m;
    bool up = false;
    sc_core::sc_event attention;
    ClockEngine engine{"engine"};
    Card card;
    FramePort port;
    Cable cable;
    Host host;
    sc_core::sc_signal<bool> irq{"irq"};
};

bool world_create(machine *m, const machine_config *config)
{
    m->world = new world(m, *config);
    do
        world_step(m, m->now_ns + ARRIVAL_MAX_NS);
    while (!m->world->up && m->now_ns < 10 * SLICE_NS);
    m->stack = m->world->host.stack();
    return m->world->up && lan_route_add(m->stack, 0, 0, config->gateway, lan_nic_netif(m->world->host.nic())) == 0;
}

// What SystemC holds ends with the process.
void world_destroy(machine *)
{
}

uint64_t world_next(const machine *m)
{
    return m->now_ns + SLICE_NS;
}

void world_step(machine *m, uint64_t until_ns)
{
    const uint64_t now = sc_core::sc_time_stamp().value(), until = until_ns * PS_PER_NS;

    m->world->attention.notify(sc_core::sc_time::from_value(until > now ? until - now : 0));
    simulate();
    m->now_ns = sc_core::sc_time_stamp().value() / PS_PER_NS;
}

void world_settle(machine *)
{
}

void world_receive(machine *m, const void *packet, size_t bytes)
{
    const lan_netif *netif = lan_nic_netif(m->world->host.nic());
    const auto taken = [netif] { return netif->stats.in_frames + netif->stats.in_errors + netif->stats.in_discards; };
    const uint64_t before = taken(), end_ns = m->now_ns + ARRIVAL_MAX_NS;
    std::vector<uint8_t> frame(WORLD_ETH_BYTES + bytes);

    world_put_header(frame.data(), WORLD_TYPE_IP);
    std::memcpy(frame.data() + WORLD_ETH_BYTES, packet, bytes);
    m->world->port.send(std::move(frame));
    while (taken() == before && m->now_ns < end_ns)
        world_step(m, m->now_ns + ARRIVAL_STEP_NS);
}
