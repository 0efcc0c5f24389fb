# SPDX-License-Identifier: Apache-2.0
"""statistics: every event is counted where nic.rdl says, and a snapshot has each of them whole."""

import random
import re

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, RisingEdge

from counters import FATES, PLACES, RTL, Scoreboard
from idle import assert_nothing_changes

INPUTS = ("rx_valid", "rx_octets", "rx_flags", "tx_valid", "tx_octets", "tx_flags", "read_request", "read_address")
FRAME = 168          # cycles between the ends of the shortest frames at clk = MII
FRAGMENT = 18        # ... of fragments: a preamble, an SFD, a nibble, a cycle of gap
SENT = 84            # between sent events, at least
QUEUE = 32
LONGEST_READ = 84
CLEARING = 135


def bits(file):
    return {name: int(bit) for name, bit in
            re.findall(r"localparam .X_(\w+) = (\d+);", (RTL / "mac" / file).read_text())}


RX_BITS, TX_BITS = bits("rx_events.vh"), bits("tx_events.vh")


class Bench:
    def __init__(self, dut):
        self.dut = dut
        self.board = Scoreboard()

    async def start(self, clearing=CLEARING):
        cocotb.start_soon(Clock(self.dut.clk, 10, "ns").start())
        for name in INPUTS:
            getattr(self.dut, name).value = 0
        self.dut.rst.value = 1
        await ClockCycles(self.dut.clk, 2)
        self.dut.rst.value = 0
        await ClockCycles(self.dut.clk, clearing)
        return self

    def receive(self, octets, names):
        self.dut.rx_valid.value = 1
        self.dut.rx_octets.value = octets
        self.dut.rx_flags.value = sum(1 << RX_BITS[name] for name in names)
        self.board.received(octets, names)

    def send(self, octets, names=(), collisions=0):
        self.dut.tx_valid.value = 1
        self.dut.tx_octets.value = octets
        self.dut.tx_flags.value = sum(1 << TX_BITS[name] for name in names) | collisions << TX_BITS["COLLISIONS"]
        self.board.sent(octets, names, collisions)

    async def cycle(self):
        await RisingEdge(self.dut.clk)
        self.dut.rx_valid.value = 0
        self.dut.tx_valid.value = 0

    async def wait(self, cycles):
        for _ in range(cycles):
            await self.cycle()

    async def events(self, rx=(), tx=()):
        """Events at their cycles: (cycle, arguments of receive or send)."""
        rx, tx = dict(rx), dict(tx)
        for cycle in range(max([*rx, *tx]) + 1):
            if cycle in rx:
                self.receive(*rx[cycle])
            if cycle in tx:
                self.send(*tx[cycle])
            await self.cycle()

    async def read(self, place):
        """A counter, and how many cycles it took."""
        self.dut.read_address.value = place
        self.dut.read_request.value = 1
        await RisingEdge(self.dut.clk)
        waited = 0
        while True:
            await RisingEdge(self.dut.clk)
            waited += 1
            if self.dut.read_ack.value:
                break
            assert waited <= LONGEST_READ, f"counter {place} has to be waited for"
        value = self.dut.read_data.value.integer
        self.dut.read_request.value = 0
        await RisingEdge(self.dut.clk)
        return value

    async def counters(self):
        return {name: await self.read(place) for name, place in PLACES.items()}

    async def check(self):
        await self.cycle()
        await ClockCycles(self.dut.clk, QUEUE * 10)
        self.board.check(await self.counters())


def some_received(rng):
    octets = rng.choice((rng.randrange(4, 64), rng.randrange(64, 1600), rng.randrange(1 << 14), 64, 1518))
    names = [rng.choice(list(FATES))]
    if names == ["GOOD"]:
        names += rng.choice(([], ["BROADCAST"], ["MULTICAST"]))
    return octets, names + [name for name in ("DRIBBLE", "SYMBOL_ERROR") if rng.random() < 0.3]


def some_sent(rng):
    names = [name for name in ("DEFERRED", "CARRIER_SENSE_ERROR") if rng.random() < 0.3]
    names += rng.choice(([], ["LATE_COLLISION"], ["EXCESSIVE_COLLISION"], []))
    names += rng.choice(([], ["MULTICAST"], ["BROADCAST"], ["PAUSE"]))
    return rng.randrange(64, 1600), names, rng.choice((0, 0, 1, 2, 3, 15, 16))


@cocotb.test()
async def reset_clears_every_counter(dut):
    for _ in range(2):
        bench = await Bench(dut).start()
        await bench.check()
        bench.receive(100, ["GOOD"])
        bench.send(100, [], 3)
        await bench.check()


@cocotb.test()
async def events_in_the_cycles_after_reset_are_counted(dut):
    bench = await Bench(dut).start(clearing=0)
    await bench.events([(cycle, (100, ["GOOD"])) for cycle in range(QUEUE)], [(0, (64,))])
    await bench.wait(CLEARING)
    await bench.check()


@cocotb.test()
async def each_event_moves_its_own_counters(dut):
    bench = await Bench(dut).start()
    for number, name in enumerate(FATES):
        for beside in ([], ["SYMBOL_ERROR"], ["DRIBBLE"])[:number + 1]:
            bench.receive(1000 + number, [name, *beside])
            await bench.wait(20)
    for name in ("MULTICAST", "BROADCAST"):
        bench.receive(64, ["GOOD", name])
        await bench.wait(20)
    for number, name in enumerate(("DEFERRED", "CARRIER_SENSE_ERROR", "LATE_COLLISION", "EXCESSIVE_COLLISION", "MULTICAST",
                                   "BROADCAST", "PAUSE")):
        for collisions in (0, 1, 2, 16)[:1 + number % 4]:
            bench.send(100 + number, [name], collisions)
            await bench.wait(20)
    await bench.check()


