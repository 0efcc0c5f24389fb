// SPDX-License-Identifier: Apache-2.0
#pragma once

// A scenario built and run: hosts, cards, links, applications, and what is recorded.

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sim/card/card.h"
#include "sim/card/waveform.h"
#include "sim/platform/application.h"
#include "sim/platform/host.h"
#include "sim/platform/pacer.h"
#include "sim/platform/scenario.h"
#include "sim/wire/cable.h"
#include "sim/wire/capture.h"
#include "sim/wire/hub.h"
#include "sim/wire/tap_port.h"

namespace lanyard
{

class Topology
{
  public:
    // One of a process. A scenario with a TAP needs a network namespace of the process's own (sandbox.h). Throws
    // UserError for what the user can mend.
    explicit Topology(const Scenario &scenario);
    ~Topology();

    // Runs until the duration is over, all applications that end have ended, or stop().
    void run();

    // Ends the run. From a thread of the simulation, or from a callback of the pacer.
    void stop(const std::string &why);

    Host &host(const std::string &name)
    {
        return *nodes_.at(name)->host;
    }

    // Null without a TAP.
    Pacer *pacer()
    {
        return pacer_.get();
    }

    // After the run: what was, with every counter.
    const Json &report() const
    {
        return report_;
    }

    // "LABEL: what went wrong" for each application that did not do what it should.
    std::vector<std::string> errors() const;

  private:
    struct Node {
        std::unique_ptr<Card> card;
        std::unique_ptr<Host> host;
        sc_core::sc_signal<bool> irq;
        Cable *cable = nullptr;                     // none: not attached
        std::map<std::string, uint64_t> statistics; // the card's, read at the end
    };
    struct Link {
        LinkSpec spec;
        std::unique_ptr<Impairment> impairment;
        std::unique_ptr<TapPort> tap;
        std::vector<std::unique_ptr<Cable>> cables;
    };

    void add_host(const HostSpec &spec);
    void add_hub(const HubSpec &spec);
    void add_link(const LinkSpec &spec);
    void add_application(const ApplicationSpec &spec);
    void record();
    void plug_at(const HostSpec &spec);
    void start_applications();
    void application_ended(const Application &application);
    void conclude();
    void write_report();
    Json report_host(const Node &node) const;
    Json report_link(const Link &link) const;

    Scenario scenario_;
    ClockEngine engine_;
    std::unique_ptr<Pacer> pacer_;
    std::map<std::string, std::unique_ptr<Node>> nodes_;
    std::vector<Link> links_;
    std::vector<std::unique_ptr<Hub>> hubs_;
    std::vector<std::unique_ptr<Application>> applications_;
    std::unique_ptr<Capture> capture_;
    std::unique_ptr<Waveform> waveform_;
    size_t running_ = 0; // applications that end and have not
    std::string why_stopped_;
    sc_core::sc_event stopped_;
    std::chrono::nanoseconds wall_time_{};
    Json report_;
};

} // namespace lanyard
