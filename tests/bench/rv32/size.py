#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Weighs host/net on RV32IM: builds the firmware of size.c, and prints the text of each source file beside the limits.

The linker compiles the stack as one, so a function that was inlined counts where it went: a file's figure is that of the
functions that are left of it. Text is what the size command calls so: code and constants.
"""
import argparse
import collections
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
NET = HERE.parents[2] / "host/net"
TOOLS = "riscv64-unknown-elf-"
LIMITS = {"protocols": 46 * 1024, "sockets": 10 * 1024}
SOCKETS = re.compile(r"socket|poll\.c")


def run(*command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]} exited {done.returncode}: {(done.stderr or done.stdout).strip()[-800:]}")
    return done.stdout


def build(folder, *targets):
    run("cmake", "-S", HERE, "-B", folder, "-G", "Ninja", "--toolchain", HERE / "toolchain.cmake", "-DCMAKE_BUILD_TYPE=Release")
    run("cmake", "--build", folder, "--target", *targets)


def home(symbol, line):
    """The source file of a symbol: by its debugging information, or, a constant has none, by its definition."""
    if line:
        path = pathlib.Path(line.rsplit(":", 1)[0])
        return path.name if path.parent.name == "net" or path.name == "size.c" else "libgcc, libc"
    name = re.escape(re.sub(r"\.(lto_priv|constprop|isra|part|cold)?\.?\d*$", "", symbol))
    homes = [path.name for path in NET.glob("*.c") if re.search(rf"^[^\n(]*\b{name}(\[\w*\])* = ", path.read_text(), re.M)]
    return homes[0] if len(homes) == 1 else "libgcc, libc"


def weigh(program):
    """Bytes of text by source file."""
    text = int(run(TOOLS + "size", program).splitlines()[1].split()[0])
    files, end = collections.Counter(), 0
    for line in run(TOOLS + "nm", "-n", "-S", "-l", program).splitlines():
        parts = re.match(r"([0-9a-f]+) ([0-9a-f]+) [tTrRwW] (\S+)(?:\t(.*))?$", line)
        if parts:  # functions that came out the same have been merged: several names, one place
            start, size = int(parts[1], 16), int(parts[2], 16)
            files[home(parts[3], parts[4])] += max(start + size - max(start, end), 0)
            end = max(end, start + size)
    files["strings, padding"] = text - sum(files.values())
    return files


def shares(files):
    sockets = sum(bytes for name, bytes in files.items() if SOCKETS.search(name))
    return {"protocols": sum(files.values()) - files["size.c"] - sockets, "sockets": sockets}


def main():
    parser = argparse.ArgumentParser(description="Weighs host/net on RV32IM, -Os, linked.")
    parser.add_argument("--build", type=pathlib.Path, required=True, help="folder to build in")
    parser.add_argument("--check", action="store_true", help="fail when a limit is passed")
    arguments = parser.parse_args()
    build(arguments.build, "size")
    files = weigh(arguments.build / "size")
    for name, size in sorted(files.items(), key=lambda row: (bool(SOCKETS.search(row[0])), -row[1])):
        if name != "size.c":
            print(f"{name:20} {size:7,}{'  sockets' if SOCKETS.search(name) else ''}")
    within = True
    for name, size in shares(files).items():
        print(f"{name:20} {size:7,} of {LIMITS[name]:,} bytes of text")
        within = within and size <= LIMITS[name]
    return 0 if within or not arguments.check else 1


if __name__ == "__main__":
    sys.exit(main())
