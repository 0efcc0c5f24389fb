# SPDX-License-Identifier: Apache-2.0
"""The two ends of a TAP device: a host of the stack in a process of its own, and the kernel."""
import subprocess

import pytest

KERNEL = "192.0.2.1"
STACK = "192.0.2.2"
DEVICE = "tap0"


def pytest_addoption(parser):
    parser.addoption("--tap-host", required=True, help="the program that is the stack's end: tap_host or tap_echo")


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=30).stdout


@pytest.fixture(scope="module")
def host(request):
    """The stack's process, and the kernel's end of the cable configured."""
    with subprocess.Popen([request.config.getoption("--tap-host"), DEVICE, STACK], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        run("ip", "link", "set", "lo", "up")
        run("ip", "address", "add", f"{KERNEL}/24", "dev", DEVICE)
        run("ip", "link", "set", DEVICE, "up")
        yield process
        process.stdin.close()
        assert process.wait(10) == 0


def kernel_counters():
    """As nstat shows them: IpInHdrErrors, TcpExtTCPSynRetrans ..."""
    shown = {}
    for name in ("snmp", "netstat"):
        with open(f"/proc/net/{name}", encoding="ascii") as f:
            lines = f.read().splitlines()
        for header, values in zip(lines[::2], lines[1::2]):
            protocol = header.split(":")[0]
            shown |= {protocol + key: int(value) for key, value in zip(header.split()[1:], values.split()[1:])}
    return shown
