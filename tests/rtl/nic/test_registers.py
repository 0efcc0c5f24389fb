# SPDX-License-Identifier: Apache-2.0
"""Every register as nic.rdl has it: the walk is made from the description."""

import random

import cocotb
from cocotb.triggers import ClockCycles, RisingEdge, with_timeout
from systemrdl.rdltypes import OnWriteType

from card import MAC, PHY, Card
from phy import Phy
from registers import extract, field, registers

WHOLE = 0xFFFFFFFF
# What the hardware gives, where the description has no reset value.
HARDWARE = {
    "FEATURES": 0x00DC01FF,  # both checksums, TSO, half duplex, VLAN, pause, statistics, MDIO, loopback, buffers of 8 KiB and 4 KiB
    "MAC_LO": int.from_bytes(MAC[:4], "little"),
    "MAC_HI": int.from_bytes(MAC[4:], "little"),
    "STATUS": 1,
}
# Bits of CONTROL that exist only with a feature
CONTROL_FEATURES = {"HALF_DUPLEX": "HALF_DUPLEX", "VLAN_STRIP": "VLAN", "PAUSE_RX": "PAUSE", "PAUSE_TX": "PAUSE",
                    "LOOPBACK_MAC": "LOOPBACK", "LOOPBACK_MII": "LOOPBACK"}
# Writing these sets something going instead of being kept.
RING_RESET = 1 << 1


def reset_value(register):
    if register.inst_name in HARDWARE:
        return HARDWARE[register.inst_name]
    return sum((f.get_property("reset") or 0) << f.low for f in register.fields())


def is_here(register, field):
    feature = register.inst_name == "CONTROL" and CONTROL_FEATURES.get(field.inst_name)
    return not feature or extract("FEATURES", feature, HARDWARE["FEATURES"])


def kept_bits(register):
    """The bits that hold what is written."""
    return sum(((1 << f.width) - 1) << f.low for f in register.fields()
               if f.is_sw_writable and f.get_property("onwrite") is None and is_here(register, f))


def by_offset():
    return {register.address_offset: register for register in registers().values()}


async def start(dut):
    card = Card(dut)
    await card.reset()
    await card.rest()
    return card


async def snapshot(card, counters=True):
    await card.rest()
    return {name: await card.peek(name) for name in registers() if counters or not name.startswith("STAT_")}


@cocotb.test()
async def every_register_has_its_reset_value(dut):
    card = await start(dut)
    for name, register in registers().items():
        await card.rest()
        assert await card.peek(name) == reset_value(register), name


@cocotb.test()
async def every_register_keeps_the_bits_it_should_and_no_other_changes(dut):
    card = await start(dut)
    expected = await snapshot(card)
    rng = random.Random(1)
    for name, register in registers().items():
        if name == "MDIO":  # a write starts a frame
            continue
        kept = kept_bits(register)
        for pattern in (WHOLE & ~RING_RESET, rng.getrandbits(32) & ~RING_RESET, 0):  # so no ring begins to work
            if name == "IRQ_CAUSE":
                pattern = WHOLE
            await card.write(name, pattern)
            expected[name] = expected[name] & ~kept | pattern & kept
            if name in ("TX_CONTROL", "RX_CONTROL"):
                status = name.replace("CONTROL", "STATUS")
                expected[status] = pattern & 1  # RUNNING follows ENABLE
            assert await card.peek(name) == expected[name], f"{name} after {pattern:#x}"
        if name.startswith("STAT_"):
            continue
        now = await snapshot(card, counters=False)
        assert now == {other: expected[other] for other in now}, f"another register changed with {name}"
    assert await snapshot(card) == expected, "a counter changed"


@cocotb.test()
async def byte_strobes_are_honoured(dut):
    card = await start(dut)
    for name, register in registers().items():
        kept = kept_bits(register)
        if not kept or name == "MDIO":
            continue
        await card.write(name, kept & ~RING_RESET)
        for byte in range(4):
            before = await card.read(name)
            await card.axil.write(register.address_offset + byte, b"\x00")
            assert await card.read(name) == before & ~(0xFF << 8 * byte), f"{name}, octet {byte}"


@cocotb.test()
async def holes_read_zero_and_take_writes(dut):
    card = await start(dut)
    before = await snapshot(card)
    for address in range(0, 0x1000, 4):
        if address in by_offset() or (address > 0x200 and address % 0x100):
            continue
        await with_timeout(card.axil.write(address, b"\xff" * 4), 10, "us")
        data = (await with_timeout(card.axil.read(address, 4), 10, "us")).data
        assert data == bytes(4), f"{address:#x} reads {data.hex()}"
    assert await snapshot(card) == before


