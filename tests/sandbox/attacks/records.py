"""Records that are forged to keep the parent busy or to fill its memory.

Each program writes what it likes into the result file and ends as our code ends. The tables: the
name, an expression for the records or for the bytes of a value, the acceptable verdicts.
"""

from __future__ import annotations

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
_RECORDS = r"""
a flood of load errors | record(b'X') * (3 * M) | load_error, early_exit
load errors after a value | call(b'V', b'1') + record(b'X') * M | wrong, early_exit
a flood of payloads | record(b'P', b'x') * (2 * M) | early_exit
payloads that grow | b''.join(record(b'P', bytes(n * 1000)) for n in range(170)) | early_exit
a flood of records of unknown tags | record(b'?') * (3 * M) | early_exit
a flood of calls | call(b'E', b'1') * 500_000 | early_exit
a flood of ends | record(b'Z') * (3 * M) | early_exit
an end of another program | call(b'V', b'4') + record(b'Z', bytes(8)) | early_exit
a payload of 15 MB | record(b'P', b'\xff' * (15 * M)) + call(b'V', b'1') | wrong
a reason of 15 MB | call(b'U', b'\xff' * (15 * M)) | unserializable
an exception of 15 MB | call(b'E', b'9' * (15 * M)) | exception
an exception on line 9**15_000_000 | call(b'E', b'9' * (15 * M) + b'\0X\0') | exception
a load error of 15 MB | record(b'X', b'\0' * (15 * M)) | load_error
a place in the output that is not there | call(b'V', b'1', 2**64 - 1) | wrong
clocks that are no numbers | call(b'V', b'1', 0, nan, -inf) | wrong
a record shorter than its head | record(b'V', b'12') | early_exit
a length beyond the file | b'V' + b'\xff' * 4 + bytes(100) | early_exit
a text of 15 MB | call(b'T', b'x' * (15 * M)) | unserializable
a text that is no text | call(b'T', b'\xff\xfe') | unserializable
nothing at all | b'' | early_exit
"""
_VALUES = r"""
comparisons of 15 MB | b'1' + b'==1' * (5 * M) | unserializable
comparisons within value_bytes | b'1' + b'==1' * 600_000 | unserializable
a quote and a backslash | b"'" + b"'\\" * 900_000 | unserializable
an unclosed string | b"['" + b'\\x' * 900_000 | unserializable
brackets | b'[' * 1_900_000 | unserializable
minus signs | b'-' * 1_900_000 + b'1' | unserializable
a sum | b'1' + b'+1' * 900_000 | unserializable
attributes | b'a' + b'.a' * 900_000 | unserializable
words | b'1' + b' or 1' * 300_000 | unserializable
empty lists | b'[' + b'[],' * 600_000 + b']' | unserializable
empty deques | b'[' + b'deque([]),' * 180_000 + b']' | unserializable
keys of one hash | b"{%s}" % b",".join(b"%d" % (n * P) for n in range(60_000)) | unserializable
an integer of 2 MB | b'0x' + b'f' * 1_900_000 | unserializable
an integer of 15 MB | b'0x' + b'f' * (15 * M) | unserializable
decimal digits | b'9' * 1_900_000 | unserializable
a signaling nan | b"Decimal('sNaN')" | wrong
a set of signaling nans | b"{Decimal('sNaN')}" | unserializable
a range of 10**30 | b'range(0, %d)' % 10**30 | wrong
a set of a range | b'set(range(0, %d))' % 10**30 | unserializable
escapes that warn | b"'%s'" % (b'\\d' * 900_000) | wrong
nothing | b'' | unserializable
null bytes | bytes(1000) | unserializable
no unicode | b'\xff' * 1000 | unserializable
a formatted string | b"f'{1}'" | unserializable
a call | b'exit()' | unserializable
"""


def _attacks(table: str, kind: str, frame: str) -> list[Attack]:
    rows = [line.split(" | ") for line in table.strip().split("\n")]
    return [
        Attack(
            kind + name,
            _WRITER.replace("@", frame % code),
            tuple(expect.split(", ")),
            "",
            "records",
            True,
        )
        for name, code, expect in rows
    ]


ATTACKS = _attacks(_RECORDS, "", "(%s)") + _attacks(_VALUES, "value: ", "call(b'V', %s)")
