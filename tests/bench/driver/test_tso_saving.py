#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Segmentation by the card saves at least 90 % of the host's work per megabyte on headers and descriptors."""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

BENCH = pathlib.Path(__file__).resolve().parents[1] / "bench.py"
SAVING = 0.9


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    build = parser.parse_args().build
    with tempfile.NamedTemporaryFile(suffix=".json") as result:
        subprocess.run([sys.executable, "-B", BENCH, "driver", "--build", build, "--json", result.name], check=True)
        rows = {row["name"]: row["value"] for row in json.load(result)}
    tso, no_tso = rows["driver.tso_instr_per_mb"], rows["driver.no_tso_instr_per_mb"]
    if not 0 < tso <= (1 - SAVING) * no_tso:
        sys.exit(f"TSO costs {tso:.0f} instructions per MB, none {no_tso:.0f}: saves {1 - tso / no_tso:.1%}, expected {SAVING:.0%}")


if __name__ == "__main__":
    main()
