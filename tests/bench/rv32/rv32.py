#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What host/net takes on RV32IM: bytes of text by source file, bytes a connection, instructions a segment.

Text is what the size command calls so, code and constants, of the firmware of size.c. The linker compiles the stack as one,
so a function that was inlined counts where it went: a file's figure is that of the functions that are left of it.
"""
import collections
import json
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[2] / "constraints"))
import cli

NET = HERE.parents[2] / "host/net"
TOOLS = "riscv64-unknown-elf-"
LIMITS = {"protocols": 46 * 1024, "sockets": 10 * 1024, "connection": 320, "tx": 1200, "rx": 1000}
SOCKETS = re.compile(r"socket|poll\.c")


def run(*command):
    done = cli.child(*command)
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]} exited {done.returncode}: {(done.stderr or done.stdout).strip()[-800:]}")
    return done.stdout


def build(folder, *options):
    run("cmake", "-S", HERE, "-B", folder, "-G", "Ninja", "--toolchain", HERE / "toolchain.cmake", "-DCMAKE_BUILD_TYPE=Release", *options)
    run("cmake", "--build", folder)


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


def size(folder):
    """Bytes of text by source file, and what they and a connection take together."""
    build(folder / "size")
    files = weigh(folder / "size/size")
    symbols = run(TOOLS + "nm", "-S", folder / "size/CMakeFiles/connection.dir/connection.c.obj")
    connection = int(re.search(r"^[0-9a-f]+ ([0-9a-f]+) \S connection_bytes$", symbols, re.M)[1], 16)
    return files, {**shares(files), "connection": connection}


def instructions(folder):
    """Instructions of the stack a segment, sent and received; sent also by a card that does not cut large segments."""
    build(folder / "speed", "-DFOR_SPEED=ON")

    def measure(program):
        text = run("qemu-system-riscv32", "-machine", "virt", "-m", "64M", "-display", "none", "-monitor", "none", "-serial", "stdio",
                   "-bios", "none", "-icount", "shift=0", "-kernel", folder / "speed" / program)
        counts = json.loads(text)
        return counts["sent"] / counts["segments"], counts["received"] / counts["segments"]

    sent, received = measure("run")
    return {"tx": sent, "rx": received, "tx_uncut": measure("run_uncut")[0]}


def main():
    parser = cli.Parser(prog="rv32", description="Measures host/net on RV32IM, and fails when a figure passes its limit.")
    parser.add_argument("--build", type=pathlib.Path, required=True, help="folder to build in")
    arguments = parser.parse_args()
    files, found = size(arguments.build)
    for name, bytes in sorted(files.items(), key=lambda row: (bool(SOCKETS.search(row[0])), -row[1])):
        if name != "size.c":
            print(f"{name:20} {bytes:7,}{'  sockets' if SOCKETS.search(name) else ''}")
    found.update(instructions(arguments.build))
    for name, value in found.items():
        print(f"{name:20} {round(value):7,} {'of ' + format(LIMITS[name], ',') if name in LIMITS else ''}")
    passed = [name for name, limit in LIMITS.items() if found[name] > limit]
    if passed:
        sys.exit(f"beyond the limit: {', '.join(passed)}")


if __name__ == "__main__":
    cli.run("rv32", main, RuntimeError)
