# SPDX-License-Identifier: Apache-2.0
"""rx_path, tx_path and statistics with their parameter at 0: frames pass as ever, and what is off is not there."""

import os

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import RisingEdge

import receive
import transmit
from packets import ethernet, ipv4, udp

FRAMES = [ethernet(ipv4(udp(bytes(range(20 + length))))) for length in range(10)]
TOP = os.environ.get("TOPLEVEL")


@cocotb.test(skip=TOP != "rx_path")
async def without_vlan_and_pause_tags_and_control_frames_are_octets_like_any(dut):
    bench = receive.Bench(dut)
    await bench.start()
    dut.cfg_vlan_strip.value = 1
    tagged = ethernet(ipv4(udp(bytes(60))), vlan=5)
    control = ethernet(bytes.fromhex("0001ffff").ljust(46, b"\0"), ethertype=0x8808)
    longest = ethernet(ipv4(udp(bytes(1472))), vlan=5)
    for frame in (tagged, control, longest):
        await bench.send(frame)
    await bench.settle()
    assert [(received.data, received.flags, received.tci) for received in bench.frames] == [
        (tagged, 0, 0), (control, 0, 0)]
    assert [event.flags for event in bench.events] == [{"good"}, {"good"}, {"oversize"}]
    assert bench.pauses == []


@cocotb.test(skip=TOP != "rx_path")
async def without_rx_csum_frames_are_delivered_unjudged(dut):
    bench = receive.Bench(dut)
    await bench.start()
    for frame in FRAMES:
        await bench.send(frame)
    await bench.settle()
    assert [(received.data, received.flags, received.sum) for received in bench.frames] == [
        (frame, 0, 0) for frame in FRAMES]


@cocotb.test(skip=TOP != "tx_path")
async def without_tx_csum_frames_leave_untouched(dut):
    bench = transmit.Bench(dut)
    await bench.start()
    for frame in FRAMES:
        await bench.send(frame, transmit.Checksums(True, True, 34, 6))
    await bench.settle()
    assert bench.sent() == FRAMES


@cocotb.test(skip=TOP != "statistics")
async def without_statistics_every_counter_reads_0_at_once(dut):
    cocotb.start_soon(Clock(dut.clk, 40, "ns").start())
    dut.rx_valid.value = 1
    dut.rx_flags.value = 1
    dut.tx_valid.value = 1
    dut.read_request.value = 1
    for address in range(16):
        dut.read_address.value = address
        await RisingEdge(dut.clk)
        assert dut.read_ack.value and dut.read_data.value == 0 and dut.stat_idle.value
