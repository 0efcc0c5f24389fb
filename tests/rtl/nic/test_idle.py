# SPDX-License-Identifier: Apache-2.0
"""The promise of `idle`: while it is high and the inputs rest, no register changes at any edge of any clock."""

import cocotb
from cocotb.triggers import ClockCycles, RisingEdge

from card import MAC, PEER, Card, frame, until
from idle import assert_nothing_changes

CLOCKS = ("clk", "s_clk", "m_clk", "mii_tx_clk", "mii_rx_clk")


async def until_busy(dut):
    while dut.idle.value:
        await RisingEdge(dut.clk)


async def rests(card, cycles=6):
    """From the first idle cycle on nothing changes, for `cycles` of the slowest clock."""
    await card.rest()
    await assert_nothing_changes(card.dut, card.dut.mii_tx_clk, cycles, CLOCKS)


@cocotb.test()
async def idle_is_kept_after_everything_that_can_happen(dut):
    card = await Card(dut).start()
    card.time_rests = True
    await rests(card)                                   # nothing posted
    await card.post_rx(2)
    await rests(card)                                   # a descriptor in hand
    await card.arrive(frame(bytes(46)))
    await until(dut.irq, dut.clk)
    await rests(card)                                   # a frame received, its interrupt pending
    await card.arrive(frame(bytes(46), destination=PEER))
    await until_busy(dut)
    await rests(card)                                   # a frame filtered, but counted
    await card.send(frame(bytes(20), PEER, MAC), bytes(30))
    await ClockCycles(dut.clk, 20)
    assert not dut.idle.value
    await rests(card)                                   # a frame sent
    card.tx.put(card.place(bytes(50)), 0, 0, 50)
    await card.tx.doorbell()
    await ClockCycles(dut.clk, 20)
    await rests(card)                                   # half a frame posted
    await card.arrive(frame(bytes(46)))
    await ClockCycles(dut.clk, 200)
    await card.arrive(frame(bytes(46)))
    await ClockCycles(dut.clk, 300)
    assert dut.receive.rec_valid.value == 1
    await rests(card)                                   # a frame without a descriptor


@cocotb.test()
async def idle_waits_for_a_frame_that_is_thrown_away(dut):
    card = await Card(dut).start()
    card.time_rests = True
    card.memory.fail(card.rx.descriptor(card.put_rx()).words[0])
    await card.rx.doorbell()
    await card.arrive(frame(bytes(400)))
    await until(dut.irq, dut.clk)
    await rests(card)


@cocotb.test()
async def idle_is_kept_with_a_slow_wire(dut):
    """Crossings take forty cycles of clk here: idle must wait for all of them."""
    card = await Card(dut, clk_ns=10, mii_ns=400).start()
    card.time_rests = True
    await rests(card)
    await card.post_rx(2)
    await card.send(frame(bytes(46), PEER, MAC))
    await ClockCycles(dut.clk, 20)
    await rests(card)
    await card.arrive(frame(bytes(46)))
    await card.wait_done(card.rx, 0)
    await rests(card)


@cocotb.test()
async def idle_falls_within_16_cycles_of_any_input(dut):
    card = await Card(dut).start()
    await card.post_rx(2)
    await card.rest()
    dut.mii_rx_dv.value = 1
    await ClockCycles(dut.clk, 16)
    assert not dut.idle.value
    dut.mii_rx_dv.value = 0
    await card.rest()
    await RisingEdge(dut.clk)
    dut.s_axil_arvalid.value = 1
    await RisingEdge(dut.clk)
    await RisingEdge(dut.clk)
    assert not dut.idle.value
    dut.s_axil_arvalid.value = 0
