# SPDX-License-Identifier: Apache-2.0
"""mac_tx in half duplex, by the rules of 802.3 clause 4; and held back by pause in full duplex."""

import zlib

import cocotb
from cocotb.triggers import ClockCycles, FallingEdge, First, RisingEdge, Timer

from idle import assert_nothing_changes
from mii import frame_nibbles, octets, with_fcs
from segment import GAP, HEAD, JAM, PERIOD_NS, SLOT, Segment, becomes, now

RESIDUE = zlib.crc32(with_fcs(b"any"))  # of a frame together with its good FCS

# COL is synchronised by two flip-flops and leaves with the nibble after: it shows in what follows the third nibble from
# the one during which it rose.
REACTION = 4


def padded(data):
    return data.ljust(60, b"\0")


def assert_whole(burst, data):
    assert burst.nibbles == frame_nibbles(padded(data)) and not burst.er


async def start(dut, **how):
    return await Segment(dut).start(**how)


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def a_frame_on_a_free_medium_leaves_at_once(dut):
    segment = await start(dut)
    segment.send(octets(60))
    await RisingEdge(dut.s_axis_tvalid)
    offered = now()
    verdict = await segment.verdict()
    assert segment.bursts[0].begin == offered + 2  # seen a cycle after it has come
    assert_whole(segment.bursts[0], octets(60))
    assert verdict.sent and verdict.flags == 0


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def a_frame_defers_to_carrier_and_then_waits_for_the_gap(dut):
    segment = await start(dut)
    for length in range(1, 40):
        segment.others = True
        await ClockCycles(dut.clk, 5)
        segment.send(octets(60))
        await ClockCycles(dut.clk, length)
        await Timer(length, "ns")
        segment.others = False
        quiet = now()
        verdict = await segment.verdict()
        assert GAP <= segment.bursts[-1].begin - 1 - quiet <= GAP + 1
        assert verdict.deferred and verdict.collisions == 0 and verdict.sent
        await segment.rest()


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def carrier_in_the_first_part_of_the_gap_begins_it_anew_and_is_ignored_in_the_last_third(dut):
    segment = await start(dut)
    anew = []
    for place in range(30):
        await segment.rest()
        await segment.carrier(20)
        quiet = now()
        segment.send(octets(60))
        await Timer(place * PERIOD_NS + 1, "ns")
        dut.mii_crs.value = 1  # not to be told as a collision
        await First(cocotb.start_soon(becomes(dut.mii_tx_en, 1)), Timer(50 * PERIOD_NS, "ns"))
        dut.mii_crs.value = 0
        await segment.verdict()
        begin = segment.bursts[-1].begin - 1
        assert begin - quiet >= GAP
        anew.append(begin - quiet > GAP + 1)
    restarts = anew.index(False)
    assert anew == [True] * restarts + [False] * (30 - restarts)
    assert GAP / 2 <= restarts <= GAP * 2 / 3


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def the_gap_after_an_own_frame_counts_from_its_carrier_too(dut):
    segment = await start(dut)
    for length in (60, 61, 100):
        segment.send(octets(length), octets(length, 1))
        await segment.verdict()
        tail = segment.bursts[-1].end
        await segment.verdict()
        # The carrier of the card itself falls half a cycle after its last nibble.
        assert tail + GAP <= segment.bursts[-1].begin <= tail + GAP + 1.5
        await segment.rest()
    segment.send(octets(60))
    await segment.nibble(143)
    await segment.carrier(30)
    segment.send(octets(60, 2))
    quiet = now()
    await segment.verdict(2)
    assert segment.bursts[-1].begin >= quiet + GAP


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def without_carrier_of_its_own_frames_the_gap_is_24_nibbles(dut):
    segment = await start(dut)
    segment.silent = True
    segment.send(*(octets(length) for length in (60, 80, 61)))
    await segment.verdict(3)
    ends = [burst.end for burst in segment.bursts]
    assert [burst.begin - end for burst, end in zip(segment.bursts[1:], ends)] == [GAP, GAP]


@cocotb.test(timeout_time=50, timeout_unit="ms")
async def a_collision_on_any_nibble_jams_and_within_the_slot_time_the_frame_goes_again(dut):
    segment = await start(dut)
    data, follower = octets(66, 1), octets(61, 2)
    total = len(frame_nibbles(data))
    for place in range(total):
        segment.send(data, follower)
        await segment.collide(place, cycles=20)
        verdict = await segment.verdict()
        burst = segment.bursts[-1]
        cut = place + REACTION
        assert burst.nibbles[:HEAD] == [5] * 15 + [13], "the preamble is not whole"
        if cut <= total:
            assert len(burst.nibbles) == max(cut, HEAD) + JAM
            assert burst.nibbles[:-JAM] == frame_nibbles(data)[:max(cut, HEAD)]
            assert not burst.er
            for end in range(len(burst.octets) - 3, len(burst.octets) + 1):  # wherever the medium cuts it off
                assert zlib.crc32(burst.octets[:end]) != RESIDUE, "the jam is a good FCS"
            assert verdict.late == (cut > SLOT) and verdict.again == (cut <= SLOT)
            assert verdict.collisions == 1
        else:
            assert verdict.sent
        if verdict.again:
            verdict = await segment.verdict()
            assert verdict.sent and verdict.collisions == 1
            assert_whole(segment.bursts[-1], data)
        verdict = await segment.verdict()
        assert verdict.sent and verdict.collisions == 0
        assert_whole(segment.bursts[-1], follower)
        await segment.rest()


