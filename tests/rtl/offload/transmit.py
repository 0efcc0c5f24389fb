# SPDX-License-Identifier: Apache-2.0
"""The surroundings of tx_path: the DMA in front, and the queue to the MAC behind."""

import logging
from dataclasses import dataclass

import cocotb
from cocotb.clock import Clock
from cocotb.queue import Queue
from cocotb.triggers import ClockCycles, RisingEdge
from cocotbext.axi import AxiStreamBus, AxiStreamFrame, AxiStreamSink, AxiStreamSource

INPUTS = ("s_axis_tvalid", "s_axis_tdata", "s_axis_tlast", "s_axis_tuser", "m_axis_tready", "frame_ip_csum",
          "frame_l4_csum", "frame_csum_start", "frame_csum_offset", "frame_vlan", "frame_tci", "frame_end", "verdict",
          "verdict_again", "verdict_error")


@dataclass
class Checksums:
    ip: bool = False
    l4: bool = False
    start: int = 0
    offset: int = 0
    tci: int = None  # of the tag to be inserted


class Bench:
    """Frames handed to `send` come out of `sink`, unless they are dropped; each is told as sent at once."""

    def __init__(self, dut):
        self.dut = dut
        self.source = AxiStreamSource(AxiStreamBus.from_prefix(dut, "s_axis"), dut.clk, dut.rst)
        self.sink = AxiStreamSink(AxiStreamBus.from_prefix(dut, "m_axis"), dut.clk, dut.rst)
        for model in (self.source, self.sink):
            model.log.setLevel(logging.ERROR)
        self.settings = Queue()

    async def start(self):
        dut = self.dut
        cocotb.start_soon(Clock(dut.clk, 40, "ns").start())
        self.set_checksums(Checksums())
        dut.frame_end.value = 1
        for name in ("verdict", "verdict_again", "verdict_error"):
            getattr(dut, name).value = 0
        dut.rst.value = 1
        await ClockCycles(dut.clk, 3)
        dut.rst.value = 0
        await ClockCycles(dut.clk, 2)
        cocotb.start_soon(self.follow())
        self.judge = cocotb.start_soon(self.all_are_sent())

    async def all_are_sent(self):
        while True:
            await self.offered()
            await self.tell()

    async def offered(self):
        """Until the last octet of a frame has been taken."""
        dut = self.dut
        await RisingEdge(dut.clk)
        while not (dut.m_axis_tvalid.value and dut.m_axis_tready.value and dut.m_axis_tlast.value):
            await RisingEdge(dut.clk)

    async def tell(self, again=0, error=0):
        """The verdict of the MAC."""
        dut = self.dut
        dut.verdict.value, dut.verdict_again.value, dut.verdict_error.value = 1, again, error
        await RisingEdge(dut.clk)
        dut.verdict.value = 0

    def set_checksums(self, checksums):
        self.dut.frame_ip_csum.value = checksums.ip
        self.dut.frame_l4_csum.value = checksums.l4
        self.dut.frame_csum_start.value = checksums.start
        self.dut.frame_csum_offset.value = checksums.offset
        self.dut.frame_vlan.value = checksums.tci is not None
        self.dut.frame_tci.value = checksums.tci or 0

    async def follow(self):
        """Change the settings as late, and take them away as early, as the contract allows: with each tlast taken."""
        dut = self.dut
        while True:
            self.set_checksums(await self.settings.get())
            await RisingEdge(dut.clk)
            while not (dut.s_axis_tvalid.value and dut.s_axis_tready.value and dut.s_axis_tlast.value):
                await RisingEdge(dut.clk)

    async def send(self, data, checksums=Checksums(), drop=False):
        self.settings.put_nowait(checksums)
        await self.source.send(AxiStreamFrame(data, tuser=[0] * (len(data) - 1) + [drop]))

    async def settle(self):
        """Wait until all that was sent has left or been dropped."""
        await self.source.wait()
        await RisingEdge(self.dut.clk)
        while not self.dut.tx_path_idle.value:
            await RisingEdge(self.dut.clk)
        await ClockCycles(self.dut.clk, 2)

    def sent(self):
        """All frames that have left since the last call."""
        frames = []
        while not self.sink.empty():
            frames.append(bytes(self.sink.recv_nowait().tdata))
        return frames
