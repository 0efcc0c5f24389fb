# SPDX-License-Identifier: Apache-2.0
"""rx_path: what it says of the checksums of a frame."""

import itertools
import random
import struct

import cocotb

from packets import (ICMP, MORE_FRAGMENTS, TCP, UDP, ethernet, ipv4, ones_sum, packets_with_carries,
                     pseudo_header, tcp, udp, verdict)
from receive import IP_OK, L4_CHECKED, L4_OK, Bench, assert_received, expected

ALL_OK = IP_OK | L4_CHECKED | L4_OK


async def start(dut):
    bench = Bench(dut)
    await bench.start()
    return bench


async def receive(bench, frames):
    """Deliver frames, padded to the minimum with octets that are not zero; return their flags as the card gave them."""
    frames = [frame.ljust(60, b"\xa5") for frame in frames]
    for frame in frames:
        await bench.send(frame)
    await bench.settle()
    for received, frame in itertools.zip_longest(bench.frames, frames):
        assert_received(received, frame, expected(frame)[0])
    flags = [received.flags for received in bench.frames]
    sums = [received.sum for received in bench.frames]
    bench.frames.clear()
    return flags, sums


@cocotb.test()
async def published_examples_are_right(dut):
    """The header from Wikipedia's "Internet checksum", and the numbers of RFC 1071 (3) as its payload."""
    bench = await start(dut)
    header = bytes.fromhex("45000073000040004011b861c0a80001c0a800c7")
    numbers = bytes.fromhex("0001f203f4f5f6f7")
    flags, sums = await receive(bench, [ethernet(header + numbers.ljust(0x73 - 20, b"\0"))])
    assert flags == [IP_OK]
    assert sums == [0xDDF2]


@cocotb.test()
async def every_length_of_payload_is_summed_without_padding(dut):
    bench = await start(dut)
    for build, protocol in ((udp, UDP), (tcp, TCP)):
        frames = [ethernet(ipv4(build(random.randbytes(length)), protocol)) for length in range(70)]
        assert (await receive(bench, frames))[0] == [ALL_OK] * 70
    frames = [ethernet(ipv4(random.randbytes(length), ICMP)) for length in range(30)]
    assert (await receive(bench, frames))[0] == [IP_OK] * 30


@cocotb.test()
async def a_flipped_bit_in_any_octet_is_found(dut):
    bench = await start(dut)
    for build, protocol in ((udp, UDP), (tcp, TCP)):
        packet = ipv4(build(b"odd"), protocol)
        frames = []
        for at in range(len(packet)):
            damaged = bytearray(packet)
            damaged[at] ^= 1 << random.randrange(8)
            frames.append(ethernet(bytes(damaged)))
        flags, _ = await receive(bench, frames)
        assert not any(flags[:20])
        assert all(flag in (IP_OK, IP_OK | L4_CHECKED) for flag in flags[20:])


@cocotb.test()
async def ip_options_of_0_to_40_octets_are_part_of_the_header(dut):
    bench = await start(dut)
    frames = []
    for length in range(0, 41, 4):
        options = random.randbytes(length)
        frames += [ethernet(ipv4(udp(b"x"), UDP, options)), ethernet(ipv4(tcp(b"x"), TCP, options))]
    assert (await receive(bench, frames))[0] == [ALL_OK] * len(frames)
    damaged = [frame[:40] + bytes([frame[40] ^ 1]) + frame[41:] for frame in frames[4:]]
    assert (await receive(bench, damaged))[0] == [0] * len(damaged)


@cocotb.test()
async def a_fragment_is_never_checked(dut):
    bench = await start(dut)
    frames = []
    for fragment in (MORE_FRAGMENTS, MORE_FRAGMENTS | 1, MORE_FRAGMENTS | 0x1000, 1, 0x0100, 0x1FFF):
        frames += [ethernet(ipv4(udp(b"x"), UDP, fragment=fragment)), ethernet(ipv4(tcp(b"x"), TCP, fragment=fragment))]
    flags, sums = await receive(bench, frames)
    assert flags == [IP_OK] * len(frames)
    assert 0 not in sums
    do_not_fragment = ethernet(ipv4(udp(b"x"), UDP, fragment=0x4000))
    assert (await receive(bench, [do_not_fragment]))[0] == [ALL_OK]


@cocotb.test()
async def udp_without_a_checksum_is_not_checked(dut):
    bench = await start(dut)
    frames = [ethernet(ipv4(udp(data, checksum=0))) for data in (b"", b"x", b"xy", bytes(40))]
    assert (await receive(bench, frames))[0] == [IP_OK] * 4


@cocotb.test()
async def tcp_with_a_checksum_of_zero_is_checked(dut):
    bench = await start(dut)
    rest = 0xFFFF - ones_sum(pseudo_header(22, TCP) + tcp(b"\0\0", checksum=0))
    segment = tcp(struct.pack("!H", rest))
    assert segment[16:18] == b"\0\0"
    assert (await receive(bench, [ethernet(ipv4(segment, TCP))]))[0] == [ALL_OK]


