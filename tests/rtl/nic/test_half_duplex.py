# SPDX-License-Identifier: Apache-2.0
"""The card in half duplex: frames that met a collision are sent again without the host, and the host learns of their fate."""

import random

import cocotb
from cocotb.triggers import ClockCycles, Edge, RisingEdge, Timer
from cocotbext.eth import GmiiFrame

from card import MAC, PEER, RX_FCS_ERR, TX_DONE, Card, frame, padded

MII_NS = 40
GAP, SLOT = 24, 128
EXCESSIVE, LATE = 1, 2


class Medium:
    """Carrier of the card itself, half a cycle late, and collisions with its attempts where they are wanted."""

    def __init__(self, card):
        self.dut = card.dut
        self.collisions = []  # nibbles, for one attempt each; None: none
        self.begins, self.ends = [], []
        self.loops_back = False
        cocotb.start_soon(self._run())

    async def _run(self):
        dut = self.dut
        while True:
            while not dut.mii_tx_en.value:
                await Edge(dut.mii_tx_en)
                await Timer(1, "ns")
            self.begins.append(self.cycle())
            place = self.collisions.pop(0) if self.collisions else None
            nibble = 0
            while dut.mii_tx_en.value:
                await Timer(MII_NS / 2, "ns")
                dut.mii_crs.value = 1
                dut.mii_col.value = place is not None and nibble >= place
                nibble += 1
                await RisingEdge(dut.mii_tx_clk)
                await Timer(1, "ns")
            self.ends.append(self.cycle())
            await Timer(MII_NS / 2, "ns")
            dut.mii_crs.value = dut.mii_col.value = 0

    def cycle(self):
        return round(cocotb.utils.get_sim_time("ns") / MII_NS)

    def gaps(self):
        return [begin - end for begin, end in zip(self.begins[1:], self.ends)]


async def start(dut, control=(), **how):
    card = Card(dut, **how)
    await card.reset()
    await card.control("HALF_DUPLEX")
    await card.rest()
    await card.configure(tx_log2=5, control=("HALF_DUPLEX", *control))
    return card, Medium(card)


async def whole_frames(card, number):
    """So many frames with a good FCS; what collisions leave is none."""
    frames = []
    while len(frames) < number:
        seen = await card.phy.tx.recv()
        if seen.check_fcs():
            frames.append(bytes(seen.get_payload()))
    return frames


async def replayed(dut, clk_ns):
    card, medium = await start(dut, clk_ns=clk_ns)
    rng = random.Random(clk_ns)
    data = [rng.randbytes(length) for length in (1, 46, 60, 64, 1514, 62)]
    for number, d in enumerate(data):
        medium.collisions += [place for place in (3, 15, 16, 40 + number, 120)] + [None]
    index = [card.put_tx([d], flags=0) for d in data]
    await card.tx.doorbell()
    assert await whole_frames(card, len(data)) == [padded(d) for d in data]
    await card.rest()
    assert not card.memory.violations
    for i in index:
        assert card.tx.descriptor(i).done and not card.tx.descriptor(i).words[3] >> 24 & 0xF
    assert len(medium.begins) == 6 * len(data)
    # Back-off and gap are the MAC's alone: the frame is always there in time.
    assert all(gap <= GAP + 2 or (gap % SLOT == 0 and gap > 0) for gap in medium.gaps()), medium.gaps()
    assert await card.read("STAT_TX_MULTIPLE_COLLISION") == len(data)
    assert await card.read("STAT_TX_COLLISIONS") == 5 * len(data)


@cocotb.test()
async def frames_are_replayed_bit_by_bit_at_25_mhz(dut):
    await replayed(dut, 40)


@cocotb.test()
async def frames_are_replayed_bit_by_bit_at_100_mhz(dut):
    await replayed(dut, 10)


@cocotb.test()
async def a_late_collision_ends_up_in_the_descriptor_and_the_ring_goes_on(dut):
    card, medium = await start(dut)
    medium.collisions = [None, 200, None]
    data = [frame(bytes([n] * 200)) for n in range(3)]
    index = [card.put_tx([d], flags=0) for d in data]
    await card.tx.doorbell()
    assert await whole_frames(card, 2) == [data[0], data[2]]
    await card.rest()
    assert [card.tx.descriptor(i).words[3] >> 24 for i in index] == [0x80, 0x80 | LATE, 0x80]
    assert await card.tx.head() == 3 and (await card.tx.status())[:2] == (1, 0)
    assert await card.read("STAT_TX_LATE_COLLISION") == 1
    assert await card.read("STAT_TX_FRAMES") == 2


@cocotb.test()
async def sixteen_collisions_end_up_in_the_descriptor_and_the_ring_goes_on(dut):
    card, medium = await start(dut)
    medium.collisions = [20] * 16
    data = [frame(bytes([n] * 100)) for n in range(2)]
    index = [card.put_tx([d], flags=0) for d in data]
    await card.tx.doorbell()

    for _ in range(15):
        await RisingEdge(dut.mac.mac_tx.tx_done)
        await RisingEdge(dut.mii_tx_clk)
        dut.mac.mac_tx.tx_hold.timer.cycles.value = 1  # not to wait for the back-off
    assert await whole_frames(card, 1) == [data[1]]
    await card.rest()
    assert [card.tx.descriptor(i).words[3] >> 24 for i in index] == [0x80 | EXCESSIVE, 0x80]
    assert len(medium.begins) == 17
    assert await card.read("STAT_TX_EXCESSIVE_COLLISION") == 1
    assert await card.read("STAT_TX_COLLISIONS") == 16


@cocotb.test()
async def what_the_phy_loops_back_is_not_received(dut):
    card, medium = await start(dut, control=("PROMISCUOUS", "KEEP_BAD"))
    await card.post_rx(4)

    async def loop():
        while True:
            await RisingEdge(dut.mii_tx_clk)
            dut.mii_rx_dv.value, dut.mii_rxd.value = dut.mii_tx_en.value, dut.mii_txd.value

    looping = cocotb.start_soon(loop())
    medium.collisions = [None, 30, None]
    data = [frame(bytes([n] * 60)) for n in range(2)]
    for d in data:
        card.put_tx([d], flags=0)
    await card.tx.doorbell()
    assert await whole_frames(card, 2) == data
    await card.rest()
    looping.kill()
    dut.mii_rx_dv.value = 0
    await card.arrive(data[0])
    await card.wait_done(card.rx, 0)
    assert card.received(0)[1] == data[0]
    assert not card.rx.descriptor(1).done


@cocotb.test()
async def collision_fragments_are_never_delivered(dut):
    card, _ = await start(dut, control=("KEEP_BAD",))
    await card.post_rx(4)
    for length in (1, 4, 5, 20, 59):
        card.phy.rx.send_nowait(GmiiFrame.from_raw_payload(frame(bytes(60))[:length]))
    bad = frame(bytes(60)) + bytes(4)
    card.phy.rx.send_nowait(GmiiFrame.from_raw_payload(bad))
    await card.wait_done(card.rx, 0)
    assert card.received(0)[1] == bad[:-4] and card.rx.descriptor(0).has(RX_FCS_ERR)
    await card.rest()
    assert not card.rx.descriptor(1).done


@cocotb.test()
async def half_duplex_off_ignores_crs_and_col(dut):
    card = await Card(dut).start()
    dut.mii_crs.value = dut.mii_col.value = 1
    await card.send(frame(bytes(60)))
    assert await card.sent() == frame(bytes(60))
    await card.interrupt(TX_DONE)
    assert await card.read("MEDIUM") & 1
