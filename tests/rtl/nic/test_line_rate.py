# SPDX-License-Identifier: Apache-2.0
"""Line rate in both directions at once, and latency, with memory that answers in 8 cycles. All figures are cycle counts."""

import random

import cocotb
from cocotb.triggers import RisingEdge
from cocotb.utils import get_sim_time
from cocotbext.eth import GmiiFrame

from card import MAC, PEER, RX_DONE, TX_DONE, Card, frame, padded, until
from segmentation import Large

MII_NS = 40
FCS = 4
OVERHEAD = 8 + 12  # preamble and SFD, gap


class WireMonitor:
    """The cycles of mii_tx_clk in which frames began on the transmit side, and the gaps between them."""

    def __init__(self, dut):
        self.begins, self.gaps = [], []
        cocotb.start_soon(self._watch(dut))

    async def _watch(self, dut):
        cycle, sending, ended = 0, False, None
        while True:
            await RisingEdge(dut.mii_tx_clk)
            cycle += 1
            before, sending = sending, dut.mii_tx_en.value == 1
            if sending and not before:
                self.begins.append(cycle)
                self.gaps += [cycle - ended] if ended else []
            elif before and not sending:
                ended = cycle


async def both_directions(dut, octets, count):
    """`octets` as the standard counts them: with FCS."""
    card = await Card(dut).start(tx_log2=6, rx_log2=6)
    wire = WireMonitor(dut)
    data = [frame(bytes([n] * (octets - FCS - 14)), PEER, MAC) for n in range(count)]
    answers = [MAC + PEER + d[12:] for d in data]

    await card.post_rx(count)
    for d in data:
        card.put_tx([d], flags=0)
    for a in answers:
        card.phy.rx.send_nowait(GmiiFrame.from_payload(a))
    await card.tx.doorbell()

    for d in data:
        assert await card.sent() == d
    await card.wait_done(card.rx, count - 1)
    await card.rest()

    for index, a in enumerate(answers):
        assert card.received(index)[1] == a, f"frame {index} did not arrive as it was sent"
        assert card.tx.descriptor(index).done
    assert await card.read("STAT_RX_DROPPED") == 0
    card.check_writes()

    assert set(wire.gaps) == {24}, f"gaps of {sorted(set(wire.gaps))} nibbles"
    slot = 2 * (octets + OVERHEAD)
    assert wire.begins[-1] - wire.begins[0] == (count - 1) * slot
    dut._log.info("%d octets: %d frames/s each way, gap 24 nibbles", octets, 25_000_000 // slot)


@cocotb.test()
async def frames_of_64_octets_at_line_rate(dut):
    await both_directions(dut, 64, 50)


@cocotb.test()
async def frames_of_1518_octets_at_line_rate(dut):
    await both_directions(dut, 1518, 5)


async def segments(dut, mss, count):
    """Two large frames of `count` segments each, one behind the other."""
    card = await Card(dut).start()
    wire = WireMonitor(dut)
    large = Large(random.randbytes(mss * count), mss)
    for _ in range(2):
        card.put_large(large)
    await card.tx.doorbell()
    for segment in 2 * large.segments():
        assert await card.sent() == padded(segment)
    assert set(wire.gaps) == {24}, f"gaps of {sorted(set(wire.gaps))} nibbles"


@cocotb.test()
async def segments_of_full_size_at_line_rate(dut):
    await segments(dut, 1460, 3)


@cocotb.test()
async def segments_of_one_octet_at_line_rate(dut):
    await segments(dut, 1, 20)


async def latency(dut, clk_ns):
    """Cycles of clk from the doorbell's handshake to the first preamble nibble, and from the SFD nibble to irq."""
    card = await Card(dut, clk_ns=clk_ns).start()
    await card.post_rx(2)

    card.put_tx([frame(bytes(46), PEER, MAC)])
    cocotb.start_soon(card.tx.doorbell())
    await until(dut.s_axil_awready, dut.clk)
    rung = get_sim_time("ns")
    await until(dut.mii_tx_en, dut.mii_tx_clk)
    doorbell = get_sim_time("ns") - MII_NS - rung
    await card.interrupt(TX_DONE)
    await card.rest()

    await card.arrive(frame(bytes(46)))
    await until(dut.mii_rx_dv, dut.mii_rx_clk)
    sfd_at = get_sim_time("ns") + 15 * MII_NS
    await until(dut.irq, dut.clk)
    sfd = get_sim_time("ns") - clk_ns - sfd_at
    await card.interrupt(RX_DONE)
    return round(doorbell / clk_ns), round(sfd / clk_ns)


@cocotb.test()
async def latency_at_25_mhz(dut):
    doorbell, sfd = await latency(dut, 40)
    dut._log.info("clk 25 MHz: doorbell to first preamble nibble %d cycles, SFD to irq %d cycles", doorbell, sfd)
    assert doorbell <= 130
    assert sfd <= 250


@cocotb.test()
async def latency_at_100_mhz(dut):
    doorbell, sfd = await latency(dut, 10)
    dut._log.info("clk 100 MHz: doorbell to first preamble nibble %d cycles, SFD to irq %d cycles", doorbell, sfd)
    assert doorbell <= 150
    assert sfd <= 650
