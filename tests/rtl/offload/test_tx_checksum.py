# SPDX-License-Identifier: Apache-2.0
"""tx_path: the checksums it writes into frames."""

import itertools
import random
import struct

import cocotb

from packets import (CHECKSUM_AT, ICMP, TCP, UDP, ethernet, ipv4, ones_sum, packets_with_carries,
                     pseudo_header, tcp, udp, verdict, with_checksums)
from transmit import Bench, Checksums

NONSENSE = 0x5A5A
BUILD = {TCP: tcp, UDP: udp}


async def start(dut):
    bench = Bench(dut)
    await bench.start()
    return bench


async def transmit(bench, jobs):
    """Send pairs of frame and checksums; each must leave as the model says."""
    for frame, checksums in jobs:
        await bench.send(frame, checksums)
    await bench.settle()
    sent = bench.sent()
    for left, (frame, checksums) in itertools.zip_longest(sent, jobs):
        wanted = with_checksums(frame, checksums.ip, checksums.l4, checksums.start, checksums.offset)
        assert left == wanted, f"{checksums} on {frame.hex()}"
    return sent


def seeded(protocol, data, options=b"", vlan=None):
    """A frame as a stack leaves it to the card: the pseudo-header's sum in its place, nonsense in the IP header's."""
    segment = bytearray(BUILD[protocol](data, checksum=0))
    seed = ones_sum(pseudo_header(len(segment), protocol))
    struct.pack_into("!H", segment, CHECKSUM_AT[protocol], seed)
    packet = ipv4(bytes(segment), protocol, options, checksum=NONSENSE)
    start = 34 + len(options) + (4 if vlan is not None else 0)
    return ethernet(packet, vlan=vlan), Checksums(True, True, start, CHECKSUM_AT[protocol])


@cocotb.test()
async def a_published_header_gets_its_checksum(dut):
    """The one from Wikipedia's "Internet checksum"."""
    bench = await start(dut)
    header = bytes.fromhex("45000073000040004011b861c0a80001c0a800c7")
    blank = ethernet(header[:10] + struct.pack("!H", NONSENSE) + header[12:] + bytes(95))
    sent = await transmit(bench, [(blank, Checksums(ip=True))])
    assert sent[0][14:34] == header


@cocotb.test()
async def every_length_of_payload_gets_right_checksums(dut):
    bench = await start(dut)
    for protocol in (TCP, UDP):
        sent = await transmit(bench, [seeded(protocol, random.randbytes(length)) for length in range(80)])
        assert [verdict(frame)[:3] for frame in sent] == [(True, True, True)] * 80


@cocotb.test()
async def options_and_a_tag_are_stepped_over(dut):
    bench = await start(dut)
    jobs = [seeded(protocol, b"data", random.randbytes(length), vlan)
            for length in range(0, 41, 4) for protocol in (TCP, UDP) for vlan in (None, 0x0800)]
    sent = await transmit(bench, jobs)
    assert [verdict(frame)[:3] for frame in sent] == [(True, True, True)] * len(jobs)


@cocotb.test()
async def headers_that_sum_up_with_carries_get_their_checksum(dut):
    bench = await start(dut)
    jobs = []
    for packet in packets_with_carries():
        jobs.append((ethernet(packet[:10] + struct.pack("!H", NONSENSE) + packet[12:]), Checksums(ip=True)))
    sent = await transmit(bench, jobs)
    assert [frame[24:26] for frame in sent[:3]] == [b"\0\0"] * 3


@cocotb.test()
async def a_udp_checksum_of_0_goes_out_as_ffff_and_a_tcp_one_as_0(dut):
    bench = await start(dut)
    jobs = []
    for protocol, head in ((UDP, 8), (TCP, 20)):
        for data in (b"", b"\x12", b"\x12\x34\x56"):  # odd lengths have the sum's halves exchanged
            filler = BUILD[protocol](b"\0\0" + data, checksum=0)
            rest = 0xFFFF - ones_sum(pseudo_header(len(filler), protocol) + filler)
            jobs.append(seeded(protocol, struct.pack("!H", rest) + data))
    sent = await transmit(bench, jobs)
    fields = [frame[34 + checksums.offset:][:2] for frame, (_, checksums) in zip(sent, jobs)]
    assert fields == [b"\xff\xff"] * 3 + [b"\0\0"] * 3


