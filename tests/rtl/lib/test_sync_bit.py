# SPDX-License-Identifier: Apache-2.0
"""sync_bit: what goes in comes out two edges later."""

import random

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import RisingEdge


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def each_bit_follows_two_edges_later(dut):
    cocotb.start_soon(Clock(dut.clk, 10, "ns").start())
    words = [random.randrange(1 << dut.WIDTH.value) for _ in range(50)]
    for index, word in enumerate(words):
        dut.d.value = word
        await RisingEdge(dut.clk)  # sees what the edges before have left
        if index >= 2:
            assert dut.q.value == words[index - 2]
