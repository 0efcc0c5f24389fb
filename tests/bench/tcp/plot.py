#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Draws what congestion control does on a path over time: goodput, the window and what is under way, the queue."""
import argparse
import json
import pathlib
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "constraints"))
import cli

SAMPLES = 300  # of each transfer
COLOURS = ("tab:blue", "tab:orange", "tab:green", "tab:red")

EPILOG = """settings: rate (bit/s; 0: no limit), delay_us (one way), queue (bytes), window (bytes of each socket buffer), drop (share of the data
frames), burst (frames lost in a row), reorder (share of them held back for reorder_us), start_s (between the starts of transfers
that share a path; losses begin after the last), seconds, seed; by default 100 Mb/s, 20 ms round trip, 250,000 bytes of queue, no losses, 30 s"""


def transfer(program, congestions, settings):
    """The result of recovery_bench, its samples parted by flow."""
    words = [f"{name}={value}" for name, value in settings.items()]
    done = cli.child(program, congestions, *words, f"samples={SAMPLES}")
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip().removeprefix("recovery_bench: ") or f"recovery_bench ended with {done.returncode}")
    result = json.loads(done.stdout)
    result["flows"] = [[sample for sample in result["samples"] if sample["flow"] == flow] for flow in range(len(result["goodput_mbps"]))]
    return result


def goodput(samples):
    """Mb/s between each sample and the one before."""
    pairs = list(zip(samples, samples[1:]))
    return [b["s"] for _, b in pairs], [8e-6 * (b["received"] - a["received"]) / (b["s"] - a["s"]) for a, b in pairs]


def draw_column(column, congestions, result):
    rates, windows, queue = column
    for name, samples, colour, mbps in zip(congestions.split(","), result["flows"], COLOURS, result["goodput_mbps"]):
        seconds = [sample["s"] for sample in samples]
        rates.plot(*goodput(samples), color=colour, label=f"{name}, {mbps:.1f} Mb/s", gid=f"{name} goodput")
        windows.plot(seconds, [sample["in_flight"] / 1024 for sample in samples], color=colour, linewidth=0.6, alpha=0.5, gid=f"{name} under way")
        windows.plot(seconds, [sample["cwnd"] / 1024 for sample in samples], color=colour, gid=f"{name} window")
    longest = max(result["flows"], key=len)
    queue.plot([sample["s"] for sample in longest], [sample["queue_ms"] for sample in longest], color="tab:gray", gid="queue")
    rates.legend(loc="lower right", fontsize="small")
    rates.set_title(f"{result['dropped']} dropped, {result['retransmitted']} sent again, {result['timeouts']} time-outs", fontsize="small")
    queue.set_xlabel("time, s")


def draw(results, settings, file):
    figure, axes = plt.subplots(3, len(results), figsize=(4.5 * len(results) + 0.5, 7), sharex=True, sharey="row", squeeze=False, layout="constrained")
    for column, (congestions, result) in zip(axes.T, results):
        draw_column(column, congestions, result)
    for axis, what in zip(axes[:, 0], ("goodput, Mb/s", "cwnd; under way (thin), KiB", "queue, ms")):
        axis.set_ylabel(what, fontsize="small")
        axis.set_ylim(bottom=0)
    figure.suptitle(", ".join(f"{name}={value}" for name, value in settings.items()), fontsize="small")
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, metadata={"Date": None} if file.suffix == ".svg" else None)


def main():
    parser = cli.Parser(prog="lanyard plot", description=__doc__, epilog=EPILOG)
    parser.add_argument("words", nargs="*", metavar="CONGESTION[,CONGESTION...] | NAME=VALUE",
                        help="a column for each path, with the transfers that share it (newreno, cubic, bbr; default: cubic newreno bbr); settings of all paths")
    parser.add_argument("--out", metavar="FILE", type=cli.output, default=ROOT / "out/plot.svg", help="where to draw: .svg, .png or .pdf (default: out/plot.svg)")
    parser.add_argument("--program", required=True, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.out.suffix not in (".svg", ".png", ".pdf"):
        parser.error(f"cannot write '{arguments.out}', expected a name that ends in .svg, .png or .pdf")

    settings = {"start_s": "1", "seconds": "30"} | dict(word.split("=", 1) for word in arguments.words if "=" in word)
    columns = [word for word in arguments.words if "=" not in word] or ["cubic", "newreno", "bbr"]
    results = []
    for congestions in columns:
        print(f"measuring {congestions} ...", file=sys.stderr)
        results.append((congestions, transfer(arguments.program, congestions, settings)))
    draw(results, settings, arguments.out)
    print(arguments.out)


if __name__ == "__main__":
    cli.run("lanyard plot", main, RuntimeError, ValueError)
