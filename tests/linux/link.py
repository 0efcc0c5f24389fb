# SPDX-License-Identifier: Apache-2.0
"""The kernel and a stack at the two ends of an impaired wire: TAP device, wire, TAP device. In a namespace of its own."""
import contextlib
import hashlib
import json
import random
import re
import socket
import struct
import subprocess

KERNEL, STACK, PORT = "192.0.2.1", "192.0.2.2", 5001
KERNEL_DEVICE, STACK_DEVICE = "kernel0", "stack0"
DIGEST = 64
PATIENCE = 240  # seconds without progress: without SACK and time stamps a RTO stays backed off (RFC 6298 5)
KERNEL_PATIENCE = 900  # for all of what the kernel sends: its RTO then comes to two minutes

SYSCTLS = {"tcp_window_scaling": 1, "tcp_timestamps": 1, "tcp_sack": 1, "tcp_ecn": 0, "tcp_no_metrics_save": 1}


def sysctl(family, name, value):
    with open(f"/proc/sys/net/{family}/{name}", "w", encoding="ascii") as f:
        f.write(str(value))


def ip(*lines):
    subprocess.run(["ip", "-batch", "-"], input="\n".join(lines), check=True, text=True, timeout=30)


@contextlib.contextmanager
def process(*command):
    """A program that says that it is ready, and at its end what it counted. Ends with its standard input."""
    with subprocess.Popen([str(c) for c in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout.readline() == "ready\n"
        child.counters = {}
        try:
            yield child
        finally:
            child.stdin.close()
        child.counters |= json.loads(child.stdout.read())
        assert child.wait(10) == 0


def kernel_counters():
    """As nstat shows them: TcpRetransSegs, TcpExtTCPTimeouts ..."""
    shown = {}
    for name in ("snmp", "netstat"):
        with open(f"/proc/net/{name}", encoding="ascii") as f:
            lines = [line.split() for line in f]
        for names, values in zip(lines[::2], lines[1::2]):
            shown |= {names[0][:-1] + n: int(v) for n, v in zip(names[1:], values[1:])}
    return shown


class Link:
    def __init__(self, stack, wire):
        self.stack, self.wire = stack, wire
        self.before = kernel_counters()
        self.kernel = {}  # what the kernel has counted meanwhile, once the link is over
        self.connections = []

    def from_kernel(self):
        self.connections.append(socket.create_connection((STACK, PORT), timeout=PATIENCE))
        return self.connections[-1]

    def abort(self):
        """Whoever failed may have left connections open: what the kernel still sends for them, a reset if nothing
        else, belongs to this link, not to the next one."""
        for connection in self.connections:
            if connection.fileno() >= 0:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                connection.close()

    def from_stack(self):
        with socket.create_server((KERNEL, 0)) as server:
            server.settimeout(PATIENCE)
            self.stack.stdin.write(f"{server.getsockname()[1]}\n")
            self.stack.stdin.flush()
            connection, _ = server.accept()
            connection.settimeout(PATIENCE)
            self.connections.append(connection)
            return connection


@contextlib.contextmanager
def link(programs, mtu=1500, wire=None, sysctls=None, window=0):
    """`programs`: the wire's and the stack's. `window`: bytes of the stack's buffers; 0: it chooses."""
    for name, value in {**SYSCTLS, **(sysctls or {})}.items():
        sysctl("ipv4", name, value)
    settings = [f"{name}={value}" for name, value in (wire or {}).items()]
    with process(programs[1], STACK_DEVICE, mtu, window) as stack:
        sysctl("ipv6/conf", f"{STACK_DEVICE}/disable_ipv6", 1)
        ip(f"link set {STACK_DEVICE} arp off up")
        with process(programs[0], KERNEL_DEVICE, STACK_DEVICE, *settings) as cable:
            sysctl("ipv6/conf", f"{KERNEL_DEVICE}/disable_ipv6", 1)
            ip(f"address add {KERNEL}/24 dev {KERNEL_DEVICE}", f"link set {KERNEL_DEVICE} mtu {mtu} up")
            result = Link(stack, cable)
            try:
                yield result
            finally:
                result.abort()
    after = kernel_counters()
    result.kernel = {name: after[name] - result.before[name] for name in after}


def read_exactly(connection, count):
    data = bytearray()
    while len(data) < count:
        chunk = connection.recv(min(1 << 16, count - len(data)))
        assert chunk, f"the stack closed after {len(data)} of {count} octets"
        data += chunk
    return bytes(data)


def take(connection, count, seed=1):
    """The stack takes what the kernel sends."""
    data = random.Random(seed).randbytes(count)
    connection.settimeout(KERNEL_PATIENCE)
    connection.sendall(b"take %d\n" % count + data)
    assert read_exactly(connection, DIGEST).decode() == hashlib.sha256(data).hexdigest()
    connection.settimeout(PATIENCE)


def give(connection, count):
    """The stack gives what the kernel receives."""
    connection.sendall(b"give %d\n" % count)
    data = read_exactly(connection, count)
    assert read_exactly(connection, DIGEST).decode() == hashlib.sha256(data).hexdigest()


def close(connection):
    connection.shutdown(socket.SHUT_WR)
    assert connection.recv(1) == b""
    connection.close()


def shown_by_ss(connection):
    """What `ss -i` says of the kernel's end: the options as a set, and every name:value."""
    port = connection.getsockname()[1]
    line = subprocess.run(["ss", "-tinoHO", "state", "established", "sport", "=", f":{port}"], check=True,
                          capture_output=True, text=True, timeout=30).stdout
    words = line.split()
    options = {word for word in words if word in ("ts", "sack", "ecn", "ecnseen")}
    values = dict(re.findall(r"(\w+):(\S+)", line))
    return options | ({"wscale"} if "wscale" in values else set()), values
