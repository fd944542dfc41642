#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks that an include points downward only, and that each source file names its licence.

usage: check-layers.py [ROOT]

The rooms and what each may include, besides itself, are one table below (DESIGN.md,
section 1). Prints one line for each offence; exit status 1 if there was one.
"""
import os
import re
import sys

CORE = {"base", "os", "sync"}
COLLECTOR = CORE | {"heap", "gc", "domain"}
MAY_INCLUDE = {
    "base": set(),
    "os": {"base"},
    "sync": {"base", "os"},
    "domain": CORE,
    "heap": CORE | {"domain"},
    "gc": CORE | {"heap", "domain"},
    "capi": COLLECTOR,
    "observe": COLLECTOR,
    "abi": COLLECTOR | {"observe"},
    "prims": COLLECTOR | {"observe", "abi"},
    "threads": COLLECTOR | {"observe", "abi", "prims"},
    "bytecode": COLLECTOR | {"observe", "abi", "prims"},
    "native": COLLECTOR | {"observe", "abi", "prims"},
}
MAY_INCLUDE["tools"] = set(MAY_INCLUDE)

# Single headers that a room may use from above: plain declarations and inline
# functions (the value model, the names of the memory orders), with nothing behind them.
EXCEPTIONS = {("domain", "heap/value.h"), ("os", "sync/atomic.h")}

INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.M)
CODE = (".c", ".h", ".S", ".py", ".sh", ".ml", ".mli", ".mk", "Makefile")
LICENCE = "SPDX-License-Identifier: MIT"


def files_under(root, folder):
    for here, folders, names in os.walk(os.path.join(root, folder)):
        folders.sort()
        for name in sorted(names):
            yield os.path.relpath(os.path.join(here, name), root)


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8", errors="replace") as f:
        return f.read()


def room_of(path):
    parts = path.split("/")
    return parts[1] if parts[0] == "src" else "tools"


def bad_includes(root):
    for folder in ("src", "tools"):
        for path in files_under(root, folder):
            if not path.endswith((".c", ".h", ".S")):
                continue
            room = room_of(path)
            if room not in MAY_INCLUDE:
                yield f"{path}: src/{room} is not a room that check-layers.py knows"
                continue
            for header in INCLUDE.findall(read(root, path)):
                if "/" not in header:
                    continue
                target = header.split("/")[0]
                if target not in MAY_INCLUDE or target == room or target in MAY_INCLUDE[room]:
                    continue
                if (room, header) not in EXCEPTIONS:
                    yield f'{path}: {room} includes "{header}" from above'


def is_code(root, path):
    if path.endswith(CODE):
        return True
    return read(root, path)[:2] == "#!"


def missing_licence(root):
    folders = ("src", "include", "tools", "tests", "bench", "examples", "mk", ".ci")
    paths = ["Makefile"] + [p for folder in folders for p in files_under(root, folder)]
    for path in paths:
        if is_code(root, path) and LICENCE not in "\n".join(read(root, path).split("\n")[:3]):
            yield f"{path}: no SPDX line at its top"


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), "..")
    offences = list(bad_includes(root)) + list(missing_licence(root))
    for line in offences:
        print(line)
    return 1 if offences else 0


if __name__ == "__main__":
    sys.exit(main())
