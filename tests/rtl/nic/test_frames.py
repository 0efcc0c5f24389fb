# SPDX-License-Identifier: Apache-2.0
"""Frames through the whole card."""

import random

import cocotb

from card import Card, DONE, MAC, PEER, RX_DONE, RX_EOP, RX_SOP, TX_DONE, frame, padded


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
