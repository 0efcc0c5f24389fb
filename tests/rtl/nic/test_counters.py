# SPDX-License-Identifier: Apache-2.0
"""The counters of the whole card, against a scoreboard that sees the wire and knows the settings."""

import random
import zlib

import cocotb
from cocotb.triggers import ClockCycles, RisingEdge

from card import BROADCAST, MAC, PEER, Card, frame
from counters import PLACES, Scoreboard

GROUP = bytes.fromhex("01005e000001")
PREAMBLE = [0x5] * 15 + [0xD]
MAX_FRAME = 1518


def with_fcs(data):
    return data + zlib.crc32(data).to_bytes(4, "little")


class Wire:
    """Drives the receive side of MII with whatever nibbles, and counts what 802.3 says of them."""

    def __init__(self, card, board):
        self.dut, self.board = card.dut, board

    async def send(self, octets, dribble=False, error=False, gap=24):
        burst = PREAMBLE + [nibble for octet in octets for nibble in (octet & 15, octet >> 4)] + [0x9] * dribble
        for number, nibble in enumerate(burst):
            self.dut.mii_rxd.value = nibble
            self.dut.mii_rx_dv.value = 1
            self.dut.mii_rx_er.value = int(error and number == len(PREAMBLE) + 7)
            await RisingEdge(self.dut.mii_rx_clk)
        for signal in ("rxd", "rx_dv", "rx_er"):
            getattr(self.dut, f"mii_{signal}").value = 0
        self.board.received(max(len(octets), 4), self.fate(octets, dribble, error))
        for _ in range(gap):
            await RisingEdge(self.dut.mii_rx_clk)

    @staticmethod
    def fate(octets, dribble, error):
        right = len(octets) > 4 and zlib.crc32(octets[:-4]) == int.from_bytes(octets[-4:], "little") and not error
        names = ["SYMBOL_ERROR"] if error else []
        if len(octets) < 64:
            return names + ["UNDERSIZE" if right else "FRAGMENT"]
        if len(octets) > MAX_FRAME:
            return names + ["OVERSIZE" if right else "JABBER"]
        if not right:
            return names + ["ALIGNMENT_ERROR" if dribble else "FCS_ERROR"]
        names += ["DRIBBLE"] if dribble else []
        destination = octets[:6]
        if destination == BROADCAST:
            return names + ["GOOD", "BROADCAST"]
        if destination[0] & 1:
            return names + ["GOOD", "MULTICAST"]
        return names + ["GOOD" if destination == MAC else "FILTERED"]


def some_octets(rng):
    """A frame with its FCS, right or wrong."""
    length = rng.choice((rng.randrange(1, 60), rng.randrange(60, 200), 60, 61, 123, 124, 251, 252, 507, 508, 1019, 1020, 1514,
                         1515, 1600))
    data = (frame(rng.randbytes(1600), rng.choice((MAC, MAC, PEER, BROADCAST, GROUP))))[:length]
    octets = with_fcs(data)
    if rng.random() < 0.3:
        octets = octets[:-1] + bytes([octets[-1] ^ 0x40])
    return octets


async def start(dut):
    """A card whose received frames are the test's own, bit by bit."""
    card = Card(dut)
    card.phy = False  # MII is driven here
    await card.start(tx_log2=5, rx_log2=5, interrupts=0)
    for half in ("HASH_LO", "HASH_HI"):
        await card.write(half, 0xFFFFFFFF)  # every group
    await card.post_rx(31)
    board = Scoreboard()
    return card, board, Wire(card, board)


async def counters(card):
    return {name: await card.peek(f"STAT_{name}") for name in sorted(PLACES, key=PLACES.get)}


@cocotb.test()
async def every_counter_agrees_after_random_traffic_both_ways(dut):
    rng = random.Random(7)
    card, board, wire = await start(dut)

    async def transmit():
        for _ in range(25):
            kind = rng.choice(("UNICAST", "BROADCAST", "MULTICAST"))
            destination = {"UNICAST": rng.choice((PEER, bytes.fromhex("feffffffffff"))), "BROADCAST": BROADCAST,
                           "MULTICAST": rng.choice((GROUP, bytes.fromhex("fffffffffffe")))}[kind]
            data = frame(rng.randbytes(rng.choice((0, 46, 50, 200, 500, 1000, 1500))), destination, MAC)
            await card.wait_done(card.tx, await card.send(data))
            board.sent(max(len(data), 60) + 4, [kind])

    sending = cocotb.start_soon(transmit())
    for _ in range(60):
        await wire.send(some_octets(rng), rng.random() < 0.2, rng.random() < 0.1, rng.choice((4, 24)))
        tail = (await card.peek("RX_HEAD") - 1) % card.rx.size
        await card.write("RX_TAIL", tail)
    await sending
    await card.rest()
    board.check(await counters(card))


@cocotb.test()
async def frames_in_their_shortest_form_are_counted_while_snapshots_are_taken(dut):
    """What a half-duplex segment full of collisions brings: a preamble, a jam, and the shortest gap."""
    card, board, wire = await start(dut)

    async def watch():
        while True:
            values = await counters(card)
            assert values["RX_ALL_FRAMES"] == values["RX_FRAGMENTS"] + values["RX_FRAMES"], "half a frame"

    watching = cocotb.start_soon(watch())
    for number in range(60):
        await wire.send(b"\xaa" * (number % 5 + 1), gap=1)
        if number % 10 == 0:
            await wire.send(with_fcs(frame(bytes(46))), gap=1)
    watching.kill()
    await ClockCycles(dut.clk, 200)
    await card.rest()
    board.check(await counters(card))
