# SPDX-License-Identifier: Apache-2.0
"""TCP segmentation and tags, from descriptors to the wire."""

import random
import shutil
import subprocess
from pathlib import Path

import cocotb
from cocotb.triggers import ClockCycles
from scapy.layers.l2 import Ether
from scapy.utils import PcapWriter

from card import (
    BUS_ERROR_DATA, MALFORMED, TX_DONE, TX_ERROR, TX_IP_CSUM, TX_L4_CSUM, TX_VLAN, Card, padded)
from memory import stalls
from packets import UDP, ethernet, ipv4, udp, with_checksums
from segmentation import CWR, FIN, PSH, Large, random_large


def tagged(frame, tci):
    return frame[:12] + b"\x81\x00" + tci.to_bytes(2, "big") + frame[12:]


async def expect(card, frames):
    for frame in frames:
        assert await card.sent() == padded(frame)


@cocotb.test()
async def a_large_frame_leaves_as_segments_and_completes_once(dut):
    card = await Card(dut).start()
    large = Large(random.randbytes(3500), flags=FIN | PSH | CWR)
    index = card.put_large(large, cuts=(54, 2000))
    await card.tx.doorbell()
    segments = large.segments()
    await expect(card, segments[:-1])
    assert not card.tx.descriptor(index).done and not dut.irq.value
    await expect(card, segments[-1:])
    await card.interrupt(TX_DONE)
    await card.rest()
    assert [card.tx.descriptor(i).done for i in range(3)] == [False, False, True]
    assert card.tx.descriptor(index).error == 0
    assert await card.tx.head() == 3
    assert await card.read("STAT_TX_FRAMES") == len(segments)
    assert await card.read("STAT_TX_OCTETS") == sum(len(padded(segment)) + 4 for segment in segments)
    card.check_writes()


@cocotb.test()
async def fragments_of_one_octet_make_the_headers_and_the_payload(dut):
    card = await Card(dut).start(tx_log2=8)
    card.memory.stall(stalls(2))
    large = Large(random.randbytes(40), mss=17, tcp_options=random.randbytes(12))
    octets = len(large.frame())
    card.put_large(large, cuts=range(1, octets), lanes=[random.randrange(4) for _ in range(octets)])
    await card.tx.doorbell()
    await expect(card, large.segments())
    await card.interrupt(TX_DONE)


@cocotb.test()
async def random_large_frames_leave_as_the_model_says(dut):
    card = await Card(dut).start(tx_log2=6)
    card.memory.stall(stalls(3))
    for _ in range(12):
        large = random_large(random, 400)
        octets = len(large.frame())
        cuts = sorted(random.sample(range(1, octets), random.randint(0, 6)))
        tci = random.choice((None, random.getrandbits(16)))
        index = card.put_large(large, cuts=cuts, lanes=[random.randrange(4) for _ in range(7)], tci=tci)
        await card.tx.doorbell()
        await expect(card, [tagged(s, tci) if tci is not None else s for s in large.segments()])
        await card.wait_done(card.tx, index)
    card.check_writes()


@cocotb.test()
async def a_tag_goes_into_every_frame_that_asks_for_one(dut):
    card = await Card(dut).start()
    for length in (1, 12, 13, 14, 59, 60, 61, 1514):
        frame = random.randbytes(length)
        tci = random.getrandbits(16)
        await card.send(frame, flags=TX_VLAN, tci=tci)
        await expect(card, [tagged(frame, tci) if length > 12 else frame])
        await card.send(frame, flags=0, tci=tci)
        await expect(card, [frame])


@cocotb.test()
async def checksums_do_not_see_the_tag(dut):
    card = await Card(dut).start()
    inner = ethernet(ipv4(udp(b"odd", checksum=0), UDP, checksum=0xDEAD))
    for vlan, start in ((None, 34), (7, 38)):
        frame = ethernet(inner[14:], vlan=vlan)
        await card.send(frame, flags=TX_VLAN | TX_IP_CSUM | TX_L4_CSUM, tci=0xE123, csum_start=start, csum_offset=6)
        await expect(card, [tagged(with_checksums(frame, True, True, start, 6), 0xE123)])


@cocotb.test()
async def a_stream_that_contradicts_its_headers_is_reported_in_its_descriptor(dut):
    card = await Card(dut).start()
    large = Large(random.randbytes(250), 100)
    whole = large.segments()
    for change, left in ((-1, 2), (-200, 0), (5, 2)):
        frame = large.frame() + bytes(5) if change > 0 else large.frame()[:change]
        bad = card.put_large(large, frame)
        good = card.put_large(large)
        await card.tx.doorbell()
        await expect(card, whole[:left] + whole)
        assert (await card.wait_done(card.tx, good)).error == 0
        assert card.tx.descriptor(bad).done and card.tx.descriptor(bad).error == MALFORMED
        await card.rest()
        assert await card.tx.status() == (1, 0, 0)
        assert await card.tx.head() == card.tx.tail


