# SPDX-License-Identifier: Apache-2.0
"""tx_segment: large TCP frames become segments, other frames pass."""

import itertools
import logging
import random
from dataclasses import replace

import cocotb
from cocotb.clock import Clock
from cocotb.queue import Queue
from cocotb.triggers import ClockCycles, RisingEdge
from cocotbext.axi import AxiStreamBus, AxiStreamFrame, AxiStreamSource

from packets import TCP, ethernet, ipv4, ones_sum, pseudo_header, udp, with_checksums
from quiet import watch
from segmentation import CWR, FIN, PSH, Large, random_large

INPUTS = ("s_axis_tvalid", "s_axis_tdata", "s_axis_tlast", "s_axis_tuser", "m_axis_tready", "frame_tso",
          "frame_csum_start", "frame_hdr_len", "frame_mss", "path_empty")
MALFORMED = "malformed"
DROPPED = "dropped"


class Bench:
    """Takes frames, large or plain, and keeps what comes of them in `events`: pairs of a frame, or DROPPED, and whether it was
    an end; MALFORMED."""

    def __init__(self, dut, stalls=0.0):
        self.dut, self.stalls = dut, stalls
        self.settings, self.events, self.ends = Queue(), [], []
        cocotb.start_soon(Clock(dut.clk, 40, "ns").start())
        self.source = AxiStreamSource(AxiStreamBus.from_prefix(dut, "s_axis"), dut.clk, dut.rst)
        self.source.log.setLevel(logging.ERROR)
        if stalls:
            self.source.set_pause_generator(iter(lambda: random.random() < stalls, None))
        dut.path_empty.value = 1
        self.apply(None)

    async def start(self):
        await self.reset()
        cocotb.start_soon(self.follow())
        cocotb.start_soon(self.watch())
        return self

    async def reset(self):
        self.dut.rst.value = 1
        await ClockCycles(self.dut.clk, 3)
        self.dut.rst.value = 0
        await ClockCycles(self.dut.clk, 2)

    def apply(self, large):
        self.dut.frame_tso.value = isinstance(large, Large)
        self.dut.frame_csum_start.value = large.csum_start if large else 0
        self.dut.frame_hdr_len.value = large.hdr_len if large else 0
        self.dut.frame_mss.value = large.mss if large else 0

    async def follow(self):
        dut = self.dut
        while True:
            self.apply(await self.settings.get())
            await RisingEdge(dut.clk)
            while not (dut.s_axis_tvalid.value and dut.s_axis_tready.value and dut.s_axis_tlast.value):
                await RisingEdge(dut.clk)

    async def watch(self):
        dut, octets, cycle = self.dut, bytearray(), 0
        while True:
            dut.m_axis_tready.value = random.random() >= self.stalls
            await RisingEdge(dut.clk)
            cycle += 1
            if dut.rst.value:
                octets.clear()
                continue
            if dut.malformed.value:
                self.events.append(MALFORMED)
            if dut.m_axis_tvalid.value and dut.m_axis_tready.value:
                octets.append(dut.m_axis_tdata.value.integer)
                if dut.m_axis_tlast.value:
                    drop = dut.m_axis_tuser.value
                    self.events.append(DROPPED if drop else (bytes(octets), bool(dut.frame_end.value)))
                    self.ends.append(cycle)
                    octets.clear()

    async def send(self, frame, large=None, drop=False):
        self.settings.put_nowait(large)
        await self.source.send(AxiStreamFrame(frame, tuser=[0] * (len(frame) - 1) + [drop]))

    async def settle(self):
        await self.source.wait()
        await ClockCycles(self.dut.clk, 50)
        events, self.events = self.events, []
        return events

    async def segments(self, large):
        """Send a frame and check what it becomes."""
        await self.send(large.frame(), large)
        self.expect(large, await self.settle())

    def expect(self, large, events):
        wanted = large.segments()
        assert [end for _, end in events] == [False] * (len(wanted) - 1) + [True]
        assert [with_checksums(frame, True, True, large.csum_start, 16) for frame, _ in events] == wanted, large


@cocotb.test()
async def a_large_frame_becomes_segments(dut):
    bench = await Bench(dut).start()
    await bench.segments(Large(random.randbytes(3000)))


@cocotb.test()
async def the_last_segment_may_be_full_or_have_one_octet_or_be_the_only_one(dut):
    bench = await Bench(dut).start()
    for octets in (1, 99, 100, 101, 199, 200, 201, 299, 300, 301):
        await bench.segments(Large(random.randbytes(octets), mss=100))


