# SPDX-License-Identifier: Apache-2.0
"""Prove the properties of one proof, reach its covers, or show that a mutation of the design breaks it.

Yosys makes a model of the proof's top module and the design; ABC searches it. A counterexample is simulated by Yosys,
which names the property that fails and leaves a waveform. README.md says how a proof is written."""

import argparse
import re
import subprocess
import sys
import tomllib
from pathlib import Path

HERE = Path(__file__).parent


def run(command, log, **options):
    """The output of a command, kept in `log` too. ABC ends with 0 whatever it finds, so who calls must look."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    log.write_text(done.stdout)
    return done.stdout


class Proof:
    def __init__(self, spec, rtl, build):
        self.settings = tomllib.loads(spec.read_text())
        self.name = spec.stem
        self.models = [spec.with_name(name) for name in [spec.stem + ".v", *self.settings.get("models", [])]]
        self.rtl = rtl
        self.build = build
        self.sources = {name: rtl / name for name in self.settings["sources"]}
        build.mkdir(parents=True, exist_ok=True)

    def mutate(self, mutation):
        """Replace one piece of one design file by another, in a copy."""
        original = self.sources[mutation["file"]]
        text = original.read_text()
        found = text.count(mutation["find"])
        if found != 1:
            sys.exit(f"{original}: {found} places read {mutation['find']!r}, expected 1")
        copy = self.build / original.name
        copy.write_text(text.replace(mutation["find"], mutation["replace"]))
        self.sources[mutation["file"]] = copy

    def model(self, covers=False):
        """Write model.aig, in which an assertion that can fail (or a cover that can be reached) is a bad state."""
        includes = " ".join(f"-I{folder}" for folder in sorted({file.parent for file in self.rtl.rglob("*.vh")}))
        other = "chformal -assert -remove" if covers else "chformal -cover -remove"
        script = [
            f"read_verilog -formal {includes} {' '.join(map(str, [*self.models, *self.sources.values()]))}",
            f"hierarchy -check -top {self.name}_proof",
            "proc; memory -nomap; memory_map",
            "flatten; setundef -undriven -anyseq",
            "dffunmap" + (f"; techmap -map {HERE / 'ticks.v'}" if self.settings.get("clocks") else ""),
            "opt -full -nodffe -nosdff",
            other,
            f"techmap -map {HERE / 'cover.v'}" if covers else "write_rtlil model.il",
            "techmap; opt -full -nodffe -nosdff; aigmap; opt_clean",
            "write_aiger -zinit -no-startoffset -map model.aim model.aig",
        ]
        output = run(["yosys", "-p", "; ".join(script)], self.build / "yosys.log", cwd=self.build)
        error = re.search(r"ERROR: .*", output)
        if error:
            sys.exit(f"{self.name}: yosys: {error[0]}")

    def abc(self, command):
        script = f"read_aiger model.aig; fold; strash; {command}"
        return run(["yosys-abc", "-c", script], self.build / "abc.log", cwd=self.build)

    def check(self, bound=None):
        """None if every assertion holds: in the first `bound` cycles, or for ever. Else which one fails, and when."""
        self.model()
        search = f"bmc3 -F {bound}" if bound else "pdr"
        output = self.abc(f"{search}; write_cex -a model.aiw")
        failed = re.search(r"asserted in frame +(\d+)", output)
        if failed:
            return f"{self.replay()} in cycle {failed[1]}"
        if ("No output asserted in" if bound else "Property proved") not in output:
            sys.exit(f"{self.name}: abc came to no result; its output is in {self.build / 'abc.log'}")
        return None

    def replay(self):
        """Simulate ABC's counterexample: leaves trace.vcd, and returns what fails."""
        witness = self.build / "model.aiw"
        witness.write_text("1\nb0\n" + witness.read_text().replace("# DONE", "") + "\n.\n")
        clock = "-zinit -multiclock" if self.settings.get("clocks") else "-clock clk"
        output = run(["yosys", "-q", "-p", f"read_rtlil model.il; sim {clock} -map model.aim -r model.aiw -vcd trace.vcd"],
                     self.build / "sim.log", cwd=self.build)
        failed = re.search(r"Assert [^.]+\.(\S+) ", output)
        if not failed:
            sys.exit(f"{self.name}: the simulation does not confirm ABC's counterexample; see {self.build / 'sim.log'}")
        return f"{failed[1]} fails"

    def unreached(self, bound):
        """The number of covers, and of those among them that are not reached in `bound` cycles."""
        self.model(covers=True)
        output = self.abc(f"bmc3 -a -F {bound}")
        covers = int(re.search(r"^ *(\d+) \$assert$", (self.build / "yosys.log").read_text(), re.M)[1])
        return covers, covers - output.count("was asserted in frame")


def prove(proof, bound):
    failure = proof.check(bound)
    if failure:
        sys.exit(f"{proof.name}: {failure}; the waveform is {proof.build / 'trace.vcd'}")
    print(f"{proof.name}: holds " + (f"in the first {bound} cycles" if bound else "always"))


def cover(proof, bound):
    covers, unreached = proof.unreached(bound)
    if unreached:
        sys.exit(f"{proof.name}: {unreached} of {covers} covers are not reached in {bound} cycles")
    print(f"{proof.name}: {covers} covers are reached within {bound} cycles")


def mutation(proof, name, bound):
    proof.mutate(proof.settings["mutation"][name])
    failure = proof.check(bound)
    if not failure:
        sys.exit(f"{proof.name}: mutation {name} goes unnoticed for {bound} cycles")
    print(f"{proof.name}: mutation {name} is noticed: {failure}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("task", choices=["prove", "deep", "cover", "mutation"])
    parser.add_argument("spec", type=Path, help="the proof's .toml")
    parser.add_argument("name", nargs="?", help="of the mutation")
    parser.add_argument("--rtl", type=Path, required=True, help="folder of the design")
    parser.add_argument("--build", type=Path, required=True, help="folder for everything that is made")
    args = parser.parse_args()

    proof = Proof(args.spec.resolve(), args.rtl.resolve(), args.build)
    settings = proof.settings
    if args.task == "prove":
        prove(proof, settings.get("bound"))
    elif args.task == "deep":
        prove(proof, settings["deep"])
    elif args.task == "cover":
        cover(proof, settings["reach"])
    else:
        mutation(proof, args.name, settings["reach"])


if __name__ == "__main__":
    main()
