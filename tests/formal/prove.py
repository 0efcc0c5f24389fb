# SPDX-License-Identifier: Apache-2.0
"""Prove the properties of one proof, reach its covers, or show that a mutation of the design breaks it.

Yosys makes a model of the proof's top module and the design; an engine searches it, names the property that fails and leaves
a waveform. README.md says how a proof is written, and which engine does what."""

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
    def __init__(self, spec, settings, rtl, build, purpose):
        self.settings = settings
        self.name = spec.stem
        self.models = [spec.with_name(name) for name in [spec.stem + ".v", *self.settings.get("models", [])]]
        self.rtl = rtl
        self.build = build
        self.purpose = purpose
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

    def model(self, commands, covers=False):
        """Let Yosys read the proof, leave the assertions (or the covers), and end with `commands`."""
        includes = " ".join(f"-I{folder}" for folder in sorted({file.parent for file in self.rtl.rglob("*.vh")}))
        script = [
            f"read_verilog -formal -D {self.purpose} {includes} {' '.join(map(str, [*self.models, *self.sources.values()]))}",
            f"hierarchy -check -top {self.name}_proof",
            "proc; memory -nomap; memory_map",
            "flatten; setundef -undriven -anyseq",
            "dffunmap" + (f"; techmap -map {HERE / 'ticks.v'}" if self.settings.get("clocks") else ""),
            "opt -full -nodffe -nosdff",
            "chformal -assert -remove" if covers else "chformal -cover -remove",
            *commands,
        ]
        output = run(["yosys", "-p", "; ".join(script)], self.build / "yosys.log", cwd=self.build)
        error = re.search(r"ERROR: .*", output)
        if error:
            sys.exit(f"{self.name}: yosys: {error[0]}")
        return output

    def no_result(self, log):
        sys.exit(f"{self.name}: the engine came to no result; its output is in {self.build / log}")


class Abc:
    """Bit by bit: property-directed reachability for ever, or the first cycles one after the other."""

    def __init__(self, proof):
        self.proof = proof

    def model(self, covers=False):
        """Write model.aig, in which an assertion that can fail (or a cover that can be reached) is a bad state."""
        return self.proof.model([
            f"techmap -map {HERE / 'cover.v'}" if covers else "write_rtlil model.il",
            "techmap; opt -full -nodffe -nosdff; aigmap; opt_clean",
            "write_aiger -zinit -no-startoffset -map model.aim model.aig",
        ], covers)

    def search(self, command):
        script = f"read_aiger model.aig; fold; strash; {command}"
        return run(["yosys-abc", "-c", script], self.proof.build / "abc.log", cwd=self.proof.build)

    def check(self, bound=None):
        """None if every assertion holds: in the first `bound` cycles, or for ever. Else which one fails, and when."""
        self.model()
        search = f"bmc3 -F {bound}" if bound else "pdr"
        output = self.search(f"{search}; write_cex -a model.aiw")
        failed = re.search(r"asserted in frame +(\d+)", output)
        if failed:
            return f"{self.replay()} in cycle {failed[1]}"
        if ("No output asserted in" if bound else "Property proved") not in output:
            self.proof.no_result("abc.log")
        return None

    def replay(self):
        """Simulate the counterexample: leaves trace.vcd, and returns what fails."""
        build = self.proof.build
        witness = build / "model.aiw"
        witness.write_text("1\nb0\n" + witness.read_text().replace("# DONE", "") + "\n.\n")
        clock = "-zinit -multiclock" if self.proof.settings.get("clocks") else "-clock clk"
        output = run(["yosys", "-q", "-p", f"read_rtlil model.il; sim {clock} -map model.aim -r model.aiw -vcd trace.vcd"],
                     build / "sim.log", cwd=build)
        failed = re.search(r"Assert [^.]+\.(\S+) ", output)
        if not failed:
            sys.exit(f"{self.proof.name}: the simulation does not confirm ABC's counterexample; see {build / 'sim.log'}")
        return f"{failed[1]} fails"

    def unreached(self, bound):
        """The number of covers, and of those among them that are not reached in `bound` cycles."""
        covers = int(re.search(r"^ *(\d+) \$assert$", self.model(covers=True), re.M)[1])
        output = self.search(f"bmc3 -a -F {bound}")
        return covers, covers - output.count("was asserted in frame")


