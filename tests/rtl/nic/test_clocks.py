# SPDX-License-Identifier: Apache-2.0
"""The clocks of MII stand still while the card goes on, and is reset."""

import cocotb
from cocotb.triggers import ClockCycles

from card import MAC, PEER, Card, frame


async def sends(card, size):
    """A frame goes out whole, with nothing in front of it."""
    data = frame(bytes(range(size)), PEER, MAC)
    await card.send(data)
    assert await card.sent() == data


async def receives(card, size):
    data = frame(bytes(range(size)))
    index = card.put_rx()
    await card.rx.doorbell()
    await card.arrive(data)
    await card.wait_done(card.rx, index)
    assert card.received(index)[1] == data


@cocotb.test()
async def the_card_is_reset_and_read_before_the_mii_clocks_run(dut):
    card = await Card(dut).start()
    for side in ("tx", "rx"):
        card.stop_mii_clock(side)
    await card.start()
    assert await card.peek("ID") == 0x4C414E59
    await card.send(frame(bytes(50), PEER, MAC))
    await ClockCycles(dut.clk, 200)
    for side in ("tx", "rx"):
        card.run_mii_clock(side)
    assert await card.sent() == frame(bytes(50), PEER, MAC)
    await sends(card, 60)
    await receives(card, 70)
    await card.rest()


@cocotb.test()
async def a_clock_that_stops_in_a_frame_and_goes_on_costs_nothing(dut):
    card = await Card(dut).start()
    data = frame(bytes(range(200)), PEER, MAC)
    await card.send(data)
    await ClockCycles(dut.clk, 150)
    card.stop_mii_clock("tx")
    await receives(card, 60)  # the other side goes on
    assert not dut.idle.value
    card.run_mii_clock("tx")
    assert await card.sent() == data
    await sends(card, 80)
    await card.rest()


async def stopped_in_a_frame_and_reset(dut, side):
    """A card with frames under way both ways, one of its clocks standing, and reset by the others."""
    card = await Card(dut).start()
    card.put_rx()
    await card.rx.doorbell()
    await card.arrive(frame(bytes(range(250))))
    await card.send(frame(bytes(range(250)), PEER, MAC))
    await ClockCycles(dut.clk, 450)
    assert dut.mii_tx_en.value and dut.mii_rx_dv.value
    card.stop_mii_clock(side)
    await card.start()
    await ClockCycles(dut.clk, 400)  # the PHY ends its frame
    return card


async def goes_on(card, side, frames):
    """The clock starts; nothing of before comes after the `frames` received since, and both directions work."""
    card.phy.tx.clear()  # what the reset has cut off
    card.run_mii_clock(side)
    await ClockCycles(card.dut.clk, 8)
    for _ in range(400):
        await ClockCycles(card.dut.clk, 1)
        assert not card.dut.mii_tx_en.value, "it goes on with a frame from before the reset"
    assert await card.read("STAT_RX_ALL_FRAMES") == frames, "a frame from before the reset is counted"
    card.phy.tx.clear()
    await sends(card, 90)
    await receives(card, 100)
    await card.rest()
    card.check_writes()


@cocotb.test()
async def a_reset_reaches_the_transmit_side_while_its_clock_stands(dut):
    card = await stopped_in_a_frame_and_reset(dut, "tx")
    await receives(card, 60)
    await goes_on(card, "tx", frames=1)


@cocotb.test()
async def a_reset_reaches_the_receive_side_while_its_clock_stands(dut):
    card = await stopped_in_a_frame_and_reset(dut, "rx")
    card.phy.tx.clear()
    await sends(card, 60)
    await goes_on(card, "rx", frames=0)
