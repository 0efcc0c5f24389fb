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


# What Python runs before a program: the signal comes as soon as the first call of a method has returned, which has
# started a child that nobody has hold of yet, or has seen the end of it.
INTERRUPTED_CALL = """
import os, subprocess, time
call = subprocess.Popen.{method}
def interrupted(self, *arguments, **options):
    result = call(self, *arguments, **options)
    os.kill(os.getpid(), {number})
    time.sleep(0.2)
    return result
subprocess.Popen.{method} = interrupted
"""


@pytest.mark.parametrize("number, status", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("command, child, method", [
    ([*SYNTH, "--top", "mac"], b"yosys", None), ([*BENCH, "csma"], b"csma_bench", None),
    ([*SYNTH, "--top", "mac"], b"yosys", "__init__"), ([*BENCH, "csma"], b"csma_bench", "__init__"),
    ([*SYNTH, "--top", "sync_bit", "--whole"], b"yosys", "communicate"),
])
def test_an_interruption_leaves_nothing_behind(tmp_path, command, child, method, number, status):
    (tmp_path / "tmp").mkdir()
    before = set(pathlib.Path(os.environ["BUILD"]).glob("bench-*"))
    environment = {**os.environ, "TMPDIR": str(tmp_path / "tmp"), "LANYARD_MARK": str(tmp_path)}
    if method:
        (tmp_path / "sitecustomize.py").write_text(INTERRUPTED_CALL.format(method=method, number=int(number)))
        environment["PYTHONPATH"] = str(tmp_path)
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    mark = f"LANYARD_MARK={tmp_path}"
    deadline = time.monotonic() + 60
    while not method:
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


def test_a_child_that_is_deaf_is_killed_the_second_time(tmp_path):
    (tmp_path / "yosys").write_text(f"#!/bin/sh\ntrap '' TERM\ntouch {tmp_path}/runs\nwhile sleep 0.1; do :; done\n")
    (tmp_path / "yosys").chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "LANYARD_MARK": str(tmp_path)}
    process = subprocess.Popen([*SYNTH, "--top", "sync_bit", "--whole"], env=environment, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not (tmp_path / "runs").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(timeout=1)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) == 130
    assert not marked(f"LANYARD_MARK={tmp_path}")
