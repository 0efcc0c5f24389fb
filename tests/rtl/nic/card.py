# SPDX-License-Identifier: Apache-2.0
"""The card on a bench: clocks, memory, a PHY, and a driver of the simplest kind."""

import itertools
import struct
from dataclasses import dataclass
from types import SimpleNamespace

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, RisingEdge, Timer, with_timeout
from cocotbext.axi import AxiLiteBus, AxiLiteMaster
from cocotbext.eth import GmiiFrame, MiiSink, MiiSource

from memory import Memory
from registers import extract, field, offset

MAC = bytes.fromhex("020000000001")
PEER = bytes.fromhex("020000000002")
BROADCAST = b"\xff" * 6

# Descriptor bits (docs/card.md)
TX_EOP, TX_IRQ, TX_IP_CSUM, TX_L4_CSUM, TX_TSO, TX_VLAN = (1 << bit for bit in range(16, 22))
RX_SOP, RX_EOP, RX_IP_OK, RX_L4_CHECKED, RX_L4_OK, RX_FCS_ERR, RX_ALIGN_ERR, RX_BCAST, RX_MCAST, RX_VLAN = (
    1 << bit for bit in range(16, 26))
DONE = 1 << 31

# IRQ_CAUSE
TX_DONE, RX_DONE, TX_ERROR, RX_ERROR, RX_OVERFLOW, PHY = (1 << bit for bit in range(6))

BUS_ERROR_DESCRIPTOR, BUS_ERROR_DATA, MALFORMED = 1, 2, 3


def frame(payload, destination=MAC, source=PEER, ethertype=b"\x88\xb5"):
    return destination + source + ethertype + payload


def padded(data):
    return data + bytes(max(0, 60 - len(data)))


async def until(signal, clock, within_cycles=50_000):
    """Wait for a clock edge at which the signal is high. (Between edges it may have glitches.)"""
    for cycles in range(within_cycles):
        await RisingEdge(clock)
        if signal.value == 1:
            return cycles
    raise AssertionError(f"{signal._name} does not rise")


@dataclass
class Written:
    """What stands in a descriptor."""
    words: tuple

    @property
    def done(self):
        return bool(self.words[3] & DONE)

    @property
    def length(self):
        return self.words[3] & 0xFFFF

    @property
    def error(self):
        return self.words[3] >> 24 & 15

    def has(self, bit):
        return bool(self.words[3] & bit)


class Ring:
    """A ring in memory, and its registers."""

    def __init__(self, card, name, log2):
        self.card, self.name, self.log2 = card, name, log2
        self.size = 1 << log2
        self.base = card.memory.allocate(16 * self.size, 16)
        self.tail = 0
        card.memory.allow(self.base, 16 * self.size)

    async def start(self):
        await self.card.write(f"{self.name}_BASE", self.base)
        await self.card.write(f"{self.name}_SIZE", self.log2)
        await self.card.write(f"{self.name}_CONTROL", 1)

    async def reset(self):
        """Reset by the book; returns how many reads it took."""
        await self.card.write(f"{self.name}_CONTROL", 2)
        for reads in itertools.count(1):
            assert reads < 1000, f"{self.name} ring: the reset does not end"
            if not await self.card.read(f"{self.name}_CONTROL") & 2:
                break
        self.tail = 0
        await self.card.write(f"{self.name}_CONTROL", 1)
        return reads

    def address(self, index):
        return self.base + 16 * (index % self.size)

    def put(self, *words):
        """Fill the descriptor at the tail; the doorbell rings later. Returns its index."""
        index = self.tail
        self.card.memory[self.address(index):self.address(index) + 16] = struct.pack("<4I", *words)
        self.tail = (self.tail + 1) % self.size
        return index

    async def doorbell(self):
        await self.card.write(f"{self.name}_TAIL", self.tail)

    def descriptor(self, index):
        return Written(struct.unpack("<4I", self.card.memory[self.address(index):self.address(index) + 16]))

    async def head(self):
        return await self.card.read(f"{self.name}_HEAD")

    async def status(self):
        """running, error, index"""
        word = await self.card.read(f"{self.name}_STATUS")
        return tuple(extract(f"{self.name}_STATUS", name, word) for name in ("RUNNING", "ERROR", "INDEX"))


