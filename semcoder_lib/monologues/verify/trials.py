"""Fresh runs of a program: traces of calls that a text names, and outputs for inputs near the
known ones, to test what a text says of every run."""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from semcoder_lib import tracing
from semcoder_lib.core import values
from semcoder_lib.core.records import Case, Program, Status, Trace
from semcoder_lib.monologues.mutation import mutated
from semcoder_lib.sandbox import Job, Limits, Outcome, Sandbox

FRESH = 24
_MAX_TEXT = 20_000  # characters of a fresh input
_LIMITS = Limits(cpu_seconds=0.5, wall_seconds=2.0)
Arguments = tuple[Any, ...]
Run = tuple[Arguments, str, Any]  # arguments, status, value (or the exception's name)


class Trials:
    """Runs of one program, each call at most once. Cheap to make: nothing runs until asked, and
    without a box nothing ever does. `known` are inputs of the right kind."""

    def __init__(
        self, program: Program, box: Sandbox | None, known: Sequence[Arguments] = ()
    ) -> None:
        self.program, self.box, self.known = program, box, list(known)
        self._outcomes: dict[str, tuple[str, Any]] = {}

    def know(self, arguments: Arguments | None) -> None:
        """Remember an input that is known to be of the right kind."""
        if arguments is not None and arguments not in self.known:
            self.known.append(arguments)

    def trace(self, arguments: Arguments) -> Trace | None:
        """The trace of one call, or None without a box."""
        if self.box is None or not key_of(arguments):
            return None
        return tracing.trace(self.program, Case(arguments), self.box)

    def run(self, calls: Sequence[Arguments]) -> list[tuple[str, Any]]:
        """(status, value or name of the exception) of each call; "unknown" without a box."""
        keys = [values.encode(c) for c in calls]
        wanted = {k: c for k, c in zip(keys, calls, strict=True) if k not in self._outcomes}
        if wanted and self.box is not None:
            source, name = self.program.source, self.program.entry_point
            job = Job(source, name, list(wanted.values()), limits=_LIMITS, share=True)
            for outcomes in self.box.map([job]):
                self._outcomes |= dict(zip(wanted, map(_read, outcomes), strict=True))
        return [self._outcomes.get(k, ("unknown", None)) for k in keys]

    @cached_property
    def fresh(self) -> list[Run]:
        """The known inputs and fresh ones near them, with what the program gives for each. The same
        for every text about the same inputs."""
        return self._ran(neighbours(self.known, FRESH))

    @cached_property
    def edges(self) -> list[Run]:
        """As `fresh`, for the known inputs with one argument made empty, zero or negative: what a
        text says about such a case is tested on them."""
        return self._ran(
            [
                (*arguments[:at], edge, *arguments[at + 1 :])
                for arguments in self.known[:2]
                for at, value in enumerate(arguments)
                for edge in _EDGES.get(type(value), ())
            ]
        )

    def _ran(self, calls: list[Arguments]) -> list[Run]:
        runs = zip(calls, self.run(calls), strict=True)
        return [(arguments, *outcome) for arguments, outcome in runs if outcome[0] != "unknown"]


_EDGES: dict[type, tuple[Any, ...]] = {
    bool: (True, False), int: (0, 1, 2, -1), float: (0.0, -1.0),
    str: ("",), list: ([],), tuple: ((),), dict: ({},), set: (set(),),
}  # fmt: skip


def key_of(arguments: Arguments) -> str:
    """The text of arguments; empty where they have none."""
    try:
        return values.encode(arguments)
    except values.Unserializable:
        return ""


def _read(outcome: Outcome) -> tuple[str, Any]:
    try:
        if outcome.status is Status.OK:
            return "ok", outcome.value
    except values.NotALiteral:
        return "unknown", None
    if outcome.status is Status.EXCEPTION and outcome.exception is not None:
        return "exception", outcome.exception.type
    return "unknown", None


def neighbours(known: Sequence[Arguments], count: int) -> list[Arguments]:
    """The known inputs, then inputs made from them by small changes that keep every type."""
    found = {key: arguments for arguments in known[:8] if (key := key_of(arguments))}
    bases = list(found.values())
    if not bases:
        return []
    chance = random.Random("verify:" + key_of(bases[0])[:2000])
    for _ in range(count * 6):
        changed = list(chance.choice(bases))
        if not changed or len(found) >= len(bases) + count:
            break
        for place in chance.sample(range(len(changed)), chance.randint(1, len(changed))):
            changed[place] = mutated(changed[place], [], chance)
        if 0 < len(key := key_of(tuple(changed))) < _MAX_TEXT:
            found.setdefault(key, tuple(changed))
    return list(found.values())
