# SPDX-License-Identifier: Apache-2.0
"""A card with buffers of 32 KiB: frames with 9,000 octets of payload, both ways."""

import random

import cocotb
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Dot1Q, Ether

from card import (
    MAC, MALFORMED, PEER, RX_IP_OK, RX_L4_OK, RX_VLAN, TX_ERROR, TX_IP_CSUM, TX_L4_CSUM, TX_VLAN, Card)

PAYLOAD = 9000
MAX_FRAME = 14 + PAYLOAD + 4
LIMIT = 16_375  # of what is sent: with tag and FCS less than 2^14


def datagram(source, destination, octets):
    """A packet of so many octets, its checksums scapy's."""
    return bytes(IP(src=source, dst=destination) / UDP(sport=1, dport=2) / random.Random(octets).randbytes(octets - 28))


@cocotb.test()
async def tagged_frames_of_9022_octets_arrive_with_their_checksums(dut):
    card = await Card(dut).start(control=("VLAN_STRIP",))
    await card.write("MAX_FRAME", MAX_FRAME)
    await card.post_rx(2, 10_000)
    plain = MAC + PEER + b"\x08\x00" + datagram("192.0.2.2", "192.0.2.1", PAYLOAD)
    tagged = bytes(Ether(dst=MAC, src=PEER) / Dot1Q(vlan=7))[:16] + plain[12:]
    for data in (plain + b"\0", tagged):
        await card.arrive(data)
    descriptor = await card.wait_done(card.rx, 0)
    assert card.received(0)[1] == plain
    assert descriptor.has(RX_IP_OK) and descriptor.has(RX_L4_OK) and descriptor.has(RX_VLAN)
    assert await card.read("STAT_RX_OVERSIZE") == 1
    card.check_writes()


@cocotb.test()
async def tagged_frames_of_9022_octets_are_sent_with_their_checksums(dut):
    card = await Card(dut).start()
    good = PEER + MAC + b"\x08\x00" + datagram("192.0.2.1", "192.0.2.2", PAYLOAD)
    pseudo = good[26:34] + bytes([0, good[23]]) + (len(good) - 34).to_bytes(2, "big")
    seed = sum(int.from_bytes(pseudo[at:at + 2], "big") for at in range(0, 12, 2))
    raw = good[:24] + b"\xde\xad" + good[26:40] + (seed % 0xFFFF).to_bytes(2, "big") + good[42:]
    last = await card.send(raw[:50], raw[50:4000], raw[4000:], flags=TX_IP_CSUM | TX_L4_CSUM | TX_VLAN, tci=0x2345,
                           csum_start=34, csum_offset=6)
    assert await card.sent() == good[:12] + b"\x81\x00\x23\x45" + good[12:]
    await card.wait_done(card.tx, last)
    await card.rest()
    assert await card.read("STAT_TX_OCTETS") == MAX_FRAME + 4


@cocotb.test()
async def a_frame_whose_length_could_not_be_counted_is_malformed(dut):
    card = await Card(dut).start()
    await card.send((card.memory.allocate(LIMIT + 1), LIMIT + 1))
    await card.interrupt(TX_ERROR)
    assert await card.tx.status() == (0, MALFORMED, 0)
