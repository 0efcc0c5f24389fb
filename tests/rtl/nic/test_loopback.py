# SPDX-License-Identifier: Apache-2.0
"""Loopback: sent frames come back in front of the MAC, or behind it, and the wire and the card see nothing of each other."""

import random

import cocotb
from cocotb.triggers import ClockCycles, RisingEdge, with_timeout
from cocotbext.eth import GmiiFrame
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether

from card import (
    BROADCAST, MAC, PEER, RX_BCAST, RX_IP_OK, RX_L4_CHECKED, RX_L4_OK, RX_VLAN, TX_IP_CSUM, TX_L4_CSUM, TX_VLAN, Card,
    frame, padded, until)
from segmentation import Large
from test_half_duplex import start as half_duplex, whole_frames
from test_idle import rests

PLACES = ("LOOPBACK_MAC", "LOOPBACK_MII")


async def looped(dut, place, *control, clk_ns=40, mii_ns=40, buffers=8, tx_log2=4, rx_log2=4):
    card = await Card(dut, clk_ns=clk_ns, mii_ns=mii_ns).start(tx_log2, rx_log2, control=(place, *control))
    await card.post_rx(buffers)
    return card


async def comes_back(card, data, index, **how):
    """A frame is sent and arrives in receive buffer `index`. Returns its descriptor and octets."""
    sent = await card.send(data, **how)
    await card.wait_done(card.rx, index)
    assert (await card.wait_done(card.tx, sent)).error == 0
    return card.received(index)


async def wire_is_silent(card):
    while True:
        await RisingEdge(card.dut.mii_tx_clk)
        assert not card.dut.mii_tx_en.value and not card.dut.mii_tx_er.value, "the wire sees it"


def each_place(test):
    """Registers a test for each place of the loop."""
    for place in PLACES:
        async def run(dut, place=place):
            await test(dut, place)
        run.__name__ = run.__qualname__ = f"{test.__name__}_{place[-3:].lower()}"
        run.__doc__, run.__module__ = test.__doc__, test.__module__
        globals()[run.__name__] = cocotb.test()(run)


@each_place
async def frames_of_all_lengths_come_back_and_the_wire_is_silent(dut, place):
    card = await looped(dut, place, buffers=15)
    silence = cocotb.start_soon(wire_is_silent(card))
    lengths = [14, 59, 60, 61, 300]
    for index, length in enumerate(lengths):
        data = frame(bytes(range(1, 200)) * 8)[:length]
        descriptor, octets = await comes_back(card, data, index)
        assert octets == padded(data), f"{length} octets"
    silence.kill()
    assert await card.read("STAT_TX_FRAMES") == await card.read("STAT_RX_FRAMES") == len(lengths)
    assert await card.read("STAT_TX_OCTETS") == await card.read("STAT_RX_OCTETS")
    assert await card.read("STAT_RX_ALL_FRAMES") == len(lengths)
    card.check_writes()


@each_place
async def the_card_hears_nothing_of_the_wire(dut, place):
    card = await looped(dut, place)
    await card.arrive(frame(b"from the wire" * 9))
    await card.arrive(frame(b"and another" * 12))
    mine = frame(b"mine" * 100)
    _, octets = await comes_back(card, mine, 0)
    assert octets == mine
    await ClockCycles(dut.clk, 1500)
    assert await card.rx.head() == 1 and await card.read("STAT_RX_ALL_FRAMES") == 1
    await card.control("TX_ENABLE", "RX_ENABLE")
    data = frame(b"heard again" * 9)
    await card.arrive(data)
    await card.wait_done(card.rx, 1)
    assert card.received(1)[1] == data
    await card.send(frame(bytes(50), PEER, MAC))
    assert await card.sent() == frame(bytes(50), PEER, MAC)


