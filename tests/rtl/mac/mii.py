# SPDX-License-Identifier: Apache-2.0
"""What the tests of the MAC share: frames as octets and as nibbles, and the streams at cycle precision."""

import random
import zlib
from dataclasses import dataclass

from cocotb.triggers import RisingEdge

RUNT, SYMBOL, DRIBBLE, FCS = 8, 4, 2, 1  # m_axis_tuser
SFD = [0x5, 0xD]
PREAMBLE = [0x5] * 14


def octets(length, seed=0):
    return random.Random(length * 1000 + seed).randbytes(length)


def with_fcs(data):
    return data + zlib.crc32(data).to_bytes(4, "little")


def nibbles(data):
    return [nibble for octet in data for nibble in (octet & 15, octet >> 4)]


def frame_nibbles(data, preamble=14):
    """A good frame as it stands on the wire."""
    return [0x5] * preamble + SFD + nibbles(with_fcs(data))


async def drive(dut, burst, errors=(), gap=24):
    """Put nibbles on the receive side of the MII, with RX_ER at the indices `errors`, then a gap of so many cycles."""
    for index, nibble in enumerate(burst):
        dut.mii_rxd.value = nibble
        dut.mii_rx_dv.value = 1
        dut.mii_rx_er.value = index in errors
        await RisingEdge(dut.clk)
    dut.mii_rxd.value = 0
    dut.mii_rx_dv.value = 0
    dut.mii_rx_er.value = 0
    for _ in range(gap):
        await RisingEdge(dut.clk)


@dataclass
class Received:
    data: bytes
    tuser: int


async def collect(dut, frames):
    """Append to `frames` what mac_rx gives."""
    data = bytearray()
    while True:
        await RisingEdge(dut.clk)
        if not dut.m_axis_tvalid.value:
            continue
        last = bool(dut.m_axis_tlast.value)
        tuser = dut.m_axis_tuser.value.integer & (RUNT | SYMBOL | DRIBBLE | FCS) if last else 0
        if tuser & RUNT:
            assert not data or dut.deaf.value, "data in front of a runt"
        else:
            data.append(dut.m_axis_tdata.value.integer)
        if last:
            frames.append(Received(bytes(data), tuser))
            data.clear()