@cocotb.test()
async def a_udp_checksum_of_ffff_is_right(dut):
    bench = await start(dut)
    head = udp(b"", length=10, checksum=0)
    data = struct.pack("!H", 0xFFFF - ones_sum(pseudo_header(10, UDP) + head))
    datagram = udp(data)
    assert datagram[6:8] == b"\xff\xff"
    assert (await receive(bench, [ethernet(ipv4(datagram))]))[0] == [ALL_OK]


@cocotb.test()
async def headers_with_impossible_lengths_are_not_ok(dut):
    bench = await start(dut)
    datagram = udp(b"forty octets that leave no padding behind")
    length = 20 + len(datagram)
    packets = [ipv4(datagram, total_length=total) for total in (0, 3, 4, 5, 6, 7, 19, length + 1, 1500, 65535)]
    packets += [ipv4(datagram, options=bytes(8), total_length=total) for total in (20, 24, 27)]
    packets += [ipv4(datagram, ihl=ihl) for ihl in (0, 1, 2, 6, 15)]
    for ihl in (3, 4):  # the checksum of the header that they announce is right
        header = ipv4(datagram, ihl=ihl, checksum=0)[:4 * ihl]
        packets.append(ipv4(datagram, ihl=ihl, checksum=0xFFFF - ones_sum(header)))
    packets += [ipv4(datagram, version=version) for version in (0, 5, 6, 12)]
    flags, _ = await receive(bench, [ethernet(packet) for packet in packets])
    assert flags == [0] * len(packets)


@cocotb.test()
async def lengths_that_do_not_fit_that_of_the_packet_are_not_checked(dut):
    bench = await start(dut)
    datagram, segment = udp(b"twelve octet"), tcp(b"twelve octet")
    packets = [ipv4(udp(b"twelve octet", length=length)) for length in (0, 7, 8, 19, 21, 276, 65535)]
    packets += [ipv4(datagram, total_length=total) for total in (20, 24, 28, 39, 41)]
    packets += [ipv4(datagram[:length]) for length in range(8)]
    packets += [ipv4(segment[:length], TCP) for length in range(20)]
    flags, _ = await receive(bench, [ethernet(packet) for packet in packets])
    assert flags == [IP_OK] * len(packets)


@cocotb.test()
async def frames_cut_off_anywhere_are_not_ok(dut):
    bench = await start(dut)
    dut.cfg_keep_bad.value = 1
    whole = ethernet(ipv4(tcp(b"end"), TCP, options=bytes(4)))
    for length in range(6, len(whole) + 1):
        await bench.send(whole[:length])
    await bench.settle()
    assert [received.flags for received in bench.frames] == [0] * (len(whole) - 6) + [ALL_OK]


@cocotb.test()
async def headers_that_sum_up_with_carries_are_right(dut):
    bench = await start(dut)
    packets = list(packets_with_carries())
    assert [packet[10:12] for packet in packets[:3]] == [b"\0\0"] * 3
    assert (await receive(bench, [ethernet(packet) for packet in packets]))[0] == [ALL_OK] * 4


@cocotb.test()
async def only_ipv4_is_looked_at_also_behind_one_tag(dut):
    bench = await start(dut)
    packet = ipv4(udp(b"data"))
    frames = [ethernet(packet, ethertype=ethertype) for ethertype in (0x0806, 0x86DD, 0x0801, 0x0900, 0x8100, 0x0000)]
    frames += [ethernet(packet, vlan=5, ethertype=ethertype) for ethertype in (0x8100, 0x86DD)]
    assert (await receive(bench, frames))[0] == [0] * len(frames)
    frames = [ethernet(packet, vlan=tci) for tci in (0, 5, 0x0800, 0x8100, 0xFFFF)]
    assert (await receive(bench, frames))[0] == [ALL_OK] * len(frames)


@cocotb.test()
async def random_packets_get_the_verdict_of_the_model(dut):
    bench = await start(dut)
    seen = set()
    for round_ in range(3):
        bench.source.set_pause_generator(itertools.cycle((0, *(random.randrange(2) for _ in range(round_ * 5)))))
        frames = []
        for _ in range(30):
            protocol = random.choice((TCP, UDP))
            data = random.choice((random.randbytes, lambda n: b"\xff" * n, bytes))(random.randrange(60))
            payload = {TCP: tcp, UDP: udp}[protocol](data)
            packet = bytearray(ipv4(payload, protocol, random.randbytes(4 * random.choice((0, 0, 0, *range(11))))))
            if random.random() < 0.4:  # a field with any value, with the header right or not
                packet[random.randrange(len(packet))] = random.choice((0, 0xFF, random.randrange(256)))
                if random.random() < 0.6:
                    packet[10:12] = bytes(2)
                    packet[10:12] = struct.pack("!H", 0xFFFF - ones_sum(bytes(packet[:4 * (packet[0] & 15)])))
            frames.append(ethernet(bytes(packet), vlan=random.choice((None, None, 7))))
        await receive(bench, frames)
        seen |= {verdict(frame)[:3] for frame in frames}
    assert len(seen) == 4, "not every verdict was asked for"
