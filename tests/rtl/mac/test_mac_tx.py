# SPDX-License-Identifier: Apache-2.0
"""mac_tx: what the stream carries, and what goes over the wire."""

import logging
import random

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, RisingEdge
from cocotb.utils import get_sim_time
from cocotbext.axi import AxiStreamBus, AxiStreamFrame, AxiStreamSource
from cocotbext.eth import MiiSink

from idle import assert_nothing_changes
from mii import octets, with_fcs

PERIOD_NS = 40
HEAD = bytes([0x55] * 7 + [0xD5])


def cycle():
    return int(get_sim_time("ns")) // PERIOD_NS


def on_wire(data):
    return HEAD + with_fcs(data.ljust(60, b"\0"))


def invalid_on_wire(data):
    """A frame that was given up: every bit of its FCS is wrong."""
    good = on_wire(data)
    return good[:-4] + bytes(octet ^ 0xFF for octet in good[-4:])


def errors(frame):
    return [bool(error) for error in frame.error] if frame.error else [False] * len(frame.data)


def assert_octets(frame, expected):
    assert bytes(frame.data) == expected
    # The sink forgives half an octet of preamble.
    assert frame.sim_time_end - frame.sim_time_start == 2 * len(expected) * PERIOD_NS * 1000


def assert_valid(frame, data):
    assert_octets(frame, on_wire(data))
    assert not any(errors(frame))


def assert_given_up(frame, data):
    assert_octets(frame, invalid_on_wire(data))
    assert errors(frame) == [False] * (len(frame.data) - 4) + [True] * 4


async def start(dut):
    """Reset; a stream source that never pauses, and a sink on the MII."""
    cocotb.start_soon(Clock(dut.clk, PERIOD_NS, "ns").start())
    source = AxiStreamSource(AxiStreamBus.from_prefix(dut, "s_axis"), dut.clk, dut.rst)
    sink = MiiSink(dut.mii_txd, dut.mii_tx_er, dut.mii_tx_en, dut.clk, dut.rst)
    for model in (source, sink):
        model.log.setLevel(logging.ERROR)
    for name in ("half_duplex", "pause_valid", "s_axis_urgent", "mii_crs", "mii_col"):
        getattr(dut, name).value = 0
    dut.rst.value = 1
    await ClockCycles(dut.clk, 3)
    dut.rst.value = 0
    await ClockCycles(dut.clk, 2)
    return source, sink


