# SPDX-License-Identifier: Apache-2.0
"""mac: both halves at once, behind the model of a PHY, at both rates of the MII."""

import logging

import cocotb
from cocotb.triggers import ClockCycles, RisingEdge, Timer
from cocotbext.axi import AxiStreamBus, AxiStreamFrame, AxiStreamMonitor, AxiStreamSource
from cocotbext.eth import GmiiFrame, MiiPhy

from mii import octets, with_fcs


async def count_cycles(clock, signal, counts):
    while True:
        await RisingEdge(clock)
        counts.append(int(signal.value))


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def both_directions_run_at_once_at_100_and_at_10_megabits(dut):
    dut.tx_rst.value = 1
    dut.rx_rst.value = 1
    for name in ("half_duplex", "rx_loopback", "pause_valid", "s_axis_urgent", "mii_crs", "mii_col"):
        getattr(dut, name).value = 0
    phy = MiiPhy(dut.mii_txd, dut.mii_tx_er, dut.mii_tx_en, dut.mii_tx_clk,
                 dut.mii_rxd, dut.mii_rx_er, dut.mii_rx_dv, dut.mii_rx_clk, reset=dut.tx_rst)
    source = AxiStreamSource(AxiStreamBus.from_prefix(dut, "s_axis"), dut.mii_tx_clk, dut.tx_rst)
    monitor = AxiStreamMonitor(AxiStreamBus.from_prefix(dut, "m_axis"), dut.mii_rx_clk, dut.rx_rst)
    for model in (source, monitor, phy.tx, phy.rx):
        model.log.setLevel(logging.WARNING)

    await ClockCycles(dut.mii_tx_clk, 3)
    dut.tx_rst.value = 0
    dut.rx_rst.value = 0

    for speed in (100e6, 10e6):
        phy.set_speed(speed)
        done = []
        counter = cocotb.start_soon(count_cycles(dut.mii_tx_clk, dut.tx_done, done))
        to_wire = [octets(length, 1) for length in (60, 64, 100, 61)]
        from_wire = [octets(length, 2) for length in (60, 99, 62, 200)]
        for data in to_wire:
            await source.send(AxiStreamFrame(data))
        for data in from_wire:
            await phy.rx.send(GmiiFrame.from_raw_payload(with_fcs(data)))
        for data in to_wire:
            frame = await phy.tx.recv()
            assert frame.check_fcs() and frame.error is None
            assert bytes(frame.get_payload()) == data
        for data in from_wire:
            frame = await monitor.recv()
            assert bytes(frame.tdata) == data
            assert frame.tuser[-1] & 15 == 0
        while not (dut.tx_idle.value and dut.rx_idle.value):
            await Timer(100, "ns")
        assert sum(done) == len(to_wire)
        counter.kill()
