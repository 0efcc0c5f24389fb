# SPDX-License-Identifier: Apache-2.0
"""Group addresses, VLAN tags and pause frames, from the wire to the descriptor."""

import struct

import cocotb
from cocotb.triggers import ClockCycles
from cocotb.utils import get_sim_time
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Dot1Q, Ether

from card import MAC, PEER, RX_IP_OK, RX_L4_OK, RX_MCAST, RX_VLAN, Card, frame, until
from multicast_hash import multicast_hash
from registers import field


async def fates(card, frames):
    """Send frames, a plain one behind them; returns those that were delivered, with their descriptors."""
    last = frame(b"last".ljust(46))
    for data in (*frames, last):
        await card.arrive(data)
    delivered = []
    while not delivered or delivered[-1][1] != last:
        index = (card.rx_seen + len(delivered)) % card.rx.size
        await card.wait_done(card.rx, index)
        delivered.append(card.received(index))
    card.rx_seen += len(delivered)
    card.check_writes()
    return delivered[:-1]


async def start(dut, *control):
    card = await Card(dut).start(control=control)
    card.rx_seen = 0
    await card.post_rx(12)
    return card


@cocotb.test()
async def the_hash_registers_let_group_addresses_pass(dut):
    card = await start(dut)
    groups = {multicast_hash(group): group for group in (b"\x01\x00\x5e\x00\x00" + bytes([last]) for last in range(8))}
    frames = [frame(bytes(46), destination=group) for group in groups.values()]
    assert len(frames) == 8, "addresses share a bit"
    chosen = list(groups)[::3]
    mask = sum(1 << bit for bit in chosen)
    await card.write("HASH_LO", mask & 0xFFFFFFFF)
    await card.write("HASH_HI", mask >> 32)
    delivered = await fates(card, frames)
    assert [data[:6] for _, data in delivered] == [groups[bit] for bit in chosen]
    assert all(descriptor.has(RX_MCAST) for descriptor, _ in delivered)


@cocotb.test()
async def a_stripped_tag_stands_in_the_descriptor(dut):
    card = await start(dut, "VLAN_STRIP")
    packet = IP(src="192.0.2.2", dst="192.0.2.1") / UDP(sport=1, dport=2) / bytes(range(61))
    tagged = bytes(Ether(dst=MAC, src=PEER) / Dot1Q(prio=5, vlan=0x123) / packet)
    plain = bytes(Ether(dst=MAC, src=PEER) / packet)
    (first, stripped), (second, untouched) = await fates(card, [tagged, plain])
    assert stripped == plain and untouched == plain
    assert first.has(RX_VLAN) and first.words[1] >> 16 == 0xA123
    assert not second.has(RX_VLAN) and second.words[1] >> 16 == 0
    assert all(descriptor.has(RX_IP_OK) and descriptor.has(RX_L4_OK) for descriptor in (first, second))


@cocotb.test()
async def a_tagged_frame_of_1522_octets_is_delivered(dut):
    card = await start(dut)
    tagged = MAC + PEER + struct.pack("!HHH", 0x8100, 5, 0x88B5) + bytes(1500)
    await card.control("RX_ENABLE")
    (whole, data), = await fates(card, [tagged, tagged + b"\0", tagged[:12] + tagged[16:] + b"\0"])
    assert data == tagged and not whole.has(RX_VLAN)
    await card.control("RX_ENABLE", "VLAN_STRIP")
    (whole, data), = await fates(card, [tagged])
    assert data == tagged[:12] + tagged[16:] and whole.has(RX_VLAN)


def pause(quanta, source=MAC):
    return bytes.fromhex("0180c2000001") + source + struct.pack("!HHH", 0x8808, 1, quanta) + bytes(42)