async def send_with_a_hole(dut, data, at, cycles):
    """Send a frame whose stream is dry for so many cycles before the octet `at`."""
    for index, octet in enumerate(data):
        if index == at:
            dut.s_axis_tvalid.value = 0
            await ClockCycles(dut.clk, cycles)
        dut.s_axis_tdata.value = octet
        dut.s_axis_tlast.value = index == len(data) - 1
        dut.s_axis_tvalid.value = 1
        await RisingEdge(dut.clk)
        while not dut.s_axis_tready.value:
            await RisingEdge(dut.clk)
    dut.s_axis_tvalid.value = 0


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def frames_of_any_length_leave_padded_with_fcs_and_the_gap_between(dut):
    source, sink = await start(dut)
    sent = [octets(length) for length in (*range(1, 131), 1514, 9000)]
    for data in sent:
        await source.send(AxiStreamFrame(data))
    end = None
    for data in sent:
        frame = await sink.recv(compact=False)
        assert_valid(frame, data)
        if end is not None:
            assert (frame.sim_time_start - end) / (PERIOD_NS * 1000) == 24
        end = frame.sim_time_end


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def a_frame_that_comes_late_does_not_wait(dut):
    source, sink = await start(dut)
    for pause in (30, 31, 32, 100):
        await source.send(AxiStreamFrame(octets(60)))
        await RisingEdge(dut.s_axis_tvalid)
        valid = cycle()
        await RisingEdge(dut.mii_tx_en)
        latency = cycle() - valid
        dut._log.info("stream valid to first preamble nibble: %d MII cycles", latency)
        assert latency == 1
        assert_valid(await sink.recv(compact=False), octets(60))
        await ClockCycles(dut.clk, pause)


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def a_frame_that_comes_within_the_gap_waits_for_its_end(dut):
    source, sink = await start(dut)
    ends, gaps = [], []
    for pause in range(1, 30):
        await source.send(AxiStreamFrame(octets(5)))
        frame = await sink.recv(compact=False)
        assert_valid(frame, octets(5))
        if ends:
            gaps.append((frame.sim_time_start - ends[-1]) / (PERIOD_NS * 1000))
        ends.append(frame.sim_time_end)
        await ClockCycles(dut.clk, pause)
    assert gaps[0] == 24 and gaps[-1] > 24
    assert all(gap == 24 or gap == last + 1 for last, gap in zip(gaps, gaps[1:]))


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def tx_done_is_one_cycle_behind_each_frame(dut):
    source, _ = await start(dut)
    done, ends = [], []

    async def watch():
        enabled = 0
        while True:
            await RisingEdge(dut.clk)
            if enabled and not dut.mii_tx_en.value:
                ends.append(cycle())
            enabled = int(dut.mii_tx_en.value)
            if dut.tx_done.value:
                done.append(cycle())

    cocotb.start_soon(watch())
    for length in (1, 60, 61, 100):
        await source.send(AxiStreamFrame(octets(length), tuser=length == 61))
    await RisingEdge(dut.idle)
    await RisingEdge(dut.clk)
    assert len(done) == 4
    assert done == ends


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def a_frame_marked_bad_leaves_with_a_wrong_fcs_and_tx_er(dut):
    source, sink = await start(dut)
    for length in (1, 59, 60, 61, 100):
        await source.send(AxiStreamFrame(octets(length), tuser=[0] * (length - 1) + [1]))
        await source.send(AxiStreamFrame(octets(length)))
        assert_given_up(await sink.recv(compact=False), octets(length))
        assert_valid(await sink.recv(compact=False), octets(length))


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def a_stream_that_runs_dry_ends_its_frame_as_bad_and_spares_the_next(dut):
    source, sink = await start(dut)
    holes = ((1, 1), (1, 300), (2, 2), (30, 3), (58, 1), (59, 1), (60, 1), (61, 1), (62, 7), (79, 1), (79, 60))
    for at, cycles in holes:
        await send_with_a_hole(dut, octets(80), at, cycles)
        await source.send(AxiStreamFrame(octets(64)))
        frame = await sink.recv(compact=False)
        # The octet that was missed goes out as zero.
        assert_given_up(frame, octets(80)[:at] + b"\0")
        assert_valid(await sink.recv(compact=False), octets(64))


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def a_frame_after_a_reset_in_mid_frame_is_whole(dut):
    source, sink = await start(dut)
    rng = random.Random(3)
    for _ in range(10):
        await source.send(AxiStreamFrame(octets(70)))
        await ClockCycles(dut.clk, rng.randrange(4, 190))
        dut.rst.value = 1
        await ClockCycles(dut.clk, 2)
        source.clear()
        dut.rst.value = 0
        await ClockCycles(dut.clk, 2)
        assert not dut.mii_tx_en.value
        sink.clear()
        await source.send(AxiStreamFrame(octets(64)))
        assert_valid(await sink.recv(compact=False), octets(64))
        await ClockCycles(dut.clk, 30)


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def idle_means_that_nothing_changes(dut):
    source, _ = await start(dut)
    for hole in (False, True):
        if hole:
            await send_with_a_hole(dut, octets(70), 10, 400)
        else:
            await source.send(AxiStreamFrame(octets(70)))
        await RisingEdge(dut.idle)
        await assert_nothing_changes(dut, dut.clk, 40)
        assert dut.idle.value
    await source.send(AxiStreamFrame(octets(70)))
    await RisingEdge(dut.s_axis_tvalid)
    await ClockCycles(dut.clk, 2)
    assert not dut.idle.value
