# SPDX-License-Identifier: Apache-2.0
"""Packets with every field open to abuse, and what the card must make of them, from the definitions."""

import struct

OWN = bytes.fromhex("020000000001")
PEER = bytes.fromhex("020000000002")
BROADCAST = b"\xff" * 6
HERE = bytes([192, 0, 2, 1])
THERE = bytes([192, 0, 2, 2])

TCP = 6
UDP = 17
ICMP = 1
CHECKSUM_AT = {TCP: 16, UDP: 6}
MORE_FRAGMENTS = 0x2000


def ones_sum(data):
    """RFC 1071 without a loop: the number modulo 0xFFFF, where only zeros give 0."""
    number = int.from_bytes(data + bytes(len(data) % 2), "big")
    return (number - 1) % 0xFFFF + 1 if number else 0


def ethernet(payload, destination=OWN, ethertype=0x0800, vlan=None):
    tag = b"" if vlan is None else struct.pack("!HH", 0x8100, vlan)
    return destination + PEER + tag + struct.pack("!H", ethertype) + payload


def ipv4(payload, protocol=UDP, options=b"", source=THERE, destination=HERE, fragment=0, identification=0x1234,
         version=4, ihl=None, total_length=None, checksum=None):
    """A packet; what is not given is right."""
    ihl = 5 + len(options) // 4 if ihl is None else ihl
    total_length = 20 + len(options) + len(payload) if total_length is None else total_length
    header = struct.pack("!BBHHHBBH", version << 4 | ihl, 0, total_length, identification, fragment, 64, protocol, 0)
    header += source + destination + options
    if checksum is None:
        checksum = 0xFFFF - ones_sum(header)
    return header[:10] + struct.pack("!H", checksum) + header[12:] + payload


def pseudo_header(length, protocol, source=THERE, destination=HERE):
    return source + destination + struct.pack("!HH", protocol, length)


def udp(data, length=None, checksum=None, source=THERE, destination=HERE):
    length = 8 + len(data) if length is None else length
    datagram = struct.pack("!HHHH", 4000, 53, length, 0) + data
    if checksum is None:
        checksum = 0xFFFF - ones_sum(pseudo_header(len(datagram), UDP, source, destination) + datagram) or 0xFFFF
    return datagram[:6] + struct.pack("!H", checksum) + data


def tcp(data, options=b"", checksum=None, source=THERE, destination=HERE, sequence=0x12345678, flags=0x18):
    words = 5 + len(options) // 4
    header = struct.pack("!HHIIBBHHH", 80, 40000, sequence, 0x9ABCDEF0, words << 4, flags, 8192, 0, 0)
    segment = header + options + data
    if checksum is None:
        checksum = 0xFFFF - ones_sum(pseudo_header(len(segment), TCP, source, destination) + segment)
    return segment[:16] + struct.pack("!H", checksum) + segment[18:]


def packets_with_carries():
    """UDP packets whose IPv4 header sums up to 0xFFFF, 0x1FFFE, 0x2FFFD, then one that carries in the last word."""
    low, lower = bytes([1, 2, 3, 4]), bytes([5, 6, 7, 8])
    for total, source, destination in ((0xFFFF, low, lower), (0x1FFFE, THERE, low), (0x2FFFD, THERE, HERE)):
        datagram = udp(b"", source=source, destination=destination)
        header = ipv4(datagram, source=source, destination=destination, identification=0, checksum=0)[:20]
        identification = total - sum(struct.unpack("!10H", header))
        yield ipv4(datagram, source=source, destination=destination, identification=identification)
    to_all = b"\xff" * 4
    yield ipv4(udp(b"x", destination=to_all), destination=to_all)


def ip_packet(frame):
    """Where the IPv4 header of a frame starts, and its length; (None, 0) if there is none."""
    for at, head in ((14, frame[12:14]), (18, frame[12:14] + frame[16:18])):
        if head in (b"\x08\x00", b"\x81\x00\x08\x00") and len(frame) > at:
            version, ihl = frame[at] >> 4, frame[at] & 15
            if version == 4 and ihl >= 5 and len(frame) >= at + 4 * ihl:
                return at, 4 * ihl
    return None, 0


def verdict(frame):
    """(ip_ok, l4_checked, l4_ok, sum of the payload) that the receiver owes a frame; the sum counts with ip_ok."""
    nothing = (False, False, False, 0)
    at, header_length = ip_packet(frame)
    if at is None:
        return nothing
    packet = frame[at:]
    total_length, fragment = struct.unpack_from("!H2xH", packet, 2)
    if not header_length <= total_length <= len(packet) or ones_sum(packet[:header_length]) != 0xFFFF:
        return nothing
    payload = packet[header_length:total_length]
    protocol, source, destination = packet[9], packet[12:16], packet[16:20]
    whole = fragment & 0x3FFF == 0
    checked = whole and protocol == TCP and len(payload) >= 20
    if whole and protocol == UDP and len(payload) >= 8:
        length, checksum = struct.unpack_from("!HH", payload, 4)
        checked = length == len(payload) and checksum != 0
    right = checked and ones_sum(pseudo_header(len(payload), protocol, source, destination) + payload) == 0xFFFF
    return True, checked, right, ones_sum(payload)


def with_checksums(frame, ip_csum, l4_csum, start, offset):
    """The frame as it must leave for the MAC."""
    out = bytearray(frame)
    at, header_length = ip_packet(frame)
    if ip_csum and at is not None:
        header = frame[at:at + 10] + bytes(2) + frame[at + 12:at + header_length]
        struct.pack_into("!H", out, at + 10, 0xFFFF - ones_sum(header))
    if l4_csum and start + offset + 2 <= len(frame):
        checksum = 0xFFFF - ones_sum(frame[start:])
        if checksum == 0 and offset == CHECKSUM_AT[UDP]:
            checksum = 0xFFFF
        struct.pack_into("!H", out, start + offset, checksum)
    return bytes(out)
