// SPDX-License-Identifier: Apache-2.0
#pragma once

// The applications of a scenario: those of host/apps on their hosts, and commands of this machine.

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "sim/platform/host.h"
#include "sim/platform/pacer.h"
#include "sim/platform/scenario.h"

namespace lanyard
{

using Json = nlohmann::ordered_json;

class Application
{
  public:
    explicit Application(const ApplicationSpec &spec) : spec_(spec)
    {
    }
    Application(const Application &) = delete;
    Application &operator=(const Application &) = delete;
    virtual ~Application() = default;

    const ApplicationSpec &spec() const
    {
        return spec_;
    }

    // Runs in a thread of its own from its start time on; services never return.
    virtual void run() = 0;

    // Empty: all is well (so far).
    virtual std::string error() const = 0;

    // Adds what it has to say to a report.
    virtual void report(Json &to) const = 0;

  private:
    ApplicationSpec spec_;
};

// `seed`: of the pattern of bulk transfers, the same at both ends. `host` is borrowed.
std::unique_ptr<Application> make_application(const ApplicationSpec &spec, Host &host, uint64_t seed);
std::unique_ptr<Application> make_command(const ApplicationSpec &spec, Pacer &pacer);

} // namespace lanyard