@cocotb.test()
async def every_write_is_acknowledged_once_however_the_channels_stall(dut):
    card = await start(dut)
    rng = random.Random(2)

    def pauses():
        while True:
            yield rng.random() < 0.5

    write, read = card.axil.write_if, card.axil.read_if
    for channel in (write.aw_channel, write.w_channel, write.b_channel, read.ar_channel, read.r_channel):
        channel.set_pause_generator(pauses())

    answers = 0

    async def count():
        nonlocal answers
        while True:
            await RisingEdge(dut.clk)
            answers += int(dut.s_axil_bvalid.value and dut.s_axil_bready.value)

    cocotb.start_soon(count())
    for number in range(15):
        writes = [card.axil.init_write(0x20, value.to_bytes(4, "little")) for value in range(number, number + 4)]
        reading = card.axil.init_read(0x0, 4)  # at the same time
        for operation in [*writes, reading]:
            await with_timeout(operation.wait(), 50, "us")
        assert reading.data.data == b"YNAL"
        assert await card.read("MAX_FRAME") == number + 3
    assert answers == 15 * 4


@cocotb.test()
async def the_counters_can_be_read_while_they_count(dut):
    card = await Card(dut).start()
    for number in range(12):
        card.put_tx([bytes(60)], flags=0)
    await card.tx.doorbell()
    while await card.read("STAT_TX_FRAMES") < 12:
        for _ in range(5):
            assert await card.read("STAT_RX_FILTERED") == 0, "the count of another"


@cocotb.test()
async def a_ring_may_have_any_size_of_four_bits(dut):
    """Of 2^0 descriptors none can be posted; with 2^15 the tail has all its bits."""
    card = await Card(dut).start(rx_log2=15)
    await card.write("TX_SIZE", 0)
    for tail in (1, 0, 0x7FFF):
        await card.write("TX_TAIL", tail)
        await ClockCycles(dut.clk, 50)
    assert await card.tx.status() == (1, 0, 0) and await card.tx.head() == 0
    await card.write("RX_TAIL", 0x7FFF)
    assert await card.read("RX_TAIL") == 0x7FFF
    await card.arrive(bytes(60))
    await card.rest()
    card.check_writes()


@cocotb.test()
async def a_frame_of_management_is_busy_until_its_end(dut):
    card = await start(dut)
    phy = Phy(dut, address=3)
    await card.write("MDIO_CLOCK", 4)
    request = field("MDIO", "PHY", 3) | field("MDIO", "REG", 2)
    await card.write("MDIO", request | field("MDIO", "WRITE", 1) | 0x5A3C)
    assert not await card.read("STATUS") and not dut.idle.value
    while await card.read("MDIO") & field("MDIO", "BUSY", 1):
        pass
    assert phy.writes == [(2, 0x5A3C)]
    await card.write("MDIO", request)
    await card.rest()
    assert await card.read("MDIO") == request | 0x5A3C
    await card.write("MDIO", field("MDIO", "PHY", 4))
    await card.rest()
    assert extract("MDIO", "DATA", await card.read("MDIO")) == 0xFFFF, "there is no such PHY"


@cocotb.test()
async def the_interrupt_of_the_phy_is_told_when_it_rises(dut):
    card = await start(dut)
    await card.write("IRQ_ENABLE", PHY)
    dut.phy_irq.value = 1
    await card.interrupt(PHY)
    await ClockCycles(dut.clk, 20)
    assert not dut.irq.value and not await card.read("IRQ_CAUSE"), "it told of a level"
    dut.phy_irq.value = 0
    await ClockCycles(dut.clk, 20)
    assert not dut.irq.value, "it told of a fall"
    dut.phy_irq.value = 1
    await card.interrupt(PHY)


def only_write_one_clears():
    cause = registers()["IRQ_CAUSE"]
    return all(f.get_property("onwrite") is OnWriteType.woclr for f in cause.fields())


@cocotb.test()
async def irq_follows_cause_and_enable(dut):
    assert only_write_one_clears()
    card = await Card(dut).start(interrupts=0)
    await card.wait_done(card.tx, await card.send(bytes(60)))
    await card.rest()
    assert await card.read("IRQ_CAUSE") == 1
    assert not dut.irq.value
    await card.write("IRQ_ENABLE", 0x1E)
    assert not dut.irq.value
    await card.write("IRQ_ENABLE", 0x01)
    assert dut.irq.value
    await card.write("IRQ_CAUSE", 0x1E)
    assert dut.irq.value, "another cause was acknowledged"
    await card.write("IRQ_CAUSE", 0x01)
    assert not dut.irq.value
