"""What a refinement run comes to: rounds, points with intervals, what was fixed and broken."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from semcoder_lib.core import values
from semcoder_lib.core.records import Status
from semcoder_lib.evaluation.scoring import (
    Interval,
    McNemar,
    mcnemar,
    mean_interval,
    paired_difference,
)
from semcoder_lib.sandbox import Outcome


@dataclass(frozen=True)
class State:
    """One task after one round: the hidden verdict by measure, the kind of its failure, and which
    of the source's visible checks its solution passes. `asked` says that the model was asked in
    this round, `changed` that its answer was taken."""

    task_id: str
    right: dict[str, bool]
    kind: str
    solution: str = ""
    passed: tuple[bool, ...] = ()
    asked: bool = False
    changed: bool = False

    @property
    def visible(self) -> float | None:
        """The share of visible checks that pass; None where there are none."""
        return sum(self.passed) / len(self.passed) if self.passed else None


_COUNTED = ("asked", "changed")


@dataclass(frozen=True)
class Curve:
    """A refinement run; `rounds[0]` is the first solution."""

    model: str
    source: str
    accept: str
    temperature: float
    rounds: tuple[tuple[State, ...], ...]

    @property
    def measures(self) -> tuple[str, ...]:
        """The hidden verdicts that there are: `base`, or `base` and `plus`."""
        return tuple(self.rounds[0][0].right) if self.rounds and self.rounds[0] else ()

    def passed(self, turn: int, measure: str = "base") -> dict[str, float]:
        """1.0 or 0.0 by task after a round."""
        return {s.task_id: float(s.right[measure]) for s in self.rounds[turn]}

    def point(self, turn: int, measure: str = "base") -> Interval:
        """pass@1 after a round with its 95 % interval over tasks."""
        return mean_interval(list(self.passed(turn, measure).values()))

    def gain(self, turn: int, measure: str = "base") -> Interval:
        """The paired difference of a round to the first solution."""
        return paired_difference(self.passed(0, measure), self.passed(turn, measure))

    def moved(self, turn: int, measure: str = "base") -> tuple[list[str], list[str]]:
        """The tasks that a round fixed, and those that it broke."""
        before, after = self.passed(turn - 1, measure), self.passed(turn, measure)
        fixed = [t for t in after if after[t] > before[t]]
        broken = [t for t in after if after[t] < before[t]]
        return fixed, broken

    @property
    def names(self) -> dict[str, Any]:
        """What tells the curve from others, for its rows."""
        return {k: getattr(self, k) for k in ("model", "source", "accept", "temperature")}

    def row(self, measure: str = "base") -> dict[str, Any]:
        """The curve as JSON data: its points, the gain of its last round, what each round fixed and
        broke."""
        turns = range(len(self.rounds))
        changes = []
        for n in turns[1:]:
            fixed, broken = self.moved(n, measure)
            asked, changed = (sum(getattr(s, k) for s in self.rounds[n]) for k in _COUNTED)
            changes.append({"round": n, "fixed": len(fixed), "broken": len(broken),
                            "asked": asked, "changed": changed})  # fmt: skip
        return {
            **self.names,
            "measure": measure,
            "points": [{"round": n, **asdict(self.point(n, measure))} for n in turns],
            "gain": asdict(self.gain(turns[-1], measure)) if turns[1:] else None,
            "changes": changes,
        }

    def state_rows(self) -> list[dict[str, Any]]:
        """One row per task and round, without the programs, which may hold benchmark text."""
        return [
            {
                "task_id": s.task_id, "round": n, "right": s.right, "visible": s.visible,
                "kind": s.kind, "asked": s.asked, "changed": s.changed,
            }
            for n, states in enumerate(self.rounds)
            for s in states
        ]  # fmt: skip


Key = tuple[str, str, str, str, float]
"""Task set, model, feedback source, acceptance rule, temperature."""


def curves_of(rows: Iterable[Mapping[str, Any]]) -> dict[Key, Curve]:
    """The curves whose `state_rows` these are, with the parts of its key in each row. Their states
    have no programs and no visible checks."""
    rounds: dict[Key, list[list[State]]] = {}
    for row in rows:
        key = (row["tasks"], row["model"], row["source"], row["accept"], row["temperature"])
        turns = rounds.setdefault(key, [])
        if row["round"] == len(turns):
            turns.append([])
        state = State(
            row["task_id"], row["right"], row["kind"], asked=row["asked"], changed=row["changed"]
        )
        turns[row["round"]].append(state)
    return {key: Curve(*key[1:], tuple(map(tuple, turns))) for key, turns in rounds.items()}


def atlas(curve: Curve) -> list[dict[str, Any]]:
    """The failure atlas: for every round how many tasks failed in which way, and how many of these
    the next round mended; most frequent first within a round."""
    rows = []
    for n, states in enumerate(curve.rounds if curve.measures else ()):
        measure = curve.measures[-1]
        failing = [s for s in states if not s.right[measure]]
        after = curve.passed(n + 1, measure) if n + 1 < len(curve.rounds) else {}
        mended = Counter(s.kind for s in failing if after.get(s.task_id))
        kinds = Counter(s.kind for s in failing)
        for kind, count in sorted(kinds.items(), key=lambda item: (-item[1], item[0])):
            here = {"round": n, "kind": kind, "count": count, "mended": mended[kind]}
            rows.append(curve.names | here)
    return rows


def compare(a: Curve, b: Curve) -> tuple[Interval, McNemar]:
    """How much more `b` solves than `a` after the last round, paired over the tasks of both."""
    left, right = a.passed(-1), b.passed(-1)
    return paired_difference(left, right), mcnemar(left, right)


# --- what kind of failure it is: the vocabulary of the atlas --------------------------------------

PASSED = "passed"
NO_PROGRAM = "no program"
OTHER = "other"  # a failure that no hidden check shows, such as a special test of a benchmark


def kind_of(outcome: Outcome, expected: Any) -> str:
    """The kind of one wrong outcome: how it ended, or how the value is wrong."""
    if outcome.status is Status.EXCEPTION:
        return f"raises {outcome.exception.type if outcome.exception else 'error'}"
    if outcome.status is not Status.OK:
        words = {Status.TIMEOUT: "too slow", Status.LOAD_ERROR: "does not load"}
        return words.get(outcome.status, outcome.status.value.replace("_", " "))
    return wrong_value(outcome.value, expected)


def wrong_value(value: Any, expected: Any) -> str:
    """How a wrong value differs from the right one."""
    if value is None:
        return "returns None"
    if isinstance(value, bool) and isinstance(expected, bool):
        return "wrong truth value"
    if isinstance(value, int | float) and isinstance(expected, int | float):
        return "off by one" if value in (expected - 1, expected + 1) else "wrong number"
    if type(value) is not type(expected):
        return "wrong type"
    if isinstance(value, str):
        return "wrong text"
    if isinstance(value, list | tuple):
        a, b = (sorted(map(values.encode, items)) for items in (value, expected))
        return "wrong order" if a == b else "wrong elements" if len(a) == len(b) else "wrong length"
    return "wrong elements"