@cocotb.test(timeout_time=50, timeout_unit="ms")
async def a_short_frame_is_replayed_whole_from_a_collision_in_its_padding_or_fcs(dut):
    segment = await start(dut)
    for length in (1, 46, 59, 60):
        data, follower = octets(length, 1), octets(64, 2)
        for place in range(HEAD + 2 * length - 4, SLOT - REACTION + 1, 5):
            segment.send(data, follower)
            await segment.collide(place, cycles=20)
            assert (await segment.verdict()).again
            assert (await segment.verdict(2)).sent
            assert_whole(segment.bursts[-2], data)
            assert_whole(segment.bursts[-1], follower)


async def collisions(segment, number, place=20):
    """The slots drawn after each of so many collisions in a row."""
    slots = []
    for _ in range(number):
        cocotb.start_soon(segment.collide(place, cycles=16))
        assert (await segment.verdict()).again
        slots.append(segment.draw())
    return slots


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def the_back_off_is_whole_slots_from_the_end_of_the_jam(dut):
    segment = await start(dut)
    waits = set()
    for number in range(20):
        segment.send(octets(60, number))
        await segment.collide(20 + number, cycles=12)
        assert (await segment.verdict(2)).sent
        waits.add(segment.bursts[-1].begin - segment.bursts[-2].end)
        await segment.rest()
    assert SLOT in waits
    assert all(wait == SLOT or GAP <= wait <= GAP + 4 for wait in waits), waits  # no slot: the gap behind the other's carrier


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def sixteen_collisions_in_a_row_give_the_frame_up_and_the_next_one_starts_afresh(dut):
    segment = await start(dut)
    segment.send(octets(60), octets(61))
    slots = await collisions(segment, 15)
    assert [verdict.collisions for verdict in segment.verdicts] == list(range(1, 16))
    assert all(drawn < 1 << min(attempt, 10) for attempt, drawn in enumerate(slots, 1)), slots
    assert max(slots) > 255, "hardly by chance"
    cocotb.start_soon(segment.collide(20, cycles=16))
    verdict = await segment.verdict()
    assert verdict.excessive and not verdict.again and not verdict.late and verdict.collisions == 16
    assert dut.holding.value == 0
    verdict = await segment.verdict()
    assert verdict.sent and verdict.collisions == 0
    assert_whole(segment.bursts[-1], octets(61))


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def a_reset_while_a_frame_waits_to_go_again_starts_its_attempts_afresh(dut):
    segment = await start(dut)
    segment.send(octets(60))
    cocotb.start_soon(segment.collide(20, cycles=16))
    assert (await segment.verdict()).collisions == 1
    await becomes(dut.s_axis_tvalid, 1)
    await ClockCycles(dut.clk, 10)
    dut.rst.value = 1
    await RisingEdge(dut.clk)  # one cycle must do
    dut.rst.value = 0
    verdict = await segment.verdict()
    assert verdict.sent and verdict.collisions == 0
    assert_whole(segment.bursts[-1], octets(60))


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def the_first_draws_are_0_or_1_then_0_to_3_all_of_them(dut):
    segment = await start(dut)
    first, second = set(), set()
    for number in range(40):
        segment.send(octets(60, number))
        one, two = await collisions(segment, 2, place=30 + number % 7)
        first.add(one)
        second.add(two)
        assert (await segment.verdict()).sent
        await segment.rest()
    assert first == {0, 1} and second == {0, 1, 2, 3}


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def cards_with_different_seeds_draw_differently(dut):
    segment = await start(dut)
    drawn = set()
    for seed in (0, 1, 0xFFFFFF):
        dut.half_duplex.value = 0
        dut.seed.value = seed
        await ClockCycles(dut.clk, 3)
        dut.half_duplex.value = 1
        segment.send(octets(60))
        drawn.add(tuple(await collisions(segment, 8)))
        assert (await segment.verdict()).sent
        await segment.rest()
    assert len(drawn) == 3


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def a_late_collision_is_told_and_not_retried(dut):
    segment = await start(dut)
    segment.send(octets(100), octets(101))
    await segment.collide(150)
    verdict = await segment.verdict()
    assert verdict.late and not verdict.again and not verdict.excessive and verdict.collisions == 1
    verdict = await segment.verdict()
    assert verdict.sent and verdict.flags & ~1 == 0
    assert_whole(segment.bursts[-1], octets(101))


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def carrier_that_is_missing_while_a_frame_is_sent_is_told_and_the_frame_goes_on(dut):
    segment = await start(dut)
    segment.silent = True
    segment.send(octets(70))
    assert (await segment.verdict()).carrier_error
    assert_whole(segment.bursts[-1], octets(70))
    segment.silent = False
    segment.send(octets(70))
    assert not (await segment.verdict()).carrier_error
    segment.send(octets(70))
    await segment.nibble(100)
    segment.silent = True
    await ClockCycles(dut.clk, 2)
    segment.silent = False
    assert (await segment.verdict()).carrier_error
    assert_whole(segment.bursts[-1], octets(70))


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def col_and_crs_count_only_where_the_clock_sees_them_and_col_only_while_sending(dut):
    segment = await start(dut)
    segment.send(octets(60))
    await segment.nibble(30)
    await Timer(25, "ns")  # behind the edge
    dut.mii_col.value = 1
    await Timer(10, "ns")
    dut.mii_col.value = 0
    assert (await segment.verdict()).sent
    await segment.rest()
    for _ in range(3):  # nobody sends
        await FallingEdge(dut.clk)
        dut.mii_col.value = 1
    await ClockCycles(dut.clk, 3)
    dut.mii_col.value = 0
    await segment.rest()
    segment.send(octets(60))
    assert (await segment.verdict()).sent
    await segment.rest()
    segment.send(octets(60))
    await segment.nibble(30)
    await Timer(1, "ns")  # one edge is enough
    dut.mii_col.value = 1
    await RisingEdge(dut.clk)
    verdict = await segment.verdict()
    assert verdict.again and verdict.collisions == 1
    assert (await segment.verdict()).sent


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def crs_and_col_mean_nothing_in_full_duplex(dut):
    segment = await start(dut, half_duplex=0)
    segment.others = True
    segment.send(octets(60), octets(61))
    verdict = await segment.verdict()
    assert verdict.sent and verdict.flags == 0
    segment.others = False
    assert (await segment.verdict()).sent
    assert segment.bursts[1].begin - segment.bursts[0].end == GAP
    assert_whole(segment.bursts[1], octets(61))


