// SPDX-License-Identifier: Apache-2.0
#pragma once

// A simulated host: its memory, its processor, and the C stack and driver that run on it. The card is beside it, bound
// to `registers`, `memory.bus` and `irq`.
//
// Software takes no time, except where it waits: for a register read, or in the port's block(). At most one thread of
// the host runs at a time, and gives the processor up only in block().

#include <functional>
#include <map>
#include <string>
#include <systemc>
#include <tlm_utils/simple_initiator_socket.h>

#include "sim/platform/cpu.h"
#include "sim/platform/memory.h"
#include "sim/wire/random.h"

extern "C" {
#include "lanyard/nic.h"
#include "lanyard/socket.h"
}

namespace lanyard
{

class Host : public sc_core::sc_module
{
  public:
    struct Config {
        uint32_t address = 0; // host byte order
        unsigned prefix = 24;
        uint64_t seed = 1;
        lan_config stack = LAN_CONFIG_DEFAULT;
        lan_nic_config nic = LAN_NIC_CONFIG_DEFAULT;

        // How programs sleep and are woken that are no threads of the simulation but use the stack while it is paused
        // and this host is not busy(). Both or none.
        std::function<void(lan_wakeup *, uint64_t)> block;
        std::function<void(lan_wakeup *)> unblock;
    };

    Host(const sc_core::sc_module_name &name, const Config &config);

    tlm_utils::simple_initiator_socket<Host> registers;
    Memory memory;
    sc_core::sc_in<bool> irq;

    // Runs `program` in a thread of its own on this host's processor, from `start` on or when the network is up.
    // Call before the simulation or from a thread of it; what is due at once starts in the order of the calls.
    void run(const std::string &name, const sc_core::sc_time &start, std::function<void()> program);

    // For threads of the simulation that are no threads of this host.
    void wait_until_up();

    // A thread of this host runs, or would if it did not wait for the card.
    bool busy() const
    {
        return cpu_.taken();
    }

    // For the programs.
    lan_stack *stack()
    {
        return stack_;
    }
    lan_nic *nic()
    {
        return nic_;
    }
    const lan_port *port() const
    {
        return &port_;
    }

    // Once it is up. The card's are read over its registers, which takes time: from a thread of the simulation that is
    // no thread of this host.
    std::map<std::string, uint64_t> card_statistics();
    std::map<std::string, uint64_t> driver_counters() const;
    const struct lan_nic_link &link() const;
    std::vector<lan_counter> stack_counters() const;

  private:
    void boot();
    void serve_card_and_timers();
    void poll_link();
    uint32_t read_register(uint32_t offset);
    void write_register(uint32_t offset, uint32_t value);
    void access(tlm::tlm_command command, uint32_t offset, uint32_t &value);

    static lan_port make_port(Host *host);
    static lan_bus make_bus(Host *host);
    void set_alarm(uint64_t deadline_ns);
    void block(lan_wakeup *wakeup, uint64_t deadline_ns);

    Config config_;
    Cpu cpu_;
    Random random_;
    lan_port port_;
    lan_bus bus_;
    lan_stack *stack_ = nullptr;
    lan_nic *nic_ = nullptr;
    bool up_ = false;
    sc_core::sc_event is_up_;
    uint64_t alarm_ns_ = LAN_NEVER;
    sc_core::sc_event alarm_;
    uint64_t link_poll_ns_ = 0;
    sc_core::sc_event link_poll_;
};

} // namespace lanyard
