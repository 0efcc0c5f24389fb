# SPDX-License-Identifier: Apache-2.0
"""Thousands of short connections between the stack and the kernel, and what the kernel says of them."""
import asyncio
import hashlib
import os

import pytest

from link import DIGEST, KERNEL, PORT, STACK, give, kernel_counters, link, take

pytestmark = pytest.mark.skipif(not os.path.exists("/dev/net/tun"), reason="no /dev/net/tun")

AT_ONCE = 64
DATA = bytes(range(256)) * 2


async def serve(reader, writer):
    writer.write(b"take %d\n" % len(DATA) + DATA)
    digest = await reader.readexactly(DIGEST)
    writer.write_eof()
    rest = await reader.read()
    writer.close()
    return digest.decode() == hashlib.sha256(DATA).hexdigest() and rest == b""


async def to_the_stack(count):
    """`count` connections, AT_ONCE of them at a time. How many went well."""
    slots = asyncio.Semaphore(AT_ONCE)

    async def one():
        async with slots:
            return await serve(*await asyncio.wait_for(asyncio.open_connection(STACK, PORT), 30))

    return sum(await asyncio.gather(*[one() for _ in range(count)]))


async def from_the_stack(command, count):
    """The same, opened by the stack."""
    outcomes = asyncio.Queue()

    async def accepted(reader, writer):
        outcomes.put_nowait(await serve(reader, writer))

    async with await asyncio.start_server(accepted, KERNEL, 0, backlog=1024) as server:
        port = server.sockets[0].getsockname()[1]
        good, open_now = 0, 0
        for _ in range(count):
            command.write(f"{port}\n")
            command.flush()
            open_now += 1
            while open_now >= AT_ONCE or not outcomes.empty():
                good += await asyncio.wait_for(outcomes.get(), 30)
                open_now -= 1
            await asyncio.sleep(0)
        for _ in range(open_now):
            good += await asyncio.wait_for(outcomes.get(), 30)
    return good


@pytest.fixture
def programs(request):
    return request.config.getoption("--wire"), request.config.getoption("--stack-end")


@pytest.mark.parametrize("count, wire", [(4000, {"delay": 100}), (500, {"drop": 0.02})], ids=["faithful", "loss_2"])
def test_short_connections_to_the_stack(programs, count, wire):
    with link(programs, wire=wire) as both:
        assert asyncio.run(to_the_stack(count)) == count
    lossy = "drop" in wire
    assert both.kernel["TcpActiveOpens"] == both.stack.counters["TcpPassiveOpens"] == count
    assert both.kernel["TcpAttemptFails"] == both.kernel["TcpEstabResets"] == 0
    assert both.kernel["TcpInCsumErrors"] == both.stack.counters["TcpInErrs"] == 0
    assert both.kernel["TcpOutRsts"] == 0
    assert lossy or both.stack.counters["TcpOutRsts"] == 0
    assert lossy or both.kernel["TcpRetransSegs"] + both.stack.counters["TcpRetransSegs"] <= 20  # on a busy machine


def test_short_connections_from_the_stack(programs):
    with link(programs, wire={"delay": 100}) as both:
        assert asyncio.run(from_the_stack(both.stack.stdin, 2000)) == 2000
    assert both.stack.counters["TcpActiveOpens"] == both.kernel["TcpPassiveOpens"] == 2000
    assert both.kernel["TcpOutRsts"] == both.stack.counters["TcpOutRsts"] == 0
    assert both.kernel["TcpInErrs"] == both.stack.counters["TcpInErrs"] == 0


def test_a_connection_to_a_closed_port_of_the_kernel_is_refused_and_the_stack_goes_on(programs):
    with link(programs) as both:
        both.stack.stdin.write("9\n")
        both.stack.stdin.flush()
        with both.from_kernel() as connection:
            take(connection, 100_000)
    assert both.stack.counters["TcpAttemptFails"] == 1
    assert both.kernel["TcpOutRsts"] == 2  # for the SYN that asks for ECN, and for the one after it that does not (RFC 3168 6.1.1.1)


def test_what_the_stack_loses_its_counters_tell_as_the_kernel_s_do(programs):
    """The same wire, both ways: neither end sends again much more than what was lost."""
    with link(programs, wire={"drop": 0.02, "queue_bytes": 2_000_000}) as both:
        with both.from_kernel() as connection:
            give(connection, 3_000_000)
        with both.from_kernel() as connection:
            take(connection, 3_000_000)
    lost = {name: both.wire.counters[name]["dropped"] for name in ("to_kernel", "to_stack")}
    for counted, way in ((both.stack.counters, "to_kernel"), (both.kernel, "to_stack")):
        flights = 64 * counted["TcpExtTCPTimeouts"]  # a time-out may send one again
        assert lost[way] // 2 <= counted["TcpRetransSegs"] <= 2 * lost[way] + 10 + flights
