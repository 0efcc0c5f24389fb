# SPDX-License-Identifier: Apache-2.0
"""Group addresses, VLAN tags and pause frames, from the wire to the descriptor."""

import struct

import cocotb
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Dot1Q, Ether

from card import MAC, PEER, RX_IP_OK, RX_L4_OK, RX_MCAST, RX_VLAN, Card, frame
from multicast_hash import multicast_hash


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
