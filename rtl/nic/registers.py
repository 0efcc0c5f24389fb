#!/usr/bin/env python3
# SPDX-License-Identifier: CERN-OHL-P-2.0
"""Writes what is generated from nic.rdl: the Verilog constants, the C headers and the page of registers.

registers.py          writes the four files
registers.py --check  compares them instead: silent and 0 when they are fresh, one line and 1 when one is not
"""

import argparse
import sys
import tempfile
from pathlib import Path

from peakrdl_cheader.exporter import CHeaderExporter
from peakrdl_markdown import MarkdownExporter
from systemrdl import RDLCompiler

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SOURCE = HERE / "nic.rdl"


def verilog(top):
    """Macros rather than parameters: an includer need not use them all."""
    lines = [
        "// SPDX-License-Identifier: CERN-OHL-P-2.0",
        "// Generated from nic.rdl by registers.py: NIC_<register> is its address, NIC_<register>_RESET its reset value,",
        "// NIC_<register>__<field> the range of a field's bits.",
        "`ifndef NIC_REGS_VH",
        "`define NIC_REGS_VH",
    ]
    for reg in top.registers():
        name = f"NIC_{reg.inst_name}"
        reset = sum((field.get_property("reset") or 0) << field.low for field in reg.fields())
        lines += ["", f"`define {name} 12'h{reg.address_offset:03x}", f"`define {name}_RESET 32'h{reset:08x}"]
        lines += [f"`define {name}__{field.inst_name} {field.high}:{field.low}" for field in reg.fields()]
    return "\n".join(lines + ["", "`endif", ""])


def c_header(top, scratch):
    path = scratch / "nic_regs.h"
    CHeaderExporter().export(top, str(path))
    return "/* SPDX-License-Identifier: Apache-2.0 */\n/* clang-format off */\n" + path.read_text()


def statistics(top):
    """A counter's name is its register's, up to the colon, where that is one word of a standard."""
    lines = [
        "/* SPDX-License-Identifier: Apache-2.0 */",
        "/* clang-format off */",
        "/* Generated from nic.rdl by registers.py: X(register, name) for each counter of the card, by its address. */",
        "#ifndef NIC_STATISTICS_H",
        "#define NIC_STATISTICS_H",
        "",
        "#define NIC_STATISTICS(X)",
    ]
    for reg in top.registers():
        if reg.inst_name.startswith("STAT_"):
            name = reg.get_property("name").split(":")[0]
            lines[-1] += " \\"
            lines.append(f'    X({reg.inst_name}, "{name if name.isalnum() else reg.inst_name[5:].lower()}")')
    return "\n".join(lines + ["", "#endif", ""])


def page(top, scratch):
    path = scratch / "registers.md"
    MarkdownExporter().export(top, str(path))
    return path.read_text()


def generate():
    compiler = RDLCompiler()
    compiler.compile_file(str(SOURCE))
    top = compiler.elaborate().top
    with tempfile.TemporaryDirectory() as scratch:
        return {
            HERE / "nic_regs.vh": verilog(top),
            ROOT / "host" / "driver" / "nic_regs.h": c_header(top, Path(scratch)),
            ROOT / "host" / "driver" / "nic_statistics.h": statistics(top),
            ROOT / "docs" / "registers.md": page(top, Path(scratch)),
        }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare with the files instead of writing them")
    check = parser.parse_args().check

    for path, text in generate().items():
        if not check:
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            sys.exit(f"{path.relative_to(ROOT)} is not what {SOURCE.relative_to(ROOT)} says: run rtl/nic/registers.py")


if __name__ == "__main__":
    main()
