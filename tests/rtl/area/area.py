# SPDX-License-Identifier: Apache-2.0
"""Synthesise a module for the Artix-7 with Yosys, print what it takes, and fail where that is more than allowed.

LUTs used as memory or as shift registers count as the LUTs that they occupy."""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

LUTS = {
    "SRL16E": 1, "SRLC32E": 1,
    "RAM32X1S": 1, "RAM64X1S": 1, "RAM128X1S": 2, "RAM256X1S": 4,
    "RAM32X1D": 2, "RAM64X1D": 2, "RAM128X1D": 4,
    "RAM32M": 4, "RAM64M": 4,
}


def synthesise(top, folders, parameters):
    """Cells of the flattened netlist, by type."""
    settings = "".join(f" -set {name} {value}" for name, value in parameters)
    includes = " ".join(f"-I{folder}" for folder in folders)
    files = " ".join(str(file) for folder in folders for file in sorted(folder.glob("*.v")))
    with tempfile.NamedTemporaryFile("r", suffix=".json") as report:
        script = [f"read_verilog {includes} {files}"]
        if settings:
            script.append(f"chparam{settings} {top}")
        script += [f"synth_xilinx -family xc7 -flatten -top {top}", f"tee -q -o {report.name} stat -json"]
        subprocess.run(["yosys", "-q", "-p", "; ".join(script)], check=True)
        return json.load(report)["design"]["num_cells_by_type"]


def area(cells):
    def count(pattern):
        return sum(number for cell, number in cells.items() if re.fullmatch(pattern, cell))

    memory = sum(number * LUTS.get(cell, 0) for cell, number in cells.items())
    return {
        "LUT": count("LUT[1-6]") + memory,
        "LUT as memory": memory,
        "FF": count("FD[RSCP]E(_1)?"),
        "latches": count("LD[CP]E"),
        "RAMB36": count("RAMB36E1") + count("RAMB18E1") / 2,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--top", required=True)
    parser.add_argument("--parameter", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--max-lut", type=int, required=True)
    parser.add_argument("--max-ff", type=int, required=True)
    parser.add_argument("--max-ram", type=float, default=0, help="in RAMB36")
    parser.add_argument("folders", type=Path, nargs="+", help="folders of Verilog sources")
    args = parser.parse_args()

    used = area(synthesise(args.top, args.folders, [item.split("=", 1) for item in args.parameter]))
    print(f"{args.top}: " + ", ".join(f"{number:g} {what}" for what, number in used.items()))
    allowed = {"LUT": args.max_lut, "FF": args.max_ff, "RAMB36": args.max_ram, "latches": 0}
    too_much = [f"{used[what]:g} {what}, at most {most:g} expected"
                for what, most in allowed.items() if used[what] > most]
    if too_much:
        sys.exit(f"{args.top}: " + "; ".join(too_much))


if __name__ == "__main__":
    main()
