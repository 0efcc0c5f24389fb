# SPDX-License-Identifier: Apache-2.0
"""Transfers between the stack and the kernel, both ways, over a wire that is not faithful. What arrives is compared by
SHA-256; the kernel's counters are the witness that nothing but the wire did anything wrong."""
import dataclasses
import itertools
import os
import zlib

import pytest

from link import close, give, link, shown_by_ss, take

pytestmark = pytest.mark.skipif(not os.path.exists("/dev/net/tun"), reason="no /dev/net/tun")

LOSSES = (0, 0.001, 0.01, 0.05, 0.1)
OCTETS = {0: 2_000_000, 0.001: 2_000_000, 0.01: 500_000, 0.05: 150_000, 0.1: 75_000}  # of each transfer
CONNECTIONS = 4
WINDOW = 262_144  # octets that the stack offers (stack_end.c)
ROOMY = 2_000_000  # octets of queue: more than both windows, so that only what a case asks for is lost

# What neither end may count, whatever the wire does.
KERNEL_ERRORS = ("TcpInCsumErrors", "IpInHdrErrors", "IpExtInTruncatedPkts", "IpExtInCsumErrors",
                 "TcpEstabResets", "TcpAttemptFails", "TcpExtTCPAbortOnTimeout", "TcpExtTCPAbortOnData",
                 "TcpExtTCPSACKReneging")
STACK_ERRORS = ("TcpInErrs", "TcpInCsumErrors", "IpInHdrErrors", "IpExtInTruncatedPkts", "TcpEstabResets",
                "TcpExtTCPBadAck", "TcpExtTCPBadHeader", "TcpExtTCPBadOptions", "TcpExtTCPBadFlags",
                "TcpExtTCPNoBuffers", "TcpExtTCPSACKReneging", "TcpExtTCPAbortOnTimeout")


@dataclasses.dataclass(frozen=True)
class Case:
    loss: float = 0
    reorder: bool = False
    duplicate: bool = False
    jitter: bool = False
    mtu: int = 1500
    scaling: bool = True
    stamps: bool = True
    sack: bool = True
    ecn: bool = False
    mark: bool = False

    def __str__(self):
        words = [f"loss_{100 * self.loss:g}", f"mtu_{self.mtu}"]
        words += [n for n in ("reorder", "duplicate", "jitter", "ecn", "mark") if getattr(self, n)]
        words += [f"no_{n}" for n in ("scaling", "stamps", "sack") if not getattr(self, n)]
        return "-".join(words)

    def wire(self):
        settings = {"seed": zlib.crc32(str(self).encode()), "queue_bytes": ROOMY, "drop": self.loss}
        if self.reorder:
            settings |= {"reorder": 0.02, "reorder_delay": 1500}
        if self.duplicate:
            settings |= {"duplicate": 0.02}
        if self.jitter:
            settings |= {"jitter": 3000}
        if self.mark:
            settings |= {"mark": 0.02}
        return settings

    def sysctls(self):
        return {"tcp_window_scaling": int(self.scaling), "tcp_timestamps": int(self.stamps),
                "tcp_sack": int(self.sack), "tcp_ecn": int(self.ecn)}

    def options(self):
        words = {"wscale": self.scaling, "ts": self.stamps, "sack": self.sack, "ecn": self.ecn}
        return {word for word, on in words.items() if on}


def chosen():
    """Each loss at each MTU; each of the rest by itself, without loss and with 1 %."""
    for loss, mtu in itertools.product(LOSSES, (1500, 576)):
        yield Case(loss=loss, mtu=mtu)
    for loss in (0, 0.01):
        for name in ("reorder", "duplicate", "jitter", "ecn"):
            yield Case(loss=loss, **{name: True})
        for off in (("scaling",), ("stamps",), ("sack",), ("stamps", "sack", "scaling")):
            yield Case(loss=loss, **{name: False for name in off})
    yield Case(ecn=True, mark=True)
    yield Case(loss=0.01, reorder=True, duplicate=True, jitter=True)
    yield Case(loss=0.01, reorder=True, duplicate=True, jitter=True, mtu=576, stamps=False, sack=False, scaling=False)


