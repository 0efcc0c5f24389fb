# SPDX-License-Identifier: Apache-2.0
"""sync_pulse: every pulse arrives once, between clocks of any ratio."""

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, RisingEdge, Timer
from cocotb.utils import get_sim_time


async def count_pulses(dut, seen):
    while True:
        await RisingEdge(dut.m_clk)
        if dut.m_pulse.value:
            seen.append(get_sim_time("ps"))


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def each_pulse_arrives_once_whatever_the_clocks(dut):
    for s_period, m_period in ((40, 10), (400, 10), (10, 10), (10, 40), (40, 39)):
        s_clock = cocotb.start_soon(Clock(dut.s_clk, s_period, "ns").start())
        m_clock = cocotb.start_soon(Clock(dut.m_clk, m_period, "ns").start())
        dut.s_pulse.value = 0
        dut.s_rst.value = 1
        await Timer(10 * max(s_period, m_period), "ns")
        await RisingEdge(dut.s_clk)
        dut.s_rst.value = 0
        await ClockCycles(dut.s_clk, 2)

        seen = []
        counter = cocotb.start_soon(count_pulses(dut, seen))
        spacing = 2 * m_period // s_period + 2
        for _ in range(50):
            dut.s_pulse.value = 1
            await RisingEdge(dut.s_clk)
            dut.s_pulse.value = 0
            await ClockCycles(dut.s_clk, spacing)
        await Timer(5 * (s_period + m_period), "ns")
        assert len(seen) == 50, f"{len(seen)} of 50 pulses at {s_period} ns to {m_period} ns"
        for task in (counter, s_clock, m_clock):
            task.kill()
