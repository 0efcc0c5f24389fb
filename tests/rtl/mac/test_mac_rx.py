# SPDX-License-Identifier: Apache-2.0
"""mac_rx: what the wire carries, and what of it is given."""

import logging
import random

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, RisingEdge
from cocotb.utils import get_sim_time
from cocotbext.eth import GmiiFrame, MiiSource

from idle import assert_nothing_changes
from multicast_hash import multicast_hash
from mii import (DRIBBLE, FCS, PREAMBLE, RUNT, SFD, SYMBOL, Received, collect, drive, frame_nibbles, nibbles, octets,
                 with_fcs)

PERIOD_NS = 40


async def start(dut):
    """Reset; the list that received frames are appended to."""
    cocotb.start_soon(Clock(dut.clk, PERIOD_NS, "ns").start())
    dut.rst.value = 1
    dut.deaf.value = 0
    dut.mii_rxd.value = 0
    dut.mii_rx_dv.value = 0
    dut.mii_rx_er.value = 0
    await ClockCycles(dut.clk, 3)
    dut.rst.value = 0
    await ClockCycles(dut.clk, 2)
    frames = []
    cocotb.start_soon(collect(dut, frames))
    return frames


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def frames_of_any_length_are_given_without_fcs(dut):
    frames = await start(dut)
    source = MiiSource(dut.mii_rxd, dut.mii_rx_er, dut.mii_rx_dv, dut.clk)
    source.log.setLevel(logging.WARNING)
    sent = [octets(length) for length in (*range(1, 131), 1514, 9000)]
    for data in sent:
        await source.send(GmiiFrame.from_raw_payload(with_fcs(data)))
    await source.wait()
    await ClockCycles(dut.clk, 4)
    assert frames == [Received(data, 0) for data in sent]


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def any_preamble_from_one_nibble_on_will_do(dut):
    frames = await start(dut)
    for preamble in range(1, 17):
        await drive(dut, frame_nibbles(octets(60, preamble), preamble))
    assert frames == [Received(octets(60, preamble), 0) for preamble in range(1, 17)]


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def a_damaged_preamble_does_not_cost_the_frame(dut):
    frames = await start(dut)
    for place in range(13):
        burst = frame_nibbles(octets(60, place))
        burst[place] = 0x7
        await drive(dut, burst)
    assert frames == [Received(octets(60, place), 0) for place in range(13)]


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def frames_one_nibble_apart_are_all_given(dut):
    frames = await start(dut)
    sent = [octets(length) for length in (60, 61, 1, 2, 3, 64)]
    for preamble, data in enumerate(sent, 1):
        await drive(dut, frame_nibbles(data, preamble), gap=1)
    for data in sent:  # a dribble nibble leaves even less time
        await drive(dut, frame_nibbles(data, 1) + [0x3], gap=1)
    await ClockCycles(dut.clk, 4)
    assert frames == [Received(data, 0) for data in sent] + [Received(data, DRIBBLE) for data in sent]


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def rx_er_on_any_nibble_behind_the_sfd_marks_the_frame(dut):
    frames = await start(dut)
    data = octets(8)
    burst = frame_nibbles(data)
    for place in range(len(burst)):
        await drive(dut, burst, errors=[place], gap=2)
    await ClockCycles(dut.clk, 4)
    first = len(PREAMBLE + SFD)
    assert frames == [Received(data, SYMBOL if place >= first else 0) for place in range(len(burst))]


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def rx_er_outside_of_a_frame_marks_none(dut):
    frames = await start(dut)
    burst = frame_nibbles(octets(8))
    for cycle in range(6):
        await drive(dut, burst, gap=cycle)
        dut.mii_rx_er.value = 1
        await RisingEdge(dut.clk)
        dut.mii_rx_er.value = 0
        await ClockCycles(dut.clk, 6)
    assert frames == [Received(octets(8), 0)] * 6


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def false_carrier_gives_nothing_and_spares_the_next_frame(dut):
    """RX_ER with the code 0xE, or any other, and without RX_DV (802.3 22.2.2.8)."""
    frames = await start(dut)
    for code in range(16):
        dut.mii_rxd.value = code
        dut.mii_rx_er.value = 1
        await ClockCycles(dut.clk, 1 + code)
        await drive(dut, frame_nibbles(octets(60, code)), gap=2)
    await ClockCycles(dut.clk, 4)
    assert frames == [Received(octets(60, code), 0) for code in range(16)]


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def the_hash_of_the_destination_comes_with_the_second_octet(dut):
    await start(dut)
    hashes = []

    async def note_hashes():
        octet = 0
        while True:
            await RisingEdge(dut.clk)
            if dut.m_axis_tvalid.value:
                if octet == 1:
                    hashes.append(dut.m_axis_tuser.value.integer)
                octet = 0 if dut.m_axis_tlast.value else octet + 1

    cocotb.start_soon(note_hashes())
    rng = random.Random(3)
    sent = [rng.randbytes(60) for _ in range(40)]
    for data in sent:
        await drive(dut, frame_nibbles(data), gap=2)
    await ClockCycles(dut.clk, 4)
    assert hashes == [multicast_hash(data[:6]) for data in sent]


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def a_dribble_nibble_is_left_out_and_told(dut):
    frames = await start(dut)
    data = octets(60)
    for nibble in range(16):
        await drive(dut, frame_nibbles(data) + [nibble], gap=2)
    await ClockCycles(dut.clk, 4)
    assert frames == [Received(data, DRIBBLE)] * 16

    frames.clear()
    await drive(dut, frame_nibbles(data) + [0], errors=[len(frame_nibbles(data))])
    assert frames == [Received(data, DRIBBLE | SYMBOL)]

    frames.clear()
    bad = frame_nibbles(data)
    bad[-1] ^= 1
    await drive(dut, bad + [0])
    assert frames == [Received(data, DRIBBLE | FCS)]


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def a_carrier_without_sfd_gives_nothing(dut):
    frames = await start(dut)
    for burst in ([0x5] * 40, [0xD] * 8, [0x0] * 40, [0xD, 0x5, 0xE, 0xD, 0x5], [0x5], [0xD]):
        await drive(dut, burst, gap=2)
    await drive(dut, [0xD] + nibbles(octets(10)), gap=2)
    assert frames == []
    await drive(dut, frame_nibbles(octets(60)))
    assert frames == [Received(octets(60), 0)]


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def every_flipped_bit_is_an_fcs_error(dut):
    frames = await start(dut)
    good = frame_nibbles(octets(12))
    first = len(PREAMBLE + SFD)
    for place in range(first, len(good)):
        for bit in range(4):
            burst = list(good)
            burst[place] ^= 1 << bit
            await drive(dut, burst, gap=2)
    await ClockCycles(dut.clk, 4)
    assert [frame.tuser for frame in frames] == [FCS] * 4 * (len(good) - first)


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def a_frame_cut_off_ends_once_with_its_flags(dut):
    frames = await start(dut)
    body = nibbles(octets(20))
    for length in range(11):
        frames.clear()
        await drive(dut, PREAMBLE + SFD + body[:length], gap=1)
        await drive(dut, frame_nibbles(octets(60)))
        cut = frames[:-1]
        assert frames[-1] == Received(octets(60), 0)
        if length == 0:
            assert cut == []
            continue
        assert len(cut) == 1
        assert bool(cut[0].tuser & RUNT) == (length < 10)
        assert bool(cut[0].tuser & DRIBBLE) == bool(length % 2)
        assert cut[0].tuser & FCS
        assert cut[0].data == (octets(20)[:1] if length == 10 else b"")


