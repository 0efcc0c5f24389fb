# SPDX-License-Identifier: Apache-2.0
"""What the counters must say, from RFC 2819 and 802.3 clause 30: the scoreboard of the tests of statistics."""

import re
from collections import Counter
from pathlib import Path

RTL = Path(__file__).resolve().parents[2] / "rtl"
SIZES = ((64, 64), (65, 127), (128, 255), (256, 511), (512, 1023), (1024, 1518))

# Where the counters stand: from the description of the registers
PLACES = {name: (int(address, 16) - 0x100) // 4
          for name, address in re.findall(r"\} STAT_(\w+) @ (\w+);", (RTL / "nic/nic.rdl").read_text())}

# What a received frame comes to: exactly one of these
FATES = {"GOOD": "FRAMES", "FCS_ERROR": "FCS_ERRORS", "ALIGNMENT_ERROR": "ALIGNMENT_ERRORS", "UNDERSIZE": "UNDERSIZE",
         "FRAGMENT": "FRAGMENTS", "OVERSIZE": "OVERSIZE", "JABBER": "JABBERS", "FILTERED": "FILTERED", "DROPPED": "DROPPED",
         "PAUSE": "PAUSE"}
BESIDE = {"BROADCAST": "BROADCAST", "MULTICAST": "MULTICAST", "DRIBBLE": "DRIBBLE", "SYMBOL_ERROR": "SYMBOL_ERRORS"}


def size_class(octets):
    for low, high in SIZES:
        if low <= octets <= high:
            return f"{low}" if low == high else f"{low}_TO_{high}"
    return None


class Scoreboard(Counter):
    def received(self, octets, names):
        """A frame has come to an end; `names` are those of rx_events.vh, without RX_."""
        for name in names:
            self["RX_" + {**FATES, **BESIDE}[name]] += 1
        if "GOOD" in names:
            self["RX_OCTETS"] += octets
        if size_class(octets):
            self["RX_" + size_class(octets)] += 1
        self["RX_ALL_FRAMES"] += 1
        self["RX_ALL_OCTETS"] += octets

    def sent(self, octets, names=(), collisions=0):
        """The MAC is done with a frame; `names` are those of tx_events.vh, without TX_."""
        self["TX_COLLISIONS"] += collisions
        if "CARRIER_SENSE_ERROR" in names:
            self["TX_CARRIER_SENSE_ERROR"] += 1
        if "DEFERRED" in names and not collisions:
            self["TX_DEFERRED"] += 1
        for kind in ("MULTICAST", "BROADCAST", "PAUSE"):
            if kind in names:
                self[f"TX_{kind}"] += 1
        for fault in ("LATE_COLLISION", "EXCESSIVE_COLLISION"):
            if fault in names:
                self[f"TX_{fault}"] += 1
                return
        self["TX_FRAMES"] += 1
        self["TX_OCTETS"] += octets
        if size_class(octets):
            self["TX_" + size_class(octets)] += 1
        if collisions:
            self["TX_SINGLE_COLLISION" if collisions == 1 else "TX_MULTIPLE_COLLISION"] += 1

    def check(self, values, only=""):
        """Compare with the values of all counters, by name."""
        wrong = [f"{name} {values[name]} instead of {self[name] % 2**32}" for name in PLACES
                 if name.startswith(only) and values[name] != self[name] % 2**32]
        assert not wrong, ", ".join(wrong)
