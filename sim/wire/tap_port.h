// SPDX-License-Identifier: Apache-2.0
#pragma once

// A frame port whose other side is a Linux TAP device: what the simulated wire carries to it Linux receives, what Linux
// sends goes out on the simulated wire. Linux hands over whole checksums (no offload is switched on) and frames without
// padding or FCS, which the frame port adds.

#include <string>
#include <system_error>

#include "sim/wire/frame_port.h"

namespace lanyard
{

class TapPort
{
  public:
    struct Counters {
        uint64_t from_linux = 0;
        uint64_t to_linux = 0;
        uint64_t refused_by_linux = 0; // the device was down, or Linux had no memory
    };

    // Frames that wait to be sent on the simulated wire. When there are as many, no more are read, and Linux queues
    // (and drops, and counts) them.
    static constexpr size_t QUEUE_FRAMES = 64;

    // Makes the device, which vanishes with this object. Throws std::system_error: ENOENT, EACCES or EPERM from
    // /dev/net/tun, EPERM from making the device, EBUSY where there is one of this name.
    TapPort(ClockEngine &engine, const std::string &device, MiiRate rate = MiiRate::mbps100);
    TapPort(const TapPort &) = delete;
    TapPort &operator=(const TapPort &) = delete;
    ~TapPort();

    FramePort &port()
    {
        return port_;
    }
    const std::string &device() const
    {
        return device_;
    }

    // Readable when Linux has sent something. The device never blocks.
    int fd() const
    {
        return fd_;
    }

    // Takes what Linux has sent. From a SystemC process.
    void receive();

    const Counters &counters() const
    {
        return counters_;
    }

  private:
    void deliver(const Frame &frame);

    std::string device_;
    FramePort port_;
    int fd_;
    Counters counters_;
};

} // namespace lanyard
