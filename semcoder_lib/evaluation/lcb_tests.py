"""LiveCodeBench's tests: how they are stored, and when printed text is the expected one.

Nothing of the release is unpickled: private tests that are stored as a compressed pickle of one
string are read opcode by opcode, and anything else in there is refused.
"""

from __future__ import annotations

import base64
import binascii
import json
import pickletools
import zlib
from decimal import Decimal, InvalidOperation
from typing import Any

_LONGEST = 200_000_000


def same_output(got: str, expected: str) -> bool:
    """Equal numbers of lines, each equal without outer blanks or as decimal numbers."""
    left = [line.strip() for line in got.strip().split("\n")]
    right = [line.strip() for line in expected.strip().split("\n")]
    return len(left) == len(right) and all(map(_same_line, left, right))


def _same_line(got: str, expected: str) -> bool:
    if got == expected:
        return True
    try:
        return [Decimal(x) for x in got.split()] == [Decimal(x) for x in expected.split()]
    except InvalidOperation:
        return False


def decoded(field: Any) -> list[dict[str, str]]:
    """Tests of a field: a list, JSON text, or base64 of a compressed pickle of JSON text."""
    if isinstance(field, str):
        try:
            field = json.loads(field)
        except ValueError:
            field = json.loads(_packed(field))
    return [{"input": str(test["input"]), "output": str(test["output"])} for test in field]


def _packed(text: str) -> str:
    try:
        engine = zlib.decompressobj()
        data = engine.decompress(base64.b64decode(text, validate=True), _LONGEST)
    except (binascii.Error, zlib.error) as error:
        raise ValueError(f"neither JSON nor packed JSON: {error}") from None
    allowed = {"PROTO", "FRAME", "MEMOIZE", "BINPUT", "LONG_BINPUT", "STOP"}
    found = None
    for opcode, argument, _ in pickletools.genops(data):
        if opcode.name in ("BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8") and found is None:
            found = argument
        elif opcode.name not in allowed:
            raise ValueError(f"packed tests hold more than one text ({opcode.name})")
    if found is None:
        raise ValueError("packed tests hold no text")
    return str(found)
