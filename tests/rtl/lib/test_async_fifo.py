# SPDX-License-Identifier: Apache-2.0
"""async_fifo: order, no loss and no hang between any two clocks, also while they stop and while one side is reset."""

import random

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, ReadOnly, RisingEdge, Timer
from cocotb.utils import get_sim_time

from idle import assert_nothing_changes


class Side:
    """The clock, reset and handshake of one side. Words pass with probability `rate` a cycle."""

    def __init__(self, dut, prefix, period_ps, seed=1):
        self.clk = getattr(dut, f"{prefix}_clk")
        self.rst = getattr(dut, f"{prefix}_rst")
        self.valid = getattr(dut, f"{prefix}_valid")
        self.ready = getattr(dut, f"{prefix}_ready")
        self.data = getattr(dut, f"{prefix}_data")
        self.period_ps = period_ps
        self.rng = random.Random(seed)
        self.rate = 1.0
        self.words = []
        self.clock = None
        self.start_clock()

    def start_clock(self):
        self.clock = cocotb.start_soon(Clock(self.clk, self.period_ps, "ps").start())

    def stop_clock(self):
        self.clock.kill()

    async def send(self, words):
        for word in words:
            while self.rng.random() >= self.rate:
                await RisingEdge(self.clk)
            self.data.value = word
            self.valid.value = 1
            await RisingEdge(self.clk)
            while not self.ready.value:
                await RisingEdge(self.clk)
            self.valid.value = 0

    async def receive(self):
        while True:
            self.ready.value = self.rng.random() < self.rate
            await RisingEdge(self.clk)
            if self.valid.value and self.ready.value:
                self.words.append(self.data.value.integer)


async def start(dut, s_period_ps=40_000, m_period_ps=10_000):
    source, sink = Side(dut, "s", s_period_ps), Side(dut, "m", m_period_ps)
    source.valid.value = 0
    sink.ready.value = 0
    await reset(source, sink)
    return source, sink


async def reset(*sides):
    """Reset each side in turn, so that the resets overlap but neither begins nor ends together."""
    slowest = max(side.period_ps for side in sides)
    for level in (1, 0):
        for side in sides:
            await RisingEdge(side.clk)
            side.rst.value = level
            await Timer(6 * slowest, "ps")


async def settle(*sides):
    await Timer(8 * max(side.period_ps for side in sides), "ps")


def depth(dut):
    return 1 << dut.LOG2_DEPTH.value


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def words_arrive_once_and_in_order_whatever_the_clocks_and_stalls(dut):
    for s_ns, m_ns in ((400, 10), (10, 400), (40, 10), (10, 40), (40, 40), (40, 39.998), (7, 11)):
        source, sink = await start(dut, int(s_ns * 1000), int(m_ns * 1000))
        reader = cocotb.start_soon(sink.receive())
        words = [random.randrange(1 << 10) for _ in range(40)]
        for source.rate, sink.rate in ((1.0, 1.0), (0.5, 0.5), (1.0, 0.2), (0.2, 1.0)):
            sink.words.clear()
            await source.send(words)
            while len(sink.words) < len(words):
                await RisingEdge(sink.clk)
            await settle(source, sink)
            assert sink.words == words, f"{s_ns} ns to {m_ns} ns, rates {source.rate} and {sink.rate}"
        reader.kill()
        source.stop_clock()
        sink.stop_clock()


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def every_place_is_used_and_a_full_queue_takes_no_more(dut):
    source, sink = await start(dut)
    words = list(range(depth(dut) + 5))
    writer = cocotb.start_soon(source.send(words))
    await ClockCycles(source.clk, 3 * depth(dut) + 10)
    assert not source.ready.value
    writer.kill()
    source.valid.value = 0
    cocotb.start_soon(sink.receive())
    await settle(source, sink)
    await ClockCycles(sink.clk, depth(dut))
    assert sink.words == words[:depth(dut)]


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def nothing_is_lost_while_a_clock_stands_still(dut):
    source, sink = await start(dut)
    cocotb.start_soon(sink.receive())
    words = list(range(200))
    writer = cocotb.start_soon(source.send(words))
    for side in (sink, source, sink, source):
        await ClockCycles(source.clk, 20)
        side.stop_clock()
        await Timer(50 * side.period_ps, "ps")
        side.start_clock()
    await writer
    await settle(source, sink)
    assert sink.words == words


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def a_reset_of_one_side_after_the_other_leaves_an_empty_working_queue(dut):
    source, sink = await start(dut)
    cocotb.start_soon(sink.receive())
    for first, second in ((source, sink), (sink, source)):
        for fill in range(1, 2 * depth(dut)):
            sink.rate = 0.3
            writer = cocotb.start_soon(source.send(range(fill)))
            await ClockCycles(source.clk, fill)
            writer.kill()
            source.valid.value = 0
            await reset(first, second)
            await settle(source, sink)
            sink.words.clear()
            await settle(source, sink)
            assert sink.words == [] and not sink.valid.value
            sink.rate = 1.0
            await source.send(range(100, 120))
            await settle(source, sink)
            assert sink.words == list(range(100, 120))


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def a_word_shows_after_two_edges(dut):
    source, sink = await start(dut)
    worst = 0
    for offset in range(8):
        await Timer(offset * 1_100, "ps")
        await RisingEdge(source.clk)
        source.valid.value = 1
        await RisingEdge(source.clk)
        source.valid.value = 0
        written = get_sim_time("ps")
        await RisingEdge(sink.valid)
        worst = max(worst, get_sim_time("ps") - written)
        sink.ready.value = 1
        await RisingEdge(sink.clk)
        sink.ready.value = 0
        await settle(source, sink)
    dut._log.info("written to m_valid: at most %.1f periods of m_clk", worst / sink.period_ps)
    assert worst <= 2 * sink.period_ps


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def one_word_a_cycle_passes_at_equal_clocks(dut):
    source, sink = await start(dut, 10_000, 10_000)
    cocotb.start_soon(sink.receive())
    begin = get_sim_time("ps")
    await source.send(range(200))
    cycles = (get_sim_time("ps") - begin) // source.period_ps
    if depth(dut) >= 8:
        assert cycles <= 201
    await settle(source, sink)
    assert sink.words == list(range(200))


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def s_empty_means_that_all_is_read_and_nothing_changes(dut):
    source, sink = await start(dut)
    for count in range(1, depth(dut) + 1):
        await source.send(range(count))
        await settle(source, sink)
        for read in range(count):
            assert not dut.s_empty.value
            sink.ready.value = 1
            await RisingEdge(sink.clk)
        sink.ready.value = 0
        await ReadOnly()
        assert not sink.valid.value
        while not dut.s_empty.value:
            await RisingEdge(source.clk)
            await ReadOnly()
        await assert_nothing_changes(dut, sink.clk, 20, clocks=("s_clk", "m_clk", "clk"))
