# SPDX-License-Identifier: Apache-2.0
"""pause_send: pause frames stand between the others, by the level of the buffer, and before the time is over."""

import logging
import random

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles
from cocotbext.axi import AxiStreamBus, AxiStreamFrame, AxiStreamSink, AxiStreamSource

from idle import assert_nothing_changes

MAC = bytes.fromhex("02a1b2c3d4e5")
QUANTA = 40
HALF = 64 * QUANTA  # cycles of half the pause


def pause(quanta):
    return bytes.fromhex("0180c2000001") + MAC + bytes.fromhex("88080001") + quanta.to_bytes(2, "big")


class Bench:
    def __init__(self, dut):
        self.dut = dut
        self.source = AxiStreamSource(AxiStreamBus.from_prefix(dut, "s_axis"), dut.clk, dut.rst)
        self.sink = AxiStreamSink(AxiStreamBus.from_prefix(dut, "m_axis"), dut.clk, dut.rst)
        for side in (self.source, self.sink):
            side.log.setLevel(logging.ERROR)

    async def start(self):
        dut = self.dut
        cocotb.start_soon(Clock(dut.clk, 40, "ns").start())
        for name, value in (("enable", 1), ("high", 0), ("low", 1), ("hold", 0), ("cfg_quanta", QUANTA),
                            ("cfg_mac", int.from_bytes(MAC, "little")), ("rst", 1)):
            getattr(dut, name).value = value
        await ClockCycles(dut.clk, 3)
        dut.rst.value = 0
        await ClockCycles(dut.clk, 2)
        return self

    def level(self, high=0, low=0):
        self.dut.high.value, self.dut.low.value = high, low

    async def passed(self, cycles):
        """What comes out in so many cycles: data, and whether it is marked as a pause frame."""
        await ClockCycles(self.dut.clk, cycles)
        frames = []
        while not self.sink.empty():
            frame = self.sink.recv_nowait()
            marks = {frame.tuser} if isinstance(frame.tuser, int) else set(frame.tuser)
            assert len(marks) == 1, "a frame marked in part"
            frames.append((bytes(frame.tdata), bool(marks.pop())))
        return frames


@cocotb.test()
async def a_high_level_sends_xoff_and_a_low_one_xon_once(dut):
    bench = await Bench(dut).start()
    assert await bench.passed(100) == []
    bench.level(high=1)
    assert await bench.passed(100) == [(pause(QUANTA), True)]
    bench.level()
    assert await bench.passed(100) == []
    bench.level(low=1)
    assert await bench.passed(100) == [(pause(0), True)]
    bench.level()
    bench.level(low=1)
    assert await bench.passed(HALF + 100) == []


@cocotb.test()
async def while_it_stays_high_xoff_comes_again_in_half_the_time(dut):
    bench = await Bench(dut).start()
    bench.level(high=1)
    frames = await bench.passed(5 * HALF + 100)
    assert frames == [(pause(QUANTA), True)] * 6
    bench.level()  # between the levels it runs out
    assert await bench.passed(2 * HALF) == []
    bench.level(high=1)
    assert await bench.passed(100) == [(pause(QUANTA), True)]


@cocotb.test()
async def a_pause_frame_waits_for_the_end_of_the_frame_under_way(dut):
    bench = await Bench(dut).start()
    rng = random.Random(1)
    first, second = rng.randbytes(100), rng.randbytes(80)
    bench.source.send_nowait(AxiStreamFrame(first))
    bench.source.send_nowait(AxiStreamFrame(second))
    await ClockCycles(dut.clk, 50)
    bench.level(high=1)
    assert await bench.passed(300) == [(first, False), (pause(QUANTA), True), (second, False)]


@cocotb.test()
async def hold_stops_all_but_the_frame_under_way_and_pause_frames(dut):
    bench = await Bench(dut).start()
    first, second = bytes(range(100)), bytes(range(50))
    bench.source.send_nowait(AxiStreamFrame(first))
    bench.source.send_nowait(AxiStreamFrame(second))
    await ClockCycles(dut.clk, 50)
    dut.hold.value = 1
    assert await bench.passed(200) == [(first, False)]
    bench.level(high=1)
    assert await bench.passed(200) == [(pause(QUANTA), True)]
    dut.hold.value = 0
    assert await bench.passed(200) == [(second, False)]


@cocotb.test()
async def nothing_is_sent_unless_enabled_and_nothing_remembered(dut):
    bench = await Bench(dut).start()
    dut.enable.value = 0
    bench.level(high=1)
    assert await bench.passed(HALF + 100) == []
    dut.enable.value = 1
    assert await bench.passed(60) == [(pause(QUANTA), True)]
    dut.enable.value = 0
    bench.level(low=1)
    await ClockCycles(dut.clk, 4)
    dut.enable.value = 1
    assert await bench.passed(100) == []


@cocotb.test()
async def random_traffic_passes_whole_and_in_order(dut):
    bench = await Bench(dut).start()
    rng = random.Random(2)
    dut.cfg_quanta.value = 1

    def stalls():
        while True:
            yield rng.random() < 0.4

    bench.source.set_pause_generator(stalls())
    bench.sink.set_pause_generator(stalls())
    sent = [rng.randbytes(rng.choice((1, 2, 17, 60, 100))) for _ in range(80)]
    for data in sent:
        bench.source.send_nowait(AxiStreamFrame(data))
    frames = []
    while len(bench.source.queue._queue) or not bench.source.idle():
        level = rng.randrange(3)
        bench.level(high=level == 1, low=level == 2)
        dut.hold.value = rng.random() < 0.3
        frames += await bench.passed(rng.randrange(1, 100))
    bench.level()
    frames += await bench.passed(300)
    assert [data for data, marked in frames if not marked] == sent
    pauses = [data for data, marked in frames if marked]
    assert len(pauses) > 20 and set(pauses) == {pause(1), pause(0)}
    assert all(after == pause(1) for before, after in zip(pauses, pauses[1:]) if before == pause(0)), "two XON in a row"


@cocotb.test()
async def idle_means_that_nothing_changes(dut):
    bench = await Bench(dut).start()
    assert dut.idle.value
    await assert_nothing_changes(dut, dut.clk, 20)
    bench.level(high=1)
    await ClockCycles(dut.clk, 100)
    assert not dut.idle.value, "its timer runs"
    bench.level()
    await ClockCycles(dut.clk, HALF)
    await assert_nothing_changes(dut, dut.clk, 20)
    assert dut.idle.value
    bench.level(low=1)
    await ClockCycles(dut.clk, 100)
    assert dut.idle.value
    await assert_nothing_changes(dut, dut.clk, 20)
