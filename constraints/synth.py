#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Synthesises the card for the Artix-7 with Yosys and prints what each module takes, beside the budget.

Every module stands for itself, with its own parameters in the card and all that it holds. A flattened whole shares and
simplifies, so modules do not add up to it. LUTs used as memory or shift registers count as the LUTs that they occupy.
Exit status: 0 within the budget, 1 over it, 2 for a wrong command line.
"""
import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import re
import sys
import tempfile
import time

import cli

RTL = pathlib.Path(__file__).resolve().parents[1] / "rtl"

# The most that a module may take when these parameters have these values; what is not named is not limited.
Budget = collections.namedtuple("Budget", "top parameters limits")
BUDGETS = (
    Budget("nic", {}, {"LUT": 3600, "FF": 3200, "RAMB36": 12}),
    Budget("nic", {"TSO": 0, "VLAN": 0, "PAUSE": 0, "STATISTICS": 0}, {"LUT": 2400}),
    Budget("mac", {"HALF_DUPLEX": 0}, {"LUT": 306, "FF": 195, "RAMB36": 0}),
)
NEVER = {"latches": 0}

# What synth_xilinx would read for each module again.
LIBRARIES = (("-specify", "cells_sim"), ("", "cells_xtra"))
# Runs of Yosys for the parts of a table: reading the libraries takes longer than a small module.
BATCHES = 4

LUTS = {
    "SRL16E": 1, "SRLC32E": 1,
    "RAM32X1S": 1, "RAM64X1S": 1, "RAM128X1S": 2, "RAM256X1S": 4,
    "RAM32X1D": 2, "RAM64X1D": 2, "RAM128X1D": 4,
    "RAM32M": 4, "RAM64M": 4,
}


class SynthesisError(Exception):
    """What Yosys had to say."""


def sources():
    return sorted(RTL.glob("*/*.v"))


def parameters(module):
    """Names and defaults, as they stand in the module's source."""
    source, = (file for file in sources() if file.stem == module)
    return dict(re.findall(r"^\s*parameter\s+(?:\[[^]]*\]\s*)?(\w+)\s*=\s*([^\s,/]+)", source.read_text(), re.M))


def switches(module):
    """The parameters that turn a part of the card on (1, the default) and off (0)."""
    return [name for name in parameters("nic") if parameters(module).get(name) == "1"]


# Yosys runs in rtl/ and takes names relative to it: it knows no way to write a space in those of -I.
def yosys(*commands):
    done = cli.child("yosys", "-q", "-p", "; ".join(commands), cwd=RTL)
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise SynthesisError(said[-1] if said else f"Yosys ended with {done.returncode}")


def elaborate(top, settings):
    """Commands that read the sources and leave `top` and what it holds, each module with its parameters."""
    includes = " ".join(f"-I{folder}" for folder in sorted({file.parent.relative_to(RTL) for file in RTL.glob("*/*.vh")}))
    files = " ".join(str(file.relative_to(RTL)) for file in sources())
    chparam = [f"chparam -set {name} {value} {top}" for name, value in settings.items()]
    return [f"read_verilog {includes} {files}", *chparam, f"hierarchy -check -top {top}", "proc"]


def area(cells):
    def count(pattern):
        return sum(number for cell, number in cells.items() if re.fullmatch(pattern, cell))

    memory = sum(number * LUTS.get(cell, 0) for cell, number in cells.items())
    return {
        "LUT": count("LUT[1-6]") + memory,
        "LUT RAM": memory,
        "FF": count("FD[RSCP]E(_1)?"),
        "RAMB36": count("RAMB36E1") + count("RAMB18E1") / 2,
        "latches": count("LD[CP]E"),
    }


def synthesise(tops, elaboration, scratch):
    """Area of some modules, each flattened and by itself. A report a module appears below the folder `scratch`."""
    folder = tempfile.mkdtemp(dir=scratch)
    reports = [pathlib.Path(folder, f"{number}.json") for number, _ in enumerate(tops)]
    commands = [*(f"read_verilog -lib {option} +/xilinx/{file}.v" for option, file in LIBRARIES), *elaboration, "design -save all"]
    for top, file in zip(tops, reports):
        commands += ["design -load all", f"hierarchy -check -top {top}",
                     "synth_xilinx -family xc7 -flatten -run prepare:", f"tee -q -o {file} stat -json"]
    yosys(*commands)
    return {top: area(json.loads(file.read_text())["design"]["num_cells_by_type"]) for top, file in zip(tops, reports)}


def card_area(top="nic", settings=None):
    """What one module takes, and nothing else."""
    with tempfile.TemporaryDirectory() as scratch:
        return synthesise([top], elaborate(top, settings or {}), scratch)[top]


