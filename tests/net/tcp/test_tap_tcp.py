# SPDX-License-Identifier: Apache-2.0
"""TCP against the Linux kernel's, over TAP, in a network namespace of its own (see CMakeLists.txt)."""
import errno
import os
import random
import socket
import struct
import threading
import time

import pytest

from conftest import DEVICE, KERNEL, STACK, kernel_counters, run

MEGABYTE = 1_000_000

pytestmark = [pytest.mark.skipif(not os.path.exists("/dev/net/tun"), reason="no /dev/net/tun"),
              pytest.mark.usefixtures("host")]


def connect(port=7):
    return socket.create_connection((STACK, port), timeout=20)


def accept_from(host):
    """A connection that the stack opens to the kernel."""
    with socket.create_server((KERNEL, 0)) as server:
        server.settimeout(20)
        host.stdin.write(f"{server.getsockname()[1]}\n")
        host.stdin.flush()
        connection, _ = server.accept()
        connection.settimeout(20)
        return connection


def echo(connection, size, seed=1):
    """Sends `size` bytes while they come back; returns what came until the stack closed."""
    data = random.Random(seed).randbytes(size)

    def send():
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)

    sender = threading.Thread(target=send)
    sender.start()
    back = bytearray()
    while chunk := connection.recv(65536):
        back += chunk
    sender.join()
    return data, bytes(back)


def test_ten_megabytes_go_both_ways_over_a_connection_of_the_kernel():
    with connect() as connection:
        data, back = echo(connection, 10 * MEGABYTE)
    assert data == back


def test_ten_megabytes_go_both_ways_over_a_connection_of_the_stack(host):
    with accept_from(host) as connection:
        data, back = echo(connection, 10 * MEGABYTE)
    assert data == back


def test_single_bytes_come_back_at_once():
    with connect() as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        start = time.monotonic()
        for i in range(500):
            connection.send(bytes([i % 256]))
            assert connection.recv(1) == bytes([i % 256])
        assert time.monotonic() - start < 5  # no delayed ACK in the way of a byte


def test_a_hundred_connections_at_once():
    connections = [connect() for _ in range(100)]
    for i, connection in enumerate(connections):
        connection.sendall(i.to_bytes(4, "big") * 1000)
    for i, connection in enumerate(connections):
        with connection:
            connection.shutdown(socket.SHUT_WR)
            back = b""
            while chunk := connection.recv(65536):
                back += chunk
            assert back == i.to_bytes(4, "big") * 1000


def test_two_thousand_short_connections_in_a_row():
    for i in range(2000):
        with connect() as connection:
            connection.sendall(b"x")
            connection.shutdown(socket.SHUT_WR)
            assert connection.recv(10) == b"x"
            assert connection.recv(10) == b""


def test_a_closed_port_refuses_at_once():
    start = time.monotonic()
    with pytest.raises(ConnectionRefusedError):
        connect(9)
    assert time.monotonic() - start < 1


def test_a_kernel_that_refuses_is_understood(host):
    host.stdin.write("9\n")
    host.stdin.flush()
    with connect() as connection:
        assert echo(connection, 1000)[1]


def test_an_aborted_connection_leaves_the_stack_working():
    for _ in range(50):
        connection = connect()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        connection.sendall(b"x" * 10000)
        connection.close()
    with connect() as connection:
        data, back = echo(connection, 100000)
    assert data == back


def test_a_reader_that_pauses_gets_everything():
    """The kernel's window closes, then opens again."""
    size = 3 * MEGABYTE
    data = random.Random(2).randbytes(size)
    with connect() as connection:
        sender = threading.Thread(target=lambda: (connection.sendall(data), connection.shutdown(socket.SHUT_WR)))
        sender.start()
        time.sleep(1.5)
        back = bytearray()
        while chunk := connection.recv(65536):
            back += chunk
        sender.join()
    assert bytes(back) == data


def test_the_options_are_negotiated():
    with connect() as connection:
        echoed = connection.sendall(b"x") or connection.recv(1)
        assert echoed == b"x"
        shown = run("ss", "-tinH", "state", "established", "dst", STACK)
    assert "wscale:" in shown and "mss:1448" in shown


def test_urgent_data_of_the_kernel_arrives_in_line():
    with connect() as connection:
        connection.sendall(b"abc")
        connection.send(b"d", socket.MSG_OOB)
        connection.sendall(b"ef")
        connection.shutdown(socket.SHUT_WR)
        back = b""
        while chunk := connection.recv(100):
            back += chunk
    assert back == b"abcdef"


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xffff) + (total >> 16)
    return ~(total + (total >> 16)) & 0xffff


def spoofed_syn(source, port):
    """An IP packet with a SYN to the echo port."""
    addresses = socket.inet_aton(source) + socket.inet_aton(STACK)
    tcp = struct.pack("!HHIIBBHHH", port, 7, 1, 0, 5 << 4, 2, 65535, 0, 0)
    tcp = tcp[:16] + struct.pack("!H", checksum(addresses + struct.pack("!HH", 6, len(tcp)) + tcp)) + tcp[18:]
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 40, 0, 0, 64, 6, 0) + addresses
    return ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:] + tcp


def test_the_kernel_connects_with_every_option_while_spoofed_syns_fill_the_backlog():
    with connect() as first, socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM) as raw:
        neighbour = run("ip", "neighbour", "show", STACK)
        mac = bytes.fromhex(neighbour.split("lladdr ")[1].split()[0].replace(":", ""))
        for i in range(300):  # of which the listener keeps 128, until it finds that they are nobody
            raw.sendto(spoofed_syn(f"192.0.2.{100 + i % 100}", 2000 + i), (DEVICE, 0x0800, 0, 0, mac))
        again = kernel_counters()["TcpExtTCPSynRetrans"]
        with connect() as connection:
            assert kernel_counters()["TcpExtTCPSynRetrans"] == again  # answered at once
            options = run("ss", "-Htino", "sport", "=", f":{connection.getsockname()[1]}")
            assert " ts " in options and " sack " in options and " wscale:" in options, options
            data, back = echo(connection, MEGABYTE)
            assert data == back
        first.shutdown(socket.SHUT_WR)


def test_the_kernel_found_nothing_wrong():
    shown = kernel_counters()
    for name in ("TcpInErrs", "TcpInCsumErrors", "IpInHdrErrors"):
        assert shown[name] == 0, name
