# SPDX-License-Identifier: Apache-2.0
"""Bad descriptors, a bad bus, resets in the middle of things: the fault is reported in its place, nothing is written where it
should not be, the other ring does not notice, and after its reset the ring works again."""

import random

import cocotb
from cocotb.triggers import ClockCycles, RisingEdge
from cocotbext.axi import AxiResp

from card import (
    BUS_ERROR_DATA, BUS_ERROR_DESCRIPTOR, MAC, MALFORMED, PEER, RX_DONE, RX_EOP, RX_ERROR, RX_OVERFLOW, RX_SOP,
    TX_DONE, TX_EOP, TX_ERROR, TX_IRQ, Card, frame, until)

LIMIT = 4091  # octets of a frame: what the transmit buffer takes, besides a tag


async def tx_works(card):
    data = frame(random.Random(1).randbytes(90), PEER, MAC)
    index = await card.send(data[:33], data[33:])
    assert await card.sent() == data
    await card.interrupt(TX_DONE)
    assert card.tx.descriptor(index).done
    assert await card.tx.head() == card.tx.tail


async def rx_works(card):
    data = frame(random.Random(2).randbytes(90))
    index = card.put_rx()
    await card.rx.doorbell()
    await card.arrive(data)
    await card.interrupt(RX_DONE)
    descriptor, octets = card.received(index)
    assert octets == data and descriptor.has(RX_SOP) and descriptor.has(RX_EOP)


async def tx_stops(card, error, index):
    await card.interrupt(TX_ERROR)
    assert await card.tx.status() == (0, error, index)
    await card.tx.doorbell()
    await card.expect_silence()
    await rx_works(card)
    card.check_writes()


async def tx_recovers(card):
    card.memory.faulty.clear()
    await card.tx.reset()
    assert await card.tx.status() == (1, 0, 0)
    assert await card.tx.head() == 0
    await tx_works(card)
    card.check_writes()


async def rx_stops(card, error, index):
    await card.interrupt(RX_ERROR)
    assert await card.rx.status() == (0, error, index)
    await tx_works(card)
    card.check_writes()


async def rx_recovers(card):
    card.memory.faulty.clear()
    await card.rx.reset()
    assert await card.rx.status() == (1, 0, 0)
    assert await card.rx.head() == 0
    await rx_works(card)
    card.check_writes()


@cocotb.test()
async def a_fragment_of_length_0_stops_the_transmit_ring(dut):
    card = await Card(dut).start()
    for fragments, index in (([b""], 0), ([bytes(60), b""], 1), ([b"", bytes(60)], 0)):
        await card.send(*fragments)
        await tx_stops(card, MALFORMED, index)
        await tx_recovers(card)
        await card.tx.reset()


@cocotb.test()
async def frames_in_front_of_a_bad_one_are_completed(dut):
    card = await Card(dut).start()
    good = [frame(bytes([n] * 80), PEER, MAC) for n in range(3)]
    for data in good:
        card.put_tx([data], flags=0)
    card.put_tx([b""])
    await card.tx.doorbell()
    await card.interrupt(TX_ERROR)
    for data in good:
        assert await card.sent() == data
    await card.rest()
    assert await card.tx.head() == 3
    assert await card.tx.status() == (0, MALFORMED, 3)
    await tx_recovers(card)


@cocotb.test()
async def a_frame_without_end_stops_the_transmit_ring(dut):
    card = await Card(dut).start(tx_log2=3)
    for before in (0, 5):
        for _ in range(before):
            await card.wait_done(card.tx, await card.send(bytes(60), flags=0))
            await card.sent()
        for _ in range(7):
            card.tx.put(card.place(bytes(10)), 0, 0, 10)  # no EOP
        await card.tx.doorbell()
        await tx_stops(card, MALFORMED, card.tx.tail)
        await tx_recovers(card)
        await card.tx.reset()


@cocotb.test()
async def a_frame_may_wait_for_its_last_fragment(dut):
    card = await Card(dut).start()
    card.tx.put(card.place(bytes(range(50))), 0, 0, 50)
    await card.tx.doorbell()
    await card.expect_silence()
    assert (await card.tx.status())[:2] == (1, 0)
    card.tx.put(card.place(bytes(range(50, 100))), 0, 0, 50 | TX_EOP | TX_IRQ)
    await card.tx.doorbell()
    assert await card.sent() == bytes(range(100))


@cocotb.test()
async def a_frame_longer_than_the_transmit_buffer_stops_the_ring(dut):
    card = await Card(dut, mii_ns=40).start()
    data = random.Random(3).randbytes(LIMIT)
    address = card.place(data)
    await card.send((address, LIMIT))
    assert await card.sent() == data
    await card.interrupt(TX_DONE)
    for fragments, index in (([(address, LIMIT + 1)], 1), ([(address, 4000), (address, 92)], 1), ([(address, 0xFFFF)], 0)):
        await card.send(*fragments)
        await tx_stops(card, MALFORMED, index)
        await tx_recovers(card)
        await card.tx.reset()


