# SPDX-License-Identifier: Apache-2.0
"""statistics: every event is counted where nic.rdl says."""

import random
import re
from pathlib import Path

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, RisingEdge

from quiet import watch

NIC_RDL = Path(__file__).parents[3] / "rtl/nic/nic.rdl"
COUNTERS = re.findall(r"STAT_(\w+) +@", NIC_RDL.read_text())
NAMES = {"good": "RX_FRAMES", "broadcast": "RX_BROADCAST", "multicast": "RX_MULTICAST", "fcs_error": "RX_FCS_ERRORS",
         "alignment_error": "RX_ALIGNMENT_ERRORS", "dribble": "RX_DRIBBLE", "symbol_error": "RX_SYMBOL_ERRORS",
         "undersize": "RX_UNDERSIZE", "fragment": "RX_FRAGMENTS", "oversize": "RX_OVERSIZE", "jabber": "RX_JABBERS",
         "filtered": "RX_FILTERED", "dropped": "RX_DROPPED"}
EVENTS = tuple(NAMES)
INPUTS = ("rx_valid", "rx_octets", "rx_flags", "tx_valid", "tx_octets", "read_request", "read_address")


async def reset(dut):
    cocotb.start_soon(Clock(dut.clk, 40, "ns").start())
    for name in INPUTS:
        getattr(dut, name).value = 0
    dut.rst.value = 1
    await ClockCycles(dut.clk, 2)
    dut.rst.value = 0
    await RisingEdge(dut.clk)


async def start(dut):
    await reset(dut)
    await ClockCycles(dut.clk, 20)


async def events(dut, rx=None, tx=None):
    """One cycle with an event on either side: rx = (octets, names), tx = octets."""
    dut.rx_valid.value = rx is not None
    dut.tx_valid.value = tx is not None
    if rx is not None:
        dut.rx_octets.value, names = rx
        dut.rx_flags.value = sum(1 << EVENTS.index(name) for name in names)
    if tx is not None:
        dut.tx_octets.value = tx
    await RisingEdge(dut.clk)
    dut.rx_valid.value = 0
    dut.tx_valid.value = 0


async def read(dut, name):
    dut.read_address.value = COUNTERS.index(name)
    dut.read_request.value = 1
    await RisingEdge(dut.clk)
    waited = 0
    while not dut.read_ack.value:
        await RisingEdge(dut.clk)
        waited += 1
        assert waited < 40
    value = dut.read_data.value.integer
    dut.read_request.value = 0
    await RisingEdge(dut.clk)
    return value


async def assert_counted(dut, wanted):
    for name in COUNTERS:
        assert await read(dut, name) == wanted.get(name, 0), name


@cocotb.test()
async def reset_clears_every_counter(dut):
    for _ in range(2):
        await reset(dut)
        await assert_counted(dut, {})
        await events(dut, (100, EVENTS), 100)
        await ClockCycles(dut.clk, 20)


@cocotb.test()
async def each_event_moves_its_own_counter(dut):
    await start(dut)
    wanted = {}
    for number, event in enumerate(EVENTS):
        for _ in range(number + 1):
            await events(dut, (1000, [event]))
            await ClockCycles(dut.clk, 4)
        wanted[NAMES[event]] = number + 1
    wanted["RX_OCTETS"] = 1000
    await events(dut, tx=77)
    wanted["TX_FRAMES"] = 1
    wanted["TX_OCTETS"] = 77
    await assert_counted(dut, wanted)


@cocotb.test()
async def events_on_both_sides_every_40_cycles_are_all_counted_while_reads_are_served(dut):
    await start(dut)
    wanted = dict.fromkeys(COUNTERS, 0)
    reads = []

    async def read_on():
        while True:
            reads.append(await read(dut, "TX_FRAMES"))

    reader = cocotb.start_soon(read_on())
    for number in range(300):
        names = [name for name in EVENTS if random.random() < 0.7]
        octets, tx_octets = random.randrange(1 << 14), random.randrange(1 << 14)
        for name in names:
            wanted[NAMES[name]] += 1
        if "good" in names:
            wanted["RX_OCTETS"] += octets
        wanted["TX_FRAMES"] += 1
        wanted["TX_OCTETS"] += tx_octets
        if number % 2:
            await events(dut, (octets, names), tx_octets)
        else:
            await events(dut, (octets, names))
            await ClockCycles(dut.clk, random.randrange(5))
            await events(dut, tx=tx_octets)
        await ClockCycles(dut.clk, random.randrange(33, 40))
    reader.kill()
    dut.read_request.value = 0
    await RisingEdge(dut.clk)
    assert reads == sorted(reads) and len(set(reads)) > 290
    await assert_counted(dut, wanted)


@cocotb.test()
async def fragments_every_fourth_cycle_are_all_counted(dut):
    """No two frames end closer to each other: a gap, a preamble, an SFD and a data nibble at 25 MHz."""
    await start(dut)
    for number in range(100):
        await events(dut, (4, ["fragment", "symbol_error"]), 64 if number % 20 == 0 else None)
        await ClockCycles(dut.clk, 3)
    await assert_counted(dut, {"RX_FRAGMENTS": 100, "RX_SYMBOL_ERRORS": 100, "TX_FRAMES": 5, "TX_OCTETS": 320})


@cocotb.test()
async def a_fragment_close_behind_a_good_frame_leaves_its_octets_alone(dut):
    await start(dut)
    await events(dut, (1000, ["good"]), 64)
    await ClockCycles(dut.clk, 3)
    await events(dut, (4, ["fragment"]))
    await assert_counted(dut, {"RX_FRAMES": 1, "RX_OCTETS": 1000, "RX_FRAGMENTS": 1, "TX_FRAMES": 1, "TX_OCTETS": 64})


@cocotb.test()
async def events_in_the_cycles_after_reset_are_counted(dut):
    await reset(dut)
    await events(dut, (64, ["good"]), 64)
    await assert_counted(dut, {"RX_FRAMES": 1, "RX_OCTETS": 64, "TX_FRAMES": 1, "TX_OCTETS": 64})


@cocotb.test()
async def nothing_changes_while_idle(dut):
    await start(dut)
    cocotb.start_soon(watch(dut, dut.stat_idle, INPUTS))
    for _ in range(3):
        await events(dut, (64, EVENTS), 64)
        await ClockCycles(dut.clk, 30)
        assert dut.stat_idle.value
