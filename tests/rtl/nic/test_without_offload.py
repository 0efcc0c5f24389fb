# SPDX-License-Identifier: Apache-2.0
"""The card without segmentation, tags and checksums: it says so, refuses what it cannot do, and sends the rest."""

import cocotb

from card import (
    MALFORMED, MAC, PEER, RX_L4_CHECKED, TX_ERROR, TX_IP_CSUM, TX_IRQ, TX_L4_CSUM, TX_TSO, TX_VLAN, Card, frame)
from packets import ethernet, ipv4, udp
from registers import extract


@cocotb.test()
async def the_features_read_0(dut):
    card = await Card(dut).start()
    features = await card.read("FEATURES")
    for name in ("TX_CSUM", "RX_CSUM", "TSO", "VLAN"):
        assert extract("FEATURES", name, features) == 0, name


@cocotb.test()
async def a_frame_to_be_segmented_or_tagged_stops_the_ring(dut):
    card = await Card(dut).start()
    data = frame(bytes(range(100)), PEER, MAC)
    for flags in (TX_TSO, TX_VLAN, TX_TSO | TX_VLAN):
        good = await card.send(data, flags=0)
        bad = await card.send(data, flags=flags | TX_IRQ, csum_start=34, hdr_len=54, mss=10)
        assert await card.sent() == data
        await card.wait_done(card.tx, good)
        await card.interrupt(TX_ERROR)
        assert await card.tx.status() == (0, MALFORMED, bad)
        await card.expect_silence()
        await card.tx.reset()
    card.check_writes()


@cocotb.test()
async def frames_pass_as_they_are(dut):
    card = await Card(dut).start()
    data = ethernet(ipv4(udp(b"of this length it needs no padding", checksum=0x1234), checksum=0x5678))
    await card.send(data, flags=TX_IP_CSUM | TX_L4_CSUM, csum_start=34, csum_offset=6)
    assert await card.sent() == data
    await card.post_rx(1)
    await card.arrive(data)
    descriptor = await card.wait_done(card.rx, 0)
    assert card.received(0)[1] == data and not descriptor.has(RX_L4_CHECKED)