async def pause_frames_are_sent(dut, clk_ns, mii_ns):
    """The records are half in use before the octets are."""
    card = await Card(dut, clk_ns, mii_ns).start(rx_log2=6, interrupts=0, control=("PAUSE_TX",))
    card.rx_seen = 0
    quanta = 200
    await card.write("PAUSE", quanta)
    for number in range(15):
        await card.arrive(frame(bytes([number] * 46)))
    await ClockCycles(dut.mii_rx_clk, 15 * 152 + 200)
    assert card.phy.tx.empty()
    await card.arrive(frame(bytes(46)))
    assert await card.sent() == pause(quanta)
    begun = get_sim_time("ns")
    assert await card.sent() == pause(quanta)
    assert get_sim_time("ns") - begun < quanta * 128 * mii_ns, "the pause has run out"

    data = [frame(bytes([number] * 60), PEER, MAC) for number in range(3)]
    for octets in data:
        last = await card.send(octets)
    await card.post_rx(16)
    seen = [await card.sent() for _ in range(4)]
    assert [octets for octets in seen if octets not in data] == [pause(0)]
    assert [octets for octets in seen if octets in data] == data
    await card.wait_done(card.tx, last)
    await card.rest()
    assert await card.tx.head() == 3
    assert await card.read("STAT_TX_FRAMES") == 6
    assert await card.read("STAT_TX_PAUSE") == 3
    assert await card.read("STAT_TX_OCTETS") == 3 * 64 + 3 * 78
    assert await card.read("STAT_RX_DROPPED") == 0


@cocotb.test()
async def pause_frames_are_sent_by_the_level_of_the_receive_buffer(dut):
    await pause_frames_are_sent(dut, 40, 40)


@cocotb.test()
async def and_so_they_are_with_a_fast_bus_and_a_slow_wire(dut):
    await pause_frames_are_sent(dut, 10, 400)


@cocotb.test()
async def a_pause_frame_holds_back_the_next_frames(dut):
    card = await Card(dut).start(interrupts=0, control=("PAUSE_RX",))
    await card.post_rx(4)
    quanta = 20
    await card.arrive(pause(quanta, PEER))
    await until(dut.mii_rx_dv, dut.mii_rx_clk)
    ended = get_sim_time("ns") + (16 + 128) * 40
    await ClockCycles(dut.mii_rx_clk, 170)
    data = frame(bytes(46), PEER, MAC)
    await card.send(data)
    assert await card.read("MEDIUM") & field("MEDIUM", "PAUSED", 1)
    await until(dut.mii_tx_en, dut.mii_tx_clk)
    held = (get_sim_time("ns") - ended) / (128 * 40)
    assert quanta <= held < quanta + 1, f"held for {held} quanta"
    assert await card.sent() == data

    await card.arrive(pause(0xFFFF, PEER))
    await ClockCycles(dut.mii_rx_clk, 200)
    await card.send(data)
    await card.expect_silence(1000)
    await card.arrive(pause(0, PEER))
    assert await card.sent() == data
    assert await card.read("STAT_RX_PAUSE") == 3
    assert not card.rx.descriptor(0).done, "a pause frame was delivered"
    await card.rest()


@cocotb.test()
async def a_pause_frame_is_counted_but_not_obeyed_without_pause_rx(dut):
    card = await Card(dut).start(interrupts=0)
    data = frame(bytes(46), PEER, MAC)
    await card.arrive(pause(0xFFFF, PEER))
    await ClockCycles(dut.mii_rx_clk, 200)
    await card.send(data)
    await until(dut.mii_tx_en, dut.mii_tx_clk, 300)
    assert await card.read("STAT_RX_PAUSE") == 1


@cocotb.test()
async def a_paused_card_still_sends_pause_frames(dut):
    card = await Card(dut).start(rx_log2=6, interrupts=0, control=("PAUSE_TX", "PAUSE_RX"))
    await card.arrive(pause(0xFFFF, PEER))
    await ClockCycles(dut.mii_rx_clk, 200)
    data = frame(bytes(46), PEER, MAC)
    await card.send(data)
    for number in range(16):
        await card.arrive(frame(bytes([number] * 46)))
    assert await card.sent() == pause(0xFFFF)
    await card.post_rx(16)
    assert await card.sent() == pause(0)
    await card.expect_silence(500)
    await card.arrive(pause(0, PEER))
    assert await card.sent() == data


@cocotb.test()
async def without_pause_tx_no_pause_frame_is_sent(dut):
    card = await Card(dut).start(interrupts=0)
    for number in range(20):
        await card.arrive(frame(bytes([number] * 46)))
    await ClockCycles(dut.mii_rx_clk, 20 * 152 + 200)
    await card.expect_silence()