@cocotb.test()
async def size_classes_end_where_rfc_2819_says(dut):
    bench = await Bench(dut).start()
    for octets in (4, 63, 64, 65, 127, 128, 255, 256, 511, 512, 1023, 1024, 1517, 1518, 1519, 2047, 2048, 9018, 16383):
        bench.receive(octets, ["GOOD"])
        await bench.wait(20)
        bench.send(octets)
        await bench.wait(20)
        await bench.check()


@cocotb.test()
async def counters_wrap_at_2_to_the_32(dut):
    bench = await Bench(dut).start()
    for name, place in PLACES.items():
        dut.counters.memory[place].value = 2**32 - 1
        bench.board[name] = 2**32 - 1
    bench.receive(1500, ["GOOD", "BROADCAST"])
    bench.send(1500, ["DEFERRED"])
    await bench.check()


@cocotb.test()
async def a_snapshot_has_every_event_whole_while_frames_flow(dut):
    """A snapshot is the state after some number of received and some number of sent events."""
    rng = random.Random(5)
    bench = await Bench(dut).start()
    states = [Scoreboard()]
    snapshots = []

    async def traffic():
        due = {"rx": 0, "tx": 0}
        for cycle in range(9000):
            if due["rx"] == cycle:
                bench.receive(*some_received(rng))
                due["rx"] += rng.choice((FRAGMENT, FRAME, FRAME))
            if due["tx"] == cycle:
                bench.send(*some_sent(rng))
                due["tx"] += rng.choice((SENT, FRAME))
            if bench.board != states[-1]:
                states.append(Scoreboard(bench.board))
            await bench.cycle()

    running = cocotb.start_soon(traffic())
    while not running.done():
        snapshots.append(await bench.counters())
        await ClockCycles(dut.clk, rng.randrange(100))

    def sides(values):
        return [{name: values[name] for name in PLACES if name.startswith(side)} for side in ("RX_", "TX_")]

    received = [sides(state)[0] for state in states]
    sent = [sides(state)[1] for state in states]
    assert len(snapshots) > 10
    for snapshot in snapshots:
        rx, tx = sides(snapshot)
        assert rx in received, f"no prefix of what was received: {rx}"
        assert tx in sent, f"no prefix of what was sent: {tx}"
    await bench.check()


@cocotb.test()
async def a_burst_of_fragments_waits_for_a_snapshot(dut):
    bench = await Bench(dut).start()
    for distance in (1, 4):
        reading = cocotb.start_soon(bench.read(0))
        await ClockCycles(dut.clk, 4)
        await bench.events([(distance * number, (4, ["FRAGMENT", "SYMBOL_ERROR"])) for number in range(QUEUE)], [(7, (64,))])
        await reading
        await bench.check()


@cocotb.test()
async def fragments_with_a_whole_preamble_are_counted_for_ever_beside_frames_and_snapshots(dut):
    bench = await Bench(dut).start()

    async def hammer():
        while True:
            await bench.read(0)
            await ClockCycles(dut.clk, FRAME - 4)

    hammering = cocotb.start_soon(hammer())
    cycles = 60 * FRAME
    await bench.events([(cycle, (4, ["FRAGMENT", "SYMBOL_ERROR"])) for cycle in range(0, cycles, FRAGMENT)],
                       [(cycle, (64, [], 2)) for cycle in range(0, cycles, FRAME)])
    hammering.kill()
    dut.read_request.value = 0
    await bench.check()


@cocotb.test()
async def frames_on_both_sides_are_counted_whatever_is_read(dut):
    for place, received, sent in ((0, FRAME, FRAME), (1, FRAGMENT, SENT), (0, 12000, SENT)):
        bench = await Bench(dut).start()

        async def hammer():
            while True:
                await bench.read(place)

        hammering = cocotb.start_soon(hammer())
        await bench.events([(cycle, some_received(random)) for cycle in range(3, 12000, received)],
                           [(cycle, some_sent(random)) for cycle in range(0, 12000, sent)])
        hammering.kill()
        dut.read_request.value = 0
        await bench.check()


@cocotb.test()
async def a_read_ends_in_a_flood(dut):
    """Events as often as MII can bring them, a nibble of preamble in front: some are lost, but nobody hangs."""
    bench = await Bench(dut).start()
    flood = cocotb.start_soon(bench.events([(cycle, (4, ["FRAGMENT"])) for cycle in range(0, 5000, 4)]))
    while not flood.done():
        await bench.read(0)
        await bench.read(1)


@cocotb.test()
async def nothing_changes_while_idle(dut):
    bench = await Bench(dut).start()
    for _ in range(2):
        assert dut.stat_idle.value
        bench.receive(64, ["GOOD"])
        bench.send(64)
        await bench.cycle()
        await bench.cycle()
        assert not dut.stat_idle.value
        await bench.wait(24)
        assert dut.stat_idle.value
        await assert_nothing_changes(dut, dut.clk, 10)
        await bench.read(0)
        await ClockCycles(dut.clk, 70)
