// SPDX-License-Identifier: Apache-2.0
// An impaired wire between two TAP devices: the kernel's own, which this program makes, and the stack's, whose kernel
// side it takes through a packet socket. For link.py. Ends with its standard input and then says what it did.
//
//   wire KERNEL_DEVICE STACK_DEVICE [NAME=VALUE...]
//
// What the names mean is what they mean in sim/wire/impairment.h; rates are 0 to 1, times in microseconds. Both
// directions do the same, each with a generator of its own. `mark` sets CE instead of dropping (RFC 3168 5).
#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <map>
#include <net/if.h>
#include <poll.h>
#include <string>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <vector>

#include "sim/wire/random.h"

namespace
{

constexpr size_t OVERHEAD_OCTETS = 8 + 4 + 12; // preamble with SFD, FCS, gap
constexpr uint64_t NS_PER_S = 1'000'000'000;
constexpr uint64_t NEVER = UINT64_MAX;
constexpr size_t FRAME_MAX = 2048;
constexpr int BATCH = 64;

struct Settings {
    double drop = 0, duplicate = 0, reorder = 0, mark = 0;
    double delay = 1000, jitter = 0, reorder_delay = 2000;
    double rate_mbps = 100, queue_bytes = 250'000, seed = 1;
};

uint64_t now_ns()
{
    timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return static_cast<uint64_t>(time.tv_sec) * NS_PER_S + static_cast<uint64_t>(time.tv_nsec);
}

[[noreturn]] void fail(const std::string &what)
{
    std::fprintf(stderr, "wire: %s: %s\n", what.c_str(), std::strerror(errno));
    std::exit(1);
}

// Where frames come from and go to.
class Port
{
  public:
    virtual ~Port() = default;
    virtual bool receive(std::vector<uint8_t> &frame) = 0; // false: none is waiting

    int fd() const
    {
        return fd_;
    }

    bool send(const std::vector<uint8_t> &frame)
    {
        return write(fd_, frame.data(), frame.size()) == static_cast<ssize_t>(frame.size());
    }

  protected:
    explicit Port(int fd) : fd_(fd)
    {
    }

    int fd_;
};

class TapDevice : public Port
{
  public:
    explicit TapDevice(const char *device) : Port(open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC))
    {
        ifreq request{};
        request.ifr_flags = IFF_TAP | IFF_NO_PI;
        std::strncpy(request.ifr_name, device, sizeof request.ifr_name - 1);
        if (fd_ < 0 || ioctl(fd_, TUNSETIFF, &request) < 0)
            fail(device);
    }

    bool receive(std::vector<uint8_t> &frame) override
    {
        frame.resize(FRAME_MAX);
        const ssize_t bytes = read(fd_, frame.data(), frame.size());
        frame.resize(bytes < 0 ? 0 : static_cast<size_t>(bytes));
        return bytes > 0;
    }
};

