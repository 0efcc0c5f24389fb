// SPDX-License-Identifier: Apache-2.0
#include "sim/wire/tap_port.h"

#include <cerrno>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace lanyard
{

namespace
{

// More than a frame of any MTU that Linux gives a TAP device.
constexpr size_t READ_BYTES = 65'536;

int open_device(const std::string &device)
{
    const int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        throw std::system_error(errno, std::generic_category(), "/dev/net/tun");
    ifreq request{};
    request.ifr_flags = IFF_TAP | IFF_NO_PI;
    device.copy(request.ifr_name, IFNAMSIZ - 1);
    if (ioctl(fd, TUNSETIFF, &request) < 0) {
        const int error = errno;
        close(fd);
        throw std::system_error(error, std::generic_category(), "TAP device " + device);
    }
    return fd;
}

} // namespace

TapPort::TapPort(ClockEngine &engine, const std::string &device, MiiRate rate)
    : device_(device), port_(engine, device, rate), fd_(open_device(device))
{
    port_.on_receive([this](Frame &frame) { deliver(frame); });
}

TapPort::~TapPort()
{
    close(fd_);
}

void TapPort::receive()
{
    std::vector<uint8_t> buffer(READ_BYTES);
    while (port_.queued() < QUEUE_FRAMES) {
        const ssize_t bytes = read(fd_, buffer.data(), buffer.size());
        if (bytes <= 0)
            return;
        counters_.from_linux++;
        port_.send({buffer.begin(), buffer.begin() + bytes});
    }
}

void TapPort::deliver(const Frame &frame)
{
    if (write(fd_, frame.bytes.data(), frame.bytes.size()) < 0)
        counters_.refused_by_linux++;
    else
        counters_.to_linux++;
}

} // namespace lanyard
