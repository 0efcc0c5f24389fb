# SPDX-License-Identifier: Apache-2.0
"""mdio: the frames of 802.3 clause 22, as a PHY sees them."""

import random

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, FallingEdge, RisingEdge

from idle import assert_nothing_changes
from phy import Phy

WRITE, BUSY = 1 << 30, 1 << 31


async def start(dut, clk_ns=40, divide=4, **how):
    """As fast as 802.3 lets MDC run."""
    cocotb.start_soon(Clock(dut.clk, clk_ns, "ns").start())
    dut.write.value = 0
    dut.cfg_divide.value = divide
    dut.rst.value = 1
    await ClockCycles(dut.clk, 2)
    dut.rst.value = 0
    await RisingEdge(dut.clk)
    return Phy(dut, **how)


async def set_register(dut, value, strobes=0xF):
    dut.write_data.value = value
    dut.write.value = strobes
    await RisingEdge(dut.clk)
    dut.write.value = 0
    await FallingEdge(dut.clk)


async def finish(dut):
    if not dut.idle.value:
        await RisingEdge(dut.idle)
    await RisingEdge(dut.clk)
    return dut.value.value.integer & 0xFFFF


async def read(dut, register, phy=1):
    await set_register(dut, phy << 21 | register << 16)
    return await finish(dut)


async def write(dut, register, data, phy=1):
    await set_register(dut, WRITE | phy << 21 | register << 16 | data)
    return await finish(dut)


async def exchange(dut, phy, rounds):
    rng = random.Random(1)
    for _ in range(rounds):
        register, data = rng.randrange(32), rng.getrandbits(16)
        if rng.random() < 0.5:
            assert await write(dut, register, data) == data, "what was written is not kept"
            assert phy.writes[-1] == (register, data)
        else:
            assert await read(dut, register) == phy.registers[register]
            assert phy.reads[-1] == register


@cocotb.test()
async def every_register_of_a_phy_is_read_and_written(dut):
    phy = await start(dut)
    for register in range(32):
        assert await read(dut, register) == 0x1000 + register
        await write(dut, register, 0x8421 ^ register)
    assert phy.reads == list(range(32))
    assert phy.writes == [(register, 0x8421 ^ register) for register in range(32)]


@cocotb.test()
async def a_phy_may_answer_at_once_or_300_ns_late(dut):
    phy = await start(dut)
    for phy.delay_ns in (0, 1, 150, 299, 300):
        await exchange(dut, phy, 8)


@cocotb.test()
async def mdc_runs_at_2_5_mhz_with_a_clk_of_100_mhz_and_the_reset_value_of_divide(dut):
    phy = await start(dut, clk_ns=10, divide=19)
    await exchange(dut, phy, 4)
    assert set(phy.periods_ns[:63]) == {400}


@cocotb.test()
async def divide_sets_the_period_of_mdc(dut):
    phy = await start(dut)
    for divide in (0, 1, 2, 130):
        dut.cfg_divide.value = divide
        await write(dut, 3, divide)
        assert phy.writes[-1] == (3, divide)
        assert set(phy.periods_ns[-63:]) == {2 * (divide + 1) * 40}


@cocotb.test()
async def a_phy_that_is_not_there_reads_all_ones(dut):
    phy = await start(dut, address=7)
    for address in (0, 5, 6, 7, 15, 23, 31):
        assert await read(dut, 2, phy=address) == (0x1002 if address == 7 else 0xFFFF)
    assert phy.reads == [2]


@cocotb.test()
async def another_phy_is_not_written(dut):
    phy = await start(dut, address=7)
    for address in (0, 5, 6, 15, 23, 31):
        await write(dut, 2, 0, phy=address)
    assert phy.writes == []


@cocotb.test()
async def a_frame_under_way_is_not_disturbed(dut):
    phy = await start(dut)
    await set_register(dut, WRITE | 1 << 21 | 4 << 16 | 0x5A5A)
    while dut.value.value.integer & BUSY:
        assert dut.value.value.integer & ~0xFFFF == BUSY | WRITE | 1 << 21 | 4 << 16
        await set_register(dut, random.getrandbits(32), random.getrandbits(4))
        await ClockCycles(dut.clk, 20)
    assert phy.writes == [(4, 0x5A5A)]


@cocotb.test()
async def only_the_uppermost_octet_starts_a_frame(dut):
    phy = await start(dut)
    for octet, strobe in enumerate((1, 2, 4)):
        await set_register(dut, WRITE | 1 << 21 | 9 << 16 | 0x1234, strobe)
        await ClockCycles(dut.clk, 100)
        assert dut.idle.value and not dut.mdc.value, f"octet {octet}"
    await set_register(dut, WRITE, 8)
    await finish(dut)
    assert phy.writes == [(9, 0x1234)]


@cocotb.test()
async def between_frames_mdc_rests_low_and_mdio_is_released(dut):
    phy = await start(dut)
    for operation in (read(dut, 1), write(dut, 1, 2)):
        assert dut.mdio_t.value and not dut.mdc.value
        await operation
        await ClockCycles(dut.clk, 100)
        assert dut.mdio_t.value and not dut.mdc.value
    assert len(phy.periods_ns) == 2 * 64 - 1


@cocotb.test()
async def nothing_changes_while_idle(dut):
    await start(dut, divide=2, delay_ns=0)
    for operation in (read(dut, 1), write(dut, 1, 2)):
        await operation
        await ClockCycles(dut.clk, 3)  # the line
        assert dut.idle.value
        await assert_nothing_changes(dut, dut.clk, 40)