def reference(burst):
    """What should be given of a burst of nibbles: all behind the first SFD, less the FCS."""
    for place in range(1, len(burst)):
        if burst[place - 1:place + 1] == SFD:
            body = burst[place + 1:]
            break
    else:
        return []
    if not body:
        return []
    whole = bytes(low | high << 4 for low, high in zip(body[0::2], body[1::2]))
    data, fcs = whole[:-4], whole[-4:]
    tuser = DRIBBLE * (len(body) % 2) | RUNT * (len(whole) < 5) | FCS * (with_fcs(data)[-4:] != fcs)
    return [Received(b"" if tuser & RUNT else data, tuser)]


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def random_bursts_are_given_as_the_reference_says(dut):
    frames = await start(dut)
    rng = random.Random(7)
    expected = []
    for _ in range(400):
        burst = [rng.choice((0x5, 0x5, 0xD, rng.randrange(16))) for _ in range(rng.randrange(1, 30))]
        if rng.random() < 0.3:
            burst = burst[:3] + frame_nibbles(octets(rng.randrange(0, 9)), 1)
        expected += reference(burst)
        await drive(dut, burst, gap=rng.choice((1, 1, 2, 5)))
    await ClockCycles(dut.clk, 4)
    assert len(expected) > 200
    assert frames == expected


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def the_rest_of_a_frame_that_a_reset_hit_is_not_taken_for_one(dut):
    frames = await start(dut)
    hidden = frame_nibbles(octets(60))
    dut.rst.value = 1
    await drive(dut, PREAMBLE, gap=0)
    dut.rst.value = 0
    await drive(dut, hidden, gap=1)
    await drive(dut, frame_nibbles(octets(61)))
    assert frames == [Received(octets(61), 0)]


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def nothing_is_received_that_begins_while_deaf(dut):
    frames = await start(dut)
    burst = frame_nibbles(octets(60))
    for early, late in ((0, 0), (1, 0), (0, 1), (10, -30)):  # deaf a bit before, a bit after, not up to its end
        dut.deaf.value = 1
        await ClockCycles(dut.clk, 1 + early)
        cocotb.start_soon(drive(dut, burst))
        await ClockCycles(dut.clk, len(burst) + late)
        dut.deaf.value = 0
        await ClockCycles(dut.clk, 60)
    assert frames == []
    await drive(dut, frame_nibbles(octets(61)), gap=4)
    assert frames == [Received(octets(61), 0)]


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def a_frame_under_way_is_cut_off_as_bad_when_deaf(dut):
    frames = await start(dut)
    burst = frame_nibbles(octets(30))
    for place in range(17, len(burst)):
        cocotb.start_soon(drive(dut, burst))
        await ClockCycles(dut.clk, place)
        dut.deaf.value = 1
        await ClockCycles(dut.clk, 4)
        dut.deaf.value = 0
        await ClockCycles(dut.clk, len(burst) - place + 4)
    assert len(frames) == len(burst) - 17
    for frame in frames:
        assert frame.tuser & (RUNT | FCS) == RUNT | FCS and octets(30).startswith(frame.data)
    await drive(dut, frame_nibbles(octets(61)), gap=4)
    assert frames[-1] == Received(octets(61), 0)


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def idle_means_that_nothing_changes(dut):
    await start(dut)
    for burst in (frame_nibbles(octets(60)), frame_nibbles(octets(60)) + [7], PREAMBLE, PREAMBLE + SFD):
        await drive(dut, burst, gap=0)
        while not dut.idle.value:
            await RisingEdge(dut.clk)
        await assert_nothing_changes(dut, dut.clk, 30)
        assert dut.idle.value
        dut.mii_rx_dv.value = 1
        await ClockCycles(dut.clk, 3)
        assert not dut.idle.value


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def latencies(dut):
    await start(dut)
    first = {}

    async def note_first_cycle_of(name, signal, last=False):
        while name not in first:
            await RisingEdge(dut.clk)
            if signal.value and (not last or dut.m_axis_tlast.value):
                first[name] = get_sim_time("ns") // PERIOD_NS

    cocotb.start_soon(note_first_cycle_of("octet", dut.m_axis_tvalid))
    cocotb.start_soon(note_first_cycle_of("last", dut.m_axis_tvalid, last=True))
    burst = frame_nibbles(octets(60))
    begin = get_sim_time("ns") // PERIOD_NS + 1
    await drive(dut, burst)
    sfd_to_octet = first["octet"] - (begin + len(PREAMBLE + SFD) - 1)
    nibble_to_last = first["last"] - (begin + len(burst) - 1)
    dut._log.info("SFD to first octet: %d MII cycles; last FCS nibble to tlast: %d", sfd_to_octet, nibble_to_last)
    assert (sfd_to_octet, nibble_to_last) == (12, 2)
