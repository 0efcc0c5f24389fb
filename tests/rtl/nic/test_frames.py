# SPDX-License-Identifier: Apache-2.0
"""Frames through the whole card, from descriptor to wire and from wire to descriptor."""

import random

import cocotb
from cocotb.triggers import ClockCycles
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.l2 import Ether

from card import (
    BROADCAST, MAC, PEER, RX_BCAST, RX_DONE, RX_EOP, RX_IP_OK, RX_L4_CHECKED, RX_L4_OK, RX_SOP, TX_DONE, TX_EOP,
    TX_IP_CSUM, TX_IRQ, TX_L4_CSUM, Card, frame, padded)
from memory import stalls


def to_card(packet):
    return bytes(Ether(dst="02:00:00:00:00:01", src="02:00:00:00:00:02") / packet)


def from_card(packet):
    return Ether(dst="02:00:00:00:00:02", src="02:00:00:00:00:01") / packet


@cocotb.test()
async def a_frame_goes_from_memory_to_the_wire(dut):
    card = await Card(dut).start()
    data = frame(bytes(range(100)), PEER, MAC)
    index = await card.send(data)
    assert await card.sent() == data
    await card.interrupt(TX_DONE)
    assert card.tx.descriptor(index).done
    assert await card.tx.head() == 1
    card.check_writes()


@cocotb.test()
async def a_frame_goes_from_the_wire_to_memory(dut):
    card = await Card(dut).start()
    await card.post_rx(2)
    data = frame(bytes(range(100)))
    await card.arrive(data)
    await card.interrupt(RX_DONE)
    descriptor, octets = card.received(0)
    assert octets == data
    assert descriptor.done and descriptor.has(RX_SOP) and descriptor.has(RX_EOP)
    assert await card.rx.head() == 1
    card.check_writes()


@cocotb.test()
async def a_short_frame_is_padded(dut):
    card = await Card(dut).start()
    for length in (1, 14, 59, 60):
        data = bytes(range(1, length + 1))
        await card.send(data)
        assert await card.sent() == padded(data)


@cocotb.test()
async def fragments_of_any_length_and_alignment_make_one_frame(dut):
    card = await Card(dut).start(tx_log2=5)
    card.memory.stall(stalls(1))
    rng = random.Random(1)
    for _ in range(20):
        pieces = [rng.randbytes(rng.choice((1, 1, 2, 3, 5, 17, 64, 65, 130))) for _ in range(rng.randint(1, 8))]
        pieces = [frame(b"", PEER, MAC)] + pieces
        fragments = [(card.place(piece, 4, rng.randint(0, 3)), len(piece)) for piece in pieces]
        index = await card.send(*fragments)
        assert await card.sent() == padded(b"".join(pieces))
        await card.wait_done(card.tx, index)
    card.check_writes()


@cocotb.test()
async def only_the_last_descriptor_of_a_frame_is_written_back(dut):
    card = await Card(dut).start()
    last = card.put_tx([b"first fragment", b"second"])
    first = card.tx.descriptor(0)
    await card.tx.doorbell()
    descriptor = await card.wait_done(card.tx, last)
    assert card.tx.descriptor(0) == first, "a fragment's descriptor was touched"
    assert descriptor.words[3] & 0x7FFFFFFF == 6 | TX_IRQ | TX_EOP, "the posted bits have changed"
    assert descriptor.words[2] > 0, "no time stamp"
    await card.interrupt(TX_DONE)
    assert await card.tx.head() == 2


@cocotb.test()
async def no_interrupt_without_the_irq_bit(dut):
    card = await Card(dut).start()
    await card.wait_done(card.tx, await card.send(frame(bytes(50), PEER, MAC), flags=0))
    await card.rest()
    assert not dut.irq.value
    await card.send(frame(bytes(50), PEER, MAC))
    await card.interrupt(TX_DONE)


@cocotb.test()
async def bursts_stop_at_4_kib(dut):
    """The memory model itself refuses a burst that does not."""
    card = await Card(dut).start()
    data = frame(random.Random(2).randbytes(200), PEER, MAC)
    for below in (1, 2, 13, 64, 100):
        address = card.memory.allocate(2 * 4096, 4096) + 4096 - below
        card.memory[address:address + len(data)] = data
        await card.send((address, len(data)))
        assert await card.sent() == data

        address = card.memory.allocate(2 * 4096, 4096) + 4096 - below
        card.memory.allow(address, 300)
        index = card.rx.put(address, 0, 0, 300)
        await card.rx.doorbell()
        await card.arrive(data[6:12] + data[:6] + data[12:])
        await card.wait_done(card.rx, index)
        assert card.received(index)[1][12:] == data[12:]
    card.check_writes()


