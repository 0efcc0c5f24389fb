# SPDX-License-Identifier: Apache-2.0
"""A card with buffers of 32 KiB: frames with 9,000 octets of payload, both ways."""

import random

import cocotb
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Dot1Q, Ether

from card import (
    MAC, MALFORMED, PEER, RX_IP_OK, RX_L4_OK, RX_VLAN, TX_ERROR, TX_IP_CSUM, TX_L4_CSUM, TX_VLAN, Card, frame)

FCS = 4
PAYLOAD = 9000
MAX_FRAME = 14 + PAYLOAD + FCS
LIMIT = 16_375  # of what is sent: with tag and FCS less than 2^14


def datagram(source, destination, octets):
    """A packet of so many octets, its checksums scapy's."""
    return bytes(IP(src=source, dst=destination) / UDP(sport=1, dport=2) / random.Random(octets).randbytes(octets - 28))


@cocotb.test()
async def frames_of_9018_and_tagged_of_9022_octets_arrive_with_their_checksums(dut):
    card = await Card(dut).start(control=("VLAN_STRIP",))
    await card.write("MAX_FRAME", MAX_FRAME)
    await card.post_rx(4, 10_000)
    plain = bytes(Ether(dst=MAC, src=PEER))[:12] + b"\x08\x00" + datagram("192.0.2.2", "192.0.2.1", PAYLOAD)
    tagged = bytes(Ether(dst=MAC, src=PEER) / Dot1Q(vlan=7))[:16] + plain[12:]
    for data in (plain, tagged, plain + b"\0", frame(b"last".ljust(46))):
        await card.arrive(data)
    await card.wait_done(card.rx, 2)
    assert [len(card.received(index)[1]) for index in range(3)] == [9014, 9014, 60], "the longer one is oversize"
    for index, stripped in enumerate((False, True)):
        descriptor, octets = card.received(index)
        assert octets == plain
        assert descriptor.has(RX_IP_OK) and descriptor.has(RX_L4_OK) and descriptor.has(RX_VLAN) == stripped
    assert await card.read("STAT_RX_OVERSIZE") == 1
    card.check_writes()


@cocotb.test()
async def frames_of_9018_and_tagged_of_9022_octets_are_sent_with_their_checksums(dut):
    card = await Card(dut).start()
    good = PEER + MAC + b"\x08\x00" + datagram("192.0.2.1", "192.0.2.2", PAYLOAD)
    pseudo = good[26:34] + bytes([0, good[23]]) + (len(good) - 34).to_bytes(2, "big")
    seed = sum(int.from_bytes(pseudo[at:at + 2], "big") for at in range(0, 12, 2))
    raw = good[:24] + b"\xde\xad" + good[26:40] + (seed % 0xFFFF).to_bytes(2, "big") + good[42:]
    checksums = {"flags": TX_IP_CSUM | TX_L4_CSUM, "csum_start": 34, "csum_offset": 6}
    await card.send(raw[:50], raw[50:4000], raw[4000:], **checksums)
    checksums["flags"] |= TX_VLAN
    last = await card.send(raw, tci=0x2345, **checksums)
    assert await card.sent() == good
    assert await card.sent() == good[:12] + b"\x81\x00\x23\x45" + good[12:]
    await card.wait_done(card.tx, last)
    await card.rest()
    assert await card.read("STAT_TX_OCTETS") == 2 * MAX_FRAME + 4


@cocotb.test()
async def a_frame_whose_length_could_not_be_counted_is_malformed(dut):
    card = await Card(dut).start()
    address = card.memory.allocate(LIMIT + 1)
    await card.send((address, LIMIT + 1))
    await card.interrupt(TX_ERROR)
    assert await card.tx.status() == (0, MALFORMED, 0)
    await card.tx.reset()
    await card.send((address, LIMIT), flags=0)
    assert len(await card.sent()) == LIMIT
    await card.rest()
    assert await card.read("STAT_TX_OCTETS") == LIMIT + FCS
