# SPDX-License-Identifier: Apache-2.0
"""The surroundings of rx_path: the MAC in front, the reader behind, the counters beside it, and what it must do."""

import logging
import random
from dataclasses import dataclass

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, RisingEdge
from cocotbext.axi import AxiStreamBus, AxiStreamFrame, AxiStreamSource

from multicast_hash import multicast_hash
from packets import BROADCAST, OWN, verdict

RUNT, SYMBOL, DRIBBLE, FCS = 8, 4, 2, 1  # s_axis_tuser
IP_OK, L4_CHECKED, L4_OK, FCS_ERR, ALIGN_ERR, BCAST, MCAST, VLAN = (1 << bit for bit in range(8))  # rec_flags
EVENTS = ("good", "broadcast", "multicast", "fcs_error", "alignment_error", "dribble", "symbol_error", "undersize",
          "fragment", "oversize", "jabber", "filtered", "dropped", "pause")  # stat_flags
MAX_FRAME = 1518
CONTROL_ADDRESS = bytes.fromhex("0180c2000001")  # of MAC control frames
INPUTS = ("s_axis_tvalid", "s_axis_tdata", "s_axis_tlast", "s_axis_tuser", "cfg_enable", "cfg_promiscuous",
          "cfg_broadcast", "cfg_keep_bad", "cfg_half_duplex", "cfg_vlan_strip", "cfg_mac", "cfg_hash", "cfg_max_frame", "timestamp_ns",
          "rec_ready", "m_axis_tready")


@dataclass
class Received:
    data: bytes
    flags: int
    sum: int
    tci: int
    timestamp: int


@dataclass
class Event:
    octets: int
    flags: set
    overflow: bool


class Bench:
    """Frames handed to `send` come out in `frames`, one of `events` for each, one of `pauses` for those that ask."""

    def __init__(self, dut):
        self.dut = dut
        self.frames = []
        self.events = []
        self.pauses = []  # the quanta asked for
        self.reading = lambda: True  # asked each cycle: may the reader take something now?
        self.source = AxiStreamSource(AxiStreamBus.from_prefix(dut, "s_axis"), dut.clk, dut.rst)
        self.source.log.setLevel(logging.ERROR)

    async def start(self):
        dut = self.dut
        cocotb.start_soon(Clock(dut.clk, 40, "ns").start())
        dut.cfg_enable.value = 1
        dut.cfg_promiscuous.value = 0
        dut.cfg_broadcast.value = 1
        dut.cfg_keep_bad.value = 0
        dut.cfg_half_duplex.value = 0
        dut.cfg_vlan_strip.value = 0
        dut.cfg_hash.value = 0
        dut.cfg_mac.value = int.from_bytes(OWN, "little")
        dut.cfg_max_frame.value = MAX_FRAME
        dut.timestamp_ns.value = 0
        dut.rec_ready.value = 0
        dut.m_axis_tready.value = 0
        dut.rst.value = 1
        await ClockCycles(dut.clk, 3)
        dut.rst.value = 0
        await ClockCycles(dut.clk, 2)
        cocotb.start_soon(self.read())
        cocotb.start_soon(self.watch())

    async def send(self, data, tuser=0):
        """Queue a frame as the MAC gives it; but for the hash and the last octet `tuser` is noise."""
        data = bytes([random.randrange(256)]) if tuser & RUNT else data
        users = [random.randrange(64) for _ in data[1:]] + [tuser | random.randrange(4) << 4]
        if len(data) >= 6:
            users[1] = multicast_hash(data[:6])
        await self.source.send(AxiStreamFrame(data, tuser=users))

    async def settle(self):
        """Wait until all that was sent has been received or dropped."""
        await self.source.wait()
        quiet = 0
        while quiet < 8:
            await RisingEdge(self.dut.clk)
            moving = self.dut.rec_valid.value or self.dut.m_axis_tvalid.value or not self.dut.rx_idle.value
            quiet = 0 if moving else quiet + 1

    async def watch(self):
        dut = self.dut
        while True:
            await RisingEdge(dut.clk)
            if dut.pause_valid.value:
                self.pauses.append(dut.pause_quanta.value.integer)
            if dut.stat_valid.value:
                flags = dut.stat_flags.value.integer
                self.events.append(Event(dut.stat_octets.value.integer,
                                         {name for bit, name in enumerate(EVENTS) if flags >> bit & 1},
                                         bool(dut.overflow.value)))
            else:
                assert not dut.overflow.value, "overflow without the end of a frame"

    async def taken(self, valid, ready):
        """Offer `ready` in the cycles in which reading is allowed, until something is valid in one of them."""
        while True:
            ready.value = self.reading()
            await RisingEdge(self.dut.clk)
            if valid.value and ready.value:
                return

    async def read(self):
        """Pop a record, then take exactly the octets it announces."""
        dut = self.dut
        while True:
            await self.taken(dut.rec_valid, dut.rec_ready)
            frame = Received(b"", *(getattr(dut, f"rec_{name}").value.integer for name in (
                "flags", "sum", "tci", "timestamp")))
            length = dut.rec_length.value.integer
            dut.rec_ready.value = 0
            data = bytearray()
            while len(data) < length:
                await self.taken(dut.m_axis_tvalid, dut.m_axis_tready)
                data.append(dut.m_axis_tdata.value.integer)
            dut.m_axis_tready.value = 0
            frame.data = bytes(data)
            self.frames.append(frame)