@cocotb.test()
async def both_rings_wrap(dut):
    card = await Card(dut).start(tx_log2=2, rx_log2=2)
    for number in range(9):
        card.put_rx()
        await card.rx.doorbell()
        data = frame(bytes([number] * 60))
        await card.arrive(data)
        await card.wait_done(card.rx, number % 4)
        assert card.received(number % 4)[1] == data
        card.memory[card.rx.address(number):card.rx.address(number) + 16] = bytes(16)

        index = await card.send(data[:20], data[20:])
        assert await card.sent() == data
        await card.wait_done(card.tx, index)
        card.memory[card.tx.address(index):card.tx.address(index) + 16] = bytes(16)
        await card.rest()
        assert await card.tx.head() == 2 * (number + 1) % 4
        assert await card.rx.head() == (number + 1) % 4
    card.check_writes()


@cocotb.test()
async def a_frame_goes_on_in_the_next_buffer(dut):
    card = await Card(dut).start()
    data = frame(random.Random(3).randbytes(300))
    capacities = (64, 66, 100, 64, 64, 64)
    for lane, length in enumerate(capacities):
        card.put_rx(length, 4, lane % 4)
    await card.rx.doorbell()
    await card.arrive(data)
    await card.interrupt(RX_DONE)
    parts = [card.received(index) for index in range(5)]
    assert b"".join(octets for _, octets in parts) == data
    assert [d.length for d, _ in parts] == [64, 66, 100, 64, 20]
    assert [d.has(RX_SOP) for d, _ in parts] == [True, False, False, False, False]
    assert [d.has(RX_EOP) for d, _ in parts] == [False, False, False, False, True]
    assert not card.rx.descriptor(5).done
    assert await card.rx.head() == 5
    card.check_writes()


@cocotb.test()
async def a_frame_that_just_fills_its_buffer_takes_no_other(dut):
    card = await Card(dut).start()
    await card.post_rx(2, 114)
    data = frame(bytes(range(100)))
    await card.arrive(data)
    await card.interrupt(RX_DONE)
    descriptor, octets = card.received(0)
    assert octets == data and descriptor.has(RX_EOP)
    assert await card.rx.head() == 1


@cocotb.test()
async def buffers_of_any_alignment_and_length_are_filled_exactly(dut):
    card = await Card(dut).start(rx_log2=6)
    card.memory.stall(stalls(4))
    rng = random.Random(4)
    index = 0
    for _ in range(10):
        data = frame(rng.randbytes(rng.randint(50, 200)))
        posted = []
        while sum(length for length, _ in posted) < len(data):
            posted.append((rng.choice((1, 2, 3, 7, 64, 65, 130)), rng.randint(0, 3)))
        for length, lane in posted:
            card.put_rx(length, 4, lane)
        await card.rx.doorbell()
        await card.arrive(data)
        octets = b""
        for _ in posted:
            await card.wait_done(card.rx, index)
            octets += card.received(index)[1]
            card.memory[card.rx.address(index):card.rx.address(index) + 16] = bytes(16)
            index = (index + 1) % card.rx.size
        assert octets == data
    card.check_writes()


@cocotb.test()
async def checksums_are_inserted_where_asked(dut):
    card = await Card(dut).start()
    for transport in (TCP(sport=1, dport=2, seq=3) / bytes(range(77)), UDP(sport=1, dport=2) / b"odd"):
        whole = from_card(IP(src="192.0.2.1", dst="192.0.2.2") / transport)
        good = bytes(whole)  # scapy's checksums
        ip, l4 = 14, 34
        offset = 16 if TCP in whole else 6
        pseudo = good[26:34] + bytes([0, good[23]]) + (len(good) - l4).to_bytes(2, "big")
        seed = sum(int.from_bytes(pseudo[i:i + 2], "big") for i in range(0, 12, 2))
        seed = (seed & 0xFFFF) + (seed >> 16)
        raw = bytearray(good)
        raw[ip + 10:ip + 12] = b"\xde\xad"
        raw[l4 + offset:l4 + offset + 2] = seed.to_bytes(2, "big")
        raw = bytes(raw)
        await card.send(raw[:l4], raw[l4:], flags=TX_IP_CSUM | TX_L4_CSUM, csum_start=l4, csum_offset=offset)
        assert await card.sent() == padded(good)
        await card.send(raw, flags=TX_IP_CSUM)
        assert await card.sent() == padded(good[:l4] + raw[l4:])
        await card.send(raw, flags=0)
        assert await card.sent() == padded(raw)


