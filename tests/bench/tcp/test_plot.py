# SPDX-License-Identifier: Apache-2.0
"""The picture shows what was measured, and what cannot be drawn is said in a line."""
import itertools
import os
import pathlib
import re
import subprocess
import sys
import xml.etree.ElementTree as ET

import pytest

PLOT = pathlib.Path(__file__).with_name("plot.py")


def plot(*words):
    command = [sys.executable, "-B", PLOT, "--program", os.environ["RECOVERY_BENCH"], *words]
    return subprocess.run(command, capture_output=True, text=True)


def vertices(svg, gid):
    """(x, y) of the line with this name, in the picture's units."""
    paths = [node for group in svg.iter() if group.get("id") == gid for node in group.iter() if node.tag.endswith("}path")]
    return [tuple(map(float, pair)) for path in paths for pair in re.findall(r"[ML] ([-\d.]+) ([-\d.]+)", path.get("d"))]


def test_each_transfer_has_its_lines(tmp_path):
    out = tmp_path / "deeper/picture.svg"
    done = plot("cubic,bbr", "newreno", "seconds=3", "start_s=2", "--out", out)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [str(out)]
    svg = ET.parse(out).getroot()
    for congestion, what in itertools.product(("cubic", "bbr", "newreno"), ("goodput", "window", "under way")):
        assert len(vertices(svg, f"{congestion} {what}")) > 20, f"{congestion} {what}"

    first, second, alone = (vertices(svg, f"{congestion} goodput") for congestion in ("cubic", "bbr", "newreno"))
    assert second[0][0] - first[0][0] == pytest.approx((first[-1][0] - first[0][0]) * 2 / 7, rel=0.1), "the second begins 2 s of 7 later"
    floor = max(y for _, y in vertices(svg, "patch_2"))
    assert floor - alone[-1][1] == pytest.approx(floor - alone[len(alone) // 2][1], rel=0.1), "a full link is level"
    both = [floor - line[-1][1] for line in (first, second)]
    assert sum(both) == pytest.approx(floor - alone[-1][1], rel=0.1), "two share what one has"


@pytest.mark.parametrize("words, complaint", [
    (["foo"], "cannot take 'foo', expected 1 to 4 of newreno, cubic, bbr"),
    ([","], "cannot take ',', expected 1 to 4"),
    (["cubic,cubic,cubic,cubic,cubic"], "expected 1 to 4 of"),
    (["rate=-1"], "cannot take 'rate=-1', expected NAME=VALUE with one of rate delay_us"),
    (["drop=1.1"], "cannot take 'drop=1.1'"),
    (["rate=1e30"], "cannot take 'rate=1e30'"),
    (["burst=0"], "cannot take 'burst=0'"),
    (["seconds=1s"], "cannot take 'seconds=1s'"),
    (["loss=1"], "cannot take 'loss=1'"),
    (["--out", "picture.gif"], "cannot write 'picture.gif', expected a name that ends in .svg, .png or .pdf"),
    (["--out", "/dev/null/picture.svg"], "cannot write '/dev/null/picture.svg'"),
    (["--frob"], "unrecognized arguments: --frob"),
])
def test_what_cannot_be_drawn_is_said_in_a_line(words, complaint):
    done = plot(*words)
    assert done.returncode != 0
    assert complaint in done.stderr.splitlines()[-1]
    told = [line for line in done.stderr.splitlines() if not line.startswith("measuring ")]
    assert len(told) == 1, done.stderr
