# SPDX-License-Identifier: Apache-2.0
"""rx_path: which frames are delivered, with what record, and how each is counted."""

import itertools
import random

import cocotb
from cocotb.triggers import ClockCycles, RisingEdge

from packets import BROADCAST, OWN, PEER
from receive import ALIGN_ERR, DRIBBLE, FCS, FCS_ERR, MAX_FRAME, RUNT, SYMBOL, Bench, assert_all_as_expected

GROUP = bytes.fromhex("01005e000001")


async def start(dut):
    bench = Bench(dut)
    await bench.start()
    return bench


def frame(length, destination=OWN):
    """A frame of so many octets without FCS, noise behind the destination."""
    return (destination + random.randbytes(length))[:length]


async def send_all(bench, sent):
    for data, tuser in sent:
        await bench.send(data, tuser)


@cocotb.test()
async def frames_of_1_to_130_octets_and_about_the_maximum_are_judged_by_length(dut):
    bench = await start(dut)
    dut.cfg_keep_bad.value = 1
    lengths = [*range(1, 131), *range(MAX_FRAME - 5, MAX_FRAME - 2)]
    sent = [(frame(length), 0) for length in lengths]
    await send_all(bench, sent)
    await assert_all_as_expected(bench, sent, keep_bad=True)


@cocotb.test()
async def frames_with_errors_are_counted_and_not_delivered(dut):
    bench = await start(dut)
    dut.cfg_max_frame.value = 100
    sent = [(frame(length), tuser) for length in (20, 59, 60, 96, 97, 120) for tuser in range(8)]
    sent += [(b"", RUNT | tuser) for tuser in range(8)]
    random.shuffle(sent)
    await send_all(bench, sent)
    await assert_all_as_expected(bench, sent, max_frame=100)


@cocotb.test()
async def keep_bad_delivers_frames_with_errors_marked(dut):
    bench = await start(dut)
    dut.cfg_keep_bad.value = 1
    dut.cfg_max_frame.value = 100
    sent = [(frame(length), tuser) for length in (6, 59, 60, 96, 97) for tuser in range(8)]
    sent += [(b"", RUNT | FCS), (frame(90), 0), (frame(3), FCS)]
    await send_all(bench, sent)
    await assert_all_as_expected(bench, sent, keep_bad=True, max_frame=100)

    await send_all(bench, [(frame(80), FCS), (frame(80), FCS | DRIBBLE), (frame(80), SYMBOL), (frame(80), DRIBBLE)])
    await bench.settle()
    assert [received.flags for received in bench.frames] == [FCS_ERR, FCS_ERR | ALIGN_ERR, FCS_ERR, 0]


@cocotb.test()
async def only_frames_for_this_station_are_accepted(dut):
    bench = await start(dut)
    near_misses = [bytes(octet ^ (1 << bit) * (index == at) for index, octet in enumerate(address))
                   for address in (OWN, BROADCAST) for at in range(6) for bit in (0, 7)]
    addresses = [OWN, BROADCAST, GROUP, PEER, *near_misses]
    for promiscuous, broadcast in itertools.product((False, True), repeat=2):
        dut.cfg_promiscuous.value = promiscuous
        dut.cfg_broadcast.value = broadcast
        sent = [(frame(60, address), 0) for address in addresses]
        await send_all(bench, sent)
        await assert_all_as_expected(bench, sent, promiscuous=promiscuous, broadcast=broadcast)


@cocotb.test()
async def a_new_station_address_counts(dut):
    bench = await start(dut)
    for _ in range(10):
        own = bytes([random.randrange(256) & 0xFE, *random.randbytes(5)])
        dut.cfg_mac.value = int.from_bytes(own, "little")
        sent = [(frame(60, own), 0), (frame(60, own[::-1]), 0), (frame(60), 0)]
        await send_all(bench, sent)
        await assert_all_as_expected(bench, sent, own=own)


@cocotb.test()
async def a_change_of_enable_takes_effect_between_frames(dut):
    bench = await start(dut)
    first, second, third = frame(200), frame(201), frame(202)
    await send_all(bench, [(first, 0), (second, 0), (third, 0)])
    await ClockCycles(dut.clk, 100)
    dut.cfg_enable.value = 0  # in the first frame
    await ClockCycles(dut.clk, 200)
    dut.cfg_enable.value = 1  # in the second
    await bench.settle()
    assert [received.data for received in bench.frames] == [first, third]
    assert len(bench.events) == 2


@cocotb.test()
async def the_time_stamp_is_that_of_the_end_of_the_frame(dut):
    bench = await start(dut)

    async def tick():
        while True:
            await RisingEdge(dut.clk)
            dut.timestamp_ns.value = dut.timestamp_ns.value.integer + 40

    cocotb.start_soon(tick())
    await bench.send(frame(300))
    while not (dut.s_axis_tvalid.value and dut.s_axis_tlast.value and dut.s_axis_tready.value):
        await RisingEdge(dut.clk)
    end = dut.timestamp_ns.value.integer
    await bench.settle()
    assert end <= bench.frames[0].timestamp <= end + 5 * 40


@cocotb.test()
async def no_more_than_five_cycles_pass_between_two_frames(dut):
    """The MAC cannot wait: the queue in front of rx_path has to bridge this, and less for frames without an octet."""
    bench = await start(dut)
    for tuser, cycles in ((0, 5), (RUNT, 2)):
        for _ in range(20):
            await bench.send(frame(60), tuser)
        ends = []
        for cycle in itertools.count():
            await RisingEdge(dut.clk)
            if dut.s_axis_tvalid.value and dut.s_axis_tready.value and dut.s_axis_tlast.value:
                ends.append(cycle)
                if len(ends) == 20:
                    break
        length = 1 if tuser else 60
        assert {after - before for before, after in zip(ends, ends[1:])} == {length + cycles - 1}
        await bench.settle()


@cocotb.test()
async def random_frames_with_random_stalls_have_their_fate(dut):
    bench = await start(dut)
    for round_ in range(4):
        settings = {name: random.random() < 0.3 for name in ("promiscuous", "broadcast", "keep_bad")}
        for name, value in settings.items():
            getattr(dut, "cfg_" + name).value = value
        settings["max_frame"] = random.choice((300, 1518))
        dut.cfg_max_frame.value = settings["max_frame"]
        sent = []
        for _ in range(30):
            length = random.choice((random.randrange(1, 70), random.randrange(60, 400)))
            data = frame(length, random.choice((OWN, OWN, PEER, BROADCAST, GROUP)))
            tuser = random.choice((0, 0, 0, random.randrange(16)))
            sent.append((b"" if tuser & RUNT else data, tuser))
        density = random.random()
        bench.source.set_pause_generator(itertools.cycle((0, round_ % 2)))
        bench.reading = lambda: random.random() < 0.1 + density
        await send_all(bench, sent)
        await assert_all_as_expected(bench, sent, **settings)
