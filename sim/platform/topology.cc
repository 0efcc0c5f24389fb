// SPDX-License-Identifier: Apache-2.0
#include "sim/platform/topology.h"

#include <system_error>

#include "sim/platform/sandbox.h"
#include "sim/platform/simulation.h"
#include "sim/platform/user_error.h"

namespace lanyard
{

using namespace sc_core;

namespace
{

// /dev/net/tun and what Linux says of it, as the user must hear it.
UserError tap_error(const std::system_error &error)
{
    const std::string what = error.what();
    switch (error.code().value()) {
    case ENOENT:
    case ENODEV:
    case ENXIO:
        return UserError(what + "; load the module with 'modprobe tun' as root, or give the container the device "
                                "(docker run --device /dev/net/tun)");
    case EACCES:
    case EPERM:
        return UserError(what + "; run as root, or open it to users with 'chmod 0666 /dev/net/tun' as root");
    default:
        return UserError(what);
    }
}

std::unique_ptr<TapPort> open_tap(ClockEngine &engine, const LinkSpec &spec, MiiRate rate)
{
    try {
        return std::make_unique<TapPort>(engine, spec.tap, rate);
    } catch (const std::system_error &error) {
        throw tap_error(error);
    }
}

Json report_impairment(const Impairment::Counters &counters)
{
    return {{"forwarded", counters.forwarded},        {"dropped", counters.dropped},
            {"duplicated", counters.duplicated},      {"reordered", counters.reordered},
            {"corrupted", counters.corrupted},        {"corrupted_fcs", counters.corrupted_fcs},
            {"queue_dropped", counters.queue_dropped}};
}

} // namespace

// The names of modules hold a '-' where a host's name could clash with them.
Topology::Topology(const Scenario &scenario)
    : scenario_(scenario), engine_("clock-engine", ClockEngine::Config{scenario.idle_skip})
{
    if (scenario.has_tap())
        pacer_ = std::make_unique<Pacer>("wall-clock", [this] { return engine_.idle(); });
    for (const HostSpec &host : scenario.hosts)
        add_host(host);
    for (const LinkSpec &link : scenario.links)
        add_link(link);
    for (const HubSpec &hub : scenario.hubs)
        add_hub(hub);
    for (const ApplicationSpec &application : scenario.applications)
        add_application(application);
    record();
}

Topology::~Topology() = default;

void Topology::add_host(const HostSpec &spec)
{
    auto node = std::make_unique<Node>();
    Card::Config card;
    card.clk_period = spec.clk_period;
    card.mii_rate = spec.mii_rate;
    card.memory_latency = spec.memory_latency_cycles;
    card.mac_address = spec.mac;
    card.phy_address = spec.phy_address;
    node->card = std::make_unique<Card>(spec.name.c_str(), engine_, card);

    Host::Config host;
    host.address = spec.address.address;
    host.prefix = spec.address.prefix;
    host.seed = seed_of(scenario_.seed, "host " + spec.name);
    if (spec.send_buffer_bytes) {
        host.stack.send_buffer_bytes = *spec.send_buffer_bytes;
        host.stack.send_buffer_max_bytes = 0;
    }
    if (spec.receive_buffer_bytes) {
        host.stack.receive_buffer_bytes = *spec.receive_buffer_bytes;
        host.stack.receive_buffer_max_bytes = 0;
    }
    node->host = std::make_unique<Host>((spec.name + "-host").c_str(), host);

    node->host->registers.bind(node->card->registers);
    node->card->dma.bind(node->host->memory.bus);
    node->card->irq(node->irq);
    node->host->irq(node->irq);
    nodes_[spec.name] = std::move(node);
}

void Topology::add_link(const LinkSpec &spec)
{
    Link link;
    link.spec = spec;
    Node &a = *nodes_.at(spec.a);
    MiiEnd *end = a.card.get();
    if (spec.impairment) {
        const std::string name = "impairment-" + spec.a;
        Impairment::Config there = *spec.impairment;
        Impairment::Config back = *spec.impairment;
        there.seed = seed_of(scenario_.seed, name + " there");
        back.seed = seed_of(scenario_.seed, name + " back");
        link.impairment = std::make_unique<Impairment>(name.c_str(), engine_, there, back, end->rate());
        link.cables.push_back(std::make_unique<Cable>(*end, link.impairment->a()));
        end = &link.impairment->b();
    }
    if (spec.tap.empty()) {
        Node &b = *nodes_.at(spec.b);
        link.cables.push_back(std::make_unique<Cable>(*end, *b.card, spec.delay));
        b.cable = link.cables.back().get();
    } else {
        link.tap = open_tap(engine_, spec, end->rate());
        configure_device(spec.tap, spec.tap_address.address, spec.tap_address.prefix);
        link.cables.push_back(std::make_unique<Cable>(*end, link.tap->port(), spec.delay));
        pacer_->watch(link.tap->fd(), [tap = link.tap.get()] { tap->receive(); });
    }
    a.cable = link.cables.front().get();
    links_.push_back(std::move(link));
}

void Topology::add_hub(const HubSpec &spec)
{
    const std::string name = "hub-" + std::to_string(hubs_.size());
    hubs_.push_back(std::make_unique<Hub>(engine_, name, nodes_.at(spec.hosts[0])->card->rate()));
    for (size_t i = 0; i < spec.hosts.size(); i++) {
        Node &node = *nodes_.at(spec.hosts[i]);
        node.cable = &hubs_.back()->connect(*node.card, spec.delays[i]);
    }
}

void Topology::add_application(const ApplicationSpec &spec)
{
    if (spec.kind == ApplicationKind::command)
        applications_.push_back(make_command(spec, *pacer_));
    else
        applications_.push_back(make_application(spec, host(spec.host), scenario_.seed));
    running_ += spec.ends();
}

void Topology::record()
{
    const Recording &record = scenario_.record;
    if (!record.pcap.empty()) {
        capture_ = std::make_unique<Capture>(record.pcap);
        for (Link &link : links_)
            capture_->watch(*link.cables.front());
        for (const auto &hub : hubs_)
            capture_->watch(*hub);
    }
    if (record.fst.empty())
        return;
    waveform_ = std::make_unique<Waveform>(engine_, record.fst);
    for (auto &[name, node] : nodes_)
        waveform_->add(*node->card);
    if (!record.fst_window)
        return;
    const Window &window = *record.fst_window;
    if (window.frame == 0)
        waveform_->window(window.start, window.start + window.length);
    else if (capture_)
        waveform_->window_around_frame(*capture_, window.frame, window.length);
    else
        throw UsageError("a waveform around a frame needs the capture that numbers it, expected pcap, too");
}

void Topology::run()
{
    spawn_thread("conclude", [this] { conclude(); });
    for (const HostSpec &host : scenario_.hosts)
        plug_at(host);
    start_applications();
    if (scenario_.duration > 0) {
        spawn_thread("duration", [this] {
            wait(sc_time::from_value(scenario_.duration));
            stop("the duration is over");
        });
    }
    const auto start = std::chrono::steady_clock::now();
    simulate();
    wall_time_ = std::chrono::steady_clock::now() - start;
    if (capture_)
        capture_->close();
    if (waveform_)
        waveform_->close();
    write_report();
}

// A host without a cable has nothing to pull.
void Topology::plug_at(const HostSpec &spec)
{
    const Node &node = *nodes_.at(spec.name);
    if (spec.unplug == NEVER || !node.cable)
        return;
    spawn_thread("plug " + spec.name, [&node, spec] {
        wait(sc_time::from_value(spec.unplug));
        node.cable->plug(*node.card, false);
        if (spec.plug == NEVER)
            return;
        wait(sc_time::from_value(spec.plug - spec.unplug));
        node.cable->plug(*node.card, true);
    });
}

void Topology::start_applications()
{
    for (auto &application : applications_) {
        const ApplicationSpec &spec = application->spec();
        const auto body = [this, &application] {
            application->run();
            application_ended(*application);
        };
        const sc_time start = sc_time::from_value(spec.start);
        if (spec.kind != ApplicationKind::command) {
            host(spec.host).run(spec.label, start, body);
            continue;
        }
        spawn_thread(spec.label, [this, start, body] {
            for (auto &[name, node] : nodes_)
                node->host->wait_until_up();
            if (start > sc_time_stamp())
                wait(start - sc_time_stamp());
            body();
        });
    }
}

void Topology::application_ended(const Application &application)
{
    if (application.spec().ends() && --running_ == 0)
        stop("the applications have ended");
}

void Topology::stop(const std::string &why)
{
    why_stopped_ = why;
    stopped_.notify(SC_ZERO_TIME);
}

// Reads what is to be read over the cards' registers, then ends the simulation.
void Topology::conclude()
{
    wait(stopped_);
    for (auto &[name, node] : nodes_) {
        node->host->wait_until_up();
        node->statistics = node->host->card_statistics();
    }
    sc_stop();
}

void Topology::write_report()
{
    report_["seed"] = scenario_.seed;
    report_["end"] = why_stopped_;
    report_["simulated_ns"] = sc_time_stamp().value() / 1000;
    report_["wall_ns"] = wall_time_.count();
    report_["kernel_entries"] = engine_.kernel_entries();
    for (const auto &[name, node] : nodes_)
        report_["hosts"][name] = report_host(*node);
    report_["links"] = Json::array();
    for (const Link &link : links_)
        report_["links"].push_back(report_link(link));
    for (const auto &hub : hubs_)
        report_["hubs"].push_back(
            {{"transmissions", hub->counters().transmissions}, {"collisions", hub->counters().collisions}});
    if (pacer_) {
        const Pacer::Counters &pacer = pacer_->counters();
        report_["pacer"] = {{"sleeps", pacer.sleeps},
                            {"by_input", pacer.by_input},
                            {"slept_ns", pacer.slept_ns},
                            {"behind_ns", pacer.behind_ns}};
    }
    if (capture_)
        report_["capture"] = {
            {"file", scenario_.record.pcap}, {"frames", capture_->frames()}, {"bad", capture_->bad()}};
    if (waveform_)
        report_["waveform"] = scenario_.record.fst;
    report_["applications"] = Json::array();
    for (const auto &application : applications_) {
        Json &entry = report_["applications"].emplace_back();
        entry["application"] = application->spec().label;
        entry["error"] = application->error();
        application->report(entry);
    }
}

Json Topology::report_host(const Node &node) const
{
    Json report;
    report["cycles_ticked"] = node.card->cycles_ticked();
    report["cycles_skipped"] = node.card->cycles_skipped();
    report["card"] = node.statistics;
    report["driver"] = node.host->driver_counters();
    const struct lan_nic_link &link = node.host->link();
    report["link"] = {{"up", link.up},
                      {"mbps", link.mbps},
                      {"full_duplex", link.full_duplex},
                      {"pause_tx", link.pause_tx},
                      {"pause_rx", link.pause_rx}};
    for (const lan_counter &counter : node.host->stack_counters())
        report["stack"][counter.name] = counter.value;
    return report;
}

Json Topology::report_link(const Link &link) const
{
    Json report;
    report["between"] = {link.spec.a, link.tap ? link.spec.tap : link.spec.b};
    if (link.impairment) {
        report["there"] = report_impairment(link.impairment->a_to_b());
        report["back"] = report_impairment(link.impairment->b_to_a());
    }
    if (link.tap) {
        const TapPort::Counters &counters = link.tap->counters();
        report["frames_from_linux"] = counters.from_linux;
        report["frames_to_linux"] = counters.to_linux;
        report["frames_refused_by_linux"] = counters.refused_by_linux;
    }
    return report;
}

std::vector<std::string> Topology::errors() const
{
    std::vector<std::string> errors;
    for (const auto &application : applications_)
        if (!application->error().empty())
            errors.push_back(application->spec().label + ": " + application->error());
    return errors;
}

} // namespace lanyard
