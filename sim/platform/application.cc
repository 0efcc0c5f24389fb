// SPDX-License-Identifier: Apache-2.0
#include "sim/platform/application.h"

#include <cstring>
#include <fstream>

#include "sim/platform/paced_child.h"
#include "sim/platform/sha256.h"
#include "sim/platform/user_error.h"

extern "C" {
#include "lanyard/address.h"
#include "lanyard/bulk.h"
#include "lanyard/echo.h"
#include "lanyard/fetch.h"
#include "lanyard/httpd.h"
}

namespace lanyard
{

namespace
{

constexpr uint32_t SERVICE_CONNECTIONS = 32; // at once; more wait in the backlog

// Storage for the applications' opaque structures, aligned as malloc() does.
using Storage = std::unique_ptr<std::max_align_t[]>;

Storage storage(size_t bytes)
{
    return std::make_unique<std::max_align_t[]>(bytes / sizeof(std::max_align_t) + 1);
}

std::string error_text(int error)
{
    return error == 0 ? "" : std::strerror(-error);
}

uint64_t bits_per_second(uint64_t bytes, uint64_t nanoseconds)
{
    return nanoseconds == 0 ? 0 : static_cast<uint64_t>(static_cast<double>(bytes) * 8e9 / nanoseconds);
}

// An application of host/apps, on an event loop of its own.
class Looped : public Application
{
  public:
    Looped(const ApplicationSpec &spec, Host &host) : Application(spec), host_(host)
    {
    }

    void run() final
    {
        lan_loop_init(&loop_, host_.stack(), host_.port());
        error_ = start();
        if (error_ == 0)
            lan_loop_run(&loop_);
    }

    std::string error() const override
    {
        return error_text(error_);
    }

  protected:
    // Adds its sources to the loop; 0 or a negative errno.
    virtual int start() = 0;

    lan_loop loop_{};
    int error_ = 0;

  private:
    Host &host_;
};

class Httpd : public Looped
{
  public:
    using Looped::Looped;

    ~Httpd() override
    {
        if (content_)
            lan_content_posix_close(content_);
    }

    int start() override
    {
        int error = 0;
        content_ = lan_content_posix_open(spec().folder.c_str(), &error);
        if (!content_)
            return error;
        lan_httpd_config config = LAN_HTTPD_CONFIG_DEFAULT;
        config.port = spec().port;
        memory_ = storage(lan_httpd_size(&config));
        httpd_ = lan_httpd_create(memory_.get(), &loop_, content_, &config, &error);
        return httpd_ ? 0 : error;
    }

    void report(Json &to) const override
    {
        if (!httpd_)
            return;
        const auto &stats = *lan_httpd_stats(httpd_);
        to["connections"] = stats.connections;
        to["requests"] = stats.requests;
        for (int digit = 1; digit <= 5; digit++)
            to["responses"][std::to_string(digit) + "xx"] = stats.responses[digit];
        to["responses_cut_off"] = stats.responses[0];
        to["body_bytes"] = stats.body_bytes;
        to["timeouts"] = stats.timeouts;
    }

  private:
    Storage memory_;
    lan_content *content_ = nullptr;
    lan_httpd *httpd_ = nullptr;
};

class EchoOrDiscard : public Looped
{
  public:
    using Looped::Looped;

    int start() override
    {
        int error = 0;
        if (spec().kind == ApplicationKind::echo) {
            memory_ = storage(lan_echo_size(SERVICE_CONNECTIONS));
            echo_ = lan_echo_create(memory_.get(), &loop_, spec().port, SERVICE_CONNECTIONS, &error);
        } else {
            memory_ = storage(lan_discard_size(SERVICE_CONNECTIONS));
            echo_ = lan_discard_create(memory_.get(), &loop_, spec().port, SERVICE_CONNECTIONS, &error);
        }
        return echo_ ? 0 : error;
    }

    void report(Json &to) const override
    {
        if (!echo_)
            return;
        const auto &stats = *lan_echo_stats(echo_);
        to["connections"] = stats.connections;
        to["bytes"] = stats.bytes;
        to["datagrams"] = stats.datagrams;
    }

  private:
    Storage memory_;
    lan_echo *echo_ = nullptr;
};

class Fetch : public Looped
{
  public:
    using Looped::Looped;

    int start() override
    {
        if (!spec().file.empty()) {
            file_.open(spec().file, std::ios::binary);
            if (!file_)
                throw UserError("cannot write " + spec().file + ": " + std::strerror(errno));
        }
        fetch_.arg = this;
        fetch_.data = [](lan_fetch *fetch, const void *data, size_t bytes) {
            return static_cast<Fetch *>(fetch->arg)->take(data, bytes);
        };
        fetch_.done = [](lan_fetch *fetch, int error) { static_cast<Fetch *>(fetch->arg)->end(error); };
        return lan_fetch_start(&fetch_, &loop_, spec().url.c_str());
    }

    std::string error() const override
    {
        if (!file_)
            return "cannot write " + spec().file;
        if (error_ != 0)
            return error_text(error_);
        if (digest_.empty())
            return "did not end";
        return fetch_.status == 200 ? "" : "HTTP status " + std::to_string(fetch_.status);
    }

    void report(Json &to) const override
    {
        const uint64_t duration = fetch_.end_ns - fetch_.start_ns;
        to["url"] = spec().url;
        to["status"] = fetch_.status;
        to["bytes"] = fetch_.body_bytes;
        to["duration_ns"] = duration;
        to["goodput_bps"] = bits_per_second(fetch_.body_bytes, duration);
        to["sha256"] = digest_;
    }