@each_place
async def filters_checksums_and_tags_work_as_on_the_wire(dut, place):
    card = await looped(dut, place, "VLAN_STRIP")
    udp = bytes(Ether(dst=MAC.hex(":"), src=PEER.hex(":")) / IP(src="192.0.2.1", dst="192.0.2.2") / UDP() / bytes(range(77)))
    blank = bytearray(udp)
    blank[24:26] = b"\xee\xee"
    pseudo = 0
    for at in range(26, 34, 2):
        pseudo += int.from_bytes(udp[at:at + 2], "big")
    pseudo += 17 + len(udp) - 34
    pseudo = (pseudo & 0xFFFF) + (pseudo >> 16)
    blank[40:42] = ((pseudo & 0xFFFF) + (pseudo >> 16)).to_bytes(2, "big")
    descriptor, octets = await comes_back(
        card, bytes(blank), 0, flags=TX_IP_CSUM | TX_L4_CSUM | TX_VLAN, csum_start=34, csum_offset=6, tci=0x6123)
    assert octets == udp and descriptor.words[1] >> 16 == 0x6123
    for bit in (RX_IP_OK, RX_L4_CHECKED, RX_L4_OK, RX_VLAN):
        assert descriptor.has(bit)
    descriptor, _ = await comes_back(card, frame(bytes(46), BROADCAST), 1)
    assert descriptor.has(RX_BCAST)
    foreign = await card.send(frame(bytes(46), PEER))
    await card.wait_done(card.tx, foreign)
    await card.rest()
    assert await card.rx.head() == 2 and await card.read("STAT_RX_FILTERED") == 1


@each_place
async def segments_come_back_one_by_one(dut, place):
    card = await looped(dut, place, buffers=15)
    large = Large(bytes(range(251)) * 5, 500)
    index = card.put_large(large)
    await card.control("TX_ENABLE", "RX_ENABLE", "PROMISCUOUS", place)
    await card.tx.doorbell()
    await card.wait_done(card.tx, index)
    for number, expected in enumerate(large.segments()):
        await card.wait_done(card.rx, number)
        descriptor, octets = card.received(number)
        assert octets == expected and descriptor.has(RX_L4_OK)


@each_place
async def idle_is_kept(dut, place):
    card = await looped(dut, place)
    card.time_rests = True
    await rests(card)
    await card.send(frame(bytes(100)))
    await ClockCycles(dut.clk, 20)
    await rests(card)
    await card.wait_done(card.rx, 0)
    await card.control("TX_ENABLE", "RX_ENABLE")
    await rests(card)
    await card.control("TX_ENABLE", "RX_ENABLE", place)
    await rests(card)


@cocotb.test()
async def status_and_idle_wait_for_a_change_that_crosses(dut):
    card = await Card(dut, clk_ns=10, mii_ns=400).start()
    await card.rest()
    for names in (("LOOPBACK_MII",), (), ("HALF_DUPLEX",), ()):
        await card.control(*names)
        assert await card.read("STATUS") == 0, f"idle while {names} crosses"
        card.time_rests = True
        await rests(card)
        card.time_rests = False
        assert await card.read("STATUS") == 1


@cocotb.test()
async def in_front_of_the_mac_it_needs_no_clock_of_mii(dut):
    card = await looped(dut, "LOOPBACK_MAC")
    for side in ("tx", "rx"):
        card.stop_mii_clock(side)
    await card.start(control=("LOOPBACK_MAC",))  # reset, while they stand
    await card.post_rx(2)
    for index, data in enumerate((frame(bytes(30)), frame(bytes(range(256)) * 5))):
        _, octets = await comes_back(card, data, index)
        assert octets == padded(data)


async def behind_the_mac(dut, clk_ns, tx_ps, rx_ps, sizes):
    card = await Card(dut, clk_ns=clk_ns, mii_ns=round(tx_ps / 1000)).start(control=("LOOPBACK_MII",))
    for side, period in (("tx", tx_ps), ("rx", rx_ps)):
        card.stop_mii_clock(side)
        card.run_mii_clock(side, period)
    await card.post_rx(len(sizes))
    frames = [frame(random.Random(size).randbytes(size - 14)) for size in sizes]
    for data in frames:
        card.put_tx([data])
    await card.tx.doorbell()
    for index, data in enumerate(frames):
        await card.wait_done(card.rx, index)
        assert card.received(index)[1] == data
    assert await card.read("STAT_RX_FRAMES") == await card.read("STAT_RX_ALL_FRAMES") == len(sizes)
    await card.rest()


@cocotb.test()
async def behind_the_mac_the_clocks_may_differ(dut):
    """By 600 ppm, either way, with full-size frames: three times what 802.3 allows, and nearly two nibbles a frame."""
    for tx_ps, rx_ps in ((40_000, 40_024), (40_024, 40_000)):
        await behind_the_mac(dut, 40, tx_ps, rx_ps, (1514, 60))


