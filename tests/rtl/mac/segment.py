# SPDX-License-Identifier: Apache-2.0
"""A half-duplex segment around mac_tx: what the others do on it, a stream that offers frames again, and what the wire saw."""

import itertools
from collections import deque
from dataclasses import dataclass, field

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, Edge, Event, RisingEdge, Timer
from cocotb.utils import get_sim_time

PERIOD_NS = 40
GAP = 24
SLOT = 128
HEAD = 16  # nibbles of preamble and SFD
JAM = 8


def now():
    """In cycles; whole numbers at clock edges."""
    return get_sim_time("ns") / PERIOD_NS


async def becomes(signal, value):
    """Edge, but not fooled by Icarus, which may tell of a change that was none when the wait begins."""
    while signal.value != value:
        await Edge(signal)
        await Timer(1, "ps")


@dataclass
class Burst:
    """What one attempt put on the wire; `end` is the first cycle without it."""
    begin: float
    end: float = 0
    nibbles: list = field(default_factory=list)
    er: bool = False

    @property
    def octets(self):
        """Behind the SFD; half an octet at the end is left out."""
        data = self.nibbles[HEAD:]
        return bytes(low | high << 4 for low, high in zip(data[::2], data[1::2]))


@dataclass
class Verdict:
    again: bool
    flags: int

    deferred = property(lambda self: bool(self.flags & 1))
    carrier_error = property(lambda self: bool(self.flags & 2))
    late = property(lambda self: bool(self.flags & 4))
    excessive = property(lambda self: bool(self.flags & 8))
    collisions = property(lambda self: self.flags >> 4)
    sent = property(lambda self: not (self.again or self.late or self.excessive))


class Segment:
    def __init__(self, dut):
        self.dut = dut
        self._others, self._silent = False, False
        self.queue, self.bursts, self.verdicts = deque(), [], []
        self._offered, self._judged, self._awaited = Event(), Event(), 0

    async def start(self, half_duplex=1, seed=0x123456):
        dut = self.dut
        for name in ("half_duplex", "pause_valid", "s_axis_tvalid", "s_axis_tuser", "s_axis_urgent", "mii_crs",
                     "mii_col"):
            getattr(dut, name).value = 0
        dut.seed.value = seed
        cocotb.start_soon(Clock(dut.clk, PERIOD_NS, "ns").start())
        dut.rst.value = 1
        await ClockCycles(dut.clk, 3)
        dut.rst.value = 0
        dut.half_duplex.value = half_duplex
        await ClockCycles(dut.clk, 3)
        for task in (self._echo(), self._watch(), self._offer()):
            cocotb.start_soon(task)
        return self

    # The medium

    @property
    def others(self):
        """Somebody else sends."""
        return self._others

    @others.setter
    def others(self, sending):
        self._others = sending
        self._drive()

    @property
    def silent(self):
        """The PHY does not tell of the card's own carrier."""
        return self._silent

    @silent.setter
    def silent(self, silent):
        self._silent = silent
        self._drive()

    def _drive(self):
        own = self.dut.mii_tx_en.value == 1
        self.dut.mii_crs.value = self.others or (own and not self.silent)
        self.dut.mii_col.value = self.others and own

    async def _echo(self):
        """The card's own carrier comes and goes half a cycle behind its nibbles."""
        for sending in itertools.cycle((1, 0)):
            await becomes(self.dut.mii_tx_en, sending)
            await Timer(PERIOD_NS / 2, "ns")
            self._drive()

    async def _watch(self):
        dut = self.dut
        while True:
            await becomes(dut.mii_tx_en, 1)
            await RisingEdge(dut.clk)
            burst = Burst(now())
            while dut.mii_tx_en.value:
                burst.nibbles.append(int(dut.mii_txd.value))
                burst.er |= dut.mii_tx_er.value == 1
                await RisingEdge(dut.clk)
            burst.end = now()
            self.bursts.append(burst)
            assert dut.tx_done.value == 1
            self.verdicts.append(Verdict(dut.tx_again.value == 1, int(dut.tx_flags.value)))
            self._judged.set()

    # The stream

    async def _offer(self):
        """Offer the frames one at a time, each until its fate is known; a stream that was cut short ends with tlast."""
        dut = self.dut
        while True:
            while not self.queue:
                self._offered.clear()
                await self._offered.wait()
                await RisingEdge(dut.clk)
            frame, judged = self.queue[0], len(self.verdicts)
            for place, octet in enumerate(frame):
                last = place == len(frame) - 1 or len(self.verdicts) > judged
                dut.s_axis_tvalid.value = 1
                dut.s_axis_tdata.value = octet
                dut.s_axis_tlast.value = last
                await RisingEdge(dut.clk)
                while not dut.s_axis_tready.value:
                    await RisingEdge(dut.clk)
                if last:
                    break
            dut.s_axis_tvalid.value = 0
            await self._verdicts(judged + 1)
            if not self.verdicts[-1].again and self.queue:
                self.queue.popleft()

    def send(self, *frames):
        self.queue.extend(frames)
        self._offered.set()

    async def _verdicts(self, number):
        while len(self.verdicts) < number:
            self._judged.clear()
            await self._judged.wait()

    async def verdict(self, number=1):
        """The verdict on an attempt, counted from the first one since the last call."""
        self._awaited += number
        await self._verdicts(self._awaited)
        return self.verdicts[self._awaited - 1]

    # What happens to an attempt

    async def nibble(self, place):
        """Until so many nibbles of an attempt have been on the wire, and a bit of the next; the next edge of the clock ends it."""
        await becomes(self.dut.mii_tx_en, 1)
        await Timer(place * PERIOD_NS + 1, "ns")

    async def collide(self, place=40, cycles=40):
        """Somebody else sends from this nibble of the next attempt on."""
        await self.nibble(place)
        await self.carrier(cycles)

    async def carrier(self, cycles):
        self.others = True
        await ClockCycles(self.dut.clk, cycles)
        self.others = False

    def draw(self):
        """The slots of the back-off that has just begun; it is shortened to none."""
        cycles = self.dut.tx_hold.timer.cycles
        left = cycles.value.integer
        cycles.value = 1
        return -(-left // SLOT)

    async def rest(self):
        """Until all frames have met their fate and the MAC is idle."""
        while self.queue or not self.dut.idle.value or self.dut.s_axis_tvalid.value:
            await RisingEdge(self.dut.clk)
