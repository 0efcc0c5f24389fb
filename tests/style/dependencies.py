#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds the arrows of docs/architecture.md: which folder may include which header, and name which module.

Usage: dependencies.py ROOT. Prints one line for each include or instance that runs against an arrow.
"""
import pathlib
import re
import sys

# Folder -> what its own sources may include, as regular expressions on the name between the quotes or brackets.
FREESTANDING = r"<(assert|errno|limits|stdalign|stdbool|stddef|stdint|stdarg|stdio|stdlib|string|inttypes)\.h>"
PUBLIC = r'"lanyard/\w+\.h"'
OWN = r'"\w+\.h"'  # a header of the same folder
NO_OUTPUT = r"<(assert|errno|limits|stdalign|stdbool|stddef|stdint|stdarg|string|inttypes)\.h>"
C_RULES = {
    "host/include/lanyard": [NO_OUTPUT, PUBLIC],
    "host/net": [NO_OUTPUT, PUBLIC, OWN],
    "host/driver": [NO_OUTPUT, PUBLIC, OWN],
    "host/apps": [FREESTANDING, PUBLIC, OWN],
}
# The only files of these folders that may know an operating system.
HOSTED = {"host/driver/tap.c", "host/apps/content_posix.c"}

# Folder of rtl -> folders whose modules it may instantiate.
RTL_RULES = {
    "lib": {"lib"},
    "mac": {"lib", "mac"},
    "offload": {"lib", "mac", "offload"},
    "dma": {"lib", "dma"},
    "nic": {"lib", "mac", "offload", "dma", "nic"},
}


def own_headers(folder):
    return {path.name for path in folder.glob("*.h")}


def check_includes(root):
    for name, allowed in C_RULES.items():
        folder = root / name
        own = own_headers(folder)
        for source in sorted(folder.glob("*.[ch]")):
            if str(source.relative_to(root)) in HOSTED:
                continue
            for number, line in enumerate(source.read_text().splitlines(), 1):
                found = re.match(r'\s*#\s*include\s+(["<][^">]+[">])', line)
                if not found:
                    continue
                header = found[1]
                fits = any(re.fullmatch(pattern, header) for pattern in allowed)
                if fits and re.fullmatch(OWN, header) and header.strip('"') not in own:
                    fits = False
                if not fits:
                    yield f"{source.relative_to(root)}:{number}: {name} may not include {header}"


def check_simulation(root):
    """sim may see the public headers of host and its own; only sim/card sees the Verilated model and its registers."""
    for source in sorted((root / "sim").glob("*/*")):
        if source.suffix not in (".h", ".cc"):
            continue
        for number, line in enumerate(source.read_text().splitlines(), 1):
            found = re.match(r'\s*#\s*include\s+("host/|"tests/|"net/|"driver/|["<]V\w+\.h|["<]verilated)', line)
            inside = source.parent.name == "card" and ("nic_regs.h" in line or found and found[1][1] in "Vv")
            if found and not inside:
                yield f"{source.relative_to(root)}:{number}: sim/{source.parent.name} may not include {line.strip()}"


def check_instances(root):
    modules = {path.stem: path.parent.name for path in (root / "rtl").glob("*/*.v")}
    for source in sorted((root / "rtl").glob("*/*.v")):
        text = re.sub(r"//.*", "", source.read_text())
        for name in re.findall(r"^\s*(\w+)\s+(?:#\s*\(|\w+\s*\()", text, re.M):
            if name in modules and name != source.stem and modules[name] not in RTL_RULES[source.parent.name]:
                yield f"{source.relative_to(root)}: rtl/{source.parent.name} may not instantiate {name} of rtl/{modules[name]}"


def check_core(root):
    """lanyard.core, the file list that others build from, names every source of rtl."""
    listed = set(re.findall(r"rtl/\w+/\w+\.vh?", (root / "lanyard.core").read_text()))
    present = {str(path.relative_to(root)) for path in (root / "rtl").glob("*/*.v*")}
    for path in sorted(listed ^ present):
        yield f"lanyard.core: {path} is {'listed but missing' if path in listed else 'not listed'}"


def main():
    root = pathlib.Path(sys.argv[1])
    faults = [*check_includes(root), *check_simulation(root), *check_instances(root), *check_core(root)]
    print("\n".join(faults) or "every include and instance follows the arrows")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
