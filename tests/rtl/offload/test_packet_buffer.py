# SPDX-License-Identifier: Apache-2.0
"""packet_buffer of 15 octets and 4 records: what was committed comes out, and nothing else.

Inputs are changed and outputs looked at half a cycle before the edge that counts.
"""

import random
from collections import deque

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, FallingEdge, ReadOnly

from quiet import watch

CAPACITY = 15
RETRACT = 3
RECORDS = 4
COMMANDS = ("write", "retract", "patch", "commit", "rollback")
MOVES = (*COMMANDS, "record_ready", "m_axis_tready")
INPUTS = (*MOVES, "write_data", "patch_address", "patch_data", "record", "oldest", "rewind")


async def start(dut):
    cocotb.start_soon(Clock(dut.clk, 40, "ns").start())
    for name in INPUTS:
        getattr(dut, name).value = 0
    dut.rst.value = 1
    await ClockCycles(dut.clk, 2, rising=False)
    dut.rst.value = 0
    await FallingEdge(dut.clk)


async def command(dut, **signals):
    """One cycle with these inputs, the rest of the commands low."""
    for name in COMMANDS:
        getattr(dut, name).value = 0
    for name, value in signals.items():
        getattr(dut, name).value = value
    await FallingEdge(dut.clk)
    for name in COMMANDS:
        getattr(dut, name).value = 0


async def append(dut, data):
    for octet in data:
        await command(dut, write=1, write_data=octet)


async def read(dut, length):
    data = bytearray()
    dut.m_axis_tready.value = 1
    while len(data) < length:
        if dut.m_axis_tvalid.value:
            data.append(dut.m_axis_tdata.value.integer)
        await FallingEdge(dut.clk)
    dut.m_axis_tready.value = 0
    return bytes(data)


async def drained(dut):
    """Nothing more can be read."""
    await ClockCycles(dut.clk, 4, rising=False)
    return not dut.m_axis_tvalid.value and not dut.record_valid.value


@cocotb.test()
async def octets_are_seen_only_after_their_commit(dut):
    await start(dut)
    await append(dut, b"frame")
    assert await drained(dut)
    await command(dut, commit=1, record=0x11)
    await ClockCycles(dut.clk, 2, rising=False)
    assert dut.record_valid.value and dut.record_data.value == 0x11
    assert await read(dut, 5) == b"frame"
    await command(dut, record_ready=1)
    dut.record_ready.value = 0
    assert await drained(dut)


@cocotb.test()
async def a_rollback_takes_back_one_frame_and_its_room(dut):
    await start(dut)
    await append(dut, b"kept")
    await command(dut, commit=1, record=1)
    for _ in range(10):
        await append(dut, b"taken back")
        await command(dut, rollback=1)
    await append(dut, b"kept too")
    await command(dut, commit=1, record=2)
    assert await read(dut, 12) == b"keptkept too"
    await ClockCycles(dut.clk, 4, rising=False)
    assert not dut.m_axis_tvalid.value


@cocotb.test()
async def a_retraction_takes_back_the_last_three_octets_and_their_room(dut):
    await start(dut)
    for _ in range(5):  # around the end of the memory too
        await append(dut, b"frame***")
        await command(dut, retract=1)
        assert dut.space.value == CAPACITY - 5
        await append(dut, b"d")
        await command(dut, commit=1, record=0)
        assert await read(dut, 6) == b"framed"
        await command(dut, record_ready=1)
        dut.record_ready.value = 0


@cocotb.test()
async def a_patch_replaces_one_octet_and_moves_nothing(dut):
    await start(dut)
    addresses = []
    for octet in b"fr?me":
        addresses.append(dut.write_address.value.integer)
        await command(dut, write=1, write_data=octet)
    await command(dut, patch=1, patch_address=addresses[2], patch_data=ord("a"))
    await command(dut, patch=1, patch_address=addresses[0], patch_data=ord("F"), commit=1, record=0)
    assert await read(dut, 5) == b"Frame"


@cocotb.test()
async def full_and_space_tell_what_fits(dut):
    await start(dut)
    for length in range(CAPACITY):
        assert dut.space.value == CAPACITY - length and not dut.full.value
        await command(dut, write=1, write_data=length)
    assert dut.space.value == 0 and dut.full.value
    await command(dut, commit=1, record=0)
    assert await read(dut, CAPACITY) == bytes(range(CAPACITY))
    assert dut.space.value == CAPACITY and not dut.full.value