def product():
    switches = ("reorder", "duplicate", "jitter", "scaling", "stamps", "sack", "ecn")
    for loss, mtu, *on in itertools.product(LOSSES, (1500, 576), *[(False, True)] * len(switches)):
        yield Case(loss=loss, mtu=mtu, **dict(zip(switches, on)))


def pytest_generate_tests(metafunc):
    if "case" in metafunc.fixturenames:
        cases = list(product() if metafunc.config.getoption("--product") else chosen())
        metafunc.parametrize("case", cases, ids=str)


@pytest.fixture
def programs(request):
    return request.config.getoption("--wire"), request.config.getoption("--stack-end")


def retransmissions_allowed(case, wire, timeouts, flight=64):
    """Some for each frame lost; those that are overtaken are taken for lost until RACK has learnt by how much (RFC 8985
    6.2), and always without SACK; a tail probe costs one, and a time-out (of a busy machine, too) may cost a flight."""
    lost = wire["dropped"] + wire["queue_dropped"]
    assert timeouts <= 20 + lost + wire["reordered"]
    learns = case.sack and case.stamps and not lost  # the kernel without time stamps is slow to
    late = (1 if learns else 12) * wire["reordered"]
    return 20 + flight * timeouts + 3 * lost + late + 3 * wire["duplicated"] + (30 if case.jitter else 0)


def check_counters(case, kernel, stack, wire):
    # What comes twice, by the wire or because its ACK was lost: a SYN is an error to Linux, and the last ACK of a
    # connection finds none (RFC 9293 3.10.7.1). One of a kind for each connection.
    twice = CONNECTIONS if case.loss or case.duplicate or case.reorder or case.jitter else 0
    assert {name: kernel[name] for name in KERNEL_ERRORS if kernel[name]} == {}
    assert {name: stack[name] for name in STACK_ERRORS if stack[name]} == {}
    assert kernel["TcpInErrs"] <= twice
    assert kernel["TcpExtPAWSEstab"] == 0 or case.reorder  # what was overtaken is old
    assert kernel["TcpOutRsts"] <= twice
    assert stack["TcpOutRsts"] <= twice
    assert wire["to_stack"]["refused"] == wire["to_kernel"]["refused"] == 0
    assert bool(kernel["IpExtInCEPkts"]) == bool(stack["TcpExtTCPECNReductions"]) == case.mark
    # Without SACK the kernel takes all of its flight for lost, which is as much as the window holds.
    flight = 64 if case.sack else WINDOW // (case.mtu - 40)
    assert kernel["TcpRetransSegs"] <= retransmissions_allowed(case, wire["to_stack"],
                                                               kernel["TcpExtTCPTimeouts"], flight)
    assert stack["TcpRetransSegs"] <= retransmissions_allowed(case, wire["to_kernel"],
                                                              stack["TcpExtTCPTimeouts"])


def test_transfer(programs, case):
    without_ecn = 0
    with link(programs, case.mtu, case.wire(), case.sysctls()) as wire:
        for connect, move in itertools.product((wire.from_kernel, wire.from_stack), (give, take)):
            connection = connect()
            move(connection, OCTETS[case.loss])
            options, values = shown_by_ss(connection)
            asked, agreed = case.options(), options - {"ecnseen"}
            assert asked - {"ecn"} <= agreed <= asked
            without_ecn += len(asked - agreed)
            assert int(values["mss"]) <= case.mtu - 40 - (12 if case.stamps else 0)
            close(connection)
    # A SYN that is sent again does not ask any more (RFC 3168 6.1.1.1).
    assert without_ecn <= wire.kernel["TcpExtTCPSynRetrans"] + wire.stack.counters["TcpExtTCPSynRetrans"]
    check_counters(case, wire.kernel, wire.stack.counters, wire.wire.counters)
