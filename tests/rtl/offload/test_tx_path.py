# SPDX-License-Identifier: Apache-2.0
"""tx_path with a buffer of 2047 octets and 4 frames: frames leave whole, in order, and without gaps, or not at all."""

import itertools
import random

import cocotb
from cocotb.triggers import ClockCycles, RisingEdge

from packets import ethernet, ipv4, udp, with_checksums
from quiet import watch
from transmit import INPUTS, Bench, Checksums

CAPACITY = 2047


async def start(dut):
    bench = Bench(dut)
    await bench.start()
    return bench


@cocotb.test()
async def frames_of_1_to_130_octets_pass_unchanged(dut):
    bench = await start(dut)
    frames = [random.randbytes(length) for length in range(1, 131)]
    for frame in frames:
        await bench.send(frame)
    await bench.settle()
    assert bench.sent() == frames


@cocotb.test()
async def a_frame_leaves_without_gaps_once_it_is_whole(dut):
    bench = await start(dut)
    bench.source.set_pause_generator(itertools.cycle((0, 1, 1)))
    await bench.send(random.randbytes(100))
    while not (dut.s_axis_tvalid.value and dut.s_axis_tready.value and dut.s_axis_tlast.value):
        await RisingEdge(dut.clk)
        assert not dut.m_axis_tvalid.value, "octets leave before the frame is whole"
    cycles = 0
    while not dut.m_axis_tvalid.value:
        await RisingEdge(dut.clk)
        cycles += 1
    assert cycles <= 4
    for _ in range(99):
        assert dut.m_axis_tvalid.value and not dut.m_axis_tlast.value
        await RisingEdge(dut.clk)
    assert dut.m_axis_tvalid.value and dut.m_axis_tlast.value


@cocotb.test()
async def a_frame_costs_at_most_seven_cycles_besides_its_octets(dut):
    bench = await start(dut)
    for data, ip_csum, l4_csum, cost in ((b"1", False, False, 1), (b"1", True, False, 4), (b"12", True, True, 6),
                                         (b"1", True, True, 7), (b"12", False, True, 3)):
        frame = ethernet(ipv4(udp(data)))
        for _ in range(8):
            await bench.send(frame, Checksums(ip_csum, l4_csum, 34, 6))
        ends = []
        for cycle in itertools.count():
            await RisingEdge(dut.clk)
            if dut.s_axis_tvalid.value and dut.s_axis_tready.value and dut.s_axis_tlast.value:
                ends.append(cycle)
                if len(ends) == 8:
                    break
        assert {after - before for before, after in zip(ends, ends[1:])} == {len(frame) + cost}
        await bench.settle()


@cocotb.test()
async def a_dropped_frame_leaves_no_trace(dut):
    bench = await start(dut)
    wanted = []
    for number in range(40):
        frame = ethernet(ipv4(udp(random.randbytes(random.randrange(80)))))
        drop = number % 4 in (0, 3)
        checksums = Checksums(bool(number & 1), bool(number & 2), 34, 6)
        await bench.send(frame, checksums, drop)
        if not drop:
            wanted.append(with_checksums(frame, checksums.ip, checksums.l4, checksums.start, checksums.offset))
    await bench.settle()
    assert bench.sent() == wanted


@cocotb.test()
async def a_frame_longer_than_the_buffer_is_dropped_and_the_next_one_is_whole(dut):
    bench = await start(dut)
    for length in (CAPACITY, CAPACITY + 1, 2 * CAPACITY):
        before, frame, after = random.randbytes(500), random.randbytes(length), random.randbytes(60)
        checksums = Checksums(False, True, 0, 255)
        for data in (before, frame, after):
            await bench.send(data, checksums if data == frame else Checksums())
        await bench.settle()
        sent = bench.sent()
        assert sent[0] == before and sent[-1] == after
        assert len(sent) == (3 if length <= CAPACITY else 2)
        if length <= CAPACITY:
            assert sent[1][257:] == frame[257:]


@cocotb.test()
async def a_full_buffer_makes_the_sender_wait(dut):
    bench = await start(dut)
    bench.sink.pause = True
    frames = [random.randbytes(length) for length in (60, 61, 62, 63, 64, 65, 700, 701, 702, 703)]
    for frame in frames:
        await bench.send(frame)
    await ClockCycles(dut.clk, 500)
    assert not dut.s_axis_tready.value and not bench.source.empty()
    bench.sink.pause = False
    await ClockCycles(dut.clk, 400)
    bench.sink.pause = True
    await ClockCycles(dut.clk, 3000)
    assert not dut.s_axis_tready.value and not bench.source.empty()
    bench.sink.pause = False
    await bench.settle()
    assert bench.sent() == frames


async def told(dut, ends):
    """Append (octets, end, error) of every frame that is done with."""
    while True:
        await RisingEdge(dut.clk)
        if dut.done.value:
            ends.append((dut.done_octets.value.integer, int(dut.done_end.value), dut.done_error.value.integer))


