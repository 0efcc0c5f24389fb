# SPDX-License-Identifier: Apache-2.0
"""The memory behind the card's AXI4 master: cocotbext-axi's slave, with latency, faults, and a watch on every write."""

import random

from cocotb.triggers import ClockCycles
from cocotbext.axi import AxiBus, AxiResp, AxiSlave

# What the slave model itself takes from the address to the first data, and from the last data to the response.
MODEL_READ_CYCLES = 2
MODEL_WRITE_CYCLES = 2


def stalls(seed):
    """Generators of pauses, three cycles of four free, each of its own."""
    seeds = iter(range(seed, seed + 100))

    def pattern():
        rng = random.Random(next(seeds))
        while True:
            yield rng.random() < 0.25
    return pattern


class BusError(Exception):
    """Makes the model answer with an error."""


class Store:
    """`size` bytes, of which the card may write only those that were opened to it."""

    def __init__(self, size):
        self.size = size
        self.bytes = bytearray(size)
        self.open = bytearray(size)  # 1: the card may write here
        self.faulty = set()          # word addresses that answer with an error
        self.violations = []
        self.reads = []              # addresses, in order
        self.free = 0x1000

    def allocate(self, length, align=64, offset=0):
        """An address that is nobody else's, `offset` behind a multiple of `align`."""
        address = -(-self.free // align) * align + offset
        self.free = address + length + 16
        assert self.free <= self.size, "the test needs a larger memory"
        return address

    def allow(self, address, length, allowed=True):
        self.open[address:address + length] = bytes([allowed]) * length

    def fail(self, address, length=4):
        self.faulty.update(range(address & ~3, address + length, 4))

    def __getitem__(self, key):
        return bytes(self.bytes[key])

    def __setitem__(self, key, value):
        assert len(value) == key.stop - key.start
        self.bytes[key] = value

    async def read(self, address, length):
        self.reads.append(address)
        if address in self.faulty or address + length > self.size:
            raise BusError
        return bytes(self.bytes[address:address + length])

    async def write(self, address, data):
        if address & ~3 in self.faulty or address + len(data) > self.size:
            raise BusError
        end = address + len(data)
        if not all(self.open[address:end]):
            self.violations.append(f"{address:#x}: {data.hex()}")
        self.bytes[address:end] = data


class Memory(Store):
    def __init__(self, dut, latency=8, size=1 << 20):
        super().__init__(size)
        self.clock = dut.clk
        self.latency = latency
        self.slave = AxiSlave(AxiBus.from_prefix(dut, "m_axi"), dut.clk, dut.rst, target=self)
        for interface in (self.slave.write_if, self.slave.read_if):
            interface.log.setLevel("ERROR")
        self.error = AxiResp.SLVERR  # the answer to an access that fails
        self._answer(self.slave.read_if.r_channel, "rresp")
        self._answer(self.slave.write_if.b_channel, "bresp")
        self._clean(self.slave.write_if.w_channel)
        self._delay(self.slave.read_if.ar_channel, "recv", lambda: self.latency - MODEL_READ_CYCLES)
        self._delay(self.slave.write_if.b_channel, "send", lambda: self.latency - MODEL_WRITE_CYCLES)

    def _delay(self, channel, name, cycles):
        """Let `cycles` pass behind a reception, or in front of a sending."""
        method = getattr(channel, name)

        async def delayed(*args):
            if name == "send" and cycles() > 0:
                await ClockCycles(self.clock, cycles())
            result = await method(*args)
            if name == "recv" and cycles() > 0:
                await ClockCycles(self.clock, cycles())
            return result

        setattr(channel, name, delayed)

    def _answer(self, channel, name):
        """Make errors, SLVERR from the model, what `error` says."""
        method = channel.send

        async def send(response):
            if getattr(response, name) == AxiResp.SLVERR:
                setattr(response, name, self.error)
            await method(response)

        channel.send = send

    def _clean(self, channel):
        """Octets that are not strobed may be unknown; the model wants to know them."""
        method = channel.recv

        async def recv():
            word = await method()
            octets = [word.wdata.binstr[bit:bit + 8] for bit in range(0, 32, 8)]
            word.wdata = int("".join(o if s == "1" else "0" * 8 for o, s in zip(octets, word.wstrb.binstr)), 2)
            return word

        channel.recv = recv

    def stall(self, pattern):
        """Hold every channel back by the generators that `pattern()` makes."""
        write, read = self.slave.write_if, self.slave.read_if
        for channel in (write.aw_channel, write.w_channel, write.b_channel, read.ar_channel, read.r_channel):
            channel.set_pause_generator(pattern() if pattern else None)
            channel.pause = False
