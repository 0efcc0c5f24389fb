#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The goodput that no sender can exceed on a path that loses at random, whatever its congestion control: it always fills the link, within
the peer's window, and sends a lost segment again when one round trip has told that it is lost. Prints Mb/s by window and loss; and what
comes of it where each repair is sent twice, at once, so that hardly any is lost."""
import collections
import heapq
import random

RATE, ROUND_TRIP, PAYLOAD, FRAME = 100e6, 0.020, 1448, 1538
SECONDS, SEEDS = 60, range(1, 6)


def goodput(window, loss, seed, copies):
    slot = FRAME * 8 / RATE
    round_trip, segments = round(ROUND_TRIP / slot) + 1, window // PAYLOAD
    dice, under_way, lost, beyond = random.Random(seed), collections.deque(), [], set()
    flying = collections.Counter()  # copies of a segment that are under way
    first = fresh = 0  # not acknowledged; not sent
    for now in range(int(SECONDS / slot)):
        while under_way and under_way[0][0] <= now:
            _, segment, arrived = under_way.popleft()
            flying[segment] -= 1
            if arrived and segment >= first:
                beyond.add(segment)
            elif not flying[segment] and segment >= first and segment not in beyond:
                lost += [segment] * copies
                heapq.heapify(lost)
            while first in beyond:
                beyond.remove(first)
                del flying[first]
                first += 1
        if lost:
            segment = heapq.heappop(lost)
        elif fresh < first + segments:
            segment, fresh = fresh, fresh + 1
        else:
            continue
        flying[segment] += 1
        under_way.append((now + round_trip, segment, dice.random() >= loss))
    return first * PAYLOAD * 8 / SECONDS / 1e6


def mean(kib, loss, copies):
    return sum(goodput(kib << 10, loss, seed, copies) for seed in SEEDS) / len(SEEDS)


for kib in (512, 640, 768, 1024, 4096):
    print(f"{kib:5} KiB", *(f"{100 * loss:g} %: {mean(kib, loss, 1):.1f}, repairs twice {mean(kib, loss, 2):.1f}" for loss in (0.01, 0.05)), sep="   ", flush=True)
