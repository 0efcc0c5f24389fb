# SPDX-License-Identifier: Apache-2.0
"""Links that come and go, and hosts that share one: what TCP carries arrives all the same."""
import itertools

import pytest

from conftest import WRONG


def host(name, number, extra=""):
    return f'[[host]]\nname = "{name}"\naddress = "192.0.2.{number}/24"\n{extra}\n'


def bulk(source, sink, sink_number, size, port):
    return (f'[[application]]\nrun = "bulk-sink"\nhost = "{sink}"\nport = {port}\n'
            f'[[application]]\nrun = "bulk-source"\nhost = "{source}"\nto = "192.0.2.{sink_number}:{port}"\nbytes = {size}\n')


def sinks(run):
    """Of the sinks: what came, complete and right."""
    assert run.status == 0, run.errors
    return [connection["bytes"] for application in run.result["applications"]
            if application["application"].startswith("bulk-sink") for connection in application["connections"]]


CABLE = '[[link]]\nbetween = ["alice", "bob"]\n'


def test_a_cable_pulled_in_mid_transfer_and_plugged_again_costs_time_only(simulate, tshark):
    size = 2_000_000
    run = simulate('duration = "60s"\n' + host("alice", 1, 'unplug = "50ms"\nplug = "300ms"') + host("bob", 2) + CABLE
                   + bulk("alice", "bob", 2, size, 5001))
    assert sinks(run) == [size]
    for name in ("alice", "bob"):
        assert run.result["hosts"][name]["driver"]["link_changes"] == 2
    times = [float(time) for time in tshark(run.pcap, "tcp", "-T", "fields", "-e", "frame.time_epoch")]
    assert any(time < 0.05 for time in times) and any(time > 0.3 for time in times)
    assert not any(0.0501 < time < 0.3 for time in times)
    assert tshark(run.pcap, WRONG) == []


def test_a_cable_that_stays_out_ends_no_run(simulate):
    run = simulate('duration = "1s"\n' + host("alice", 1, 'unplug = "50ms"') + host("bob", 2) + CABLE)
    assert run.result["simulated_ns"] >= 1e9
    assert [run.result["hosts"][name]["driver"]["link_changes"] for name in ("alice", "bob")] == [1, 1]


def hub(count, size, seed=1, delays=None):
    """Hosts at one hub, each sending to the next: both ways on every pair of neighbours at once."""
    names = [f"host{number}" for number in range(1, count + 1)]
    scenario = f'seed = {seed}\nduration = "60s"\n'
    scenario += "".join(host(name, number) for number, name in enumerate(names, 1))
    scenario += f"[[hub]]\nhosts = {names}\n"
    if delays:
        scenario += f"delays = {delays}\n"
    for number, name in enumerate(names, 1):
        following = number % count + 1
        scenario += bulk(name, f"host{following}", following, size, 5000 + number)
    return scenario


def card_counters(run, counter):
    return sum(each["card"][counter] for each in run.result["hosts"].values())


@pytest.mark.parametrize("count, size", [(2, 200_000), (5, 60_000)])
def test_hosts_at_a_hub_collide_and_every_byte_arrives(simulate, tshark, count, size):
    run = simulate(hub(count, size))
    assert sinks(run) == count * [size]
    assert run.result["hubs"][0]["collisions"] > 0
    assert card_counters(run, "aSingleCollisionFrames") > 0
    assert card_counters(run, "aLateCollisions") == 0
    assert tshark(run.pcap, WRONG) == []


def test_no_collision_is_late_on_the_longest_legal_segment(simulate):
    # One class I repeater: 462.4 bit times of 512 there and back. Here 29 nibbles from each station to the middle.
    run = simulate(hub(2, 200_000, delays=["1160ns", "1160ns"]))
    assert sinks(run) == [200_000, 200_000]
    assert run.result["hubs"][0]["collisions"] > 0
    assert card_counters(run, "aLateCollisions") == 0


def test_collisions_are_late_on_a_segment_that_is_far_too_long(simulate):
    scenario = hub(2, 100_000, delays=["5us", "5us"])
    # Well apart, when both have found their link: else short frames would collide for ever without anybody hearing of it.
    before, last = scenario.rsplit("bytes", 1)
    run = simulate(f'{before}start = "20ms"\nbytes{last}')
    assert card_counters(run, "aLateCollisions") > 0


def test_equal_seeds_give_equal_captures_at_a_hub(simulate):
    first, second, third = (simulate(hub(3, 30_000, seed)) for seed in (1, 1, 2))
    assert first.pcap.read_bytes() == second.pcap.read_bytes() != third.pcap.read_bytes()
    assert first.result["hubs"] == second.result["hubs"]


def test_idle_skip_changes_nothing_at_a_hub(simulate):
    skipping, ticking = simulate(hub(3, 10_000)), simulate(hub(3, 10_000), "--no-idle-skip")
    assert skipping.result["capture"]["frames"] > 30
    assert skipping.pcap.read_bytes() == ticking.pcap.read_bytes()
    assert skipping.result["hubs"] == ticking.result["hubs"]
    for a, b in itertools.zip_longest(skipping.result["hosts"].values(), ticking.result["hosts"].values()):
        assert a["card"] == b["card"] and a["stack"] == b["stack"] and a["driver"] == b["driver"]
