// SPDX-License-Identifier: Apache-2.0
#include "sim/platform/sandbox.h"

#include "sim/platform/unique_fd.h"
#include "sim/platform/user_error.h"

#include <arpa/inet.h>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

namespace lanyard
{

namespace
{

bool write_file(const std::string &path, const std::string &text)
{
    UniqueFd file(open(path.c_str(), O_WRONLY | O_CLOEXEC));
    return file.get() >= 0 && write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

void set_address(int socket_fd, ifreq &request, unsigned long what, uint32_t address)
{
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_addr.s_addr = htonl(address);
    std::memcpy(&request.ifr_addr, &in, sizeof in);
    if (ioctl(socket_fd, what, &request) < 0)
        throw UserError("cannot set the address of " + std::string(request.ifr_name) + ": " + std::strerror(errno));
}

void enter_user_and_network_namespace()
{
    const std::string uid = std::to_string(geteuid());
    const std::string gid = std::to_string(getegid());
    // user_namespaces(7): the group map may be written only after setgroups is denied.
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0 || !write_file("/proc/self/uid_map", "0 " + uid + " 1") ||
        !write_file("/proc/self/setgroups", "deny") || !write_file("/proc/self/gid_map", "0 " + gid + " 1")) {
        throw UserError(std::string("cannot make a network namespace: ") + std::strerror(errno) +
                        "; run as root, or let users make them: sysctl -w kernel.unprivileged_userns_clone=1 "
                        "user.max_user_namespaces=10000");
    }
}

void bring_up(int socket_fd, const std::string &device)
{
    ifreq request{};
    device.copy(request.ifr_name, IFNAMSIZ - 1);
    if (ioctl(socket_fd, SIOCGIFFLAGS, &request) == 0) {
        request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP);
        if (ioctl(socket_fd, SIOCSIFFLAGS, &request) == 0)
            return;
    }
    throw UserError("cannot bring " + device + " up: " + std::strerror(errno));
}

UniqueFd control_socket()
{
    return UniqueFd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
}

} // namespace

void enter_network_namespace()
{
    if (unshare(CLONE_NEWNET) < 0)
        enter_user_and_network_namespace();
    bring_up(control_socket().get(), "lo");
}

void configure_device(const std::string &device, uint32_t address, unsigned prefix)
{
    write_file("/proc/sys/net/ipv6/conf/" + device + "/disable_ipv6", "1"); // a kernel without IPv6 has no such file
    const UniqueFd control = control_socket();
    ifreq request{};
    device.copy(request.ifr_name, IFNAMSIZ - 1);
    set_address(control.get(), request, SIOCSIFADDR, address);
    set_address(control.get(), request, SIOCSIFNETMASK, prefix == 0 ? 0 : ~uint32_t{0} << (32 - prefix));
    bring_up(control.get(), device);
}

} // namespace lanyard
