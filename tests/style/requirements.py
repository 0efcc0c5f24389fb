#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds docs/rfc9293.md to the tests: every requirement of RFC 9293's appendix B has its row, every test named exists,
and every test that has a requirement's number in its name stands in that requirement's row. Every test that
docs/hostile.md names exists, too.

Usage: requirements.py ROOT"""
import pathlib
import re
import sys

NUMBERS = {"MUST": 69, "SHLD": 31, "REC": 1, "MAY": 18}


def tests_below(folder):
    sources = (source.read_text() for source in folder.rglob("*.c"))
    return {test for text in sources for test in re.findall(r"^static void (\w+)\(void \*\*state\)", text, re.M)}


def main():
    root = pathlib.Path(sys.argv[1])
    rows = re.findall(r"^\| ([A-Z]+-\d+) \|[^|]*\|(.*)\|$", (root / "docs/rfc9293.md").read_text(), re.M)
    shown = dict(rows)
    tests = tests_below(root / "tests/net")
    others = tests_below(root / "tests/driver") | tests_below(root / "tests/apps")

    problems = [f"{kind}-{number} has no row" for kind, last in NUMBERS.items() for number in range(1, last + 1)
                if f"{kind}-{number}" not in shown]
    problems += [f"{number} has more than one row" for number in shown if sum(n == number for n, _ in rows) > 1]
    for number, text in rows:
        problems += [f"{number} names {test}, which is no test" for test in re.findall(r"`([a-z]\w+)`", text)
                     if test not in tests]
    for test in sorted(tests):
        for kind, number in re.findall(r"(MUST|SHLD|REC|MAY)_(\d+)", test):
            if test not in shown.get(f"{kind}-{number}", ""):
                problems.append(f"{test} is missing in the row of {kind}-{number}")
    for test in re.findall(r"`([a-z0-9](?:\w*_){3,}\w+)`", (root / "docs/hostile.md").read_text()):
        if test not in tests | others:
            problems.append(f"the page of hostile segments names {test}, which is no test")
    for problem in problems:
        print(f"docs: {problem}")
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
