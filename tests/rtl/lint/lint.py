# SPDX-License-Identifier: Apache-2.0
"""Hand every module under a folder, as a top of its own, to one tool; whatever the tool has to say is a failure."""

import argparse
import subprocess
import sys
from pathlib import Path


def verilator(top, folders, _):
    return ["verilator", "--lint-only", "-Wall", "--top-module", top.stem,
            *(arg for folder in folders for arg in ("-y", folder, f"+incdir+{folder}")), top]


def icarus(top, folders, _):
    return ["iverilog", "-g2005", "-Wall", "-t", "null", "-s", top.stem,
            *(arg for folder in folders for arg in ("-y", folder, "-I", folder)), top]


def yosys(top, folders, sources):
    includes = " ".join(f"-I{folder}" for folder in folders)
    return ["yosys", "-q", "-p",
            f"read_verilog {includes} {' '.join(map(str, sources))}; hierarchy -check -top {top.stem}; proc;"
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
    bad = []
    for top in sources:
        run = subprocess.run(tools[args.tool](top, folders, sources), stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True)
        if run.returncode or run.stdout.strip():
            bad.append(top.name)
            print(f"{top}, exit status {run.returncode}:\n{run.stdout}")
    print(f"{args.tool}: {len(sources) - len(bad)} of {len(sources)} modules are clean")
    if bad:
        sys.exit(f"{args.tool} complains about " + ", ".join(bad))


if __name__ == "__main__":
    main()