@cocotb.test()
async def without_the_bits_nothing_is_written(dut):
    bench = await start(dut)
    for ip_csum, l4_csum in itertools.product((False, True), repeat=2):
        jobs = []
        for protocol in (TCP, UDP):
            frame, checksums = seeded(protocol, b"data")
            jobs.append((frame, Checksums(ip_csum, l4_csum, checksums.start, checksums.offset)))
        sent = await transmit(bench, jobs)
        for left, (frame, checksums) in zip(sent, jobs):
            at = checksums.start + checksums.offset
            assert (left[24:26] == frame[24:26]) == (not ip_csum)
            assert (left[at:at + 2] == frame[at:at + 2]) == (not l4_csum)


@cocotb.test()
async def frames_without_an_ipv4_header_get_no_ip_checksum(dut):
    bench = await start(dut)
    packet = ipv4(udp(b"data"), checksum=NONSENSE)
    others = [ethernet(packet, ethertype=ethertype) for ethertype in (0x0806, 0x86DD, 0x0801, 0x0900, 0x8100)]
    others.append(ethernet(packet, vlan=1, ethertype=0x8100))
    others += [ethernet(bytes([first]) + packet[1:]) for first in (0x44, 0x40, 0x55, 0x65, 0x05)]
    cut = [ethernet(packet)[:length] for length in range(1, 34)]
    cut.append(ethernet(ipv4(b"", options=bytes(40), checksum=NONSENSE))[:73])
    sent = await transmit(bench, [(frame, Checksums(ip=True)) for frame in others + cut])
    assert sent == others + cut
    # and their other checksum is none the worse, wherever it begins
    await transmit(bench, [(frame, Checksums(True, True, first, 8)) for frame in others for first in range(13, 21)])


@cocotb.test()
async def the_span_may_begin_anywhere_and_have_any_length(dut):
    bench = await start(dut)
    jobs = [(random.randbytes(60 + first % 3), Checksums(False, True, first, random.randrange(58 - first)))
            for first in range(58)]
    jobs += [(random.randbytes(512 + first % 2), Checksums(False, True, first, offset))
             for first in (0, 1, 254, 255) for offset in (0, 254, 255)]
    await transmit(bench, jobs)


@cocotb.test()
async def a_field_beyond_the_end_of_the_frame_is_not_written(dut):
    bench = await start(dut)
    for length in (1, 2, 3, 20, 60, 61):
        frame = random.randbytes(length)
        jobs = []
        for first in {0, 1, length // 2, length - 2, length - 1, length, length + 1, 255}:
            for end in (length - 1, length, length + 1, length + 2):
                offset = end - 2 - first
                if first >= 0 and offset >= 0:
                    jobs.append((frame, Checksums(False, True, first, offset)))
        await transmit(bench, jobs)


@cocotb.test()
async def fragments_and_other_protocols_get_their_ip_checksum(dut):
    bench = await start(dut)
    jobs = [(ethernet(ipv4(random.randbytes(30), protocol, fragment=fragment, checksum=NONSENSE)), Checksums(ip=True))
            for protocol in (ICMP, TCP, UDP) for fragment in (0, 0x2000, 0x2001, 0x0001, 0x1FFF)]
    sent = await transmit(bench, jobs)
    assert all(verdict(frame)[0] for frame in sent)


@cocotb.test()
async def the_sum_in_one_frame_does_not_touch_the_next(dut):
    """Frames that break off in every state of the summing, each followed by one that shows what was left over."""
    bench = await start(dut)
    victim, checksums = seeded(UDP, b"victim")
    jobs = []
    for length in range(15, len(victim)):
        jobs += [(victim[:length], checksums), (victim, checksums)]
        jobs += [(victim[:length], checksums), (victim, Checksums(False, True, 0, 40))]
    await transmit(bench, jobs)


@cocotb.test()
async def random_frames_leave_as_the_model_says(dut):
    bench = await start(dut)

    def noise(density):
        while True:
            yield random.random() < density

    for density in (0, 0.3, 0.6):
        bench.source.set_pause_generator(noise(density))
        bench.sink.set_pause_generator(noise(density))
        jobs = []
        for _ in range(25):
            data = random.choice((random.randbytes, bytes, lambda length: b"\xff" * length))(random.randrange(100))
            options = random.randbytes(4 * random.choice((0, 0, *range(11))))
            frame, checksums = seeded(random.choice((TCP, UDP)), data, options, random.choice((None, 3)))
            if random.random() < 0.3:
                checksums = Checksums(bool(random.getrandbits(1)), bool(random.getrandbits(1)),
                                      checksums.start + random.randrange(20), random.randrange(40))
            jobs.append((frame, checksums))
        await transmit(bench, jobs)
