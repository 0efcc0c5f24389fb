# SPDX-License-Identifier: Apache-2.0
"""sync_fifo: a queue like Python's, under random stalls on both sides."""

import random
from collections import deque

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, ReadOnly, RisingEdge


async def start(dut):
    cocotb.start_soon(Clock(dut.clk, 10, "ns").start())
    dut.s_valid.value = 0
    dut.m_ready.value = 0
    dut.rst.value = 1
    await ClockCycles(dut.clk, 2)
    dut.rst.value = 0


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def it_behaves_like_a_queue_of_its_depth(dut):
    await start(dut)
    depth = 1 << dut.LOG2_DEPTH.value
    model = deque()
    for cycle in range(4000):
        # The first half tends to be full, the second to be empty.
        dut.s_valid.value = random.random() < (0.7 if cycle < 2000 else 0.3)
        dut.m_ready.value = random.random() < (0.3 if cycle < 2000 else 0.7)
        dut.s_data.value = random.randrange(256)
        dut.rst.value = random.random() < 0.005
        await ReadOnly()
        if cycle:
            assert dut.count.value == len(model)
            assert dut.s_ready.value == (len(model) < depth)
            assert dut.m_valid.value == (len(model) > 0)
            assert not model or dut.m_data.value == model[0]
        taken = dut.s_valid.value and dut.s_ready.value
        given = dut.m_valid.value and dut.m_ready.value
        word = dut.s_data.value.integer
        reset = dut.rst.value
        await RisingEdge(dut.clk)
        if given:
            model.popleft()
        if taken:
            model.append(word)
        if reset:
            model.clear()
