# SPDX-License-Identifier: Apache-2.0
"""What the kernel's own BBR reaches on the path of `lanyard bench tcp`, as sender to the stack, by the stack's window: how much of a figure
is the window's doing. In real time, so on a machine that is busy with something else it reaches less. Run it in a namespace:

  unshare -Urn python3 tests/linux/kernel_bbr.py --wire build/release/tests/linux/linux_wire --stack-end build/release/tests/linux/linux_stack_end
"""
import argparse
import socket
import struct
import time

from link import PORT, STACK, link

PATH = {"delay": 10_000, "rate_mbps": 100, "queue_bytes": 250_000}
START_S = 3  # which do not count
BYTES_ACKED = (120, "Q")  # in struct tcp_info, by offset
ABORT = struct.pack("ii", 1, 0)


def acknowledged(connection):
    offset, kind = BYTES_ACKED
    return struct.unpack_from(kind, connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256), offset)[0]


def send_until(connection, end, data=bytes(1 << 16)):
    while time.monotonic() < end:
        try:
            connection.send(data)
        except TimeoutError:
            pass
    return acknowledged(connection), time.monotonic()


def goodput(programs, window, loss, seconds):
    with link(programs, wire={**PATH, "drop": loss}, window=window), socket.socket() as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"bbr")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)
        connection.connect((STACK, PORT))
        connection.sendall(b"take %d\n" % (1 << 30))
        connection.settimeout(0.2)
        began = time.monotonic()
        first, then = send_until(connection, began + START_S)
        last, now = send_until(connection, began + START_S + seconds)
        return (last - first) * 8 / (now - then) / 1e6


def main():
    parser = argparse.ArgumentParser(description="Measures the kernel's BBR by the receiver's window.")
    parser.add_argument("--wire", required=True)
    parser.add_argument("--stack-end", required=True)
    parser.add_argument("--loss", type=float, nargs="*", default=[0, 0.01, 0.05])
    parser.add_argument("--seconds", type=float, default=20)
    arguments = parser.parse_args()
    for kib in (512, 640, 1024):
        for loss in arguments.loss:
            rate = goodput((arguments.wire, arguments.stack_end), kib << 10, loss, arguments.seconds)
            print(f"{kib:5} KiB {100 * loss:4g} % {rate:6.1f} Mb/s", flush=True)


if __name__ == "__main__":
    main()
