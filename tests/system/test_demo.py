# SPDX-License-Identifier: Apache-2.0
"""The demo as a user sees it: this machine's ping and curl against the simulated card, judged by tshark and gtkwave."""
import hashlib
import json
import subprocess
import types

import pytest

from conftest import WRONG

MIB = 1 << 20


def sha256(file):
    return hashlib.sha256(file.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def demo(lanyard, tmp_path_factory):
    out = tmp_path_factory.mktemp("demo")
    outcome = lanyard("demo", "--out", out)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    report = json.loads((out / "report.json").read_text())
    return types.SimpleNamespace(out=out, report=report, summary=report["summary"], stdout=outcome.stdout)


def test_every_check_succeeds(demo):
    assert [check["check"] for check in demo.report["checks"] if not check["ok"]] == []
    assert demo.stdout.count("  ok ") == len(demo.report["checks"])


def test_curl_gets_three_files_and_two_at_once_intact(demo):
    site = {sha256(file): file for file in (demo.out / "site").iterdir()}
    fetched = [site[sha256(file)] for file in sorted((demo.out / "fetched").iterdir())]
    assert len(set(fetched[:3])) == 3
    assert fetched[3].stat().st_size >= MIB and fetched[4].stat().st_size >= MIB


def test_ping_is_answered_five_times(demo):
    assert "5 packets transmitted, 5 received, 0% packet loss" in (demo.out / "log" / "ping.txt").read_text()


def test_summary_tells_what_was_measured(demo):
    for key in ("simulated_s", "cycles", "cycles_per_wall_s", "goodput_simulated_bps", "frames_to_linux",
                "frames_from_linux"):
        assert demo.summary[key] > 0, key
    assert demo.summary["fetched_bytes"] >= 3 * MIB
    for file in ("demo.pcap", "demo.fst", "report.json"):
        assert str(demo.out / file) in demo.stdout


def test_a_clean_cable_needs_no_retransmission(demo):
    # Linux runs by the wall clock: a tail loss probe (RFC 8985 7) goes out when this machine lets it wait too long.
    probes = demo.report["hosts"]["host"]["stack"]["TcpExtTCPLossProbes"]
    assert demo.summary["retransmissions"] <= probes
    assert demo.summary["bad_checksums_seen_by_linux"] == 0


# One frame in 65,536: Linux writes the checksum 0 as 0xffff, which means the same; tshark wants it of UDP only.
LINUX_ZERO = "ip.src == 192.0.2.2 && tcp.checksum == 0xffff"


def test_capture_holds_every_frame_and_nothing_wrong(demo, tshark):
    assert tshark(demo.out / "demo.pcap", f"({WRONG}) && !({LINUX_ZERO})") == []
    frames = demo.summary["frames_to_linux"] + demo.summary["frames_from_linux"]
    assert len(tshark(demo.out / "demo.pcap", "eth")) == demo.report["capture"]["frames"] >= frames


def test_closed_port_answers_with_a_reset(demo, tshark):
    assert len(tshark(demo.out / "demo.pcap", "tcp.srcport == 81 && tcp.flags.reset == 1")) == 1
    assert len(tshark(demo.out / "demo.pcap", "tcp.dstport == 81")) == 1


def test_waveform_opens_and_shows_the_first_exchange(demo):
    vcd = subprocess.run(["fst2vcd", demo.out / "demo.fst"], check=True, capture_output=True, text=True, timeout=60).stdout
    assert "mii_txd" in vcd and "s_axil_awaddr" in vcd
    times = [int(line[1:]) for line in vcd.splitlines() if line.startswith("#")]
    assert len(times) > 1000
    assert times == sorted(times)


def test_a_folder_of_the_users_is_served_whatever_its_names(lanyard, tmp_path):
    site = tmp_path / "site"
    (site / "a folder").mkdir(parents=True)
    (site / "empty").write_bytes(b"")
    (site / "a folder" / "50% ä&?#.txt").write_bytes(b"odd names\n" * 100)
    (site / "large.bin").write_bytes(bytes(range(256)) * 256)
    (site / ".hidden").write_bytes(b"not for the demo")
    outcome = lanyard("demo", site, "--out", tmp_path / "out")
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    assert "50% ä&?#.txt" in outcome.stdout and ".hidden" not in outcome.stdout


def test_an_empty_folder_is_served_too(lanyard, tmp_path):
    (tmp_path / "site").mkdir()
    outcome = lanyard("demo", tmp_path / "site", "--out", tmp_path / "out")
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
