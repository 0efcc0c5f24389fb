# SPDX-License-Identifier: Apache-2.0
"""rx_path: what it makes of group addresses, VLAN tags and MAC control frames."""

import itertools
import random
import struct

import cocotb

from multicast_hash import multicast_hash
from packets import BROADCAST, OWN, PEER, TCP, ethernet, ipv4, tcp, udp
from receive import (CONTROL_ADDRESS, DRIBBLE, FCS, IP_OK, L4_CHECKED, L4_OK, MAX_FRAME, RUNT, SYMBOL, VLAN, Bench,
                     assert_all_as_expected)

GROUP = bytes.fromhex("01005e000001")
ALL_OK = IP_OK | L4_CHECKED | L4_OK


async def start(dut):
    bench = Bench(dut)
    await bench.start()
    return bench


async def send_all(bench, sent):
    for data, tuser in sent:
        await bench.send(data, tuser)


def tagged(length, tci, destination=OWN):
    """A frame of so many octets without FCS, noise behind the tag."""
    return (destination + PEER + struct.pack("!HH", 0x8100, tci) + random.randbytes(length))[:length]


def pause(quanta, destination=CONTROL_ADDRESS, opcode=1, length=60):
    return ethernet(struct.pack("!HH", opcode, quanta), destination, 0x8808).ljust(length, b"\0")


@cocotb.test()
async def the_bit_of_its_hash_lets_a_group_address_pass(dut):
    bench = await start(dut)
    groups = {}
    while len(groups) < 64:
        group = bytes([random.randrange(256) | 1, *random.randbytes(5)])
        groups[multicast_hash(group)] = group
    sent = [(groups[bit].ljust(60), 0) for bit in range(64)]
    for hash in (0, (1 << 64) - 1, 0x5555555555555555, random.getrandbits(64), *(1 << bit for bit in (0, 1, 31, 32, 63))):
        dut.cfg_hash.value = hash
        await send_all(bench, sent)
        await assert_all_as_expected(bench, sent, hash=hash)


@cocotb.test()
async def the_hash_is_for_group_addresses_only(dut):
    bench = await start(dut)
    dut.cfg_hash.value = (1 << 64) - 1
    dut.cfg_broadcast.value = 0
    sent = [(address.ljust(60), 0) for address in (BROADCAST, PEER, OWN, GROUP)]
    await send_all(bench, sent)
    await assert_all_as_expected(bench, sent, hash=(1 << 64) - 1, broadcast=False)


@cocotb.test()
async def a_tag_is_taken_out_of_the_frame_and_told(dut):
    bench = await start(dut)
    dut.cfg_vlan_strip.value = 1
    sent = [(tagged(length, tci), 0) for length, tci in zip((*range(60, 70), 300), itertools.cycle((0, 1, 0xA5C3, 0xFFFF)))]
    sent += [(ethernet(random.randbytes(60)), 0)]
    await send_all(bench, sent)
    await bench.settle()
    assert [received.flags & VLAN for received in bench.frames] == [VLAN] * 11 + [0]
    await assert_all_as_expected(bench, sent, vlan_strip=True)


@cocotb.test()
async def without_vlan_strip_a_tag_stays(dut):
    bench = await start(dut)
    sent = [(tagged(100, 7), 0)]
    await send_all(bench, sent)
    await assert_all_as_expected(bench, sent)


@cocotb.test()
async def only_the_outer_tag_is_taken_out(dut):
    bench = await start(dut)
    dut.cfg_vlan_strip.value = 1
    sent = [(tagged(16, 5) + struct.pack("!HH", 0x8100, 6) + bytes(60), 0),
            (ethernet(bytes(60), ethertype=0x88A8), 0), (ethernet(bytes(60), ethertype=0x8101), 0),
            (ethernet(b"\x81\x00" * 30, ethertype=0x0081), 0)]
    await send_all(bench, sent)
    await assert_all_as_expected(bench, sent, vlan_strip=True)


@cocotb.test()
async def a_tagged_frame_may_be_four_octets_longer(dut):
    bench = await start(dut)
    dut.cfg_keep_bad.value = 1
    for strip in (False, True):
        dut.cfg_vlan_strip.value = strip
        sent = [(tagged(length, 7), 0) for length in range(MAX_FRAME - 6, MAX_FRAME + 3)]
        sent += [(ethernet(bytes(length - 14)), 0) for length in (MAX_FRAME - 4, MAX_FRAME - 3, MAX_FRAME)]
        await send_all(bench, sent)
        await assert_all_as_expected(bench, sent, vlan_strip=strip, keep_bad=True)


@cocotb.test()
async def with_the_largest_max_frame_a_tag_does_no_harm(dut):
    bench = await start(dut)
    dut.cfg_max_frame.value = 0x3FFF
    sent = [(tagged(200, 7), 0), (ethernet(bytes(200)), 0)]
    await send_all(bench, sent)
    await assert_all_as_expected(bench, sent, max_frame=0x3FFF)


