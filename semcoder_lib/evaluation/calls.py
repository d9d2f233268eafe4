"""Making literal calls of benchmark programs in the sandbox, each distinct one once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from semcoder_lib.core import values

FLOOR_SECONDS = 3.0  # CRUXEval's own limit
_FACTOR = 20.0  # a call may take this many times the slowest reference solution
_CEILING_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Call:
    """`entry_point(*arguments)` of a program that comes with the benchmark, not from a model."""

    source: str
    entry_point: str
    arguments: tuple[Any, ...]
    key: str = ""  # text of the arguments

    @staticmethod
    def of(source: str, entry_point: str, arguments: tuple[Any, ...]) -> Call:
        """Raises `values.Unserializable` for arguments without an exact text."""
        return Call(source, entry_point, arguments, values.encode(arguments))

    @property
    def identity(self) -> tuple[str, str, str]:
        """Equal for calls that must have equal outcomes."""
        return (self.source, self.entry_point, self.key)


@dataclass(slots=True)
class Ledger:
    """Outcomes of calls already made in one sandbox under one limit, so that two scorers (or a
    preflight and a score) share them. `seconds` is the processor limit of a call."""

    seconds: float = FLOOR_SECONDS
    outcomes: dict[Any, Any] = field(default_factory=dict)

    def run(self, calls: Iterable[Call], box: Any) -> list[Any]:
        """One outcome a call, in order. Calls of one program share a process, on a module that is
        executed afresh for each; a call that kills it costs the others nothing."""
        from semcoder_lib.sandbox import Job

        asked = list(calls)
        plan: dict[tuple[str, str], dict[str, Call]] = {}
        for call in asked:
            if call.identity not in self.outcomes:
                plan.setdefault((call.source, call.entry_point), {})[call.key] = call
        limits = cpu_limits(self.seconds)
        jobs = [
            Job(
                source,
                entry_point,
                calls=[call.arguments for call in group.values()],
                limits=limits,
                share=len(group) > 1,
                give_up=len(group) + 1,
            )
            for (source, entry_point), group in plan.items()
        ]
        for outcomes, group in zip(box.map(jobs), plan.values(), strict=True):
            for outcome, call in zip(outcomes, group.values(), strict=True):
                self.outcomes[call.identity] = outcome
        return [self.outcomes[call.identity] for call in asked]


def cpu_limits(seconds: float, memory_mb: int = 1024) -> Any:
    """Limits that let processor time decide and wall time only back it up."""
    from semcoder_lib.sandbox import Limits

    return Limits(cpu_seconds=seconds, wall_seconds=4 * seconds + 10, memory_mb=memory_mb)


def calibrated(reference_seconds: Iterable[float], floor: float = FLOOR_SECONDS) -> float:
    """The processor limit for this machine: `floor`, or 20 times the slowest reference solution
    where that is more, at most 30 seconds."""
    slowest = max(reference_seconds, default=0.0)
    return min(max(floor, _FACTOR * slowest), max(floor, _CEILING_SECONDS))