@cocotb.test()
async def a_tag_goes_behind_the_addresses_and_is_not_summed(dut):
    bench = await start(dut)

    def noise():
        while True:
            yield random.random() < 0.4

    bench.source.set_pause_generator(noise())
    bench.sink.set_pause_generator(noise())
    wanted = []
    for length in (1, 11, 12, 13, 14, 15, 16, 17, 30, 60, 61, 250):
        for tci in (None, 0x8100, random.getrandbits(16)):
            first, offset = random.randrange(length), random.randrange(length)
            frame = random.randbytes(length)
            await bench.send(frame, Checksums(False, True, first, offset, tci))
            frame = with_checksums(frame, False, True, first, offset)
            tag = b"" if tci is None or length <= 12 else b"\x81\x00" + tci.to_bytes(2, "big")
            wanted.append(frame[:12] + tag + frame[12:])
    await bench.settle()
    assert bench.sent() == wanted


@cocotb.test()
async def a_frame_that_fills_the_buffer_with_its_tag_is_sent_and_a_longer_one_dropped(dut):
    bench = await start(dut)
    tag = b"\x81\x00\x12\x34"
    for length in (CAPACITY - 4, CAPACITY - 3, CAPACITY):
        before, frame, after = random.randbytes(CAPACITY - 10), random.randbytes(length), random.randbytes(60)
        await bench.send(before)
        await bench.send(frame, Checksums(tci=0x1234))
        await bench.send(after)
        await bench.settle()
        middle = [frame[:12] + tag + frame[12:]] if length == CAPACITY - 4 else []
        assert bench.sent() == [before, *middle, after]


@cocotb.test()
async def a_frame_is_given_again_until_the_mac_is_done_with_it(dut):
    bench = await start(dut)
    bench.judge.kill()
    ends = []
    cocotb.start_soon(told(dut, ends))
    frames = [random.randbytes(length) for length in (1, 46, 60, 64, 1514)]
    for frame in frames:
        await bench.send(frame)
    for _ in frames:
        for verdict in range(4):
            await bench.offered()
            await ClockCycles(dut.clk, 30)
            assert not dut.m_axis_tvalid.value, "the next frame before the verdict"
            await bench.tell(again=verdict < 3)
    await bench.settle()
    assert bench.sent() == [frame for frame in frames for _ in range(4)]
    assert ends == [(len(frame), 1, 0) for frame in frames]


@cocotb.test()
async def a_verdict_in_mid_frame_ends_its_stream_and_begins_the_next_one(dut):
    bench = await start(dut)
    bench.judge.kill()
    frames = [random.randbytes(80), random.randbytes(81)]
    for place in range(1, 90, 5):
        for frame in frames:
            await bench.send(frame)
        while not dut.m_axis_tvalid.value:
            await RisingEdge(dut.clk)
        await ClockCycles(dut.clk, place)
        again = place % 2
        await bench.tell(again=again, error=0 if again else 1)
        for _ in range(1 + again):
            while dut.m_axis_tvalid.value:
                await RisingEdge(dut.clk)
            await bench.offered()
            await bench.tell()
        await bench.settle()
        first, *rest = bench.sent()
        assert frames[0].startswith(first) and len(first) == min(place + 3, 80)
        assert rest == (frames if again else frames[1:])


@cocotb.test()
async def a_frame_keeps_its_place_until_the_verdict(dut):
    bench = await start(dut)
    bench.judge.kill()
    first, second = random.randbytes(1200), random.randbytes(1200)
    await bench.send(first)
    await bench.send(second)
    await bench.offered()
    await ClockCycles(dut.clk, 1300)
    assert not dut.s_axis_tready.value
    await bench.tell(again=1)
    await bench.offered()
    await bench.tell()
    await bench.offered()
    await bench.tell()
    await bench.settle()
    assert bench.sent() == [first, first, second]


@cocotb.test()
async def the_first_error_among_the_segments_is_told_with_the_last(dut):
    bench = await start(dut)
    bench.judge.kill()
    ends = []
    cocotb.start_soon(told(dut, ends))
    for last, error in ((0, 0), (0, 2), (0, 1), (1, 0), (0, 0), (1, 1), (1, 0)):
        dut.frame_end.value = last
        await bench.send(b"segment")
        await bench.offered()
        await bench.tell(error=error)
        await ClockCycles(dut.clk, 5)
    assert [error for _, end, error in ends if end] == [2, 1, 0]


@cocotb.test()
async def nothing_changes_while_idle(dut):
    bench = await start(dut)
    cocotb.start_soon(watch(dut, dut.tx_path_idle, INPUTS))
    for checksums in (Checksums(), Checksums(True, True, 34, 6)):
        for drop in (True, False):
            await bench.send(ethernet(ipv4(udp(b"odd"))), checksums, drop)
            await bench.settle()
            assert dut.tx_path_idle.value
    assert len(bench.sent()) == 2


@cocotb.test()
async def random_stalls_on_both_sides_change_nothing(dut):
    bench = await start(dut)

    def noise(density):
        while True:
            yield random.random() < density

    for density_in, density_out in ((0.1, 0.5), (0.5, 0.1), (0.5, 0.5), (0.0, 0.7)):
        bench.source.set_pause_generator(noise(density_in))
        bench.sink.set_pause_generator(noise(density_out))
        frames = []
        for _ in range(12):
            frame = ethernet(ipv4(udp(random.randbytes(random.randrange(120)))))
            frames.append(frame)
            await bench.send(frame[:24] + random.randbytes(2) + frame[26:], Checksums(ip=True))
        await bench.settle()
        assert bench.sent() == frames
