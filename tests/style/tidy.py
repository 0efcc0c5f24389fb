#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs clang-tidy once over each source of a folder, however many targets compile it.

Usage: tidy.py BUILD FOLDER. BUILD holds compile_commands.json; the settings are .clang-tidy at the root."""
import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path


def main():
    build, folder = (Path(argument).resolve() for argument in sys.argv[1:])
    # Clang does not know how GCC is told to optimise at link time, nor need it.
    commands = {entry["file"]: {**entry, "command": entry["command"].replace(" -fno-fat-lto-objects", "")} for entry in json.loads((build / "compile_commands.json").read_text())
                if folder in Path(entry["file"]).parents}
    if not commands:
        sys.exit(f"{build}/compile_commands.json: no source under {folder}")

    with tempfile.TemporaryDirectory() as database:
        (Path(database) / "compile_commands.json").write_text(json.dumps(list(commands.values())))

        def tidy(source):
            return subprocess.run(["clang-tidy", "--quiet", "-p", database, source], text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            results = list(pool.map(tidy, sorted(commands)))

    for result in results:
        print(result.stdout, end="")
    bad = sum(result.returncode != 0 for result in results)
    print(f"{len(results)} sources, {bad} with findings")
    sys.exit(bad != 0)


if __name__ == "__main__":
    main()
