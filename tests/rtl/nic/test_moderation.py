# SPDX-License-Identifier: Apache-2.0
"""moderation: fewer interrupts than events, and none too late."""

import random

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, FallingEdge, RisingEdge

from idle import assert_nothing_changes

UNIT = 8  # cycles


class Bench:
    """The module, its clock of time units, and a cause bit as in nic_regs."""

    def __init__(self, dut):
        self.dut = dut
        self.cycle = 0
        self.cause = False
        self.tells = []  # cycles

    async def start(self, count=0, time=0):
        dut = self.dut
        cocotb.start_soon(Clock(dut.clk, 10, "ns").start())
        dut.event_in.value = 0
        dut.forget.value = 0
        dut.time_units.value = 1020
        dut.rst.value = 1
        self.settings(count, time)
        await ClockCycles(dut.clk, 2)
        await FallingEdge(dut.clk)
        dut.rst.value = 0
        return self

    def settings(self, count, time):
        self.dut.cfg_count.value, self.dut.cfg_time.value = count, time

    async def step(self, event=False, acknowledge=False):
        """One cycle; returns whether the cause stands after it."""
        dut = self.dut
        dut.event_in.value = int(event)
        dut.forget.value = int(acknowledge)
        dut.time_units.value = (1020 + self.cycle // UNIT) % 1024
        await RisingEdge(dut.clk)
        tell = bool(dut.tell.value)
        await FallingEdge(dut.clk)
        if tell:
            self.tells.append(self.cycle)
        self.cause = tell or (self.cause and not acknowledge)
        self.cycle += 1
        return self.cause

    async def wait(self, cycles):
        for _ in range(cycles):
            await self.step()

    async def told_after(self, limit=10_000):
        """Cycles until the next tell."""
        before, start = len(self.tells), self.cycle
        while len(self.tells) == before:
            await self.step()
            assert self.cycle - start < limit, "never told"
        return self.tells[-1] - start

    async def at_start_of_unit(self):
        await self.wait(-self.cycle % UNIT)


@cocotb.test()
async def without_a_time_every_event_is_told_in_its_cycle(dut):
    bench = await Bench(dut).start(count=5, time=0)
    for cycle in range(20):
        await bench.step(event=cycle % 3 != 0)
        assert dut.idle.value
    assert bench.tells == [cycle for cycle in range(20) if cycle % 3]


@cocotb.test()
async def the_time_runs_from_the_first_event(dut):
    bench = await Bench(dut).start(time=3)
    for _ in range(2):
        await bench.at_start_of_unit()
        await bench.step(event=True)
        for _ in range(10):
            await bench.step(event=True)
        assert await bench.told_after() == 3 * UNIT - 11
        await bench.wait(100)
    assert len(bench.tells) == 2


@cocotb.test()
async def no_event_waits_longer_than_the_time_whatever_its_cycle(dut):
    for time in (1, 2, 7, 1023):
        bench = await Bench(dut).start(time=time)
        for phase in range(UNIT if time < 1023 else 1):
            await bench.at_start_of_unit()
            await bench.wait(phase)
            first = bench.cycle
            await bench.step(event=True)
            if len(bench.tells) <= phase:
                await bench.told_after()
            assert (time - 1) * UNIT < bench.tells[-1] - first <= time * UNIT
            await bench.step(acknowledge=True)


@cocotb.test()
async def the_count_tells_before_the_time_is_over(dut):
    for count in (1, 2, 255):
        bench = await Bench(dut).start(count=count, time=500)
        for event in range(3 * count):
            await bench.step(event=True)
            await bench.wait(random.randrange(3))
        assert len(bench.tells) == 3
        assert dut.idle.value


@cocotb.test()
async def fewer_events_than_the_count_are_told_by_the_time(dut):
    bench = await Bench(dut).start(count=3, time=2)
    await bench.at_start_of_unit()
    await bench.step(event=True)
    await bench.step(event=True)
    assert await bench.told_after() == 2 * UNIT - 2
    await bench.step(event=True)
    await bench.step(event=True)
    assert len(bench.tells) == 1, "events that were told are counted again"


@cocotb.test()
async def a_time_of_0_tells_at_once_what_is_pending(dut):
    bench = await Bench(dut).start(time=900)
    await bench.step(event=True)
    bench.settings(0, 0)
    assert await bench.told_after() == 0


@cocotb.test()
async def a_new_count_counts_the_events_that_are_pending(dut):
    bench = await Bench(dut).start(time=900)
    await bench.step(event=True)
    await bench.step(event=True)
    bench.settings(3, 900)
    await bench.wait(10)
    assert not bench.tells
    await bench.step(event=True)
    assert len(bench.tells) == 1


@cocotb.test()
async def a_new_time_leaves_the_deadline_that_runs(dut):
    bench = await Bench(dut).start(time=5)
    await bench.at_start_of_unit()
    await bench.step(event=True)
    bench.settings(0, 900)
    assert await bench.told_after() == 5 * UNIT - 1


@cocotb.test()
async def an_acknowledgement_forgets_the_events_before_it(dut):
    bench = await Bench(dut).start(count=4, time=3)
    for _ in range(3):
        await bench.step(event=True)
    await bench.step(acknowledge=True)
    assert dut.idle.value
    for _ in range(3):
        await bench.step(event=True)
    assert not bench.tells, "what was forgotten is counted"
    await bench.step(event=True)
    assert len(bench.tells) == 1


@cocotb.test()
async def an_event_in_the_cycle_of_the_acknowledgement_is_new(dut):
    bench = await Bench(dut).start(time=3)
    await bench.at_start_of_unit()
    await bench.step(event=True)
    await bench.wait(UNIT)
    await bench.step(event=True, acknowledge=True)
    assert not dut.idle.value
    assert await bench.told_after() == 3 * UNIT - 2, "not the time of its own"


@cocotb.test()
async def an_event_told_in_the_cycle_of_the_acknowledgement_sets_the_cause(dut):
    for count, time in ((0, 0), (1, 9)):
        bench = await Bench(dut).start(count, time)
        assert await bench.step(event=True, acknowledge=True)


@cocotb.test()
async def no_wake_up_is_lost_to_a_driver_that_rearms(dut):
    """The driver of docs/card.md: acknowledge, know that this has arrived, look. Its steps fall into any cycle."""
    rng = random.Random(3)
    for count, time in ((0, 0), (0, 1), (0, 2), (1, 3), (2, 2), (3, 4), (255, 3)):
        bench = await Bench(dut).start(count, time)
        unseen = []  # cycles of completions that the driver has not looked at
        steps = []   # of the driver: cycles to wait, then what to do
        enabled = True
        looks = 0
        while looks < 300:
            event = rng.random() < rng.choice((0.02, 0.3))
            action = None
            if steps:
                if steps[0][0] == 0:
                    action = steps.pop(0)[1]
                else:
                    steps[0] = (steps[0][0] - 1, steps[0][1])
            elif bench.cause and enabled:
                steps = [(rng.randrange(3), step) for step in ("acknowledge", "look")]
                if rng.random() < 0.5:
                    steps = [(0, "mask"), *steps, (rng.randrange(20), "unmask")]
            if event:
                unseen.append(bench.cycle)
            await bench.step(event, action == "acknowledge")
            if action == "look":
                unseen.clear()
                looks += 1
            if action in ("mask", "unmask"):
                enabled = action == "unmask"
            if not steps and not (bench.cause and enabled):
                assert not unseen or bench.cycle - unseen[0] <= time * UNIT, "a completion that the driver never learns of"


@cocotb.test()
async def nothing_changes_while_idle(dut):
    bench = await Bench(dut).start(count=2, time=3)
    for acknowledge in (False, True):
        await bench.step(event=True)
        assert not dut.idle.value
        await bench.step(event=not acknowledge, acknowledge=acknowledge)
        await bench.step()
        assert dut.idle.value
        await assert_nothing_changes(dut, dut.clk, 5)
        await FallingEdge(dut.clk)