@cocotb.test()
async def an_mss_of_1_makes_a_segment_of_every_octet(dut):
    bench = await Bench(dut).start()
    await bench.segments(Large(random.randbytes(20), mss=1))


@cocotb.test()
async def every_pair_of_mss_and_length_is_cut_right(dut):
    bench = await Bench(dut).start()
    for mss in (1, 2, 3, 255, 256, 257):
        for octets in (1, 2, 3, 4, 255, 256, 257, 512):
            if octets <= 4 * mss:
                await bench.segments(Large(random.randbytes(octets), mss=mss))


@cocotb.test()
async def headers_of_every_length_are_kept(dut):
    bench = await Bench(dut).start()
    for vlan in (None, 0x2345):
        for ip_words in range(11):
            for tcp_words in (0, 10 - ip_words, 10):
                await bench.segments(Large(random.randbytes(15), 10, random.randbytes(4 * ip_words),
                                           random.randbytes(4 * tcp_words), vlan))


@cocotb.test()
async def a_sum_of_the_pseudo_header_carries_wherever_it_can(dut):
    bench = await Bench(dut).start()
    for seed in (1, 50, 51, 100, 101, 150, 151, 200, 250, 251, 0xFF, 0x100, 0xFF00, 0xFFFE, 0xFFFF):
        large = Large(bytes(250), 100, source=bytes(4), destination=bytes(4))
        rest = (seed - ones_sum(pseudo_header(270, TCP, large.source, large.destination))) % 0xFFFF
        large.source = bytes(2) + rest.to_bytes(2, "big")
        await bench.segments(large)


@cocotb.test()
async def the_largest_packet_is_cut_to_its_end(dut):
    bench = await Bench(dut).start()
    await bench.segments(Large(random.randbytes(65535 - 120), 1380, bytes(40), bytes(40)))


@cocotb.test()
async def identification_and_sequence_number_wrap(dut):
    bench = await Bench(dut).start()
    for identification, sequence in ((0xFFFE, 0xFFFFFFFF), (0x00FE, 0xFFFFFE00), (0xFFFF, 0x00FFFF80), (0, 0xFF80)):
        await bench.segments(Large(random.randbytes(700), 200, identification=identification, sequence=sequence))


@cocotb.test()
async def fin_and_psh_go_with_the_last_and_cwr_with_the_first(dut):
    bench = await Bench(dut).start()
    for flags in (FIN, PSH, CWR, FIN | PSH | CWR, 0xFF, 0x10):
        for octets in (20, 50, 130):
            large = Large(random.randbytes(octets), 50, flags=flags)
            await bench.send(large.frame(), large)
            seen = [frame[47] for frame, _ in await bench.settle()]
            middle = flags & ~(FIN | PSH | CWR)
            assert seen[0] == (flags if len(seen) == 1 else middle | flags & CWR)
            assert set(seen[1:-1]) <= {middle}
            assert seen[-1] == (flags if len(seen) == 1 else middle | flags & (FIN | PSH))


@cocotb.test()
async def other_frames_pass_without_a_lost_cycle(dut):
    bench = await Bench(dut).start()
    frames = [random.randbytes(length) for length in (1, 2, 60, 300, 1, 1)]
    for frame in frames:
        await bench.send(frame)
    assert await bench.settle() == [(frame, True) for frame in frames]
    spent = [after - before for before, after in zip(bench.ends, bench.ends[1:])]
    assert spent == [len(frame) for frame in frames[1:]]


@cocotb.test()
async def a_segment_costs_26_cycles_besides_its_octets(dut):
    """And the headers once more in front of them all."""
    bench = await Bench(dut).start()
    await bench.segments(Large(random.randbytes(1000), 100))
    assert {after - before for before, after in zip(bench.ends, bench.ends[1:])} == {54 + 100 + 26}


@cocotb.test()
async def large_and_plain_frames_take_turns(dut):
    bench = await Bench(dut, 0.3).start()
    for _ in range(4):
        plain, large = random.randbytes(random.randint(1, 60)), random_large(random, 300)
        await bench.send(plain)
        await bench.send(large.frame(), large)
        await bench.send(plain)
        events = await bench.settle()
        assert events[0] == events[-1] == (plain, True)
        bench.expect(large, events[1:-1])


@cocotb.test()
async def random_frames_become_what_the_model_says(dut):
    for stalls in (0.0, 0.3, 0.6):
        bench = await Bench(dut, stalls).start()
        for _ in range(5):
            await bench.segments(random_large(random, 1000))


