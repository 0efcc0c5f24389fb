# SPDX-License-Identifier: Apache-2.0
"""Causes of interrupts, as they come from the whole card."""

import cocotb
from cocotb.handle import Force, Release
from cocotb.triggers import ClockCycles, FallingEdge, RisingEdge
from cocotb.utils import get_sim_time

from card import RX_DONE, TX_DONE, Card, frame, until
from registers import field

UNIT_NS = 1024


async def moderate(card, ring, count, time):
    name = f"{ring}_MODERATION"
    await card.write(name, field(name, "COUNT", count) | field(name, "TIME", time))


@cocotb.test()
async def received_frames_share_an_interrupt_by_count(dut):
    card = await Card(dut).start()
    await moderate(card, "RX", 3, 1000)
    await card.post_rx(8)
    for _ in range(3):
        await card.arrive(frame(bytes(46)))
    await card.wait_done(card.rx, 1)
    assert not dut.irq.value and not dut.idle.value
    await card.interrupt(RX_DONE)
    assert card.rx.descriptor(2).done
    await card.rest()
    assert not dut.irq.value


@cocotb.test()
async def a_received_frame_is_told_when_its_time_is_over(dut):
    card = await Card(dut).start()
    await moderate(card, "RX", 0, 20)
    await card.post_rx(2)
    await card.arrive(frame(bytes(46)))
    await card.wait_done(card.rx, 0)
    done = get_sim_time("ns")
    await card.interrupt(RX_DONE)
    assert 18 * UNIT_NS < get_sim_time("ns") - done < 22 * UNIT_NS
    await card.rest()


@cocotb.test()
async def sent_frames_share_an_interrupt(dut):
    card = await Card(dut).start()
    await moderate(card, "TX", 4, 1000)
    for _ in range(4):
        last = card.put_tx([bytes(60)])
    await card.tx.doorbell()
    await card.interrupt(TX_DONE)
    assert await card.tx.head() == (last + 1) % card.tx.size
    await card.rest()
    assert not dut.irq.value


@cocotb.test()
async def errors_are_not_moderated(dut):
    card = await Card(dut).start()
    await moderate(card, "TX", 0, 1023)
    card.tx.put(0, 0, 0, 0)
    await card.tx.doorbell()
    assert await until(dut.irq, dut.clk) < 200


@cocotb.test()
async def two_completions_in_one_cycle_are_both_told(dut):
    card = await Card(dut).start()
    for moderated in (0, 2):
        for ring in ("TX", "RX"):
            await moderate(card, ring, 0, moderated)
        await FallingEdge(dut.clk)
        for done in (dut.irq_tx_done, dut.irq_rx_done):
            done.value = Force(1)
        await FallingEdge(dut.clk)
        for done in (dut.irq_tx_done, dut.irq_rx_done):
            done.value = Release()
        await until(dut.irq, dut.clk)
        await ClockCycles(dut.clk, 2)
        await card.interrupt(TX_DONE | RX_DONE)
        await card.rest()


@cocotb.test()
async def a_completion_in_the_cycle_of_its_acknowledgement_is_told(dut):
    card = await Card(dut).start()
    await card.write("IRQ_ENABLE", RX_DONE)
    cocotb.start_soon(card.write("IRQ_CAUSE", RX_DONE))
    await RisingEdge(dut.irq_rx_done_ack)
    dut.irq_rx_done.value = Force(1)
    await FallingEdge(dut.clk)
    await FallingEdge(dut.clk)
    dut.irq_rx_done.value = Release()
    await card.interrupt(RX_DONE)