@cocotb.test()
async def high_and_low_tell_the_level_of_octets_and_records(dut):
    await start(dut)
    for length in range(CAPACITY + 1):
        assert (dut.high.value, dut.low.value) == (length > CAPACITY / 2, length < CAPACITY / 4)
        if length < CAPACITY:
            await append(dut, b"x")
    await command(dut, rollback=1)
    for number in range(RECORDS + 1):
        assert (dut.high.value, dut.low.value) == (number >= RECORDS / 2, number < RECORDS / 4)
        if number < RECORDS:
            await command(dut, commit=1, record=0)


@cocotb.test()
async def records_full_tells_when_no_frame_can_be_committed(dut):
    await start(dut)
    for number in range(RECORDS):
        assert not dut.records_full.value
        await append(dut, b"x")
        await command(dut, commit=1, record=number)
    assert dut.records_full.value
    for number in range(RECORDS):
        assert dut.record_data.value == number
        await command(dut, record_ready=1)
        dut.record_ready.value = 0
        assert not dut.records_full.value


@cocotb.test()
async def read_address_is_one_past_the_octet_shown(dut):
    await start(dut)
    for _ in range(3):
        addresses = []
        for octet in b"123456":
            addresses.append(dut.write_address.value.integer)
            await command(dut, write=1, write_data=octet)
        await command(dut, commit=1, record=0)
        for address in addresses:
            while not dut.m_axis_tvalid.value:
                await FallingEdge(dut.clk)
            assert dut.read_address.value == (address + 1) % (CAPACITY + 1)
            assert await read(dut, 1)


@cocotb.test()
async def nothing_changes_while_idle(dut):
    await start(dut)
    cocotb.start_soon(watch(dut, dut.idle, INPUTS, lambda: any(getattr(dut, name).value for name in MOVES)))
    await append(dut, b"read")
    await command(dut, commit=1, record=0)
    await ClockCycles(dut.clk, 5, rising=False)
    await append(dut, b"left")
    for _ in range(2):
        await ClockCycles(dut.clk, 10, rising=False)
        assert dut.idle.value
        await read(dut, 2)
    await ClockCycles(dut.clk, 10)


@cocotb.test()
async def random_commands_follow_the_model(dut):
    await start(dut)
    frame, readable, records = [], deque(), deque()
    shown = transferred = 0
    for cycle in range(12000):
        hurry = cycle // 1000 % 3  # the writer is faster, as fast, slower
        inside = len(frame) + len(readable)
        signals = {"write": 0, "record_ready": random.random() < 0.1 + hurry / 4,
                   "m_axis_tready": random.random() < 0.3 + hurry / 3}
        choice = random.random()
        if choice < 0.7 and inside < CAPACITY:
            signals.update(write=1, write_data=random.randrange(256))
        elif choice < 0.72 and len(frame) >= RETRACT:
            signals.update(retract=1)
        elif choice < 0.8 and frame:
            at = random.randrange(len(frame))
            address = (dut.write_address.value.integer - len(frame) + at) % (CAPACITY + 1)
            signals.update(patch=1, patch_address=address, patch_data=random.randrange(256))
        if not signals["write"] and "retract" not in signals and choice > 0.75:
            if choice > 0.95:
                signals["rollback"] = 1
            elif len(records) < RECORDS:
                signals.update(commit=1, record=random.randrange(256))

        for name in (*COMMANDS, *signals):
            getattr(dut, name).value = signals.get(name, 0)
        await ReadOnly()
        assert dut.records_full.value == (len(records) == RECORDS)
        assert dut.record_valid.value == bool(records)
        if records:
            assert dut.record_data.value == records[0]
        taken = dut.m_axis_tvalid.value and signals["m_axis_tready"]
        # The octet shown has left the memory.
        outside = int(dut.m_axis_tvalid.value)
        assert dut.space.value == CAPACITY - len(frame) - len(readable) + outside
        assert not outside or dut.m_axis_tdata.value == readable[0]
        shown = 0 if outside or not readable else shown + 1
        assert shown < 2, "an octet that was committed is not shown"

        if signals["record_ready"] and records:
            records.popleft()
        if taken:
            readable.popleft()
            transferred += 1
        if signals["write"]:
            frame.append(signals["write_data"])
        if signals.get("retract"):
            del frame[-RETRACT:]
        if signals.get("patch"):
            frame[at] = signals["patch_data"]
        if signals.get("commit"):
            readable.extend(frame)
            records.append(signals["record"])
            frame = []
        if signals.get("rollback"):
            frame = []
        await FallingEdge(dut.clk)
    assert transferred > 1000
