"""Hostile programs: those of `attacks.txt`, and those that forge the records of `records.txt`, to
keep the parent busy or to fill its memory."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Attack:
    """A solution `f(x)` to a task it does not solve. `expect` are the acceptable verdicts: statuses
    of the project's vocabulary. `breach` names the effects that level portable is known to let
    through, divided by commas; one in brackets depends on who is quicker."""

    name: str
    source: str
    expect: tuple[str, ...]
    breach: str = ""
    threat: str = ""
    own: bool = False  # beyond the 71 of the study


# Writes what it likes into the result file and ends as our code ends.
_WRITER = """
import os, struct, sys
NONCE = sys.modules['semcoder_lib.sandbox.child.runner'].nonce
M = 1_000_000
P = 2**61 - 1  # hashes of ints are taken modulo this
nan, inf = float('nan'), float('inf')
def record(tag, data=b''):
    return struct.pack('<cI', tag, len(data)) + data
def call(tag, data=b'', place=0, cpu=0.0, wall=0.0):
    return record(tag, struct.pack('<Qdd', place, cpu, wall) + data)
def f(x):
    os.write(1, b'\\xff' * 199_000)
    data = memoryview(@ + record(b'Z', NONCE))
    os.ftruncate(3, 0)
    os.lseek(3, 0, 0)
    while data:
        data = data[os.write(3, data):]
    os._exit(0)
"""


def catalogue() -> list[Attack]:
    """All attacks, in the order of their files."""
    folder, attacks = Path(__file__).parent, []
    text = (folder / "attacks.txt").read_text(encoding="utf-8")
    for block in re.split(r"^### ", text, flags=re.M)[1:]:
        title, source = block.split("\n", 1)
        threat, name, expect, breach, origin = (part.strip() for part in title.split("|"))
        source = source.strip("\n") + "\n"
        attacks.append(
            Attack(name, source, tuple(expect.split(", ")), breach, threat, origin == "own")
        )
    _, records, values = (folder / "records.txt").read_text().split("### ")
    for table, kind, frame in ((records, "", "(%s)"), (values, "value: ", "call(b'V', %s)")):
        for line in table.strip().split("\n")[1:]:
            name, code, expect = line.split(" | ")
            source = _WRITER.replace("@", frame % code)
            attacks.append(
                Attack(kind + name, source, tuple(expect.split(", ")), "", "records", True)
            )
    return attacks