@cocotb.test()
async def a_descriptor_that_cannot_be_segmented_stops_the_ring(dut):
    card = await Card(dut).start()
    large = Large(random.randbytes(250), 100)
    octets = len(large.frame())
    cases = [dict(mss=0), dict(mss=4091 - 53), dict(mss=0xFFFF), dict(hdr_len=0), dict(hdr_len=53),
             dict(csum_start=35), dict(csum_start=255), dict(hdr_len=255, frame=large.frame()[:255]),
             dict(hdr_len=255, frame=large.frame()[:100])]
    for case in cases:
        index = card.put_large(large, **case)
        await card.tx.doorbell()
        await card.interrupt(TX_ERROR)
        assert await card.tx.status() == (0, MALFORMED, index), case
        await card.expect_silence()
        await card.tx.reset()
    index = card.put_large(large, mss=4091 - 54)
    await card.tx.doorbell()
    await expect(card, [Large(large.payload, octets).segments()[0]])
    await card.wait_done(card.tx, index)
    card.check_writes()


@cocotb.test()
async def headers_that_end_with_the_frame_stop_the_ring_at_its_last_descriptor(dut):
    card = await Card(dut).start()
    large = Large(random.randbytes(1))
    index = card.put_large(large, large.frame()[:54], cuts=(20, 40))
    await card.tx.doorbell()
    await card.interrupt(TX_ERROR)
    assert await card.tx.status() == (0, MALFORMED, index)
    await card.expect_silence()
    await card.tx.reset()
    card.put_large(large, cuts=(20, 40))
    await card.tx.doorbell()
    await expect(card, large.segments())


@cocotb.test()
async def tshark_finds_no_fault_in_the_segments(dut):
    """As many checksums and sequence numbers right as there are segments."""
    tshark = shutil.which("tshark")
    assert tshark, "this test needs tshark"
    card = await Card(dut).start()
    large = Large(random.randbytes(2000), 300, tcp_options=bytes([1] * 12), flags=0x18)
    card.put_large(large, tci=0x0123)
    await card.tx.doorbell()
    capture = Path("segments.pcap").resolve()
    with PcapWriter(str(capture)) as writer:
        for _ in large.segments():
            writer.write(Ether(await card.sent()))
    fields = ("vlan.id", "ip.checksum.status", "tcp.checksum.status", "tcp.nxtseq", "tcp.analysis.flags")
    out = subprocess.run([tshark, "-r", str(capture), "-o", "ip.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE",
                          "-T", "fields", "-E", "separator=,", *(arg for field in fields for arg in ("-e", field))],
                         check=True, capture_output=True, text=True).stdout.split()
    ends = [min(end, 2000) + 1 for end in range(300, 2300, 300)]  # relative to the first
    assert out == [f"{0x123},1,1,{end}," for end in ends]


@cocotb.test()
async def a_ring_reset_in_the_middle_of_a_large_frame_leaves_no_ghost(dut):
    card = await Card(dut).start(tx_log2=3)
    large = Large(random.randbytes(700), 100)
    segments = [padded(segment) for segment in large.segments()]
    for cycles in [*range(20, 220, 31), 400, 700, 1200]:
        card.put_large(large, cuts=(54, 400))
        await card.tx.doorbell()
        await ClockCycles(dut.clk, cycles)
        await card.tx.reset()
        card.memory[card.tx.base:card.tx.base + 128] = bytes(128)
        await card.write("IRQ_CAUSE", TX_DONE)
        await card.rest()
        left = []
        while not card.phy.tx.empty():
            left.append(card.phy.tx.recv_nowait().get_payload())
        assert left == segments[:len(left)], "a torn segment was sent"
        assert card.memory[card.tx.base:card.tx.base + 128] == bytes(128), "a descriptor of before the reset was written"
        assert not dut.irq.value
        index = card.put_large(large)
        await card.tx.doorbell()
        for segment in segments:
            assert await card.sent() == segment
        assert (await card.wait_done(card.tx, index)).error == 0
        await card.interrupt(TX_DONE)
        await card.tx.reset()
    card.check_writes()


@cocotb.test()
async def a_ring_disabled_in_the_middle_of_a_large_frame_finishes_it(dut):
    card = await Card(dut).start()
    large = Large(random.randbytes(700), 100)
    index = card.put_large(large)
    behind = card.put_large(large)
    await card.tx.doorbell()
    await ClockCycles(dut.clk, 200)
    await card.write("TX_CONTROL", 0)
    await expect(card, large.segments())
    await card.wait_done(card.tx, index)
    await card.rest()
    assert not card.tx.descriptor(behind).done
    await card.expect_silence()


@cocotb.test()
async def a_bus_error_in_the_middle_of_a_large_frame_stops_the_ring(dut):
    card = await Card(dut).start()
    large = Large(random.randbytes(700), 100)
    segments = [padded(segment) for segment in large.segments()]
    for at in (0, 52, 56, 300, 750):
        index = card.put_large(large)
        card.memory.fail(card.tx.descriptor(index).words[0] + at)
        await card.tx.doorbell()
        await card.interrupt(TX_ERROR)
        assert await card.tx.status() == (0, BUS_ERROR_DATA, index)
        await card.rest()
        left = []
        while not card.phy.tx.empty():
            left.append(card.phy.tx.recv_nowait().get_payload())
        assert left == segments[:len(left)], "a torn segment was sent"
        assert not card.tx.descriptor(index).done
        card.memory.faulty.clear()
        await card.tx.reset()
        card.put_large(large)
        await card.tx.doorbell()
        await expect(card, large.segments())
        await card.interrupt(TX_DONE)
        await card.tx.reset()
    card.check_writes()
