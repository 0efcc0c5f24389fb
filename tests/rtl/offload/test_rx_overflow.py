# SPDX-License-Identifier: Apache-2.0
"""rx_path with a buffer of 511 octets and 4 records: a frame that does not fit goes whole, the next one comes whole."""

import random

import cocotb
from cocotb.triggers import ClockCycles

from packets import OWN, PEER
from quiet import watch
from receive import FCS, INPUTS, RUNT, Bench, assert_received, expected


async def start(dut):
    bench = Bench(dut)
    await bench.start()
    bench.reading = lambda: False
    return bench


async def fill(bench, sent):
    for data, tuser in sent:
        await bench.send(data, tuser)
    await bench.source.wait()
    await ClockCycles(bench.dut.clk, 10)


async def empty(bench):
    bench.reading = lambda: True
    await bench.settle()
    for received in bench.frames:
        assert_received(received, received.data, expected(received.data)[0])
    frames = [received.data for received in bench.frames]
    dropped = [event.overflow for event in bench.events]
    assert dropped == ["dropped" in event.flags for event in bench.events]
    bench.frames.clear()
    bench.events.clear()
    bench.reading = lambda: False
    return frames, dropped


def frame(length, destination=OWN):
    return destination + random.randbytes(length - 6)


@cocotb.test()
async def a_frame_that_overflows_the_buffer_is_dropped_and_the_next_one_is_whole(dut):
    bench = await start(dut)
    for length in (200, 211, 212, 213, 300):  # beside 300: 511 octets fit, and one more in the output register
        first, second, third = frame(300), frame(length), frame(60)
        await fill(bench, [(first, 0), (second, 0), (third, 0)])
        frames, dropped = await empty(bench)
        fits = 300 + length <= 512
        third_fits = 60 + 300 + length * fits <= 512
        assert frames == [first] + [second] * fits + [third] * third_fits, f"second frame of {length} octets"
        assert dropped == [False, not fits, not third_fits]


@cocotb.test()
async def a_frame_longer_than_the_buffer_is_dropped(dut):
    bench = await start(dut)
    for length in (511, 512, 513, 1000):
        longest, short = frame(length), frame(100)
        await fill(bench, [(longest, 0), (short, 0)])
        assert await empty(bench) == ([short] if length > 511 else [longest], [length > 511, length <= 511])


@cocotb.test()
async def without_room_for_a_record_a_frame_is_dropped(dut):
    bench = await start(dut)
    sent = [frame(60 + number) for number in range(7)]
    await fill(bench, [(data, 0) for data in sent])
    frames, dropped = await empty(bench)
    assert frames == sent[:4]
    assert dropped == [False] * 4 + [True] * 3


@cocotb.test()
async def bad_and_foreign_frames_leave_no_trace_in_a_full_buffer(dut):
    bench = await start(dut)
    first, second = frame(250), frame(250)
    waste = [(frame(400, PEER), 0), (frame(300), FCS), (frame(70), FCS), (frame(70, PEER), 0)]
    await fill(bench, [(first, 0), *waste, *waste, (second, 0), *waste])
    assert await empty(bench) == ([first, second], [False] * 14)


@cocotb.test()
async def under_random_load_frames_are_lost_but_never_damaged(dut):
    bench = await start(dut)
    sent = []
    for density in (0.2, 0.5, 0.45):
        bench.reading = lambda: random.random() < density
        for _ in range(40):
            tuser = random.choice((0, 0, 0, FCS))
            sent.append((frame(random.randrange(60, 250), random.choice((OWN, OWN, PEER))), tuser))
            await bench.send(*sent[-1])
        await bench.settle()
    assert len(bench.events) == len(sent)
    delivered = [data for (data, _), event in zip(sent, bench.events) if "good" in event.flags]
    lost = sum(event.overflow for event in bench.events)
    assert lost > 5 and len(delivered) > 20
    assert [received.data for received in bench.frames] == delivered


@cocotb.test()
async def nothing_changes_while_idle(dut):
    bench = await start(dut)
    cocotb.start_soon(watch(dut, dut.rx_idle, INPUTS, lambda: dut.rec_ready.value or dut.m_axis_tready.value))
    for reading in (True, False):
        bench.reading = lambda: reading
        for data, tuser in ((frame(70), 0), (frame(60, PEER), 0), (frame(61), FCS), (b"", RUNT)):
            await bench.send(data, tuser)
            await bench.source.wait()
            await ClockCycles(dut.clk, 20)
    assert bench.frames and dut.rec_valid.value and dut.m_axis_tvalid.value and dut.rx_idle.value
