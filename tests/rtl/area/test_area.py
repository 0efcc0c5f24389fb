# SPDX-License-Identifier: Apache-2.0
"""The card keeps to its budget, what is switched off is gone, and `lanyard synth` says so."""
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

import pytest
import synth


def run(*arguments):
    return subprocess.run([sys.executable, synth.__file__, *arguments], capture_output=True, text=True, timeout=300)


@pytest.mark.parametrize("rule", synth.BUDGETS, ids=lambda rule: " ".join([rule.top, *map("{0[0]}={0[1]}".format, rule.parameters.items())]))
def test_budget(rule):
    used = synth.card_area(rule.top, rule.parameters)
    print(used)
    assert synth.excess(used, {**synth.NEVER, **rule.limits}) == []


def gates(settings):
    """Gates and flip-flops of the card before technology mapping."""
    with tempfile.NamedTemporaryFile("r", suffix=".json") as report:
        synth.yosys(*synth.elaborate("nic", settings), "flatten", "opt -full", "memory -nomap", "simplemap", "opt",
                    f"tee -q -o {report.name} stat -json")
        cells = json.load(report)["design"]["num_cells_by_type"]
    flip_flops = sum(count for cell, count in cells.items() if "DFF" in cell)
    return sum(cells.values()) - flip_flops, flip_flops


@pytest.fixture(scope="module")
def everything():
    return gates({})


@pytest.mark.parametrize("switch", synth.switches("nic"))
def test_logic_of_what_is_switched_off_is_gone(switch, everything):
    less = gates({switch: 0})
    print(f"{switch}=0 saves {everything[0] - less[0]} gates, {everything[1] - less[1]} flip-flops")
    assert less[0] < everything[0] and less[1] <= everything[1]


def test_table_has_a_row_for_each_module_and_the_whole_last(tmp_path):
    outcome = run("--top", "sync_pulse", "--json", tmp_path / "area.json")
    assert outcome.returncode == 0, outcome.stderr
    names = [line.split()[0] for line in outcome.stdout.splitlines()[1:-1]]
    assert names == ["lib/sync_bit", "lib/sync_pulse"]
    rows = json.loads((tmp_path / "area.json").read_text())["modules"]
    assert [row["name"] for row in rows] == names
    assert (rows[0]["FF"], rows[1]["FF"]) == (2, 4) and rows[1]["LUT"] > 0


def test_excess_is_an_error(monkeypatch, capsys):
    monkeypatch.setattr(synth, "BUDGETS", [synth.Budget("sync_pulse", {}, {"FF": 3})])
    monkeypatch.setattr(sys, "argv", ["synth", "--top", "sync_pulse", "--whole"])
    with pytest.raises(SystemExit, match="sync_pulse is over its budget: 4 FF, at most 3 expected"):
        synth.main()


def test_the_tree_may_have_a_space_in_its_name(tmp_path):
    shutil.copytree(pathlib.Path(synth.__file__).parent, tmp_path / "a tree/constraints")
    shutil.copytree(synth.RTL, tmp_path / "a tree/rtl")
    outcome = subprocess.run([sys.executable, "-B", tmp_path / "a tree/constraints/synth.py", "--top", "moderation"], capture_output=True, text=True, timeout=300)
    assert outcome.returncode == 0, outcome.stderr
    assert outcome.stdout.splitlines()[1].startswith("nic/moderation ")


def test_latch_is_an_error():
    assert synth.excess({"LUT": 1, "latches": 1}, synth.budget("ring", {})) == ["1 latches, at most 0 expected"]


def test_tightest_limit_holds():
    features = {"TSO": 0, "VLAN": 0, "PAUSE": 0, "STATISTICS": 0}
    assert synth.budget("nic", {})["LUT"] == 3600
    assert synth.budget("nic", {**features, "MDIO": 0}) == {"LUT": 2400, "FF": 3200, "RAMB36": 12, "latches": 0}


@pytest.mark.parametrize("arguments, message", [
    (["FROB=0"], "nic has no parameter 'FROB', expected one of MAC_ADDRESS"),
    (["STATISTICS"], "'STATISTICS', expected NAME=VALUE"),
    (["STATISTICS=off"], "'STATISTICS=off', expected NAME=VALUE"),
    (["--top", "frob"], "no module 'frob', expected one of"),
])
def test_mistake_is_one_line(arguments, message):
    outcome = run(*arguments)
    assert outcome.returncode == 2 and outcome.stdout == ""
    assert outcome.stderr.startswith(f"lanyard synth: {message}") and outcome.stderr.count("\n") == 1