def table(top, settings, progress):
    """Rows of name and area: the modules that `top` holds by path, `top` itself last."""
    elaboration = elaborate(top, settings)
    with tempfile.TemporaryDirectory() as scratch:
        netlist = pathlib.Path(scratch, "netlist")
        yosys(*elaboration, f"write_json {netlist}")
        names = labels(json.loads(netlist.read_text())["modules"])
        *parts, whole = sorted(names, key=lambda name: (names[name] == names[top], names[name]))
        batches = [[whole], *filter(None, (parts[first::BATCHES] for first in range(BATCHES)))]
        areas = {}
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            running = {pool.submit(synthesise, batch, elaboration, scratch) for batch in batches}
            try:
                while running:
                    done, running = concurrent.futures.wait(running, 0.5, concurrent.futures.FIRST_EXCEPTION)
                    for batch in done:
                        areas.update(batch.result())
                    progress(f"{len(list(pathlib.Path(scratch).glob('*/*.json')))} of {len(names)} modules")
            finally:
                pool.shutdown(cancel_futures=True)
    return [(names[name], areas[name]) for name in [*parts, whole]]


def labels(modules):
    """Path below rtl/ by name in the netlist, with the parameters in which modules of one source differ."""
    variants = collections.defaultdict(list)
    for name, module in modules.items():
        variants[str(pathlib.Path(module["attributes"]["src"].split(":")[0]).with_suffix(""))].append(name)
    found = {}
    for path, names in variants.items():
        values = {name: modules[name].get("parameter_default_values", {}) for name in names}
        telling = [key for key in values[names[0]] if len({values[name].get(key) for name in names}) > 1]
        for name in names:
            found[name] = " ".join([path, *(f"{key}={int(values[name][key], 2)}" for key in telling)])
    return found


def budget(top, settings):
    """All limits that hold for `top` with these parameters; the tightest of each."""
    limits = dict(NEVER)
    for rule in BUDGETS:
        if rule.top == top and rule.parameters.items() <= settings.items():
            limits.update((what, min(most, limits.get(what, most))) for what, most in rule.limits.items())
    return limits


def excess(used, limits):
    return [f"{used[what]:g} {what}, at most {most} expected" for what, most in limits.items() if used[what] > most]


def report(rows, limits):
    names = list(rows[-1][1])
    lines = [("", names)] + [(name, [f"{used[what]:,g}" for what in names]) for name, used in rows]
    lines.append(("at most", [f"{limits[what]:,}" if what in limits else "" for what in names]))
    width = max(len(name) for name, _ in lines)
    return "\n".join(f"{name:{width}}" + "".join(f"{value:>9}" for value in values) for name, values in lines)


class Progress:
    """One changing line on a terminal; elsewhere a line every ten seconds."""

    def __init__(self):
        self.told = time.monotonic()

    def __call__(self, text):
        if sys.stderr.isatty():
            print(f"\r\033[Ksynthesising: {text}", end="", file=sys.stderr, flush=True)
        elif time.monotonic() - self.told >= 10:
            self.told = time.monotonic()
            print(f"synthesising: {text}", file=sys.stderr, flush=True)

    def end(self):
        if sys.stderr.isatty():
            print("\r\033[K", end="", file=sys.stderr, flush=True)


def read_settings(words, known, top, fail):
    settings = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not value.isdecimal():
            fail(f"'{word}', expected NAME=VALUE with a decimal value")
        if name not in known:
            fail(f"{top} has no parameter '{name}', expected one of {', '.join(known) or 'none'}")
        settings[name] = int(value)
    return settings


def main():
    parser = cli.Parser(prog="lanyard synth", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.usage = "%(prog)s [NAME=VALUE...] [--top MODULE] [--whole] [--json FILE]"
    parser.add_argument("settings", nargs="*", metavar="NAME=VALUE", help="a parameter of the module, such as STATISTICS=0")
    parser.add_argument("--top", default="nic", metavar="MODULE", help="a module of rtl/ instead of the whole card")
    parser.add_argument("--whole", action="store_true", help="the module's own line only")
    parser.add_argument("--json", metavar="FILE", type=cli.output, help="write the table as JSON")
    arguments = parser.parse_args()
    modules = [file.stem for file in sources()]
    if arguments.top not in modules:
        parser.error(f"no module '{arguments.top}', expected one of {', '.join(modules)}")
    settings = read_settings(arguments.settings, parameters(arguments.top), arguments.top, parser.error)

    progress = Progress()
    progress("reading")
    if arguments.whole:
        rows = [(arguments.top, card_area(arguments.top, settings))]
    else:
        rows = table(arguments.top, settings, progress)
    progress.end()
    limits = budget(arguments.top, settings)
    print(report(rows, limits))
    if arguments.json:
        cli.write(arguments.json, json.dumps({
            "top": arguments.top, "parameters": settings, "budget": limits,
            "modules": [{"name": name, **used} for name, used in rows]}, indent=2) + "\n")
    over = excess(rows[-1][1], limits)
    if over:
        sys.exit(f"lanyard synth: {arguments.top} is over its budget: " + "; ".join(over))


if __name__ == "__main__":
    cli.run("lanyard synth", main, SynthesisError)
