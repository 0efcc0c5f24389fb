# SPDX-License-Identifier: Apache-2.0
"""One seed makes one run, and the idle skip changes nothing but the time it takes."""
import pathlib

SCENARIOS = pathlib.Path(__file__).parent / "scenarios"


# A bad link for so short a time that it can be simulated without the idle skip, too.
SHORT = """
seed = 7
duration = "100ms"
[[host]]
name = "alice"
address = "192.0.2.1/24"
[[host]]
name = "bob"
address = "192.0.2.2/24"
clk = "50MHz"
memory_latency_cycles = 40
[[link]]
between = ["alice", "bob"]
delay = "200us"
drop = 0.02
duplicate = 0.02
reorder = 0.02
corrupt_fcs = 0.02
jitter = "50us"
[[application]]
run = "bulk-sink"
host = "bob"
[[application]]
run = "bulk-source"
host = "alice"
to = "192.0.2.2:5001"
duration = "50ms"
"""


def test_equal_seeds_give_equal_captures(simulate):
    first, second = (simulate(SCENARIOS / "lossy.toml") for _ in range(2))
    assert first.status == 0, first.errors
    assert first.pcap.read_bytes() == second.pcap.read_bytes()
    for run in (first, second):
        del run.result["wall_ns"], run.result["capture"]["file"]
    assert first.result == second.result


def test_other_seeds_change_the_hosts_and_the_links(simulate, tshark):
    first, second = (simulate(SCENARIOS / "lossy.toml", "--seed", seed) for seed in (1, 2))
    assert first.result["links"] != second.result["links"]
    initial_sequence_numbers = [tshark(run.pcap, "tcp.flags.syn == 1", "-T", "fields", "-e", "tcp.seq_raw")
                                for run in (first, second)]
    assert not set(initial_sequence_numbers[0]) & set(initial_sequence_numbers[1])


def test_idle_skip_changes_no_byte_and_no_nanosecond(simulate):
    skipping = simulate(SHORT)
    ticking = simulate(SHORT, "--no-idle-skip")
    assert skipping.result["capture"]["frames"] > 100
    assert skipping.pcap.read_bytes() == ticking.pcap.read_bytes()
    assert skipping.result["simulated_ns"] == ticking.result["simulated_ns"]
    assert skipping.result["applications"] == ticking.result["applications"]
    for name, host in skipping.result["hosts"].items():
        other = ticking.result["hosts"][name]
        assert host["card"] == other["card"] and host["stack"] == other["stack"]
        assert other["cycles_skipped"] == 0 < host["cycles_skipped"]
        assert other["cycles_ticked"] == host["cycles_ticked"] + host["cycles_skipped"]


def test_idle_hour_costs_next_to_nothing(simulate):
    run = simulate("""
duration = "3600s"
[[host]]
name = "alice"
address = "192.0.2.1/24"
[[application]]
run = "echo"
host = "alice"
""")
    assert run.result["simulated_ns"] >= 3600e9
    assert run.result["hosts"]["alice"]["cycles_ticked"] < 50_000  # a dozen frames to the PHY at first
    assert run.result["kernel_entries"] < 1000
