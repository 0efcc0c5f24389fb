# SPDX-License-Identifier: Apache-2.0
"""reset_sync: a reset reaches its domain whether the clock of the domain runs or not."""

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge, RisingEdge, Timer


async def edges_in_reset(dut):
    """Clock edges that see `rst` high, from now on."""
    edges = 0
    await RisingEdge(dut.clk)
    while dut.rst.value:
        edges += 1
        await RisingEdge(dut.clk)
    return edges


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def a_reset_lasts_for_stages_edges_after_its_cause(dut):
    cocotb.start_soon(Clock(dut.clk, 40, "ns").start())
    await Timer(95, "ns")
    dut.rst_in.value = 1
    await Timer(1, "ns")
    assert dut.rst.value == 1
    await FallingEdge(dut.clk)
    dut.rst_in.value = 0
    assert await edges_in_reset(dut) == dut.STAGES.value


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def a_reset_while_the_clock_stands_still_is_not_missed(dut):
    dut.clk.value = 0
    dut.rst_in.value = 0
    await Timer(100, "ns")
    dut.rst_in.value = 1
    await Timer(3, "ns")
    dut.rst_in.value = 0
    await Timer(100, "ns")
    assert dut.rst.value == 1
    cocotb.start_soon(Clock(dut.clk, 40, "ns").start(start_high=False))
    assert await edges_in_reset(dut) == dut.STAGES.value