  private:
    bool take(const void *data, size_t bytes)
    {
        sha_.add(data, bytes);
        if (file_.is_open())
            file_.write(static_cast<const char *>(data), static_cast<std::streamsize>(bytes));
        return file_.good();
    }

    void end(int error)
    {
        error_ = error;
        digest_ = sha_.finish();
        if (file_.is_open())
            file_.close();
        lan_loop_stop(&loop_);
    }

    lan_fetch fetch_{};
    std::ofstream file_;
    Sha256 sha_;
    std::string digest_;
};

void report_bulk(Json &to, const lan_bulk_result &result)
{
    to["bytes"] = result.bytes;
    to["start_ns"] = result.start_ns;
    to["duration_ns"] = result.end_ns - result.start_ns;
    to["goodput_bps"] = lan_bulk_goodput(&result);
    if (result.error != 0)
        to["error"] = error_text(result.error);
    if (result.wrong_at != LAN_BULK_ALL_RIGHT)
        to["wrong_at"] = result.wrong_at;
}

class BulkSource : public Looped
{
  public:
    BulkSource(const ApplicationSpec &spec, Host &host, uint64_t seed) : Looped(spec, host), seed_(seed)
    {
    }

    int start() override
    {
        lan_sockaddr_in to{};
        if (lan_sockaddr_parse(spec().to.c_str(), 0, &to) != spec().to.size() || to.sin_port == 0)
            return -EINVAL;
        const lan_bulk_config config = {LAN_BULK_SEND, seed_, spec().bytes, spec().duration / 1000};
        bulk_.arg = this;
        bulk_.done = [](lan_bulk *bulk, const lan_bulk_result *result) {
            static_cast<BulkSource *>(bulk->arg)->end(*result);
        };
        return lan_bulk_connect(&bulk_, &loop_, &to, &config);
    }

    std::string error() const override
    {
        return error_ == 0 && !ended_ ? "did not end" : Looped::error();
    }

    void report(Json &to) const override
    {
        report_bulk(to, bulk_.result);
    }

  private:
    void end(const lan_bulk_result &result)
    {
        error_ = result.error;
        ended_ = true;
        lan_loop_stop(&loop_);
    }

    uint64_t seed_;
    lan_bulk bulk_{};
    bool ended_ = false;
};

class BulkSink : public Looped
{
  public:
    BulkSink(const ApplicationSpec &spec, Host &host, uint64_t seed)
        : Looped(spec, host), seed_(seed), streams_(SERVICE_CONNECTIONS)
    {
    }

    int start() override
    {
        for (lan_bulk &stream : streams_) {
            stream.arg = this;
            stream.done = [](lan_bulk *bulk, const lan_bulk_result *result) {
                static_cast<BulkSink *>(bulk->arg)->results_.push_back(*result);
            };
        }
        const lan_bulk_config config = {LAN_BULK_RECEIVE, seed_, 0, 0};
        return lan_bulk_listen(&server_, &loop_, spec().port, &config, streams_.data(),
                               static_cast<uint32_t>(streams_.size()));
    }

    std::string error() const override
    {
        for (const lan_bulk_result &result : results_)
            if (result.error != 0 || result.wrong_at != LAN_BULK_ALL_RIGHT)
                return result.error != 0 ? error_text(result.error) : "what arrived is not what was sent";
        return Looped::error();
    }

    void report(Json &to) const override
    {
        to["connections"] = Json::array();
        for (const lan_bulk_result &result : results_)
            report_bulk(to["connections"].emplace_back(), result);
    }

  private:
    uint64_t seed_;
    lan_bulk_server server_{};
    std::vector<lan_bulk> streams_;
    std::vector<lan_bulk_result> results_;
};

class Command : public Application
{
  public:
    Command(const ApplicationSpec &spec, Pacer &pacer) : Application(spec), pacer_(pacer)
    {
    }

    void run() override
    {
        child_ = std::make_unique<PacedChild>(pacer_, spec().argv, spec().file);
        status_ = child_->wait();
    }

    std::string error() const override
    {
        if (status_ < 0)
            return "did not end";
        return status_ == 0 ? "" : "exit status " + std::to_string(status_);
    }

    void report(Json &to) const override
    {
        to["argv"] = spec().argv;
        to["status"] = status_;
    }

  private:
    Pacer &pacer_;
    std::unique_ptr<PacedChild> child_; // ended by the destructor when the simulation ends first
    int status_ = -1;
};

} // namespace

std::unique_ptr<Application> make_application(const ApplicationSpec &spec, Host &host, uint64_t seed)
{
    switch (spec.kind) {
    case ApplicationKind::httpd:
        return std::make_unique<Httpd>(spec, host);
    case ApplicationKind::fetch:
        return std::make_unique<Fetch>(spec, host);
    case ApplicationKind::bulk_source:
        return std::make_unique<BulkSource>(spec, host, seed);
    case ApplicationKind::bulk_sink:
        return std::make_unique<BulkSink>(spec, host, seed);
    default:
        return std::make_unique<EchoOrDiscard>(spec, host);
    }
}

std::unique_ptr<Application> make_command(const ApplicationSpec &spec, Pacer &pacer)
{
    return std::make_unique<Command>(spec, pacer);
}

} // namespace lanyard