@cocotb.test()
async def behind_the_mac_the_clocks_may_be_slow(dut):
    await behind_the_mac(dut, 10, 400_000, 400_040, (60, 61))


@cocotb.test()
async def in_front_of_the_mac_the_loop_closes_and_opens_between_frames(dut):
    """CONTROL changes at any time under load both ways: each frame goes whole to the wire or back, none is lost, none damaged."""
    card = await Card(dut, clk_ns=10).start(tx_log2=7, rx_log2=8)
    rng = random.Random(3)
    await card.post_rx(120)
    from_wire = [frame(bytes([0xEE, number]) + rng.randbytes(rng.choice((44, 45, 300))), source=PEER) for number in range(24)]
    for data in from_wire:
        await card.phy.rx.send(GmiiFrame.from_payload(data))
    mine = [frame(bytes([0xDD, number]) + rng.randbytes(rng.choice((44, 50, 300))), source=MAC) for number in range(30)]
    for data in mine:
        last = card.put_tx([data])
    await card.tx.doorbell()
    while not card.tx.descriptor(last).done:
        for place in ((), ("LOOPBACK_MAC",)):
            await card.control("TX_ENABLE", "RX_ENABLE", *place)
            await ClockCycles(dut.clk, rng.randint(50, 1500))
    await card.control("TX_ENABLE", "RX_ENABLE")
    await card.phy.rx.wait()
    await card.rest()
    outside = []
    while not card.phy.tx.empty():
        outside.append(await card.sent())
    inside = [card.received(index)[1] for index in range(await card.rx.head())]
    back = [data for data in inside if data[14] == 0xDD]
    heard = [data for data in inside if data[14] == 0xEE]
    assert outside and back
    assert sorted(outside + back) == sorted(mine)
    for part, whole in ((outside, mine), (back, mine), (heard, from_wire)):
        assert [data for data in whole if data in part] == part, "in order, whole, once"
    assert heard and len(heard) < len(from_wire)
    assert await card.read("STAT_RX_FRAMES") == len(inside) == await card.read("STAT_RX_ALL_FRAMES")
    card.check_writes()


@each_place
async def half_duplex_makes_no_difference(dut, place):
    """Neither carrier nor collisions of the wire are felt, and the card hears itself."""
    card, _ = await half_duplex(dut)
    await card.control("HALF_DUPLEX")
    await card.rest()
    await card.post_rx(2)
    await card.control("TX_ENABLE", "RX_ENABLE", "HALF_DUPLEX", place)
    await card.rest()
    dut.mii_crs.value = dut.mii_col.value = 1
    for index, data in enumerate((frame(bytes(30)), frame(bytes(range(256)) * 2))):
        _, octets = await comes_back(card, data, index)
        assert octets == padded(data)
    assert await card.read("STAT_TX_COLLISIONS") == await card.read("STAT_TX_CARRIER_SENSE_ERROR") == 0
    dut.mii_crs.value = dut.mii_col.value = 0
    await card.rest()


@cocotb.test()
async def in_front_of_the_mac_the_loop_waits_for_a_frame_that_is_sent_again(dut):
    card, medium = await half_duplex(dut)
    await card.post_rx(1)
    medium.collisions = [20]
    data = frame(bytes(range(200)), PEER, MAC)
    index = await card.send(data)
    await until(dut.mii_col, dut.mii_tx_clk)
    await card.control("TX_ENABLE", "RX_ENABLE", "HALF_DUPLEX", "LOOPBACK_MAC")
    assert (await card.wait_done(card.tx, index)).error == 0
    assert await with_timeout(whole_frames(card, 1), 100, "us") == [data]
    await comes_back(card, frame(bytes(50)), 0)


@cocotb.test()
async def in_front_of_the_mac_an_old_collision_means_nothing(dut):
    """What the MAC said of its last frame stands until the next one, which does not reach it."""
    card, medium = await half_duplex(dut)
    medium.collisions = [200]
    index = await card.send(frame(bytes(300), PEER, MAC))
    assert (await card.wait_done(card.tx, index)).error == 2
    await card.post_rx(1)
    await card.control("TX_ENABLE", "RX_ENABLE", "HALF_DUPLEX", "LOOPBACK_MAC")
    _, octets = await comes_back(card, frame(bytes(50)), 0)
    assert octets == frame(bytes(50))
    assert await card.read("STAT_TX_LATE_COLLISION") == 1
