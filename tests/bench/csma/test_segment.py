# SPDX-License-Identifier: Apache-2.0
"""Half-duplex MACs on one segment, for millions of cycles: they share it fairly, and back off as 802.3 4.2.3.2.5 says."""

import json
import math
import os
import subprocess

import pytest

TEN_SECONDS = 25_000_000  # cycles, at 10 Mb/s
MAX_BINS = 64


def run(*arguments):
    done = subprocess.run([os.environ["CSMA_BENCH"], *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def two():
    return run("share", 2, TEN_SECONDS, 1518)


def assert_uniform(counts, what):
    """Pearson's chi-square against the uniform distribution; a good source fails with a probability of 0.001."""
    width = max(1, len(counts) // MAX_BINS)
    bins = [sum(counts[place:place + width]) for place in range(0, len(counts), width)]
    expected = sum(bins) / len(bins)
    assert expected >= 10, f"{what}: too few draws"
    chi_square = sum((count - expected) ** 2 / expected for count in bins)
    degrees = len(bins) - 1
    limit = degrees * (1 - 2 / (9 * degrees) + 3.09 * math.sqrt(2 / (9 * degrees))) ** 3  # Wilson and Hilferty
    print(f"{what}: {sum(bins)} draws, chi-square {chi_square:.1f}, at most {limit:.1f}")
    assert chi_square <= limit, what


def test_two_stations_under_permanent_load_share_the_segment_fairly(two):
    print(two["jain"], two["sent"], two["excessive"])
    assert two["jain"] >= 0.95


def test_five_stations_carry_most_of_what_the_wire_can():
    five = run("share", 5, TEN_SECONDS // 5, 1518)
    print(five["jain"], five["efficiency"], five["sent"])
    assert five["efficiency"] > 0.8 and min(five["sent"]) > 0


def test_each_attempt_draws_uniformly_from_its_range():
    draws = run("draws", 4000)["draws"]
    for attempt, counts in enumerate(draws, 1):
        assert len(counts) == 1 << min(attempt, 10)
        assert_uniform(counts, f"attempt {attempt}")


def test_stations_that_meet_draw_uniformly_too(two):
    for attempt, counts in enumerate(two["draws"], 1):
        if sum(counts) >= 20 * min(len(counts), MAX_BINS):
            assert_uniform(counts, f"attempt {attempt}")
    assert sum(two["draws"][0]) > 500
