# SPDX-License-Identifier: Apache-2.0
"""The check of an `idle` output: while it is high and the inputs rest, nothing inside may change."""

from cocotb.handle import HierarchyObject, ModifiableObject, NonHierarchyIndexableObject
from cocotb.triggers import ReadOnly, RisingEdge


def state(module, skip=()):
    """All signals of `module` and the modules in it, by path, without those that are called like one of `skip`."""
    values = {}
    for handle in module:
        if isinstance(handle, HierarchyObject):
            values.update(state(handle, skip))
        elif isinstance(handle, ModifiableObject):
            if handle._name not in skip:
                values[handle._path] = handle.value.binstr
        elif isinstance(handle, NonHierarchyIndexableObject):  # a memory
            values.update({word._path: word.value.binstr for word in handle})
    return values


async def assert_nothing_changes(module, clock, cycles, clocks=("clk",)):
    """Look at every signal but the `clocks` after each rising edge of `clock`, for `cycles` of them."""
    before = None
    for cycle in range(cycles):
        await RisingEdge(clock)
        await ReadOnly()
        now = state(module, clocks)
        if before is not None:
            changed = [f"{path}: {before[path]} -> {now[path]}" for path in now if now[path] != before[path]]
            assert not changed, f"cycle {cycle} of idle: " + ", ".join(changed)
        before = now
    await RisingEdge(clock)
