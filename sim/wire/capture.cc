// SPDX-License-Identifier: Apache-2.0
#include "sim/wire/capture.h"

#include <algorithm>
#include <pcap/pcap.h>
#include <stdexcept>

namespace lanyard
{

namespace
{

constexpr int SNAPLEN = 65'535;

struct PcapDeleter {
    void operator()(pcap_t *pcap) const
    {
        pcap_close(pcap);
    }
    void operator()(pcap_dumper_t *dumper) const
    {
        pcap_dump_close(dumper);
    }
};

} // namespace

// Frames that end in one instant wait here for each other, whatever the order in which their lines were served.
struct Capture::State {
    struct Record {
        unsigned source;
        Frame frame;
    };

    std::string path;
    std::unique_ptr<pcap_t, PcapDeleter> pcap;
    std::unique_ptr<pcap_dumper_t, PcapDeleter> dumper;
    std::vector<std::unique_ptr<Tap>> taps;
    std::vector<std::function<void(uint64_t, const Frame &)>> callbacks;
    std::vector<Record> instant;
    uint64_t frames = 0;
    uint64_t bad = 0;

    Tap &add_tap(unsigned source);
    void add(unsigned source, Frame frame);
    void write_instant();
};

// Reads the frames that enter one line, or pass one hub.
class Capture::Tap : public LineObserver
{
  public:
    Tap(State &state, unsigned source) : state_(state), source_(source)
    {
    }

    void nibble(Picoseconds now, MiiNibble nibble) override
    {
        switch (assembler_.nibble(now, nibble)) {
        case FrameAssembler::Result::none:
            break;
        case FrameAssembler::Result::good:
            state_.add(source_, std::move(assembler_.frame()));
            break;
        default:
            state_.bad++;
        }
    }

  private:
    State &state_;
    unsigned source_;
    FrameAssembler assembler_;
};

Capture::Tap &Capture::State::add_tap(unsigned source)
{
    taps.push_back(std::make_unique<Tap>(*this, source));
    return *taps.back();
}

void Capture::State::add(unsigned source, Frame frame)
{
    if (!instant.empty() && instant.front().frame.end != frame.end)
        write_instant();
    frames++;
    for (const auto &callback : callbacks)
        callback(frames, frame);
    if (dumper)
        instant.push_back({source, std::move(frame)});
}

void Capture::State::write_instant()
{
    std::stable_sort(instant.begin(), instant.end(),
                     [](const Record &a, const Record &b) { return a.source < b.source; });
    for (const Record &record : instant) {
        const uint64_t ns = record.frame.end / 1000;
        const auto length = static_cast<bpf_u_int32>(record.frame.bytes.size());
        pcap_pkthdr header{};
        header.ts.tv_sec = static_cast<time_t>(ns / 1'000'000'000);
        header.ts.tv_usec = static_cast<suseconds_t>(ns % 1'000'000'000); // nanoseconds, by the file's precision
        header.caplen = length;
        header.len = length;
        pcap_dump(reinterpret_cast<u_char *>(dumper.get()), &header, record.frame.bytes.data());
    }
    instant.clear();
}

Capture::Capture(const std::string &path) : state_(std::make_unique<State>())
{
    State &s = *state_;
    s.path = path;
    s.pcap.reset(pcap_open_dead_with_tstamp_precision(DLT_EN10MB, SNAPLEN, PCAP_TSTAMP_PRECISION_NANO));
    if (!s.pcap)
        throw std::runtime_error("capture " + path + ": out of memory");
    s.dumper.reset(pcap_dump_open(s.pcap.get(), path.c_str()));
    if (!s.dumper)
        throw std::runtime_error(std::string("capture ") + pcap_geterr(s.pcap.get())); // it begins with the path
}

Capture::~Capture()
{
    if (state_->dumper)
        state_->write_instant();
}

void Capture::watch(Cable &cable)
{
    for (MiiLine *line : {&cable.a_to_b(), &cable.b_to_a()})
        line->add_observer(state_->add_tap(line->source().source()));
}

void Capture::watch(Hub &hub)
{
    hub.add_observer(state_->add_tap(hub.source()));
}

void Capture::on_frame(std::function<void(uint64_t number, const Frame &frame)> callback)
{
    state_->callbacks.push_back(std::move(callback));
}

uint64_t Capture::frames() const
{
    return state_->frames;
}

uint64_t Capture::bad() const
{
    return state_->bad;
}

void Capture::close()
{
    State &s = *state_;
    if (!s.dumper)
        return;
    s.write_instant();
    const bool written = pcap_dump_flush(s.dumper.get()) == 0 && !ferror(pcap_dump_file(s.dumper.get()));
    s.dumper.reset();
    if (!written)
        throw std::runtime_error("capture " + s.path + ": could not be written whole");
}

} // namespace lanyard