class Smtbmc:
    """Word by word, by yosys-smtbmc with Z3: for ever by induction over `induction` cycles, or the first cycles."""

    def __init__(self, proof):
        self.proof = proof

    def search(self, *arguments):
        # One question after the other, each as one formula without functions: Z3 then takes its way for bit vectors, which
        # is more than ten times as fast here as the one that smtbmc chooses.
        command = ["yosys-smtbmc", "-s", "z3", "--noincr", "--unroll", "--noprogress", "--dump-vcd", "trace.vcd", *arguments, "model.smt2"]
        output = run(command, self.proof.build / "smtbmc.log", cwd=self.proof.build)
        if not re.search(r"Status: (PASSED|FAILED)", output):
            self.proof.no_result("smtbmc.log")
        return output

    def check(self, bound=None):
        """As of Abc. For ever: no induction step fails, nor any of the cycles that the step takes for granted."""
        self.proof.model(["write_smt2 -wires model.smt2"])
        output = self.search("-t", str(bound or self.proof.settings["induction"]))
        if "Status: PASSED" in output and not bound:
            output = self.search("-i", "-t", str(self.proof.settings["induction"]))
        if "Status: PASSED" in output:
            return None
        failed = re.search(r"Assert failed in \S+ (\S+)", output)
        if "Temporal induction failed" in output:
            return f"{failed[1]} does not follow by induction"
        return f"{failed[1]} fails in cycle {len(re.findall('Checking assertions in step', output)) - 1}"

    def unreached(self, bound):
        self.proof.model(["write_smt2 -wires model.smt2"], covers=True)
        output = self.search("-c", "-t", str(bound))
        reached, unreached = (len(re.findall(f"^.*{word} cover statement", output, re.M)) for word in ["Reached", "Unreached"])
        return reached + unreached, unreached


ENGINES = {"abc": Abc, "smtbmc": Smtbmc}


def prove(proof, engine, bound):
    failure = engine.check(bound)
    if failure:
        sys.exit(f"{proof.name}: {failure}; the waveform is {proof.build / 'trace.vcd'}")
    print(f"{proof.name}: holds " + (f"in the first {bound} cycles" if bound else "always"))


def cover(proof, engine, bound):
    covers, unreached = engine.unreached(bound)
    if unreached:
        sys.exit(f"{proof.name}: {unreached} of {covers} covers are not reached in {bound} cycles")
    print(f"{proof.name}: {covers} covers are reached within {bound} cycles")


def mutation(proof, engine, name, bound):
    proof.mutate(proof.settings["mutation"][name])
    failure = engine.check(bound)
    if not failure:
        sys.exit(f"{proof.name}: mutation {name} goes unnoticed" + (f" for {bound} cycles" if bound else ""))
    print(f"{proof.name}: mutation {name} is noticed: {failure}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("task", choices=["prove", "deep", "cover", "mutation"])
    parser.add_argument("spec", type=Path, help="the proof's .toml")
    parser.add_argument("name", nargs="?", help="of the mutation")
    parser.add_argument("--engine", choices=ENGINES, default="abc")
    parser.add_argument("--rtl", type=Path, required=True, help="folder of the design")
    parser.add_argument("--build", type=Path, required=True, help="folder for everything that is made")
    args = parser.parse_args()

    settings = tomllib.loads(args.spec.read_text())
    inductive = args.engine == "smtbmc" and "induction" in settings
    # What `ifdef` in a proof asks for: induction needs its invariants in mutations, too
    purpose = "COVER" if args.task == "cover" else "MUTATION" if args.task == "mutation" and not inductive else "PROVE"
    proof = Proof(args.spec.resolve(), settings, args.rtl.resolve(), args.build, purpose)
    engine = ENGINES[args.engine](proof)
    if args.task == "prove":
        prove(proof, engine, None if inductive else settings.get("steps" if args.engine == "smtbmc" else "bound"))
    elif args.task == "deep":
        prove(proof, engine, settings["deep"])
    elif args.task == "cover":
        cover(proof, engine, settings["reach"])
    else:
        mutation(proof, engine, args.name, None if inductive else settings["reach"])


if __name__ == "__main__":
    main()