async def pause(dut, quanta):
    await RisingEdge(dut.clk)
    dut.pause_valid.value = 1
    dut.pause_quanta.value = quanta
    await RisingEdge(dut.clk)
    dut.pause_valid.value = 0
    return now()


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def a_pause_holds_frames_back_for_its_slots_and_zero_ends_it(dut):
    segment = await start(dut, half_duplex=0)
    for quanta in (1, 2, 5):
        begin = await pause(dut, quanta)
        segment.send(octets(60))
        await segment.verdict()
        assert segment.bursts[-1].begin == begin + quanta * SLOT + 2
        await segment.rest()
    begin = await pause(dut, 0xFFFF)
    segment.send(octets(60))
    await ClockCycles(dut.clk, 300)
    assert dut.holding.value and not dut.idle.value
    ended = await pause(dut, 0)
    await segment.verdict()
    assert segment.bursts[-1].begin == ended + 2


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def a_pause_counts_from_the_end_of_the_frame_under_way(dut):
    segment = await start(dut, half_duplex=0)
    segment.send(octets(60), octets(61))
    await segment.nibble(50)
    await pause(dut, 3)
    await segment.verdict()
    assert_whole(segment.bursts[0], octets(60))
    await segment.verdict()
    assert segment.bursts[1].begin - segment.bursts[0].end == 3 * SLOT


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def an_urgent_frame_does_not_wait_for_the_end_of_a_pause(dut):
    segment = await start(dut, half_duplex=0)
    begin = await pause(dut, 100)
    dut.s_axis_urgent.value = 1
    segment.send(octets(60))
    await segment.verdict()
    assert segment.bursts[0].begin < begin + 10
    assert_whole(segment.bursts[0], octets(60))
    assert dut.holding.value


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def there_is_no_pause_in_half_duplex(dut):
    segment = await start(dut)
    begin = await pause(dut, 100)
    segment.send(octets(60))
    await segment.verdict()
    assert segment.bursts[0].begin < begin + 10


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def idle_means_that_nothing_changes(dut):
    segment = await start(dut)
    for collides in (False, True):
        segment.send(octets(60))
        if collides:
            await segment.collide(30)
        await segment.rest()
        await assert_nothing_changes(dut, dut.clk, 40)
        await segment.carrier(10)
        assert not dut.idle.value
        while not dut.idle.value:
            await RisingEdge(dut.clk)
        await assert_nothing_changes(dut, dut.clk, 40)
