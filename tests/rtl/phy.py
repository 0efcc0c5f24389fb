# SPDX-License-Identifier: Apache-2.0
"""The management side of a PHY, from 802.3 22.2.4.5 and 22.3.4: it sees MDC and MDIO and nothing else."""

import cocotb
from cocotb.triggers import Edge, First, RisingEdge, Timer
from cocotb.utils import get_sim_time

SETUP_NS = HOLD_NS = 10  # of MDIO about the rising edge of MDC, where the master drives it


class Phy:
    """A PHY with 32 registers on the signals mdc, mdio_o, mdio_t and mdio_i of `dut`.

    It takes a frame only behind 32 ones, and changes MDIO `delay_ns` behind the rising edge of MDC."""

    def __init__(self, dut, address=1, delay_ns=300):
        self.dut, self.address, self.delay_ns = dut, address, delay_ns
        self.registers = list(range(0x1000, 0x1020))
        self.reads, self.writes = [], []
        self.periods_ns = []
        self.drive = None  # None: released
        self.changed_ns = 0
        self.risen_ns = None
        self._resolve()
        cocotb.start_soon(self._wire())
        cocotb.start_soon(self._frames())

    def line(self):
        """MDIO, with its pull-up."""
        if not self.dut.mdio_t.value:
            assert self.drive is None, "both ends drive MDIO"
            return int(self.dut.mdio_o.value)
        return 1 if self.drive is None else self.drive

    def _resolve(self):
        self.dut.mdio_i.value = 1 if not self.dut.mdio_t.value.is_resolvable else self.line()

    async def _wire(self):
        """MDIO comes back to the master; what the master sends must not change close to an edge of MDC."""
        while True:
            await First(Edge(self.dut.mdio_o), Edge(self.dut.mdio_t))
            self.changed_ns = get_sim_time("ns")
            if not self.dut.mdio_t.value and self.risen_ns is not None:
                assert self.changed_ns - self.risen_ns >= HOLD_NS, "hold time of MDIO"
            self._resolve()

    async def _bit(self, drive=None):
        """The bit at the next rising edge of MDC; behind it, drive MDIO, or release it."""
        await RisingEdge(self.dut.mdc)
        now = get_sim_time("ns")
        if not self.dut.mdio_t.value:
            assert now - self.changed_ns >= SETUP_NS, "setup time of MDIO"
        if self.risen_ns is not None:
            self.periods_ns.append(now - self.risen_ns)
        self.risen_ns = now
        bit = self.line()
        if drive != self.drive:
            cocotb.start_soon(self._drive_later(drive))
        return bit

    async def _drive_later(self, drive):
        if self.delay_ns:
            await Timer(self.delay_ns, "ns")
        self.drive = drive
        self._resolve()

    async def _bits(self, count):
        value = 0
        for _ in range(count):
            value = value << 1 | await self._bit()
        return value

    async def _frames(self):
        while True:
            ones = 0
            while await self._bit():
                ones += 1
            if ones < 32 or await self._bit() != 1:  # 01 starts a frame
                continue
            operation, address, register = await self._bits(2), await self._bits(5), await self._bits(5)
            mine = address == self.address
            if operation == 0b10:
                await self._read(register, mine)
            elif operation == 0b01:
                assert await self._bits(2) == 0b10, "turn-around of a write"
                data = await self._bits(16)
                if mine:
                    self.writes.append((register, data))
                    self.registers[register] = data

    async def _read(self, register, mine):
        data = self.registers[register]
        answer = [0] + [data >> bit & 1 for bit in range(15, -1, -1)] + [None]
        for bit in answer:
            await self._bit(bit if mine else None)
            assert self.dut.mdio_t.value, "the master drives while a PHY answers"
        if mine:
            self.reads.append(register)
