# SPDX-License-Identifier: Apache-2.0
import json
import subprocess
import types

import pytest


def pytest_addoption(parser):
    parser.addoption("--lanyard", required=True, help="the built program lanyard")


@pytest.fixture(scope="session")
def program(request):
    return request.config.getoption("--lanyard")


@pytest.fixture(scope="session")
def lanyard(program):
    """Runs the program and returns its CompletedProcess, with text."""

    def run(*arguments, timeout=100, **options):
        return subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, timeout=timeout, **options)

    return run


@pytest.fixture
def simulate(lanyard, tmp_path):
    """Runs a scenario, given as text or as a file, and returns what came of it: `result`, `pcap`, `errors`."""
    runs = iter(range(1000))

    def run(scenario, *options):
        number = next(runs)
        file = scenario
        if isinstance(scenario, str):
            file = tmp_path / f"scenario-{number}.toml"
            file.write_text(scenario)
        pcap = tmp_path / f"{number}.pcap"
        outcome = lanyard("sim", file, "--json", "-", "--pcap", pcap, *options)
        assert outcome.stdout, outcome.stderr
        return types.SimpleNamespace(result=json.loads(outcome.stdout), pcap=pcap, errors=outcome.stderr,
                                     status=outcome.returncode)

    return run


CHECKSUMS = ["-o", "ip.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE"]


@pytest.fixture(scope="session")
def tshark():
    """The lines that tshark prints for the frames of a capture that a display filter matches."""

    def run(pcap, display_filter, *options):
        command = ["tshark", "-n", "-r", str(pcap), *CHECKSUMS, "-Y", display_filter, *options]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout.splitlines()

    return run


# What no capture of ours may hold.
WRONG = "_ws.malformed || ip.checksum.status == 0 || tcp.checksum.status == 0 || udp.checksum.status == 0 " \
        "|| icmp.checksum.status == 0"
