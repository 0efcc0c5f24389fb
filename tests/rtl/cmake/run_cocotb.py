# SPDX-License-Identifier: Apache-2.0
"""Compile Verilog sources and run the cocotb tests of one Python module on them: a test of add_cocotb_test."""

import argparse
import os
import sys
import warnings
from pathlib import Path

warnings.filterwarnings("ignore", message="Python runners")
from cocotb.runner import get_results, get_runner  # noqa: E402

BUILD_ARGS = {
    "icarus": ["-g2005", "-Wall"],
    "verilator": ["-Wno-fatal", "-O3"],
}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sim", choices=sorted(BUILD_ARGS), default="icarus", help="simulator")
    parser.add_argument("--top", required=True, help="module under test")
    parser.add_argument("--module", required=True, help="Python module that holds the tests")
    parser.add_argument("--path", type=Path, required=True, help="folder of the Python module")
    parser.add_argument("--build", type=Path, required=True, help="folder for everything that is made")
    parser.add_argument("--include", action="append", default=[], help="folder for `include")
    parser.add_argument("--parameter", action="append", default=[], metavar="NAME=VALUE", help="parameter of the top")
    parser.add_argument("sources", nargs="+", help="Verilog sources")
    return parser.parse_args()


def main():
    args = arguments()
    sys.path[:0] = [str(args.path), str(Path(__file__).parent.parent)]  # handed on to the simulator's interpreter
    waves = bool(int(os.environ.get("WAVES", "0")))

    runner = get_runner(args.sim)
    runner.build(
        sources=args.sources,
        includes=args.include,
        parameters=dict(item.split("=", 1) for item in args.parameter),
        build_args=BUILD_ARGS[args.sim],
        hdl_toplevel=args.top,
        build_dir=args.build,
        timescale=("1ns", "1ps"),
        always=True,
        waves=waves,
    )
    results = runner.test(
        test_module=args.module,
        hdl_toplevel=args.top,
        hdl_toplevel_lang="verilog",
        build_dir=args.build,
        test_dir=args.build,
        seed=os.environ.get("RANDOM_SEED", "1"),
        waves=waves,
    )
    tests, failures = get_results(results)
    if tests == 0:
        sys.exit(f"{args.module}: no cocotb test found")
    if failures:
        sys.exit(f"{args.module}: {failures} of {tests} tests failed")


if __name__ == "__main__":
    main()