@cocotb.test()
async def a_bus_error_on_a_transmit_descriptor_stops_the_ring(dut):
    card = await Card(dut).start()
    for word in range(4):
        card.memory.fail(card.tx.base + 16 + 4 * word)
        await card.send(bytes(40), bytes(20))
        await tx_stops(card, BUS_ERROR_DESCRIPTOR, 1)
        await tx_recovers(card)
        await card.tx.reset()


@cocotb.test()
async def a_bus_error_on_transmit_data_stops_the_ring(dut):
    card = await Card(dut).start()
    for at in (0, 64, 140, 192, 196):  # 192 and 196: the last burst's two words
        address = card.place(bytes(200))
        card.memory.fail(address + at)
        await card.send(bytes(40), (address, 200))
        await tx_stops(card, BUS_ERROR_DATA, 1)
        await tx_recovers(card)
        await card.tx.reset()


@cocotb.test()
async def an_error_of_either_kind_on_any_word_of_a_frame_stops_the_ring(dut):
    card = await Card(dut).start()
    data = frame(bytes(70), PEER, MAC)
    address = card.place(data, lane=1)
    for card.memory.error in (AxiResp.SLVERR, AxiResp.DECERR):
        for word in range(address & ~3, address + len(data), 4):
            card.memory.fail(word)
            await card.send((address, len(data)))
            await card.interrupt(TX_ERROR)
            assert await card.tx.status() == (0, BUS_ERROR_DATA, 0), hex(word - address)
            card.memory.faulty.clear()
            await card.tx.reset()
    await card.expect_silence()
    await tx_works(card)


@cocotb.test()
async def an_address_outside_of_memory_stops_the_transmit_ring(dut):
    card = await Card(dut).start()
    await card.send((0xFFFFFFF0, 60))
    await tx_stops(card, BUS_ERROR_DATA, 0)
    await tx_recovers(card)


@cocotb.test()
async def a_transmit_ring_outside_of_memory_stops(dut):
    card = await Card(dut).start()
    await card.write("TX_CONTROL", 0)
    await card.write("TX_BASE", 0xFFFFFF00)
    await card.write("TX_CONTROL", 1)
    await card.write("TX_TAIL", 1)
    await tx_stops(card, BUS_ERROR_DESCRIPTOR, 0)
    await card.write("TX_BASE", card.tx.base)
    await tx_recovers(card)


@cocotb.test()
async def a_bus_error_on_a_transmit_write_back_stops_the_ring(dut):
    """The frames behind it are sent, but the head stays where the error is."""
    card = await Card(dut).start()
    for at, card.memory.error in ((8, AxiResp.SLVERR), (12, AxiResp.SLVERR), (12, AxiResp.DECERR)):
        for number in range(3):
            card.put_tx([bytes([number] * 60)], flags=0)
        await card.tx.doorbell()
        await until(dut.mii_tx_en, dut.clk)
        card.memory.fail(card.tx.base + at)
        await card.interrupt(TX_ERROR)
        await card.rest()
        assert await card.tx.status() == (0, BUS_ERROR_DESCRIPTOR, 0)
        assert await card.tx.head() == 0
        while not card.phy.tx.empty():
            card.phy.tx.recv_nowait()
        await tx_recovers(card)
        await card.tx.reset()


@cocotb.test()
async def a_transmit_reset_at_any_moment_leaves_no_ghost(dut):
    card = await Card(dut).start(tx_log2=3)
    data = frame(bytes(100), PEER, MAC)
    for cycles in [*range(1, 60, 7), 150, 300, 500]:
        for _ in range(2):
            card.put_tx([data[:50], data[50:]])
        await card.tx.doorbell()
        await ClockCycles(dut.clk, cycles)
        await card.tx.reset()
        card.memory[card.tx.base:card.tx.base + 128] = bytes(128)
        await card.write("IRQ_CAUSE", TX_DONE)
        await card.rest()
        while not card.phy.tx.empty():
            assert card.phy.tx.recv_nowait().get_payload() == data, "a torn frame was sent"
        assert card.memory[card.tx.base:card.tx.base + 128] == bytes(128), "a descriptor of before the reset was written"
        assert not dut.irq.value
        assert await card.tx.head() == 0
        await tx_works(card)
        await card.tx.reset()
    card.check_writes()


@cocotb.test()
async def a_receive_buffer_of_length_0_stops_the_ring(dut):
    card = await Card(dut).start()
    card.rx.put(card.memory.allocate(64), 0, 0, 0)
    await card.rx.doorbell()
    await rx_stops(card, MALFORMED, 0)
    await rx_recovers(card)


@cocotb.test()
async def a_bus_error_on_a_receive_descriptor_stops_the_ring(dut):
    card = await Card(dut).start()
    for word in range(4):
        card.memory.fail(card.rx.base + 4 * word)
        await card.post_rx(1)
        await rx_stops(card, BUS_ERROR_DESCRIPTOR, 0)
        await rx_recovers(card)
        await card.rx.reset()


