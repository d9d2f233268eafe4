"""Where an expression's names get their values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from semcoder_lib.monologues.verify.evaluate.known import Cannot


class Names(Protocol):
    """Where names get their values: a state of the trace."""

    def lookup(self, name: str) -> Any:
        """The decoded value; raises Cannot when it is not known."""

    def call(self, name: str, arguments: tuple[Any, ...]) -> Any:
        """What the program's own function gave for these arguments; raises Cannot."""


class Given:
    """Names with the values that it is made from, and no function of the program."""

    def __init__(self, known: Mapping[str, Any]) -> None:
        self.known = known

    def lookup(self, name: str) -> Any:
        if name not in self.known:
            raise Cannot(f"no value of {name}")
        return self.known[name]

    def call(self, name: str, arguments: tuple[Any, ...]) -> Any:
        raise Cannot(f"no call of {name}")


NO_NAMES = Given({})
