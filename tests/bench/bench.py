#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the measurements and prints each beside its peer or its limit. The rows' meaning: docs/bench.md.

Rows are taken by producers; a producer runs when a row of its is wanted. A row that cannot be taken here is left out
and the reason printed. Counts (instructions, cycles, simulated time) are the same on every machine; rows per wall second
are not, and say so in their unit.
"""
import argparse
import itertools
import json
import os
import pathlib
import re
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCENARIOS = ROOT / "tests/bench/scenarios"

sys.path[:0] = [str(ROOT / "constraints"), str(ROOT / "tests/bench/rv32")]
import cli
import rv32
import synth


class NotHere(Exception):
    """The measurement needs something that this machine does not have."""


def run(*command, **options):
    done = cli.child(*command, **options)
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]} exited {done.returncode}: {(done.stderr or done.stdout).strip()[-500:]}")
    return done.stdout


class Bench:
    def __init__(self, build, scratch):
        self.build, self.scratch = build, scratch

    def card(self, *arguments):
        return json.loads(run(self.build / "tests/bench/card/card_bench", *arguments))

    def simulate(self, scenario):
        result = self.scratch / "result.json"
        run(self.build / "sim/cli/lanyard", "sim", SCENARIOS / scenario, "--json", result)
        return json.loads(result.read_text())

    def instructions(self, *command, only=None, env=None, whole_run=True):
        """Instructions that a command executes: all, or those of the objects whose path matches `only`; of the whole run, or
        from where the command itself begins to count."""
        out = self.scratch / "callgrind.out"
        run("valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", *([] if whole_run else ["--instr-atstart=no"]),
            *command, env={**os.environ, **(env or {})}, cwd=self.scratch)
        if only is None:
            return int(re.search(r"^(?:summary|totals): (\d+)", out.read_text(), re.M).group(1))
        return sum(cost for name, cost in cost_by_object(out.read_text()) if re.search(only, name))


def cost_by_object(profile):
    """(object file, own instructions) pairs of a callgrind profile."""
    names, costs, current, is_call = {}, {}, None, False
    for line in profile.splitlines():
        named = re.match(r"(c?)ob=\((\d+)\)(?: (.*))?$", line)
        if named:
            if named[3]:
                names[named[2]] = named[3]
            if not named[1]:
                current = names[named[2]]
        elif line.startswith("calls="):
            is_call = True
        elif re.match(r"[+*\-\d]", line):
            if not is_call:
                costs[current] = costs.get(current, 0) + int(line.split()[1])
            is_call = False
    return costs.items()


def row(name, value, unit, better, how, peer=None, limit=None):
    result = {"name": name, "value": round(value, 3) if isinstance(value, float) else value, "unit": unit, "better": better}
    if peer is not None:
        result["peer"], result["peer_value"] = peer
    if limit is not None:
        result["limit"] = limit
    result["how"] = how
    return result


# Figures of peers are measurements of the named open cores and stacks with the same tools; docs/bench.md tells which.


def line_rate(bench):
    how = "card_bench rate: rings to wire and wire to rings at once, clk = 25 MHz, memory latency 8 cycles"
    short, full = bench.card("rate", 64, 4000), bench.card("rate", 1518, 500)
    yield row("card.frames_per_s_64", short["frames_per_s"], "frames/s", "higher", how, ("OpenCores ethmac", 148478), 148809.5)
    yield row("card.frames_per_s_1518", full["frames_per_s"], "frames/s", "higher", how, limit=8127.4)
    yield row("card.gap_nibbles", max(short["gap_nibbles_max"], full["gap_nibbles_max"]), "nibbles", "lower", how, limit=24)


def latency(bench):
    cycles = bench.card("latency")
    for name in ("tx_doorbell_to_preamble_cycles", "rx_sfd_to_irq_cycles"):
        yield row(f"card.{name}", cycles[name], "MII cycles", "lower", "card_bench latency: 64-byte frame, clk = 25 MHz, memory latency 8")


def area(bench):
    how = "lanyard synth: yosys synth_xilinx -family xc7 -flatten"
    card = synth.card_area("nic")
    for name, what in (("lut", "LUT"), ("ff", "FF"), ("bram36", "RAMB36")):
        yield row(f"card.{name}", card[what], what, "lower", how, limit=synth.budget("nic", {})[what])
    mac_only = {name: 0 for name in synth.switches("mac")}
    yield row("card.mac_lut", synth.card_area("mac", mac_only)["LUT"], "LUT", "lower", f"{how}, full duplex", ("verilog-ethernet eth_mac_mii", 306))
    small = {name: 0 for name in ("TSO", "VLAN", "PAUSE", "STATISTICS")}
    yield row("card.no_tso_lut", synth.card_area("nic", small)["LUT"], "LUT", "lower",
              f"{how}, {' '.join(f'{name}=0' for name in small)}", limit=synth.budget("nic", small)["LUT"])


def simulation_cost(bench):
    program = bench.build / "tests/bench/card/card_bench"
    how = "callgrind on card_bench, difference of two run lengths"

    def difference(mode, short, long):
        cost = bench.instructions(program, *mode, long) - bench.instructions(program, *mode, short)
        cycles = (bench.card(*mode, long), bench.card(*mode, short))
        return cost, [sum(run[key] for key in ("ticked", "skipped")) for run in cycles]

    cost, (long, short) = difference(("rate", 1518), 20, 120)
    yield row("sim.instr_per_mii_cycle_busy", cost / (long - short), "instructions", "lower", how, ("OpenCores ethmac in Verilator", 7048))
    cost, (long, short) = difference(("idle",), 1000, 1001000)
    yield row("sim.instr_per_mii_cycle_idle", cost / (long - short), "instructions", "lower", how, limit=0)


def segmentation(bench):
    program = bench.build / "tests/bench/driver/driver_bench"
    how = "callgrind on driver_bench: stack's offload and driver, 64,000 bytes a packet; difference of two run lengths, less the making of packets"
    short, long = 4, 54

    def per_mb(mode):
        cost = [bench.instructions(program, mode, packets, only="driver_bench$|/libc[.-]") for packets in (short, long)]
        seen = [json.loads(run(program, mode, packets)) for packets in (short, long)]
        megabytes = (seen[1]["payload"] - seen[0]["payload"]) / 1e6
        return (cost[1] - cost[0]) / megabytes, (seen[1]["descriptors"] - seen[0]["descriptors"]) / megabytes

    made, _ = per_mb("build")
    cut_by_card, cut_by_stack = per_mb("tso"), per_mb("no-tso")
    yield row("driver.tso_instr_per_mb", cut_by_card[0] - made, "instructions", "lower", how, ("without TSO", round(cut_by_stack[0] - made)))
    yield row("driver.no_tso_instr_per_mb", cut_by_stack[0] - made, "instructions", "lower", how)
    yield row("driver.tso_descriptors_per_mb", cut_by_card[1], "descriptors", "lower", how, ("without TSO", round(cut_by_stack[1])))
    yield row("driver.no_tso_descriptors_per_mb", cut_by_stack[1], "descriptors", "lower", how)


def half_duplex(bench):
    def share(*arguments):
        return json.loads(run(bench.build / "tests/bench/csma/csma_bench", "share", *arguments))

    how = "csma_bench share: {} MACs under permanent load, 1518-byte frames, 10 s at 10 Mb/s"
    yield row("csma.jain", share(2, 25_000_000, 1518)["jain"], "Jain index", "higher", how.format(2), limit=0.95)
    yield row("csma.efficiency_5", share(5, 25_000_000, 1518)["efficiency"], "share of the capacity", "higher", how.format(5), limit=1)


def goodput(bench):
    result = bench.simulate("bulk.toml")
    source = next(app for app in result["applications"] if app["application"].startswith("bulk-source"))
    yield row("tcp.goodput_clean_mbps", source["goodput_bps"] / 1e6, "Mb/s, simulated", "higher", "lanyard sim bulk.toml: card to card, 100 Mb/s cable", limit=94.15)


def idle_hour(bench):
    start = time.monotonic()
    bench.simulate("idle-hour.toml")
    yield row("sim.idle_hour_wall_s", time.monotonic() - start, "wall seconds on this machine", "lower", "lanyard sim idle-hour.toml: two hosts, nothing to do")


def demo(bench):
    run(bench.build / "sim/cli/lanyard", "demo", "--out", bench.scratch / "demo")
    summary = json.loads((bench.scratch / "demo/report.json").read_text())["summary"]
    yield row("sim.demo_bytes_per_wall_s", summary["fetched_bytes"] / summary["fetch_wall_s"], "bytes per wall second on this machine", "higher", "lanyard demo")


def crossconnect(bench):
    """The harness that joins two copies of a stack, and this stack as its plug-in."""
    folder = bench.build / "tests/bench/stack"
    if not (folder / "CMakeFiles/crossconnect.dir").exists():
        raise NotHere("the cross-connect bench is not on this machine")
    run("cmake", "--build", bench.build, "--target", "crossconnect", "crossconnect_stack")
    return folder / "crossconnect", folder / "crossconnect_stack.so"


def stack(bench):
    harness, plugin = crossconnect(bench)
    no_rep = "glibc.cpu.x86_rep_movsb_threshold=100000000:glibc.cpu.x86_rep_stosb_threshold=100000000"
    segments = re.compile(r"data_frames=(\d+)")

    def cost(per, *mode, window=65536, **switches):
        env = {"GLIBC_TUNABLES": no_rep, "LANYARD_WINDOW": str(window), **{f"LANYARD_{name.upper()}": "1" for name, on in switches.items() if on}}
        command = (harness, "-s", *mode, plugin)
        count = per(run(*command, env={**os.environ, **env}, cwd=bench.scratch))
        # The stack's own object is the harness's private copy of it; the C library's part belongs to it too.
        return bench.instructions(*command, only=r"\.copy-|/libc[.-]", env={**env, "HX_KEEP": "1"}, whole_run=False) / count

    def per_segment(text):
        return int(segments.search(text)[1])

    how = "callgrind over the cross-connect bench, both ends"

    def echo(**switches):
        return cost(lambda _: 5000, "-m", "pp", "-n", 5000, **switches)

    def in_flight(window, one_way_us):
        """At 1 Gb/s, with as much under way as the window holds."""
        path = ("-m", "bulk", "-n", 20, "-R", "1e9", "-D", one_way_us, "-Q", 4000000)
        return cost(per_segment, *path, offload=True, window=window)

    yield row("stack.instr_per_segment_csum", cost(per_segment, "-m", "bulk", "-n", 20), "instructions", "lower", how, ("smoltcp", 5575))
    yield row("stack.instr_per_segment_offload", cost(per_segment, "-m", "bulk", "-n", 20, offload=True), "instructions", "lower", how, ("lwIP", 3269))
    yield row("stack.instr_per_roundtrip_64", echo(offload=True), "instructions", "lower", how, ("smoltcp", 4703))
    yield row("stack.instr_per_roundtrip_64_udp", echo(offload=True, udp=True), "instructions", "lower", f"{how}; what is not TCP")
    few, many = in_flight(64 << 10, 250), in_flight(1 << 20, 4000)
    yield row("stack.instr_per_segment_64k_in_flight", few, "instructions", "lower", f"{how}, 1 Gb/s, round trip 0.5 ms")
    yield row("stack.instr_per_segment_1m_in_flight", many, "instructions", "lower", f"{how}, 1 Gb/s, round trip 8 ms", ("with 64 KiB", round(few)))


def demultiplexing(bench):
    program = bench.build / "tests/bench/stack/demux_bench"
    how = "callgrind on demux_bench: a connection drawn at random is found; difference of two run lengths"
    lwip = {1: 210, 100: 1166, 10000: 98292}
    short, long = 1000, 101000
    for connections in (1, 100, 10_000, 100_000):
        cost = bench.instructions(program, connections, long) - bench.instructions(program, connections, short)
        yield row(f"stack.demux_instr_{connections}", cost / (long - short), "instructions", "lower", how,
                  ("lwIP", lwip[connections]) if connections in lwip else None, 200)
    yield row("stack.bytes_per_idle_connection", json.loads(run(program, 1, 0))["connection_bytes"], "bytes", "lower",
              "lan_stack_size() of 131,072 connections less that of 65,536: the TCB and its share of the tables", limit=512)


LOSSES = ("0", "0_1", "1", "5")  # per cent, as in the names of rows
CONGESTIONS = ("cubic", "newreno", "bbr")
SEEDS = range(1, 6)


def share(percent):
    return float(percent.replace("_", ".")) / 100


def mean(values):
    return sum(values) / len(values)


def recovery(bench):
    harness, plugin = crossconnect(bench)
    how = "cross-connect bench, virtual time: 100 Mb/s, 20 ms round trip, 250 kB queue, {} KiB windows, 60 s, mean of five seeds"
    path = ("-s", "-m", "loss", "-n", 1000000, "-T", 60, "-R", "1e8", "-D", 10000, "-Q", 250000)

    def transfer(congestion, loss, seed, window_kib):
        env = {**os.environ, "LANYARD_OFFLOAD": "1", "LANYARD_WINDOW": str(window_kib << 10), "LANYARD_CONGESTION": congestion}
        text = run(harness, *path, "-p", loss, "-S", seed, plugin, env=env, cwd=bench.scratch)
        return float(re.search(r"goodput=([\d.]+)", text)[1]), int(re.search(r"timeouts=(\d+)", text)[1])

    def goodput(name, congestion, percent, peer, window_kib=512):
        runs = [transfer(congestion, share(percent), seed, window_kib) for seed in SEEDS]
        yield row(f"tcp.goodput_{name}_mbps", mean([mbps for mbps, _ in runs]), "Mb/s, simulated", "higher", how.format(window_kib), peer)
        if percent == "1" and window_kib == 512:
            yield row(f"tcp.timeouts_{congestion}_1pct", max(timeouts for _, timeouts in runs), "time-outs in 60 s, worst seed", "lower", how.format(window_kib), limit=1)

    cubic, bbr = ("Linux CUBIC", (93.4, 22.0, 5.2, 1.95)), ("Linux BBR", (91.3, 91.7, 90.6, 85.0))
    for congestion, (peer, figures) in zip(CONGESTIONS, (cubic, cubic, bbr)):
        for percent, figure in zip(LOSSES, figures):
            yield from goodput(f"{congestion}_{percent}pct", congestion, percent, (peer, figure))
    for percent, figure in zip(("1", "5"), bbr[1][2:]):
        yield from goodput(f"bbr_{percent}pct_1mib", "bbr", percent, ("Linux BBR", figure), 1024)


def other_paths(bench):
    """A long path, losses in bursts, reordering, and two flows of a kind; beside NewReno."""
    run("cmake", "--build", bench.build, "--target", "recovery_bench")

    def figures(congestions, **options):
        words = [f"{name}={value}" for name, value in options.items()]
        return json.loads(run(bench.build / "tests/bench/tcp/recovery_bench", congestions, *words))

    def transfer(congestions, **options):
        return figures(congestions, **options)["goodput_mbps"]

    def resent(congestion, late, ms):
        runs = [figures(congestion, reorder=late, reorder_us=1000 * ms, seed=seed) for seed in SEEDS]
        return mean([max(0, r["retransmitted"] - r["dropped"]) / r["held_back"] for r in runs])

    def goodput(congestion, **options):
        return mean([transfer(congestion, seed=seed, **options)[0] for seed in SEEDS])

    how = "recovery_bench, virtual time: 100 Mb/s, {} round trip, 250 kB queue, {} windows, 60 s, mean of five seeds"
    near, far = how.format("20 ms", "512 KiB"), how.format("100 ms", "2,560 KiB")
    paths = [(f"100ms_{percent}pct", far, {"delay_us": 50000, "window": 2560 << 10, "drop": share(percent)}) for percent in LOSSES]
    paths.append(("bursts", f"{near}; 1 % of the data frames lost, eight in a row", {"drop": 0.01, "burst": 8}))
    paths.append(("reorder", f"{near}; 5 % of the data frames 1 ms late", {"reorder": 0.05, "reorder_us": 1000}))
    for name, path, options in paths:
        newreno = goodput("newreno", **options)
        for congestion in CONGESTIONS:
            value = newreno if congestion == "newreno" else goodput(congestion, **options)
            yield row(f"tcp.goodput_{congestion}_{name}_mbps", value, "Mb/s, simulated", "higher", path, ("NewReno", round(newreno, 2)))
    for congestion, percent in itertools.product(CONGESTIONS, (1, 5)):
        yield row(f"tcp.resent_{congestion}_reorder_{percent}pct", max(resent(congestion, percent / 100, ms) for ms in (2, 5, 10, 18)),
                  "segments for each that is late", "lower", f"{near}; {percent} % of the data frames 2, 5, 10 or 18 ms late, the worst of these", limit=0.3)
    for congestion in CONGESTIONS:
        flows = [transfer(f"{congestion},{congestion}", start_s=start_s, seed=seed) for seed, start_s in zip(SEEDS, (0.5, 1, 2, 3, 5))]
        worst = min((a + b) ** 2 / (2 * (a * a + b * b)) for a, b in flows)
        yield row(f"tcp.jain_{congestion}", worst, "Jain index of two flows", "higher",
                  "recovery_bench, virtual time: 100 Mb/s, 20 ms round trip, 250 kB queue, 60 s, the worst of five; the second begins 0.5 to 5 s later", limit=0.9)


def rv32_size(bench):
    how = "rv32.py: RV32IM, gcc -Os (flags: tests/bench/rv32/CMakeLists.txt) with the linker's optimisation, sections collected, size(1)'s text"
    files, found = rv32.size(bench.build.parent / "rv32")
    for name, size in sorted(files.items(), key=lambda file: -file[1]):
        if name != "size.c":
            yield row(f"size.{name.replace(', ', '_').replace('.', '_')}", size, "bytes", "lower", how)
    yield row("size.protocols", found["protocols"], "bytes", "lower", how, limit=rv32.LIMITS["protocols"])
    yield row("size.sockets", found["sockets"], "bytes", "lower", how, limit=rv32.LIMITS["sockets"])
    yield row("stack.rv32_text_bytes", found["protocols"], "bytes", "lower", how, limit=rv32.LIMITS["protocols"])
    yield row("stack.rv32_socket_text_bytes", found["sockets"], "bytes", "lower", how, limit=rv32.LIMITS["sockets"])
    yield row("stack.rv32_bytes_per_connection", found["connection"], "bytes", "lower", "size of the TCB", limit=rv32.LIMITS["connection"])


def rv32_cost(bench):
    how = "minstret of QEMU's virt machine under -icount, gcc -O2, no copy, checksums left to a card"
    found = rv32.instructions(bench.build.parent / "rv32")
    yield row("stack.rv32_instr_per_segment_tx", found["tx"], "instructions", "lower", f"{how} that cuts large segments", ("lwIP", 1845))
    yield row("stack.rv32_instr_per_segment_rx", found["rx"], "instructions", "lower", how, ("lwIP", 1400))
    yield row("stack.rv32_instr_per_segment_tx_uncut", found["tx_uncut"], "instructions", "lower", f"{how} that does not cut", ("lwIP", 1845))


PRODUCERS = {
    line_rate: ("card.frames_per_s_64", "card.frames_per_s_1518", "card.gap_nibbles"),
    latency: ("card.tx_doorbell_to_preamble_cycles", "card.rx_sfd_to_irq_cycles"),
    area: ("card.lut", "card.ff", "card.bram36", "card.mac_lut", "card.no_tso_lut"),
    half_duplex: ("csma.jain", "csma.efficiency_5"),
    simulation_cost: ("sim.instr_per_mii_cycle_busy", "sim.instr_per_mii_cycle_idle"),
    segmentation: ("driver.tso_instr_per_mb", "driver.tso_descriptors_per_mb", "driver.no_tso_instr_per_mb", "driver.no_tso_descriptors_per_mb"),
    demo: ("sim.demo_bytes_per_wall_s",),
    idle_hour: ("sim.idle_hour_wall_s",),
    goodput: ("tcp.goodput_clean_mbps",),
    recovery: tuple(f"tcp.goodput_{congestion}_{percent}pct_mbps" for congestion in CONGESTIONS for percent in LOSSES)
    + tuple(f"tcp.timeouts_{congestion}_1pct" for congestion in CONGESTIONS)
    + ("tcp.goodput_bbr_1pct_1mib_mbps", "tcp.goodput_bbr_5pct_1mib_mbps"),
    other_paths: tuple(f"tcp.goodput_{congestion}_{path}_mbps" for path in ("100ms_0pct", "100ms_0_1pct", "100ms_1pct", "100ms_5pct", "bursts", "reorder") for congestion in CONGESTIONS)
    + tuple(f"tcp.resent_{congestion}_reorder_{percent}pct" for congestion in CONGESTIONS for percent in (1, 5))
    + tuple(f"tcp.jain_{congestion}" for congestion in CONGESTIONS),
    demultiplexing: tuple(f"stack.demux_instr_{connections}" for connections in (1, 100, 10_000, 100_000))
    + ("stack.bytes_per_idle_connection",),
    stack: ("stack.instr_per_segment_csum", "stack.instr_per_segment_offload", "stack.instr_per_roundtrip_64", "stack.instr_per_roundtrip_64_udp",
            "stack.instr_per_segment_64k_in_flight", "stack.instr_per_segment_1m_in_flight"),
    rv32_size: ("stack.rv32_text_bytes", "stack.rv32_socket_text_bytes", "stack.rv32_bytes_per_connection", "size."),
    rv32_cost: ("stack.rv32_instr_per_segment_tx", "stack.rv32_instr_per_segment_rx", "stack.rv32_instr_per_segment_tx_uncut"),
}


def beside(measured):
    if "peer" in measured:
        return f"{measured['peer_value']:,} {measured['peer']}"
    if "limit" in measured:
        return f"{measured['limit']:,} limit"
    return ""


def main():
    parser = cli.Parser(prog="lanyard bench", description="Measures, each row beside its peer or its limit.")
    parser.add_argument("name", nargs="?", default="", help="prefix of the rows wanted, such as card or sim.idle (default: all)")
    parser.add_argument("--json", metavar="FILE", type=cli.output, help="write the rows as one JSON array")
    parser.add_argument("--build", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    arguments = parser.parse_args()

    wanted = [producer for producer, names in PRODUCERS.items() if any(name.startswith(arguments.name) for name in names)]
    if not wanted:
        families = sorted({name.split(".")[0] for names in PRODUCERS.values() for name in names})
        parser.error(f"no row begins with '{arguments.name}', expected one of docs/bench.md, or of {', '.join(families)}")

    build, rows = arguments.build.resolve(), []
    with tempfile.TemporaryDirectory(prefix="bench-", dir=build) as scratch:
        bench = Bench(build, pathlib.Path(scratch))
        for producer in wanted:
            print(f"measuring {', '.join(PRODUCERS[producer])} ...", file=sys.stderr)
            try:
                rows += [found for found in producer(bench) if found["name"].startswith(arguments.name)]
            except NotHere as reason:
                print(f"left out: {reason}", file=sys.stderr)

    width = max((len(found["name"]) for found in rows), default=0)
    for found in rows:
        print(f"{found['name']:{width}}  {found['value']:>14,} {found['unit']:<36} {beside(found)}")
    if arguments.json:
        cli.write(arguments.json, json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    cli.run("lanyard bench", main, RuntimeError, synth.SynthesisError)
