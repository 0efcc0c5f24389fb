# SPDX-License-Identifier: Apache-2.0
"""Hand every module under a folder to one tool, as a top of its own: as it is, and with each part of the card that has
a switch there switched off, or of another size. Whatever the tool has to say is a failure, but for sizes that no card can
have: those it must refuse with the sentence that stands for them."""

import argparse
import subprocess
import sys
from pathlib import Path

import synth

SIZES = {"nic": [{"TX_BUFFER_LOG2": 11, "RX_BUFFER_LOG2": 15}, {"TX_BUFFER_LOG2": 15, "RX_BUFFER_LOG2": 11}]}
REFUSED = {"nic": [({f"{way}_BUFFER_LOG2": size}, f"{way.lower()}_buffer_log2_must_be_11_to_15") for way in ("TX", "RX") for size in (10, 16)]}


def verilator(top, folders, _, settings):
    return ["verilator", "--lint-only", "-Wall", "--top-module", top.stem,
            *(f"-G{name}={value}" for name, value in settings.items()),
            *(arg for folder in folders for arg in ("-y", folder, f"+incdir+{folder}")), top]


def icarus(top, folders, _, settings):
    return ["iverilog", "-g2005", "-Wall", "-t", "null", "-s", top.stem,
            *(f"-P{top.stem}.{name}={value}" for name, value in settings.items()),
            *(arg for folder in folders for arg in ("-y", folder, "-I", folder)), top]


def yosys(top, folders, sources, settings):
    includes = " ".join(f"-I{folder}" for folder in folders)
    chparam = "".join(f"chparam -set {name} {value} {top.stem}; " for name, value in settings.items())
    return ["yosys", "-q", "-p",
            f"read_verilog {includes} {' '.join(map(str, sources))}; {chparam}hierarchy -check -top {top.stem}; proc;"
            " check -assert; select -assert-none t:$dlatch t:$adlatch t:$dlatchsr"]


def main():
    tools = {tool.__name__: tool for tool in (verilator, icarus, yosys)}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tool", choices=tools)
    parser.add_argument("folder", type=Path)
    args = parser.parse_args()

    sources = sorted(args.folder.rglob("*.v"))
    folders = sorted({file.parent for file in args.folder.rglob("*.v*")})
    if not sources:
        sys.exit(f"{args.folder}: no Verilog file found")
    bad, runs = [], 0
    for top in sources:
        off = [{name: 0} for name in synth.switches(top.stem)]
        good = [(settings, None) for settings in ({}, *off, *SIZES.get(top.stem, ()))]
        for settings, refusal in (*good, *REFUSED.get(top.stem, ())):
            run = subprocess.run(tools[args.tool](top, folders, sources, settings), stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT, text=True)
            runs += 1
            if run.returncode == 0 or refusal not in run.stdout if refusal else run.returncode or run.stdout.strip():
                bad.append(" ".join([top.name, *(f"{name}={value}" for name, value in settings.items())]))
                print(f"{bad[-1]}, exit status {run.returncode}:\n{run.stdout}")
    print(f"{args.tool}: {runs - len(bad)} of {runs} runs over {len(sources)} modules are clean")
    if bad:
        sys.exit(f"{args.tool} complains about " + ", ".join(bad))


if __name__ == "__main__":
    main()
