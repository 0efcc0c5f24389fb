# SPDX-License-Identifier: Apache-2.0
"""bench and synth: what is wrong is one line, and an interruption leaves neither processes nor files behind."""
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
from processes import interrupted_on_terminal, marked

BENCH = [sys.executable, "-B", ROOT / "tests/bench/bench.py", "--build", os.environ["BUILD"]]
SYNTH = [sys.executable, "-B", ROOT / "constraints/synth.py"]


def run(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, timeout=200, **options)


@pytest.mark.parametrize("command, status, complaint", [
    ([*BENCH, "nosuch"], 2, "lanyard bench: no row begins with 'nosuch', expected one of docs/bench.md, or of card, csma"),
    ([*BENCH, "--frob"], 2, "lanyard bench: unrecognized arguments: --frob"),
    ([*BENCH, "card", "--json", "/dev/null/x"], 2, "lanyard bench: argument --json: cannot write '/dev/null/x'"),
    ([*BENCH, "card", "--json", "/"], 2, "lanyard bench: argument --json: cannot write '/'"),
    ([*SYNTH, "--frob"], 2, "lanyard synth: unrecognized arguments: --frob"),
    ([*SYNTH, "--whole", "--json", "/dev/null/x"], 2, "lanyard synth: argument --json: cannot write '/dev/null/x'"),
])
def test_a_mistake_is_one_line(command, status, complaint):
    done = run(*command)
    assert done.returncode == status, done.stderr
    assert done.stderr.startswith(complaint) and done.stderr.count("\n") == 1, done.stderr


def test_yosys_that_dies_is_told_in_a_line(tmp_path):
    (tmp_path / "yosys").write_text("#!/bin/sh\nkill -SEGV $$\n")
    (tmp_path / "yosys").chmod(0o755)
    done = run(*SYNTH, "--top", "sync_bit", env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"})
    assert (done.returncode, done.stderr) == (1, "lanyard synth: Yosys ended with -11\n")


def test_json_is_written_where_no_folder_was(tmp_path):
    done = run(*SYNTH, "--top", "sync_bit", "--whole", "--json", tmp_path / "a/b.json")
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "a/b.json").read_text())["modules"][0]["FF"] == 2


def test_a_reader_that_goes_away_is_no_accident():
    done = run("bash", "-c", '"$@" | true; exit "${PIPESTATUS[0]}"', "bash", *SYNTH, "--top", "sync_bit", "--whole")
    assert (done.returncode, done.stderr) == (1, "")


def test_the_demo_gives_its_row(tmp_path):
    done = run(*BENCH, "sim.demo", "--json", tmp_path / "rows.json")
    assert done.returncode == 0, done.stderr
    row, = json.loads((tmp_path / "rows.json").read_text())
    assert row["name"] == "sim.demo_bytes_per_wall_s" and row["value"] > 0


def test_an_interruption_takes_the_line_of_progress_away():
    status, shown = interrupted_on_terminal([*SYNTH, "--top", "mac"], b"modules")
    assert status == 130 and b"\r\033[Klanyard synth: interrupted\r\n" in shown


# What Python runs before a program: the first child that starts meets the signal before its parent has hold of it.
INTERRUPTED_START = """
import os, subprocess
start = subprocess.Popen.__init__
def interrupted(self, *arguments, **options):
    start(self, *arguments, **options)
    os.kill(os.getpid(), {})
subprocess.Popen.__init__ = interrupted
"""


@pytest.mark.parametrize("number, status", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("command, child", [([*SYNTH, "--top", "mac"], b"yosys"), ([*BENCH, "csma"], b"csma_bench")])
@pytest.mark.parametrize("starting", [False, True])
def test_an_interruption_leaves_nothing_behind(tmp_path, command, child, number, status, starting):
    (tmp_path / "tmp").mkdir()
    before = set(pathlib.Path(os.environ["BUILD"]).glob("bench-*"))
    environment = {**os.environ, "TMPDIR": str(tmp_path / "tmp"), "LANYARD_MARK": str(tmp_path)}
    if starting:
        (tmp_path / "sitecustomize.py").write_text(INTERRUPTED_START.format(int(number)))
        environment["PYTHONPATH"] = str(tmp_path)
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    mark = f"LANYARD_MARK={tmp_path}"
    deadline = time.monotonic() + 60
    while not starting:
        assert time.monotonic() < deadline
        if any(child in line.split(b"\0")[0] for line in marked(mark).values()):
            process.send_signal(number)
            break
        time.sleep(0.05)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == status and errors.endswith("interrupted\n") and "Traceback" not in errors, errors
    assert not marked(mark)
    assert list((tmp_path / "tmp").iterdir()) == []
    assert set(pathlib.Path(os.environ["BUILD"]).glob("bench-*")) <= before
