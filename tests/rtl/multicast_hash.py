# SPDX-License-Identifier: Apache-2.0
"""The multicast hash from its definition (docs/card.md), by a CRC-32 that nobody here wrote."""

import zlib


def multicast_hash(address):
    """The number of an address's bit in HASH_HI:HASH_LO."""
    register = ~zlib.crc32(address)  # before the complement; bit 0 is the first on the wire
    return sum((register >> bit & 1) << 5 - bit for bit in range(6))
