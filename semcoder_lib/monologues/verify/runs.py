"""The runs of a program that decide what a text says of every call of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from semcoder_lib.core import values
from semcoder_lib.monologues.verify.evaluate import Cannot, Given, Raises, equals, evaluate
from semcoder_lib.monologues.verify.lockstep.cursor import Cursor
from semcoder_lib.monologues.verify.report import Ledger
from semcoder_lib.monologues.verify.trials import Trials

Run = tuple[dict[str, Any], str, Any]  # arguments by name, status, value (or exception's name)
Verdict = tuple[bool | None, str]  # true, false or undecided, with the evidence
Test = Callable[[Run], bool | None]  # None: says nothing about this run


class Runs:
    """Runs of one program: that of the text's own call, and fresh ones near it."""

    def __init__(
        self,
        cursor: Cursor,
        trials: Trials,
        entry_point: str,
        arguments: tuple[Any, ...] | None,
        expected: tuple[object] | None,
    ) -> None:
        self.cursor = cursor
        self.ledger: Ledger = cursor.ledger
        self.trials = trials
        self.entry_point = entry_point
        self.arguments = arguments
        self.expected = expected
        layout = cursor.history.layout
        function = layout.functions.get(entry_point) if layout else None
        self.parameters = tuple(a.arg for a in function.args.args) if function else ()

    def own(self) -> list[Run]:
        """The run of the text's own call, where it returned."""
        if self.arguments is None or self.expected is None:
            return []
        return [self.named(self.arguments, "ok", self.expected[0])]

    def fresh(self) -> list[Run]:
        """Runs of the known inputs and of others near them."""
        return [self.named(*run) for run in self.trials.fresh()]

    def named(self, arguments: tuple[Any, ...], status: str, value: Any) -> Run:
        """A run with its arguments by the parameters' names."""
        return dict(zip(self.parameters, arguments, strict=False)), status, value

    def always(self, test: Test) -> Verdict:
        """Whether the test holds of every run that it says something about."""
        held = 0
        for run in (*self.own(), *self.fresh()):
            outcome = test(run)
            if outcome is False:
                return False, f"not for {shown(run)}"
            held += outcome is True
        if held == 0:
            return None, "no run to test it on"
        return True, f"held on {held} inputs"

    def when(self, code: str, status: str, value: Any, *, by_name: bool = False) -> Verdict:
        """Whether every run whose arguments meet the condition `code` ends with the status and value
        (`by_name`: the value of that argument)."""
        met = 0
        for arguments, got, result in (*self.trials.fresh(), *self.trials.edges()):
            run = self.named(arguments, got, result)
            try:
                if not evaluate(code, Given(run[0])):
                    continue
            except (Cannot, Raises):
                continue
            met += 1
            wanted = run[0][value] if by_name else value
            if got != status or not equals(wanted, result):
                return False, f"not for {shown(run)}"
        return (True, f"held on {met} inputs") if met else (None, "no run met the condition")

    def pairs(self, changed: list[tuple[tuple[Any, ...], tuple[Any, ...]]]) -> Verdict:
        """Whether both calls of each pair end the same way."""
        flat = [arguments for pair in changed for arguments in pair]
        outcomes = self.trials.run(flat)
        held = 0
        for number, (first, second) in enumerate(changed):
            a, b = outcomes[2 * number], outcomes[2 * number + 1]
            if "unknown" in (a[0], b[0]):
                continue
            if a[0] != b[0] or not equals(a[1], b[1]):
                return (
                    False,
                    f"differs for {values.encode(first)[:80]} and {values.encode(second)[:80]}",
                )
            held += 1
        return (True, f"held on {held} inputs") if held else (None, "no run to test it on")


def encoded(value: Any) -> str:
    """A value as evidence shows it."""
    try:
        return values.encode(value)
    except values.Unserializable:
        return repr(value)


def shown(run: Run) -> str:
    """A run as evidence shows it, shortened."""
    given = ", ".join(f"{k} = {encoded(v)[:60]}" for k, v in run[0].items())
    return f"{given}: {encoded(run[2])[:60] if run[1] == 'ok' else f'raises {run[2]}'}"
