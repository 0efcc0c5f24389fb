# SPDX-License-Identifier: Apache-2.0
"""The check of an `idle` output from its first cycle on."""

from cocotb.triggers import RisingEdge

from idle import state


async def watch(dut, idle, inputs, moves=lambda: False):
    """Run beside a test: the edge after a cycle with `idle` high and nothing that `moves` must change nothing, unless
    one of the `inputs` changes with it. What is seen at an edge is what stood before it."""
    before = None
    while True:
        await RisingEdge(dut.clk)
        now = state(dut, ("clk", *inputs))
        driven = [getattr(dut, name).value.binstr for name in inputs]
        if before is not None and before[1] == driven:
            changed = [f"{path}: {before[0][path]} -> {now[path]}" for path in now if now[path] != before[0][path]]
            assert not changed, "while idle: " + ", ".join(changed)
        before = (now, driven) if idle.value and not moves() else None