def expected(data, tuser=0, promiscuous=False, broadcast=True, keep_bad=False, own=OWN, max_frame=MAX_FRAME, hash=0,
             vlan_strip=False):
    """(record flags, sum and tag, or None; events) for a frame that finds room."""
    bad = bool(tuser & (FCS | SYMBOL))
    length = 4 if tuser & RUNT else len(data) + 4
    address = b"" if tuser & RUNT else data[:6]
    to_all = address == BROADCAST
    to_many = len(address) == 6 and bool(address[0] & 1) and not to_all
    accept = promiscuous or (to_all and broadcast) or address == own
    accept = accept or (to_many and bool(hash >> multicast_hash(address) & 1))
    tagged = data[12:14] == b"\x81\x00" and len(data) >= 16
    control = data[12:14] == b"\x88\x08"
    pause = control and data[14:16] == b"\x00\x01" and address in (own, CONTROL_ADDRESS)

    events = set()
    sound = False
    if length < 64:
        events.add("fragment" if bad else "undersize")
    elif length > max_frame + 4 * tagged:
        events.add("jabber" if bad else "oversize")
    elif bad:
        events.add("alignment_error" if tuser & DRIBBLE else "fcs_error")
    else:
        sound = True
        events.add("pause" if pause else "good" if accept and not control else "filtered")
        if tuser & DRIBBLE:
            events.add("dribble")
        if "good" in events:
            events |= {"broadcast"} if to_all else {"multicast"} if to_many else set()
    if tuser & SYMBOL:
        events.add("symbol_error")

    if not accept or control or not (sound or (keep_bad and not tuser & RUNT)):
        return None, events
    ip_ok, checked, right, total = verdict(data)
    flags = IP_OK * ip_ok | L4_CHECKED * checked | L4_OK * right | BCAST * to_all | MCAST * to_many
    flags |= FCS_ERR * bad | ALIGN_ERR * (bad and bool(tuser & DRIBBLE)) | VLAN * (tagged and vlan_strip)
    return (flags, total, data[14:16] if tagged else b"\0\0"), events


def assert_received(frame, data, record):
    flags, total, tag = record
    assert frame.data == (data[:12] + data[16:] if flags & VLAN else data)
    assert frame.flags == flags, f"flags {frame.flags:07b} instead of {flags:07b} for {data.hex()}"
    if flags & IP_OK:
        assert frame.sum == total, f"sum {frame.sum:04x} instead of {total:04x} for {data.hex()}"
    if len(data) >= 16:  # of others no software wants to know
        assert frame.tci.to_bytes(2, "big") == tag, f"tag {frame.tci:04x} instead of {tag.hex()}"


async def assert_all_as_expected(bench, sent, **settings):
    """Each of `sent`, pairs of data and tuser, has had the fate it must have."""
    await bench.settle()
    outcomes = [expected(data, tuser, **settings) for data, tuser in sent]
    assert [event.flags for event in bench.events] == [events for _, events in outcomes]
    assert bench.pauses == [int.from_bytes(data[16:18], "big")
                            for (data, _), (_, events) in zip(sent, outcomes) if "pause" in events]
    delivered = [(data, record) for (data, _), (record, _) in zip(sent, outcomes) if record]
    assert len(bench.frames) == len(delivered)
    for frame, (data, record) in zip(bench.frames, delivered):
        assert_received(frame, data, record)
    bench.frames.clear()
    bench.events.clear()
    bench.pauses.clear()
