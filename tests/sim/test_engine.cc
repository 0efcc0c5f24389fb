// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <string>

#include "sim/wire/cable.h"
#include "sim/wire/frame_port.h"
#include "tests/sim/sim_test.h"

using namespace lanyard;

namespace
{

// Notes the edges that it sees; stays awake and calls for attention on request.
class Probe : public Clocked
{
  public:
    struct Edge {
        Picoseconds time;
        unsigned edges;

        bool operator==(const Edge &other) const
        {
            return time == other.time && edges == other.edges;
        }
    };

    Probe(ClockEngine &engine, Picoseconds clk, Picoseconds mii, Picoseconds busy_until = 0)
        : Clocked(engine, "probe", clk, mii), busy_until_(busy_until)
    {
    }

    std::vector<Edge> edges;
    Picoseconds attention_at = NEVER;
    std::function<void()> on_attention;

  private:
    void rise(Picoseconds now, unsigned risen) override
    {
        edges.push_back({now, risen});
        stay_awake(busy_until_);
        if (now == attention_at)
            call_attention();
    }
    void attend() override
    {
        on_attention();
    }

    Picoseconds busy_until_;
};

ClockEngine::Config no_skip()
{
    ClockEngine::Config config;
    config.idle_skip = false;
    return config;
}

} // namespace

TEST_CASE("edges of several clocks come in the order of time, coinciding ones together")
{
    ClockEngine engine("engine");
    Probe probe(engine, 20'000, 30'000, 70'000);
    sc_core::sc_start();
    CHECK(probe.edges == std::vector<Probe::Edge>{{0, EDGE_CLK | EDGE_MII},
                                                  {20'000, EDGE_CLK},
                                                  {30'000, EDGE_MII},
                                                  {40'000, EDGE_CLK},
                                                  {60'000, EDGE_CLK | EDGE_MII},
                                                  {80'000, EDGE_CLK}});
}

TEST_CASE("a thing that slept wakes on the grid of its clocks")
{
    ClockEngine engine("engine");
    Probe fast(engine, 10'000, 40'000), middle(engine, 20'000, 40'000), slow(engine, 40'000, 400'000);
    Script script("script");
    script.at(1'234'567, [&] {
        for (Probe *probe : {&fast, &middle, &slow}) {
            probe->edges.clear();
            engine.wake(*probe);
        }
    });
    sc_core::sc_start();
    CHECK(fast.edges == std::vector<Probe::Edge>{{1'240'000, EDGE_CLK | EDGE_MII}});
    CHECK(middle.edges == std::vector<Probe::Edge>{{1'240'000, EDGE_CLK | EDGE_MII}});
    CHECK(slow.edges == std::vector<Probe::Edge>{{1'240'000, EDGE_CLK}});
}

TEST_CASE("one thing that wakes is not ticked for the time in which only others were awake")
{
    ClockEngine engine("engine");
    Probe other(engine, 0, 400'000, 4'000'000), probe(engine, 10'000, 0);
    Script script("script");
    script.at(1'000'005, [&] {
        probe.edges.clear();
        engine.wake(probe);
    });
    sc_core::sc_start();
    CHECK(probe.edges == std::vector<Probe::Edge>{{1'010'000, EDGE_CLK}});
}

TEST_CASE("without the idle skip everything is ticked at every edge")
{
    ClockEngine engine("engine", no_skip());
    Probe probe(engine, 40'000, 0);
    Script script("script", 400'000);
    sc_core::sc_start();
    CHECK(probe.edges.size() == 10);
}

TEST_CASE("without the idle skip a run ends too when nothing is left to happen")
{
    ClockEngine engine("engine", no_skip());
    Probe probe(engine, 40'000, 0);
    sc_core::sc_start();
    CHECK(probe.edges.size() == 2);
}

TEST_CASE("a process that is due at an edge runs before it")
{
    ClockEngine engine("engine");
    Probe probe(engine, 40'000, 0, 1'000'000);
    size_t before = 0;
    Script script("script");
    script.at(400'000, [&] { before = probe.edges.size(); });
    sc_core::sc_start();
    CHECK(before == 10);
}

TEST_CASE("the kernel is entered in the very cycle in which a thing calls for attention")
{
    ClockEngine engine("engine");
    Probe probe(engine, 40'000, 0, 1'000'000), other(engine, 10'000, 0, 1'000'000);
    probe.attention_at = 400'000;
    Picoseconds attended = 0, other_seen = 0;
    probe.on_attention = [&] {
        attended = sc_now();
        other_seen = other.edges.back().time;
    };
    sc_core::sc_start();
    CHECK(attended == 400'000);
    CHECK(other_seen == 400'000);
}

TEST_CASE("a thing that is woken in answer to an edge is ticked from the next edge on")
{
    ClockEngine engine("engine");
    Probe probe(engine, 40'000, 0, 1'000'000), woken(engine, 10'000, 0);
    probe.attention_at = 400'000;
    probe.on_attention = [&] {
        woken.edges.clear();
        engine.wake(woken);
    };
    sc_core::sc_start();
    CHECK(woken.edges == std::vector<Probe::Edge>{{410'000, EDGE_CLK}});
}

TEST_CASE("things that call in one instant are served in the order of their creation")
{
    ClockEngine engine("engine");
    Probe slow(engine, 0, 80'000, 1'000'000), fast(engine, 40'000, 0, 1'000'000);
    Probe middle(engine, 0, 80'000, 1'000'000);
    std::string order;
    for (Probe *probe : {&slow, &fast, &middle})
        probe->attention_at = 400'000;
    slow.on_attention = [&] { order += 's'; };
    fast.on_attention = [&] { order += 'f'; };
    middle.on_attention = [&] { order += 'm'; };
    sc_core::sc_start();
    CHECK(order == "sfm");
}

TEST_CASE("the kernel is not entered while nothing calls for it")
{
    ClockEngine engine("engine");
    Probe probe(engine, 40'000, 0, 1'000'000'000);
    sc_core::sc_start();
    CHECK(probe.edges.size() > 25'000);
    CHECK(engine.kernel_entries() < 5);
}

TEST_CASE("a thousand idle ends cost nothing beside a busy link")
{
    ClockEngine engine("engine");
    std::vector<std::unique_ptr<Probe>> idle;
    for (int i = 0; i < 1000; i++)
        idle.push_back(std::make_unique<Probe>(engine, 40'000, 40'000));
    FramePort a(engine, "a"), b(engine, "b");
    Cable cable(a, b);
    Script script("script");
    script.at(0, [&] {
        for (int i = 0; i < 10; i++)
            a.send(test_frame(1514));
    });
    sc_core::sc_start();
    CHECK(b.counters().rx_frames == 10);
    for (const auto &probe : idle)
        CHECK(probe->edges.size() <= 2);
}

TEST_CASE("a second engine is refused")
{
    ClockEngine engine("engine");
    CHECK_THROWS_WITH(ClockEngine("second"), "there is one clock engine in a simulation");
}
