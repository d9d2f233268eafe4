"""Records that are forged to keep the parent busy or to fill its memory.

Each program writes what it likes into the result file and ends as our code ends.
"""

from __future__ import annotations

from pathlib import Path

from attacks import Attack

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


def _attacks(table: str, kind: str, frame: str) -> list[Attack]:
    rows = [line.split(" | ") for line in table.strip().split("\n")[1:]]
    return [
        Attack(kind + name, _WRITER.replace("@", frame % code), tuple(expect.split(", ")), "",
               "records", True)
        for name, code, expect in rows
    ]  # fmt: skip


_, RECORDS, VALUES = Path(__file__).with_name("records.txt").read_text().split("### ")
ATTACKS = _attacks(RECORDS, "", "(%s)") + _attacks(VALUES, "value: ", "call(b'V', %s)")