@cocotb.test()
async def checksums_are_verified(dut):
    card = await Card(dut).start()
    await card.post_rx(8)
    good = to_card(IP(src="192.0.2.2", dst="192.0.2.1") / UDP(sport=1, dport=2) / bytes(range(60)))
    bad = good[:-1] + bytes([good[-1] ^ 1])
    for index, (data, l4_ok) in enumerate(((good, True), (bad, False))):
        await card.arrive(data)
        descriptor = await card.wait_done(card.rx, index)
        assert descriptor.has(RX_IP_OK) and descriptor.has(RX_L4_CHECKED)
        assert descriptor.has(RX_L4_OK) == l4_ok
        total = sum(int.from_bytes(data[i:i + 2], "big") for i in range(34, len(data), 2))
        assert descriptor.words[1] % 0xFFFF == total % 0xFFFF, "raw sum"


@cocotb.test()
async def what_is_not_for_this_station_takes_no_descriptor(dut):
    card = await Card(dut).start()
    await card.post_rx(4)
    await card.arrive(frame(bytes(50), destination=PEER))
    await card.arrive(frame(bytes(50), destination=BROADCAST))
    descriptor = await card.wait_done(card.rx, 0)
    assert descriptor.has(RX_BCAST)
    assert await card.read("STAT_RX_FILTERED") == 1
    assert await card.read("STAT_RX_FRAMES") == 1


@cocotb.test()
async def the_time_stamps_tell_when_a_frame_ended(dut):
    card = await Card(dut).start()
    await card.post_rx(2)
    begun = dut.timestamp_ns.value.integer
    await card.send(frame(bytes(46), PEER, MAC))
    await card.arrive(frame(bytes(46)))
    await card.interrupt(RX_DONE)
    stamp = card.rx.descriptor(0).words[2]
    wire_ns = (16 + 128) * 40
    assert begun + wire_ns < stamp < begun + wire_ns + 40 * 40, stamp
    descriptor = await card.wait_done(card.tx, 0)
    assert stamp < descriptor.words[2] < stamp + 200 * 40


@cocotb.test()
async def sent_frames_are_counted(dut):
    card = await Card(dut).start()
    for length in (20, 100):
        await card.wait_done(card.tx, await card.send(bytes(length)))
    await card.rest()
    assert await card.read("STAT_TX_FRAMES") == 2
    assert await card.read("STAT_TX_OCTETS") == 64 + 104


@cocotb.test()
async def nothing_is_sent_before_it_is_enabled(dut):
    card = await Card(dut).start()
    await card.control()
    await card.send(frame(bytes(50), PEER, MAC))
    await card.expect_silence()
    await card.control("TX_ENABLE")
    await card.sent()


@cocotb.test()
async def a_disabled_ring_finishes_its_frames_and_can_be_moved(dut):
    card = await Card(dut).start()
    data = frame(bytes(range(200)), PEER, MAC)
    await card.send(data)
    await ClockCycles(dut.clk, 30)
    await card.send(data)
    await card.write("TX_CONTROL", 0)
    running, *_ = await card.tx.status()
    assert running, "a frame is under way"
    assert await card.sent() == data
    await card.wait_done(card.tx, 0)
    await card.rest()
    assert (await card.tx.status())[0] == 0
    assert not card.tx.descriptor(1).done
    await card.expect_silence()
    await card.write("TX_CONTROL", 1)
    assert await card.sent() == data


@cocotb.test()
async def a_fast_bus_works_with_a_slow_wire(dut):
    card = await Card(dut, clk_ns=10, mii_ns=400).start()
    await card.post_rx(4)
    data = frame(bytes(range(150)))
    await card.send(data)
    await card.send(data)
    await card.arrive(data)
    assert await card.sent() == data
    assert await card.sent() == data
    await card.wait_done(card.rx, 0)
    assert card.received(0)[1] == data
    await card.wait_done(card.tx, 1)
    await card.rest()
