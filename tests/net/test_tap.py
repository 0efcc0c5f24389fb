# SPDX-License-Identifier: Apache-2.0
"""The stack against the Linux kernel, over TAP. Runs in a network namespace of its own (see CMakeLists.txt).

Whatever the stack gets wrong, somebody else's code says so here: the kernel drops and counts what is malformed.
"""
import errno
import os
import socket
import subprocess
import time

import pytest

from conftest import DEVICE, STACK, kernel_counters, run

pytestmark = [pytest.mark.skipif(not os.path.exists("/dev/net/tun"), reason="no /dev/net/tun"),
              pytest.mark.usefixtures("host")]


@pytest.fixture
def udp():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(5)
        s.connect((STACK, 7))
        yield s


@pytest.mark.parametrize("size", [0, 1, 56, 1472, 1473, 20000, 65507])
def test_ping_is_answered(size):
    assert " 0% packet loss" in run("ping", "-c", "3", "-i", "0.01", "-W", "5", "-s", str(size), STACK)


def test_a_flood_of_pings_is_answered():
    # The kernel's count: ping itself waits for the last answer no longer than two round trips, which a busy machine may need.
    def answers():
        return kernel_counters()["IcmpInEchoReps"]

    before, deadline = answers(), time.monotonic() + 10
    for _ in range(3):  # the stack answers 1,000 at once, however fast they come, and 50,000 a second
        run("ping", "-q", "-f", "-c", "1000", STACK)
        time.sleep(0.05)
    while answers() - before < 3000 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert answers() - before == 3000


@pytest.mark.parametrize("size", [0, 1, 2, 1471, 1472, 1473, 9000, 65507])
def test_a_datagram_comes_back_whole(udp, size):
    data = bytes((i * 7 + i // 256) % 256 for i in range(size))
    udp.send(data)
    assert udp.recv(70000) == data


def test_many_datagrams_come_back_in_order(udp):
    for i in range(1000):
        udp.send(i.to_bytes(4, "big"))
        assert udp.recv(16) == i.to_bytes(4, "big")


def test_a_closed_port_is_refused(udp):
    udp.connect((STACK, 9))
    udp.send(b"x")
    with pytest.raises(OSError) as error:
        udp.recv(16)
    assert error.value.errno == errno.ECONNREFUSED


def test_frames_beyond_the_buffers_are_dropped_whole():
    run("ip", "link", "set", DEVICE, "mtu", "9000")
    try:
        lost = subprocess.run(["ping", "-c", "1", "-W", "1", "-M", "do", "-s", "5000", STACK], capture_output=True,
                              text=True, timeout=30, check=False)
        assert " 100% packet loss" in lost.stdout
    finally:
        run("ip", "link", "set", DEVICE, "mtu", "1500")
    assert " 0% packet loss" in run("ping", "-c", "1", "-W", "5", STACK)


def test_the_kernel_resolves_the_stack():
    run("ip", "neighbour", "flush", "dev", DEVICE)
    run("ping", "-c", "1", "-W", "5", STACK)
    assert "02:00:00:00:00:02" in run("ip", "neighbour", "show", STACK)


def test_a_device_whose_name_is_too_long_is_not_another_one(request):
    outcome = subprocess.run([request.config.getoption("--tap-host"), "a-name-of-17-byte", STACK], stdin=subprocess.DEVNULL,
                             capture_output=True, text=True, timeout=30, check=False)
    assert (outcome.returncode, outcome.stderr) == (1, "tap_host: tap: File name too long\n")


def test_the_kernel_found_nothing_wrong(udp):
    names = ["IpInHdrErrors", "IpInAddrErrors", "IpReasmFails", "IcmpInErrors", "IcmpInCsumErrors", "UdpInErrors",
             "UdpInCsumErrors"]
    udp.send(b"x")
    udp.recv(16)
    shown = kernel_counters()
    assert {name: shown[name] for name in names} == dict.fromkeys(names, 0)