// What another program's TAP device hands to the kernel, and back. Frames come through a ring (packet(7)): the buffer
// of a plain socket is smaller than a burst, and what it loses is lost without a word.
class PacketSocket : public Port
{
  public:
    explicit PacketSocket(const char *device)
        : Port(socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, htons(ETH_P_ALL)))
    {
        const int version = TPACKET_V2, on = 1;
        const tpacket_req request = {BLOCK_BYTES, FRAMES * FRAME_MAX / BLOCK_BYTES, FRAME_MAX, FRAMES};
        sockaddr_ll address{};
        address.sll_family = AF_PACKET;
        address.sll_protocol = htons(ETH_P_ALL);
        address.sll_ifindex = static_cast<int>(if_nametoindex(device));
        if (fd_ < 0 || address.sll_ifindex == 0 ||
            setsockopt(fd_, SOL_PACKET, PACKET_VERSION, &version, sizeof version) < 0 ||
            setsockopt(fd_, SOL_PACKET, PACKET_RX_RING, &request, sizeof request) < 0 ||
            setsockopt(fd_, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on) < 0 ||
            bind(fd_, reinterpret_cast<sockaddr *>(&address), sizeof address) < 0)
            fail(device);
        ring_ = static_cast<uint8_t *>(mmap(nullptr, FRAMES * FRAME_MAX, PROT_READ | PROT_WRITE, MAP_SHARED, fd_, 0));
        if (ring_ == MAP_FAILED)
            fail(device);
    }

    bool receive(std::vector<uint8_t> &frame) override
    {
        auto *header = reinterpret_cast<tpacket2_hdr *>(ring_ + next_ * FRAME_MAX);
        if (!(__atomic_load_n(&header->tp_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER))
            return false;
        const uint8_t *octets = reinterpret_cast<uint8_t *>(header) + header->tp_mac;
        frame.assign(octets, octets + header->tp_snaplen);
        __atomic_store_n(&header->tp_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
        next_ = (next_ + 1) % FRAMES;
        return true;
    }

  private:
    static constexpr unsigned FRAMES = 4096, BLOCK_BYTES = 65536;
    uint8_t *ring_;
    unsigned next_ = 0;
};

// Sets CE in an IPv4 packet that says it may be marked, and mends the header's checksum (RFC 1624).
bool mark_ce(std::vector<uint8_t> &frame)
{
    if (frame.size() < 34 || frame[12] != 0x08 || frame[13] != 0x00 || (frame[15] & 3) == 0)
        return false;
    const unsigned before = frame[14] << 8 | frame[15];
    frame[15] |= 3;
    const unsigned after = frame[14] << 8 | frame[15];
    unsigned sum = (~(frame[24] << 8 | frame[25]) & 0xffff) + (~before & 0xffff) + after;
    sum = (sum & 0xffff) + (sum >> 16);
    sum = ~((sum & 0xffff) + (sum >> 16));
    frame[24] = static_cast<uint8_t>(sum >> 8);
    frame[25] = static_cast<uint8_t>(sum);
    return true;
}

class Direction
{
  public:
    Direction(const Settings &settings, uint64_t seed, Port &from, Port &to)
        : settings_(settings), random_(seed), from_(from), to_(to)
    {
    }

    uint64_t next() const
    {
        return departures_.empty() ? NEVER : departures_.begin()->first;
    }

    void take()
    {
        std::vector<uint8_t> frame;
        for (int i = 0; i < BATCH && from_.receive(frame); i++)
            arrive(frame);
    }

    void depart()
    {
        for (const uint64_t now = now_ns(); next() <= now; departures_.erase(departures_.begin())) {
            if (to_.send(departures_.begin()->second))
                forwarded_++;
            else
                refused_++;
        }
    }

    std::string report() const
    {
        return "{\"forwarded\": " + std::to_string(forwarded_) + ", \"dropped\": " + std::to_string(dropped_) +
               ", \"queue_dropped\": " + std::to_string(queue_dropped_) +
               ", \"duplicated\": " + std::to_string(duplicated_) + ", \"reordered\": " + std::to_string(reordered_) +
               ", \"marked\": " + std::to_string(marked_) + ", \"refused\": " + std::to_string(refused_) + "}";
    }

  private:
    // Resolving addresses is not what is tried here: its frames pass unharmed.
    static bool is_ip(const std::vector<uint8_t> &frame)
    {
        return frame.size() > 14 && frame[12] == 0x08 && frame[13] == 0x00;
    }

    void arrive(std::vector<uint8_t> frame)
    {
        if (!is_ip(frame)) {
            schedule(std::move(frame));
            return;
        }
        if (random_.chance(settings_.drop)) {
            dropped_++;
            return;
        }
        if (random_.chance(settings_.mark))
            marked_ += mark_ce(frame);
        if (random_.chance(settings_.duplicate)) {
            duplicated_++;
            schedule(frame);
        }
        schedule(std::move(frame));
    }

    void schedule(std::vector<uint8_t> frame)
    {
        const double bytes_per_ns = settings_.rate_mbps * 1e6 / 8 / NS_PER_S;
        const uint64_t now = now_ns(), begin = std::max(now, link_free_);
        if (static_cast<double>(begin - now) * bytes_per_ns > settings_.queue_bytes) {
            queue_dropped_++;
            return;
        }
        link_free_ = begin + static_cast<uint64_t>(static_cast<double>(frame.size() + OVERHEAD_OCTETS) / bytes_per_ns);
        const auto spread = random_.below(static_cast<uint64_t>(settings_.jitter * 1000) + 1);
        uint64_t at = last_ = std::max(last_, link_free_ + static_cast<uint64_t>(settings_.delay * 1000) + spread);
        if (random_.chance(settings_.reorder)) {
            reordered_++;
            at += static_cast<uint64_t>(settings_.reorder_delay * 1000);
        }
        departures_.emplace(at, std::move(frame));
    }

    Settings settings_;
    lanyard::Random random_;
    Port &from_, &to_;
    uint64_t link_free_ = 0, last_ = 0;
    std::multimap<uint64_t, std::vector<uint8_t>> departures_;
    uint64_t forwarded_ = 0, dropped_ = 0, queue_dropped_ = 0, duplicated_ = 0, reordered_ = 0, marked_ = 0;
    uint64_t refused_ = 0; // by a device that is down
};

Settings parse(int argc, char **argv)
{
    Settings settings;
    const std::map<std::string, double *> names = {{"drop", &settings.drop},
                                                   {"duplicate", &settings.duplicate},
                                                   {"reorder", &settings.reorder},
                                                   {"mark", &settings.mark},
                                                   {"delay", &settings.delay},
                                                   {"jitter", &settings.jitter},
                                                   {"reorder_delay", &settings.reorder_delay},
                                                   {"rate_mbps", &settings.rate_mbps},
                                                   {"queue_bytes", &settings.queue_bytes},
                                                   {"seed", &settings.seed}};
    for (int i = 3; i < argc; i++) {
        const std::string argument = argv[i];
        const size_t equals = argument.find('=');
        const auto known = names.find(argument.substr(0, equals));
        if (equals == std::string::npos || known == names.end()) {
            std::fprintf(stderr, "wire: %s: no such setting\n", argv[i]);
            std::exit(2);
        }
        *known->second = std::stod(argument.substr(equals + 1));
    }
    return settings;
}

void run(const Port &kernel, const Port &stack, Direction &to_stack, Direction &to_kernel)
{
    std::array<pollfd, 3> polled = {{{0, POLLIN, 0}, {kernel.fd(), POLLIN, 0}, {stack.fd(), POLLIN, 0}}};
    while (polled[0].revents == 0) {
        const uint64_t next = std::min(to_stack.next(), to_kernel.next()), now = now_ns();
        const uint64_t wait = next <= now ? 0 : next - now;
        const timespec timeout = {static_cast<time_t>(wait / NS_PER_S), static_cast<long>(wait % NS_PER_S)};
        ppoll(polled.data(), polled.size(), next == NEVER ? nullptr : &timeout, nullptr);
        to_stack.take();
        to_kernel.take();
        to_stack.depart();
        to_kernel.depart();
    }
}

} // namespace

int main(int argc, char **argv)
{
    if (argc < 3) {
        std::fputs("usage: wire KERNEL_DEVICE STACK_DEVICE [NAME=VALUE...]\n", stderr);
        return 2;
    }
    const Settings settings = parse(argc, argv);
    TapDevice kernel(argv[1]);
    PacketSocket stack(argv[2]);
    const auto seed = static_cast<uint64_t>(settings.seed);
    Direction to_stack(settings, 2 * seed, kernel, stack), to_kernel(settings, 2 * seed + 1, stack, kernel);

    prctl(PR_SET_TIMERSLACK, 1);
    std::puts("ready");
    std::fflush(stdout);
    run(kernel, stack, to_stack, to_kernel);
    std::printf("{\"to_stack\": %s, \"to_kernel\": %s}\n", to_stack.report().c_str(), to_kernel.report().c_str());
    return 0;
}
