"""A stand-in."""

from __future__ import annotations

from typing import Any

from semcoder_lib.monologues.verify.cursor import Cursor


class Prose:
    def __init__(self, cursor: Cursor, entry_point: str, output: Any, backward: bool) -> None:
        self.cursor = cursor

    def begin(self, kind: str) -> None: ...

    def read(self, text: str, start: int) -> None: ...

    def read_at(self, text: str, start: int, visit: int) -> bool:
        return False
