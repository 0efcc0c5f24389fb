// SPDX-License-Identifier: Apache-2.0
#include "sim/platform/host.h"

#include <algorithm>
#include <arpa/inet.h>
#include <cstring>
#include <stdexcept>

#include "sim/platform/simulation.h"

namespace lanyard
{

using namespace sc_core;

namespace
{

constexpr size_t ALIGNMENT = 64; // of what lan_stack_create() and lan_nic_create() lay out

size_t aligned(size_t bytes)
{
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

uint64_t now_ns()
{
    return sc_time_stamp().value() / 1000;
}

// From now to a deadline; it may have passed.
sc_time until(uint64_t deadline_ns)
{
    const uint64_t now = now_ns();
    return sc_time::from_value(deadline_ns > now ? (deadline_ns - now) * 1000 : 0);
}

uint32_t netmask(unsigned prefix)
{
    return prefix == 0 ? 0 : htonl(~uint32_t{0} << (32 - prefix));
}

} // namespace

Host::Host(const sc_module_name &name, const Config &config)
    : sc_module(name), registers("registers"),
      memory("memory", aligned(lan_stack_size(&config.stack)) + lan_nic_size(&config.nic)), irq("irq"), config_(config),
      random_(config.seed), port_(make_port(this)), bus_(make_bus(this))
{
    config_.nic.phy_interrupt = true;
    spawn_thread("boot", [this] { boot(); });
}

void Host::boot()
{
    cpu_.take();
    const size_t stack_bytes = aligned(lan_stack_size(&config_.stack));
    stack_ = lan_stack_create(memory.data(), stack_bytes, &port_, &config_.stack);
    if (!stack_)
        throw std::runtime_error(std::string(name()) + ": the stack refused its configuration");
    int error = 0;
    nic_ = lan_nic_create(memory.data() + stack_bytes, &bus_, lan_stack_pool(stack_), &config_.nic, &error);
    if (!nic_)
        throw std::runtime_error(std::string(name()) + ": the driver found no card: " + std::strerror(-error));
    lan_netif *netif = lan_nic_netif(nic_);
    error = lan_stack_add_netif(stack_, netif);
    if (error == 0)
        error = lan_netif_set_address(netif, htonl(config_.address), netmask(config_.prefix));
    if (error < 0)
        throw std::runtime_error(std::string(name()) + ": no network: " + std::strerror(-error));
    for (poll_link(); link_poll_ns_ != LAN_NEVER; poll_link())
        wait(until(link_poll_ns_));
    cpu_.give();
    up_ = true;
    is_up_.notify(SC_ZERO_TIME);
    serve_card_and_timers();
}

void Host::run(const std::string &name, const sc_time &start, std::function<void()> program)
{
    spawn_thread(name, [this, start, program = std::move(program)] {
        wait_until_up();
        if (start > sc_time_stamp())
            wait(start - sc_time_stamp());
        cpu_.take();
        program();
        cpu_.give();
    });
}

void Host::wait_until_up()
{
    if (!up_)
        wait(is_up_);
}

// The interrupt handler and the timer interrupt of this host.
void Host::serve_card_and_timers()
{
    for (;;) {
        if (!irq.read() && now_ns() < alarm_ns_ && now_ns() < link_poll_ns_)
            wait(irq.posedge_event() | alarm_ | link_poll_);
        cpu_.take();
        if (irq.read() && lan_nic_interrupt(nic_))
            link_poll_ns_ = now_ns();
        if (now_ns() >= link_poll_ns_)
            poll_link();
        set_alarm(lan_stack_poll(stack_));
        cpu_.give();
    }
}

void Host::poll_link()
{
    const uint64_t pause = lan_nic_poll_link(nic_);
    link_poll_ns_ = pause == LAN_NEVER ? LAN_NEVER : now_ns() + pause;
    link_poll_.cancel();
    if (pause != LAN_NEVER)
        link_poll_.notify(until(link_poll_ns_));
}

uint32_t Host::read_register(uint32_t offset)
{
    uint32_t value = 0;
    access(tlm::TLM_READ_COMMAND, offset, value);
    return value;
}

void Host::write_register(uint32_t offset, uint32_t value)
{
    access(tlm::TLM_WRITE_COMMAND, offset, value);
}

void Host::access(tlm::tlm_command command, uint32_t offset, uint32_t &value)
{
    tlm::tlm_generic_payload payload;
    payload.set_command(command);
    payload.set_address(offset);
    payload.set_data_ptr(reinterpret_cast<unsigned char *>(&value));
    payload.set_data_length(sizeof value);
    payload.set_streaming_width(sizeof value);
    sc_time delay;
    registers->b_transport(payload, delay);
    if (delay != SC_ZERO_TIME)
        wait(delay);
    if (payload.is_response_error())
        throw std::runtime_error(std::string(name()) + ": register access at offset " + std::to_string(offset) + ": " +
                                 payload.get_response_string());
}

lan_bus Host::make_bus(Host *host)
{
    lan_bus bus{};
    bus.ctx = host;
    bus.read = [](void *ctx, uint32_t offset) { return static_cast<Host *>(ctx)->read_register(offset); };
    bus.write = [](void *ctx, uint32_t offset, uint32_t value) {
        static_cast<Host *>(ctx)->write_register(offset, value);
    };
    bus.dma_address = [](void *ctx, const void *ptr) {
        const auto offset = static_cast<const uint8_t *>(ptr) - static_cast<Host *>(ctx)->memory.data();
        return Memory::BASE + static_cast<uint32_t>(offset);
    };
    bus.barrier = [](void *) {}; // the card runs in this very thread
    return bus;
}

lan_port Host::make_port(Host *host)
{
    lan_port port{};
    port.ctx = host;
    port.now_ns = [](void *) { return now_ns(); };
    port.random = [](void *ctx, void *out, size_t bytes) {
        auto *to = static_cast<uint8_t *>(out);
        std::generate_n(to, bytes, [ctx] { return static_cast<uint8_t>(static_cast<Host *>(ctx)->random_.next()); });
    };
    port.set_alarm = [](void *ctx, uint64_t deadline_ns) { static_cast<Host *>(ctx)->set_alarm(deadline_ns); };
    port.block = [](void *ctx, lan_wakeup *w, uint64_t deadline_ns) {
        static_cast<Host *>(ctx)->block(w, deadline_ns);
    };
    port.unblock = [](void *ctx, lan_wakeup *w) {
        auto *host = static_cast<Host *>(ctx);
        if (host->config_.unblock)
            host->config_.unblock(w);
        else if (w->task)
            static_cast<sc_event *>(w->task)->notify(SC_ZERO_TIME);
    };
    return port;
}

void Host::set_alarm(uint64_t deadline_ns)
{
    alarm_ns_ = deadline_ns;
    alarm_.cancel();
    if (deadline_ns != LAN_NEVER)
        alarm_.notify(until(deadline_ns));
}

void Host::block(lan_wakeup *w, uint64_t deadline_ns)
{
    if (config_.block) {
        config_.block(w, deadline_ns);
        return;
    }
    if (w->woken || deadline_ns <= now_ns())
        return;
    sc_event woken;
    w->task = &woken;
    cpu_.give();
    if (deadline_ns == LAN_NEVER)
        wait(woken);
    else
        wait(until(deadline_ns), woken);
    w->task = nullptr;
    cpu_.take();
}

std::map<std::string, uint64_t> Host::card_statistics()
{
    std::map<std::string, uint64_t> statistics;
    cpu_.take();
    uint64_t value = 0;
    for (uint32_t i = 0; const char *counter = lan_nic_statistic(nic_, i, &value); i++)
        statistics[counter] = value;
    cpu_.give();
    return statistics;
}

std::map<std::string, uint64_t> Host::driver_counters() const
{
    std::map<std::string, uint64_t> counters;
    uint64_t value = 0;
    for (uint32_t i = 0; const char *counter = lan_nic_counter(nic_, i, &value); i++)
        counters[counter] = value;
    return counters;
}

const struct lan_nic_link &Host::link() const
{
    return *lan_nic_link(nic_);
}

std::vector<lan_counter> Host::stack_counters() const
{
    std::vector<lan_counter> counters(lan_stack_counters(stack_, nullptr, 0));
    lan_stack_counters(stack_, counters.data(), counters.size());
    return counters;
}

} // namespace lanyard
