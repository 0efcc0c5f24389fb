# SPDX-License-Identifier: Apache-2.0
"""Large TCP frames as a stack leaves them to the card, and the segments that they must become, built from their fields."""

import random
import struct
from dataclasses import dataclass, replace

from packets import HERE, TCP, THERE, ethernet, ipv4, ones_sum, pseudo_header, tcp

FIN, PSH, CWR = 0x01, 0x08, 0x80
NONSENSE = 0x5A5A


@dataclass
class Large:
    """A large frame, by its fields."""
    payload: bytes
    mss: int = 1460
    ip_options: bytes = b""
    tcp_options: bytes = b""
    vlan: int = None
    identification: int = 0x1234
    sequence: int = 0x12345678
    flags: int = 0x10 | FIN | PSH | CWR
    source: bytes = THERE
    destination: bytes = HERE

    @property
    def csum_start(self):
        return 34 + len(self.ip_options) + (0 if self.vlan is None else 4)

    @property
    def hdr_len(self):
        return self.csum_start + 20 + len(self.tcp_options)

    def frame(self):
        """What the card is given: the sum of the pseudo-header for the checksum of TCP, nonsense for the one of IP."""
        seed = ones_sum(pseudo_header(20 + len(self.tcp_options) + len(self.payload), TCP, self.source, self.destination))
        return self._build(tcp_checksum=seed, checksum=NONSENSE)

    def segments(self):
        """What it must send."""
        cuts = range(0, len(self.payload), self.mss)
        frames = []
        for at in cuts:
            first, last = at == 0, at == cuts[-1]
            flags = self.flags & ~(0 if first else CWR) & ~(0 if last else FIN | PSH)
            part = replace(self, payload=self.payload[at:at + self.mss], flags=flags,
                           identification=(self.identification + len(frames)) % 2 ** 16,
                           sequence=(self.sequence + at) % 2 ** 32)
            frames.append(part._build())
        return frames

    def _build(self, tcp_checksum=None, checksum=None):
        ends = {"source": self.source, "destination": self.destination}
        segment = tcp(self.payload, self.tcp_options, tcp_checksum, sequence=self.sequence, flags=self.flags, **ends)
        packet = ipv4(segment, TCP, self.ip_options, identification=self.identification, checksum=checksum, **ends)
        return ethernet(packet, vlan=self.vlan)


def random_large(rng, most=3000, mss=None):
    """A frame with everything in it chosen by chance, of up to `most` octets of payload."""
    mss = mss or rng.choice((1, 2, 7, 100, 536, 1459, 1460))
    payload = rng.randint(1, min(most, 10 * mss))
    if rng.random() < 0.3:
        payload = max(mss, payload // mss * mss)
    return Large(payload=rng.choice((rng.randbytes, lambda n: b"\xff" * n, bytes))(payload), mss=mss,
                 ip_options=rng.randbytes(4 * rng.randint(0, 10)), tcp_options=rng.randbytes(4 * rng.randint(0, 10)),
                 vlan=rng.choice((None, rng.getrandbits(16))), identification=rng.choice((0, 0xFFFF, rng.getrandbits(16))),
                 sequence=rng.choice((0, 2 ** 32 - 1, rng.getrandbits(32))), flags=rng.getrandbits(8),
                 source=rng.randbytes(4), destination=rng.randbytes(4))