class Card:
    def __init__(self, dut, clk_ns=40, mii_ns=40, latency=8, memory_bytes=1 << 20):
        self.dut, self.clk_ns, self.mii_ns = dut, clk_ns, mii_ns
        cocotb.start_soon(Clock(dut.clk, clk_ns, "ns").start())
        self.mii_clocks = {}
        self.run_mii_clock("tx")
        self.run_mii_clock("rx")
        self.time_rests = False
        cocotb.start_soon(self._tell_time())
        for name in ("mii_rxd", "mii_rx_dv", "mii_rx_er", "mii_crs", "mii_col", "phy_irq"):
            getattr(dut, name).value = 0
        dut.mdio_i.value = 1
        dut.rst.setimmediatevalue(1)
        self.memory = Memory(dut, latency, memory_bytes)
        self.axil = AxiLiteMaster(AxiLiteBus.from_prefix(dut, "s_axil"), dut.clk, dut.rst)
        for interface in (self.axil.write_if, self.axil.read_if):
            interface.log.setLevel("ERROR")
        self.phy = None

    def run_mii_clock(self, side, period_ps=None):
        clock = Clock(getattr(self.dut, f"mii_{side}_clk"), period_ps or self.mii_ns * 1000, "ps")
        self.mii_clocks[side] = cocotb.start_soon(clock.start())

    def stop_mii_clock(self, side):
        self.mii_clocks[side].kill()

    async def _tell_time(self):
        now = 0
        while True:
            self.dut.timestamp_ns.value = now & 0xFFFFFFFF
            await ClockCycles(self.dut.clk, 8)
            now += 0 if self.time_rests else 8 * self.clk_ns

    async def reset(self):
        self.dut.rst.value = 1
        await ClockCycles(self.dut.clk, 5)
        self.dut.rst.value = 0
        await Timer(6 * self.mii_ns, "ns")
        await RisingEdge(self.dut.clk)
        if self.phy is None:  # it does not live with what the card's outputs are before the reset
            dut = self.dut
            self.phy = SimpleNamespace(  # MiiPhy would bring clocks of its own
                tx=MiiSink(dut.mii_txd, dut.mii_tx_er, dut.mii_tx_en, dut.mii_tx_clk),
                rx=MiiSource(dut.mii_rxd, dut.mii_rx_er, dut.mii_rx_dv, dut.mii_rx_clk))
            self.phy.rx.ifg = 24  # nibbles
            for side in (self.phy.rx, self.phy.tx):
                side.log.setLevel("ERROR")

    async def start(self, tx_log2=4, rx_log2=4, interrupts=0x1F, control=()):
        """From reset to both rings running."""
        await self.reset()
        return await self.configure(tx_log2, rx_log2, interrupts, control)

    async def configure(self, tx_log2=4, rx_log2=4, interrupts=0x1F, control=()):
        self.tx, self.rx = Ring(self, "TX", tx_log2), Ring(self, "RX", rx_log2)
        await self.tx.start()
        await self.rx.start()
        await self.write("IRQ_ENABLE", interrupts)
        await self.control("TX_ENABLE", "RX_ENABLE", "BROADCAST", *control)
        return self

    async def control(self, *names):
        await self.write("CONTROL", sum(field("CONTROL", name, 1) for name in names))

    async def read(self, name):
        """A register; of a counter, what it is now: reading the first one takes the snapshot that the others are read from."""
        if name.startswith("STAT_"):
            await self.peek("STAT_TX_FRAMES")
        return await self.peek(name)

    async def peek(self, name):
        """What a register reads, and nothing more."""
        return int.from_bytes((await self.axil.read(offset(name), 4)).data, "little")

    async def write(self, name, value):
        await self.axil.write(offset(name), value.to_bytes(4, "little"))

    # Transmit

    def place(self, data, align=64, lane=0):
        """Put data somewhere into memory; returns the address."""
        address = self.memory.allocate(len(data), align, lane)
        self.memory[address:address + len(data)] = data
        return address

    def put_tx(self, fragments, flags=TX_IRQ, csum_start=0, csum_offset=0, hdr_len=0, mss=0, tci=0):
        """Fill descriptors for one frame. A fragment is bytes, or the (address, length) of some. Returns the last index."""
        fragments = [f if isinstance(f, tuple) else (self.place(f), len(f)) for f in fragments]
        for number, (address, length) in enumerate(fragments):
            eop = TX_EOP if number == len(fragments) - 1 else 0
            index = self.tx.put(address, csum_start | csum_offset << 8 | hdr_len << 16, mss | tci << 16,
                                length | flags | eop)
        return index

    def put_large(self, large, frame=None, cuts=(), lanes=(), tci=None, **changes):
        """Fill descriptors for a frame to be segmented (segmentation.Large), in fragments that end at `cuts`. Returns the
        last index."""
        frame = large.frame() if frame is None else frame
        ends = [0, *cuts, len(frame)]
        pieces = [frame[begin:end] for begin, end in zip(ends, ends[1:])]
        lanes = [*lanes, *[0] * len(pieces)]
        fragments = [(self.place(piece, 4, lane), len(piece)) for piece, lane in zip(pieces, lanes)]
        how = {"csum_start": large.csum_start, "csum_offset": 16, "hdr_len": large.hdr_len, "mss": large.mss,
               "flags": TX_TSO | TX_IRQ | (0 if tci is None else TX_VLAN), "tci": tci or 0}
        return self.put_tx(fragments, **{**how, **changes})

    async def send(self, *fragments, **how):
        index = self.put_tx(fragments, **how)
        await self.tx.doorbell()
        return index

    async def sent(self):
        """The next frame on the wire, without preamble and FCS, which are checked."""
        received = await with_timeout(self.phy.tx.recv(), 20, "ms")
        assert received.check_fcs(), "bad FCS"
        assert not any(received.error or [0]), "TX_ER"
        return received.get_payload()

    async def expect_silence(self, cycles=250):
        await ClockCycles(self.dut.clk, cycles)
        assert self.phy.tx.empty(), "a frame that should not be sent"

    # Receive

    def put_rx(self, length=1536, align=64, lane=2):
        address = self.memory.allocate(length, align, lane)
        self.memory.allow(address, length)
        self.memory[address:address + length] = b"\xA5" * length
        return self.rx.put(address, 0, 0, length)

    async def post_rx(self, count, length=1536, **where):
        for _ in range(count):
            self.put_rx(length, **where)
        await self.rx.doorbell()

    async def arrive(self, data):
        await self.phy.rx.send(GmiiFrame.from_payload(data))

    def received(self, index):
        """Descriptor and octets of a completed receive buffer."""
        descriptor = self.rx.descriptor(index)
        return descriptor, self.memory[descriptor.words[0]:descriptor.words[0] + descriptor.length]

    # Interrupts

    async def interrupt(self, causes):
        """Wait for irq, and take the causes that stand; they must be those given."""
        await until(self.dut.irq, self.dut.clk)
        seen = await self.read("IRQ_CAUSE")
        await self.write("IRQ_CAUSE", seen)
        assert seen == causes, f"interrupt causes {seen:#x} instead of {causes:#x}"

    async def wait_done(self, ring, index, within_cycles=200_000):
        """Wait until a descriptor is completed; returns it."""
        for _ in range(within_cycles // 4):
            await ClockCycles(self.dut.clk, 4)
            if ring.descriptor(index).done:
                return ring.descriptor(index)
        raise AssertionError(f"{ring.name} descriptor {index} is never completed")

    async def rest(self):
        """Wait until the card is idle."""
        await until(self.dut.idle, self.dut.clk)

    def check_writes(self):
        assert not self.memory.violations, "written outside of what was posted: " + ", ".join(self.memory.violations)