@cocotb.test()
async def a_bus_error_on_receive_data_stops_the_ring(dut):
    card = await Card(dut).start()
    for at in (0, 60, 64, 100):
        index = card.put_rx(80)
        card.put_rx(80)
        card.memory.fail(card.rx.descriptor(index + at // 80).words[0] + at % 80)
        await card.rx.doorbell()
        await card.arrive(frame(bytes(120)))
        await rx_stops(card, BUS_ERROR_DATA, at // 80)
        await rx_recovers(card)
        await card.rx.reset()


@cocotb.test()
async def a_receive_buffer_outside_of_memory_stops_the_ring(dut):
    card = await Card(dut).start()
    card.rx.put(0xFFFFFFF0, 0, 0, 1536)
    await card.rx.doorbell()
    await card.arrive(frame(bytes(120)))
    await rx_stops(card, BUS_ERROR_DATA, 0)
    await rx_recovers(card)


@cocotb.test()
async def a_bus_error_on_a_receive_write_back_stops_the_ring(dut):
    card = await Card(dut).start()
    for index in (0, 1):
        card.put_rx(80)
        card.put_rx(80)
        await card.rx.doorbell()
        await ClockCycles(dut.clk, 60)
        card.memory.fail(card.rx.base + 16 * index + 12)
        await card.arrive(frame(bytes(120)))
        await rx_stops(card, BUS_ERROR_DESCRIPTOR, index)
        assert await card.rx.head() == index
        await rx_recovers(card)
        await card.rx.reset()


@cocotb.test()
async def a_receive_reset_at_any_moment_leaves_no_ghost(dut):
    card = await Card(dut).start()
    for cycles in [*range(400, 560, 9), 600]:
        card.put_rx(80)
        card.put_rx(80)
        await card.rx.doorbell()
        await card.arrive(frame(bytes(120)))
        await ClockCycles(dut.clk, cycles - 90)
        await card.rx.reset()
        card.memory[card.rx.base:card.rx.base + 32] = bytes(32)
        await card.write("IRQ_CAUSE", RX_DONE)
        await ClockCycles(dut.clk, 300)
        await card.rest()
        assert card.memory[card.rx.base:card.rx.base + 32] == bytes(32), "a descriptor of before the reset was written"
        assert not dut.irq.value
        # What stood whole in the card when the ring was reset comes first.
        waiting = dut.receive.rec_valid.value.integer
        index = [card.put_rx() for _ in range(1 + waiting)][-1]
        await card.rx.doorbell()
        data = frame(bytes([cycles & 0xFF] * 70))
        await card.arrive(data)
        await card.wait_done(card.rx, index)
        assert card.received(index)[1] == data
        await card.rest()
        await card.write("IRQ_CAUSE", RX_DONE)
        await card.rx.reset()
    card.check_writes()


@cocotb.test()
async def an_empty_receive_ring_loses_whole_frames_only(dut):
    card = await Card(dut).start(rx_log2=4)
    frames = [frame(bytes([number]) * 900) for number in range(13)]
    for data in frames:
        await card.arrive(data)
    await card.interrupt(RX_OVERFLOW)
    while not card.phy.rx.empty():
        await ClockCycles(dut.clk, 500)
    await ClockCycles(dut.clk, 2500)
    dropped = await card.read("STAT_RX_DROPPED")
    kept = await card.read("STAT_RX_FRAMES")
    assert dropped > 0 and dropped + kept == len(frames)
    await card.post_rx(kept + 1)
    last = frame(b"after" * 20)
    for index in range(kept):
        await card.wait_done(card.rx, index)
        assert card.received(index)[1] == frames[index]
    await card.arrive(last)
    await card.wait_done(card.rx, kept)
    assert card.received(kept)[1] == last
    card.check_writes()


@cocotb.test()
async def a_frame_waits_for_its_next_buffer(dut):
    card = await Card(dut).start()
    await card.post_rx(1, 64)
    data = frame(bytes(range(100)))
    await card.arrive(data)
    await card.wait_done(card.rx, 0)
    await card.rest()
    assert not dut.irq.value
    await card.post_rx(1, 64)
    await card.interrupt(RX_DONE)
    assert card.received(0)[1] + card.received(1)[1] == data


async def resets_in_traffic(dut, clk_ns, mii_ns):
    card = await Card(dut, clk_ns, mii_ns).start()
    for cycles in (200, 230, 333):
        await card.post_rx(2)
        await card.arrive(frame(bytes(60)))
        await card.send(frame(bytes(60)))
        await ClockCycles(dut.mii_tx_clk, cycles)
        await RisingEdge(dut.clk)
        dut.rst.value = 1
        await ClockCycles(dut.clk, 4)
        dut.rst.value = 0
        await ClockCycles(dut.mii_tx_clk, 200)  # what the PHY still sends
        while not card.phy.tx.empty():
            card.phy.tx.recv_nowait()
        await card.configure()
        await tx_works(card)
        await rx_works(card)
        await card.rest()
        card.check_writes()


@cocotb.test()
async def a_card_reset_in_traffic_leaves_nothing_behind(dut):
    await resets_in_traffic(dut, 40, 40)


@cocotb.test()
async def nor_does_one_with_a_fast_bus_and_a_slow_wire(dut):
    await resets_in_traffic(dut, 10, 400)