@cocotb.test()
async def checksums_behind_a_tag_are_verified(dut):
    bench = await start(dut)
    good = [ethernet(ipv4(build(random.randbytes(length)), protocol), vlan=9)
            for build, protocol in ((udp, 17), (tcp, TCP)) for length in (26, 27, 100)]
    bad = [frame[:-1] + bytes([frame[-1] ^ 1]) for frame in good]
    for strip in (False, True):
        dut.cfg_vlan_strip.value = strip
        await send_all(bench, [(frame, 0) for frame in good + bad])
        await bench.settle()
        assert [received.flags & ~VLAN for received in bench.frames] == [ALL_OK] * 6 + [IP_OK | L4_CHECKED] * 6
        await assert_all_as_expected(bench, [(frame, 0) for frame in good + bad], vlan_strip=strip)


@cocotb.test()
async def a_frame_cut_off_in_its_tag_keeps_what_has_come_of_it(dut):
    bench = await start(dut)
    dut.cfg_vlan_strip.value = 1
    dut.cfg_keep_bad.value = 1
    whole = tagged(60, 0x8100)
    sent = [(whole[:length], FCS) for length in range(6, 30)] + [(whole, 0)]
    await send_all(bench, sent)
    await assert_all_as_expected(bench, sent, vlan_strip=True, keep_bad=True)


@cocotb.test()
async def a_pause_frame_tells_its_quanta_and_is_not_delivered(dut):
    bench = await start(dut)
    dut.cfg_promiscuous.value = 1
    quanta = (0, 1, 0xFF00, 0x00FF, 0xFFFF, 0x1234)
    sent = [(pause(number, destination), 0) for number in quanta for destination in (CONTROL_ADDRESS, OWN)]
    sent += [(pause(3, length=200), 0), (pause(4), DRIBBLE)]
    await send_all(bench, sent)
    await bench.settle()
    assert bench.pauses == [number for number in quanta for _ in range(2)] + [3, 4]
    assert bench.frames == []
    await assert_all_as_expected(bench, sent, promiscuous=True)


@cocotb.test()
async def a_pause_frame_that_is_not_sound_or_not_for_this_station_is_not_obeyed(dut):
    bench = await start(dut)
    near_misses = [bytes(octet ^ (index == at) for index, octet in enumerate(CONTROL_ADDRESS)) for at in range(6)]
    for promiscuous in (False, True):
        dut.cfg_promiscuous.value = promiscuous
        sent = [(pause(9, address), 0) for address in (PEER, BROADCAST, GROUP, *near_misses)]
        sent += [(pause(9), tuser) for tuser in (FCS, SYMBOL, FCS | DRIBBLE)]
        sent += [(pause(9, length=length), 0) for length in (18, 59, MAX_FRAME - 3)]
        sent += [(pause(9, opcode=opcode), 0) for opcode in (0, 2, 0x0101, 0x8001)]
        sent += [(ethernet(pause(9)[14:], CONTROL_ADDRESS, ethertype), 0) for ethertype in (0x8809, 0x0808)]
        sent += [(tagged(16, 1, CONTROL_ADDRESS) + pause(9)[12:], 0)]
        await send_all(bench, sent)
        await bench.settle()
        assert bench.pauses == []
        await assert_all_as_expected(bench, sent, promiscuous=promiscuous)


@cocotb.test()
async def bad_control_frames_are_not_kept(dut):
    bench = await start(dut)
    dut.cfg_keep_bad.value = 1
    sent = [(pause(9, OWN), FCS), (pause(9, OWN, length=20), FCS), (pause(9, OWN, length=16), 0)]
    await send_all(bench, sent)
    await bench.settle()
    assert bench.frames == []
    await assert_all_as_expected(bench, sent, keep_bad=True)


@cocotb.test()
async def random_frames_of_all_kinds_have_their_fate(dut):
    bench = await start(dut)
    for round_ in range(6):
        settings = {name: random.random() < 0.5 for name in ("promiscuous", "broadcast", "keep_bad", "vlan_strip")}
        settings |= {"hash": random.getrandbits(64), "max_frame": random.choice((200, 1518))}
        for name, value in settings.items():
            getattr(dut, f"cfg_{name}").value = value
        sent = []
        for _ in range(40):
            destination = random.choice((OWN, OWN, PEER, BROADCAST, CONTROL_ADDRESS, GROUP[:5] + random.randbytes(1)))
            head = destination + PEER + random.choice((
                b"", b"\x81\x00", struct.pack("!HH", 0x8100, random.randrange(1 << 16)), b"\x88\x08\0\1", b"\x88\x08"))
            data = (head + random.randbytes(300))[:random.choice((60, 64, 200, 201, random.randrange(1, 220)))]
            tuser = random.choice((0, 0, 0, random.randrange(16)))
            sent.append((b"" if tuser & RUNT else data, tuser))
        bench.source.set_pause_generator(itertools.cycle((0, round_ % 2)))
        density = random.random()
        bench.reading = lambda: random.random() < 0.2 + density
        await send_all(bench, sent)
        await assert_all_as_expected(bench, sent, **settings)
