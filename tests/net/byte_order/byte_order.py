#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A machine that keeps its numbers the other way round sends, to the byte and the nanosecond, what this one sends."""
import argparse
import itertools
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"byte_order: {command[0]} exited {done.returncode}: {(done.stderr or done.stdout).strip()[-800:]}")
    return done.stdout


def trace(folder, *options, runner=()):
    run("cmake", "-S", HERE, "-B", folder, "-G", "Ninja", *options)
    run("cmake", "--build", folder)
    return run(*runner, folder / "trace").splitlines()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, required=True, metavar="DIR", help="where the programs are built")
    build = parser.parse_args().build
    ours = trace(build / "native")
    theirs = trace(build / "powerpc", "--toolchain", HERE / "toolchain.cmake", runner=["qemu-ppc"])
    for number, (one, other) in enumerate(itertools.zip_longest(ours, theirs)):
        if one != other:
            sys.exit(f"byte_order: frame {number}: here {one}, there {other}")
    print(f"{len(ours)} frames, the same on both")


if __name__ == "__main__":
    main()