@cocotb.test()
async def a_stream_that_is_too_short_or_too_long_is_malformed_and_the_next_one_is_whole(dut):
    bench = await Bench(dut).start()
    large = Large(random.randbytes(250), 100)
    frame, whole = large.frame(), large.segments()
    for change, left in ((-1, 2), (-49, 2), (-50, 1), (-51, 1), (-149, 1), (-150, 0), (-249, 0), (-250, 0), (-251, 0),
                         (-250 - 53, 0), (1, 2), (2, 2), (300, 2)):
        stream = frame + bytes(change) if change > 0 else frame[:change]
        await bench.send(stream, large)
        events = await bench.settle()
        assert events.pop() == MALFORMED, change
        if events and events[-1] == DROPPED:
            events.pop()
        assert [with_checksums(sent, True, True, 34, 16) for sent, _ in events] == whole[:left], change
        assert not any(end for _, end in events)
        await bench.segments(large)


@cocotb.test()
async def a_packet_without_payload_or_shorter_than_its_headers_is_malformed(dut):
    bench = await Bench(dut).start()
    large = Large(random.randbytes(250), 100)
    frame = bytearray(large.frame())
    for total_length in (40, 39, 20, 0):
        frame[16:18] = total_length.to_bytes(2, "big")
        await bench.send(bytes(frame), large)
        assert await bench.settle() == [MALFORMED], total_length
        await bench.segments(large)


@cocotb.test()
async def a_malformed_frame_is_told_of_when_all_in_front_has_left(dut):
    bench = await Bench(dut).start()
    dut.path_empty.value = 0
    large = Large(random.randbytes(250), 100)
    await bench.send(large.frame()[:-1], large)
    await bench.send(b"next")
    await ClockCycles(dut.clk, 1000)
    assert MALFORMED not in bench.events and not dut.m_axis_tvalid.value
    dut.path_empty.value = 1
    events = await bench.settle()
    assert events[-2:] == [MALFORMED, (b"next", True)]
    assert events.count(MALFORMED) == 1


@cocotb.test()
async def a_frame_given_up_at_any_octet_is_dropped_without_a_word(dut):
    bench = await Bench(dut).start()
    large = Large(random.randbytes(60), 25, flags=0xFF)
    frame, whole = large.frame(), large.segments()
    for length in (1, 12, 13, 17, 53, 54, 55, 78, 79, 80, 104, 105, 113, 114):
        await bench.send(frame[:length], large, drop=True)
        events = [event for event in await bench.settle() if event != DROPPED]
        left = max(0, length - 1 - 54) // 25
        assert [with_checksums(sent, True, True, 34, 16) for sent, _ in events] == whole[:left], length
        await bench.segments(large)
    await bench.send(frame + b"too long", large, drop=True)
    assert MALFORMED not in await bench.settle()
    await bench.segments(large)


@cocotb.test()
async def after_a_reset_at_any_moment_it_works(dut):
    bench = Bench(dut)
    large = Large(random.randbytes(60), 25)
    frame = large.frame()
    await bench.start()
    for moment in range(1, 330, 23):
        bench.apply(large)
        bench.source.send_nowait(AxiStreamFrame(frame))
        await ClockCycles(dut.clk, moment)
        dut.rst.value = 1
        bench.source.clear()
        await ClockCycles(dut.clk, 3)
        dut.rst.value = 0
        await ClockCycles(dut.clk, 60)
        bench.events.clear()
        await bench.send(b"plain")
        await bench.send(frame, large)
        events = await bench.settle()
        assert events[0] == (b"plain", True), moment
        bench.expect(large, events[1:])


@cocotb.test()
async def nothing_changes_while_idle(dut):
    bench = await Bench(dut).start()
    bench.source.set_pause_generator(itertools.cycle([False] * 54 + [True] * 150))  # between headers and payload too
    cocotb.start_soon(watch(dut, dut.idle, INPUTS, lambda: dut.s_axis_tvalid.value or dut.m_axis_tvalid.value))
    for large in (Large(bytes(5), 2), Large(bytes(5), 2, vlan=1), Large(bytes(1))):
        await bench.segments(large)
    await bench.send(ethernet(ipv4(udp(b"plain"))))
    await bench.send(large.frame()[:-1], large)
    await bench.settle()


@cocotb.test()
async def segments_of_a_malformed_frame_do_not_spoil_a_plain_one(dut):
    bench = await Bench(dut, 0.2).start()
    for cut in (1, 30):
        large = replace(random_large(random, 100), payload=random.randbytes(100), mss=40)
        await bench.send(large.frame()[:-cut], large)
        await bench.send(b"plain")
        assert (await bench.settle())[-1] == (b"plain", True)
