"""The recorded state of one activation, as an environment that expressions are evaluated in."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from semcoder_lib.core import values
from semcoder_lib.core.records import Change
from semcoder_lib.monologues.evaluate import Unknown
from semcoder_lib.monologues.reading import Reading
from semcoder_lib.monologues.show import decoded

DECODE_UP_TO = 4_000


class Frame(dict[str, Any]):
    """Names to values, decoded when first asked for. `results` holds, for calls of the program's
    own functions in the statement being told, what the trace says they returned."""

    __slots__ = ("function", "reading", "results", "texts")

    def __init__(self, reading: Reading, function: str) -> None:
        super().__init__()
        self.reading = reading
        self.function = function
        self.texts: dict[str, Change] = {}
        self.results: dict[int, tuple[Any]] = {}

    def apply(self, changes: Iterable[Change]) -> None:
        for change in changes:
            self.pop(change.name, None)
            if change.text is None:
                self.texts.pop(change.name, None)
            else:
                self.texts[change.name] = change

    def __missing__(self, name: str) -> Any:
        change = self.texts.get(name)
        if change is None:
            if name in self.reading.constants:
                return self.reading.constants[name]
            if name in self.reading.defined:
                raise Unknown(name)
            raise KeyError(name)
        if not change.exact or change.text is None or len(change.text) > DECODE_UP_TO:
            raise Unknown(name)
        try:
            value = decoded(change.text)
        except values.NotALiteral:
            raise Unknown(name) from None
        self[name] = value
        return value

    def __contains__(self, name: object) -> bool:
        return name in self.texts or name in self.reading.constants or name in self.reading.defined
