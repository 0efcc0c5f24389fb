// SPDX-License-Identifier: Apache-2.0
#pragma once

// Writes the frames of cables and hubs to a pcap file with nanosecond stamps: whole frames without FCS, as they
// leave the sender of a cable or pass the middle of a hub, stamped at their end, ordered by (time, source, sequence).
// As with a network card's capture, carrier that held no good frame is counted and not written.

#include <functional>
#include <memory>
#include <string>

#include "sim/wire/cable.h"
#include "sim/wire/frame.h"
#include "sim/wire/hub.h"

namespace lanyard
{

class Capture
{
  public:
    // Throws std::runtime_error (what, where) if the file cannot be written.
    explicit Capture(const std::string &path);
    Capture(const Capture &) = delete;
    Capture &operator=(const Capture &) = delete;
    ~Capture(); // closes

    // Both directions of a cable; what every station of a hub hears. They must outlive the capture's use.
    void watch(Cable &cable);
    void watch(Hub &hub);

    // Called for each frame at its end, ahead of SystemC's time; number counts from 1 over all of them.
    void on_frame(std::function<void(uint64_t number, const Frame &frame)> callback);

    uint64_t frames() const;
    uint64_t bad() const;

    // Writes out what is pending and closes. Throws std::runtime_error if not everything could be written.
    void close();

  private:
    class Tap;
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace lanyard
