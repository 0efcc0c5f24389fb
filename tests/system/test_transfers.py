# SPDX-License-Identifier: Apache-2.0
"""TCP from card to card: nothing is lost, whatever the link does, and a clean cable is filled."""
import hashlib

import pytest

from conftest import WRONG

# 100 Mb/s less preamble, headers, time stamps, FCS and gap of full frames.
CEILING_BPS = 100e6 * 1448 / 1538

HOSTS = """
seed = {seed}
duration = "600s"
[[host]]
name = "alice"
address = "192.0.2.1/24"
{alice}
[[host]]
name = "bob"
address = "192.0.2.2/24"
{bob}
[[link]]
between = ["alice", "bob"]
{link}
"""
BULK = """
[[application]]
run = "bulk-sink"
host = "bob"
[[application]]
run = "bulk-source"
host = "alice"
to = "192.0.2.2:5001"
bytes = {bytes}
"""
FETCH = """
[[application]]
run = "httpd"
host = "alice"
folder = "site"
[[application]]
run = "fetch"
host = "bob"
url = "http://192.0.2.1/file"
file = "fetched"
"""


def hosts(seed=1, alice="", bob="", link=""):
    return HOSTS.format(seed=seed, alice=alice, bob=bob, link=link)


def received(run):
    """Of the one bulk transfer: its entry of the sink, complete and right."""
    assert run.status == 0, run.errors
    sink = run.result["applications"][0]
    assert sink["application"] == "bulk-sink on bob" and sink["error"] == ""
    return sink["connections"][0]


def test_a_clean_cable_is_filled_to_99_percent(simulate, tshark):
    run = simulate(hosts(link='delay = "500ns"') + BULK.format(bytes=2 << 20))
    transfer = received(run)
    assert transfer["bytes"] == 2 << 20
    print(f"goodput {transfer['goodput_bps'] / 1e6:.2f} Mb/s of {CEILING_BPS / 1e6:.2f}")
    assert transfer["goodput_bps"] >= 0.99 * CEILING_BPS
    assert run.result["hosts"]["alice"]["stack"]["TcpRetransSegs"] == 0
    assert tshark(run.pcap, WRONG) == []


@pytest.mark.parametrize("link, size", [
    ("drop = 0.01", 300_000),
    ("drop = 0.10", 100_000),
    ('reorder = 0.10\nreorder_delay = "500us"', 300_000),
    ("duplicate = 0.10", 300_000),
    ("corrupt = 0.02", 300_000),
    ("corrupt_fcs = 0.02", 300_000),
    ('jitter = "300us"\nrate = "20Mb/s"\nqueue_bytes = 20_000', 300_000),
    ("drop = 0.02\nduplicate = 0.02\nreorder = 0.02\ncorrupt = 0.01\ncorrupt_fcs = 0.01", 200_000),
], ids=lambda value: value.replace("\n", ", ") if isinstance(value, str) else str(value))
def test_a_file_arrives_intact_over_a_bad_link(simulate, tmp_path, link, size):
    data = hashlib.shake_256(b"file").digest(size)
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "file").write_bytes(data)
    run = simulate(hosts(seed=3, link='delay = "50us"\n' + link) + FETCH)
    assert run.status == 0, run.errors
    assert (tmp_path / "fetched").read_bytes() == data
    assert run.result["applications"][1]["sha256"] == hashlib.sha256(data).hexdigest()
    impaired = run.result["links"][0]["there"]
    assert sum(count for what, count in impaired.items() if what != "forwarded") > 0


def test_a_file_that_cannot_be_written_is_an_error_of_the_application(simulate, tmp_path):
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "file").write_bytes(bytes(100_000))
    run = simulate(hosts() + FETCH.replace('"fetched"', '"/dev/full"'))
    assert run.status == 1
    assert run.errors == "lanyard: sim: fetch on bob: cannot write /dev/full\n"


def test_a_fetch_that_does_not_end_tells_how_far_it_came(simulate, tmp_path):
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "file").write_bytes(bytes(1_000_000))
    run = simulate(hosts().replace("600s", "50ms") + FETCH)
    fetch = run.result["applications"][1]
    assert (run.status, fetch["error"]) == (1, "did not end")
    assert 100_000 < fetch["bytes"] < 1_000_000
    assert 10e6 < fetch["duration_ns"] <= 50e6
    assert 0.8 * CEILING_BPS < fetch["goodput_bps"] < CEILING_BPS


def test_corruption_that_the_fcs_hides_is_found_by_the_checksums(simulate, tmp_path):
    run = simulate(hosts(seed=5, link="corrupt = 0.2") + BULK.format(bytes=100_000))
    assert received(run)["bytes"] == 100_000
    corrupted = sum(run.result["links"][0][way]["corrupted"] for way in ("there", "back"))
    assert corrupted > 10
    assert all(host["card"]["aFrameCheckSequenceErrors"] == 0 for host in run.result["hosts"].values())


def test_refused_connection_is_an_error_of_the_application(simulate):
    run = simulate(hosts() + BULK.format(bytes=1000).split("[[application]]", 2)[2].join(["[[application]]", ""]))
    assert run.status == 1
    assert run.errors == "lanyard: sim: bulk-source on alice: Connection refused\n"
    assert run.result["simulated_ns"] < 10e6


@pytest.mark.parametrize("alice, bob", [
    ('clk = "25MHz"', 'clk = "100MHz"'),
    ('clk = "33.3MHz"\nmemory_latency_cycles = 1', 'clk = "66.7MHz"\nmemory_latency_cycles = 100'),
    ('mii = "10Mb/s"', 'mii = "10Mb/s"\nclk = "100MHz"'),
])
def test_hosts_of_different_clocks_understand_each_other(simulate, alice, bob):
    size = 50_000 if "10Mb/s" in alice else 200_000
    assert received(simulate(hosts(alice=alice, bob=bob) + BULK.format(bytes=size)))["bytes"] == size


def test_ten_hosts_on_five_links_run_at_once(simulate):
    scenario = ""
    for pair in range(5):
        a, b = 2 * pair + 1, 2 * pair + 2
        for host in (a, b):
            scenario += f'[[host]]\nname = "host{host}"\naddress = "192.0.2.{host}/24"\n'
        scenario += f'[[link]]\nbetween = ["host{a}", "host{b}"]\n'
        scenario += f'[[application]]\nrun = "bulk-sink"\nhost = "host{b}"\n'
        scenario += f'[[application]]\nrun = "bulk-source"\nhost = "host{a}"\nto = "192.0.2.{b}:5001"\nbytes = 100_000\n'
    run = simulate(scenario)
    assert run.status == 0, run.errors
    sinks = run.result["applications"][0::2]
    assert [sink["connections"][0]["bytes"] for sink in sinks] == [100_000] * 5
    assert run.result["simulated_ns"] < 1.5 * 100_000 * 8e9 / CEILING_BPS  # at once, not one after the other


def test_a_command_of_this_machine_takes_part_in_a_scenario(simulate, tmp_path):
    (tmp_path / "page").write_bytes(b"from a simulated host")
    run = simulate("""
[[host]]
name = "alice"
address = "192.0.2.1/24"
[[link]]
host = "alice"
tap = "tap0"
address = "192.0.2.2/24"
[[application]]
run = "httpd"
host = "alice"
folder = "."
[[application]]
run = "command"
argv = ["curl", "-sS", "--noproxy", "*", "http://192.0.2.1/page"]
file = "out"
""")
    assert run.status == 0, run.errors
    assert (tmp_path / "out").read_bytes() == b"from a simulated host"
