# SPDX-License-Identifier: Apache-2.0
"""The registers as nic.rdl has them."""

from functools import lru_cache
from pathlib import Path

from systemrdl import RDLCompiler

SOURCE = Path(__file__).resolve().parents[3] / "rtl" / "nic" / "nic.rdl"


@lru_cache
def registers():
    """The compiled registers, by name."""
    compiler = RDLCompiler()
    compiler.compile_file(str(SOURCE))
    return {register.inst_name: register for register in compiler.elaborate().top.registers()}


def offset(name):
    return registers()[name].address_offset


def field(register, name, value):
    """The bits of a register whose field holds a value."""
    return value << registers()[register].get_child_by_name(name).low


def extract(register, name, word):
    bits = registers()[register].get_child_by_name(name)
    return word >> bits.low & ((1 << bits.width) - 1)
