"""What a refinement run comes to: rounds, points with intervals, what was fixed and broken."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

from semcoder_lib.core.records import Status
from semcoder_lib.evaluation.scoring import mean_interval, paired_difference
from semcoder_lib.sandbox import Outcome


@dataclass(frozen=True)
class State:
    """One task after one round: the hidden verdict, the kind of its failure, and which of the
    source's visible checks its solution passes. `asked` says that the model was asked in this
    round, `changed` that its answer was taken."""

    task_id: str
    right: bool
    kind: str
    solution: str = ""
    passed: tuple[bool, ...] = ()
    asked: bool = False
    changed: bool = False

    @property
    def visible(self) -> float | None:
        """The share of visible checks that pass; None where there are none."""
        return sum(self.passed) / len(self.passed) if self.passed else None


@dataclass(frozen=True)
class Curve:
    """A refinement run; `rounds[0]` is the first solution."""

    model: str
    source: str
    accept: str
    temperature: float
    rounds: tuple[tuple[State, ...], ...]

    def passed(self, turn: int) -> dict[str, float]:
        """1.0 or 0.0 by task after a round."""
        return {s.task_id: float(s.right) for s in self.rounds[turn]}

    @property
    def names(self) -> dict[str, Any]:
        """What tells the curve from others, for its rows."""
        return {k: getattr(self, k) for k in ("model", "source", "accept", "temperature")}

    def row(self) -> dict[str, Any]:
        """The curve as JSON data: pass@1 after each round with its 95 % interval over tasks, the
        paired gain of the last round over the first solutions, how many tasks each round asked
        about, changed, fixed and broke."""
        right = [self.passed(n) for n in range(len(self.rounds))]
        changes = []
        for n, (before, after) in enumerate(pairwise(right), 1):
            states = self.rounds[n]
            changes.append(
                {
                    "round": n,
                    "fixed": sum(after[task] > before[task] for task in after),
                    "broken": sum(after[task] < before[task] for task in after),
                    "asked": sum(s.asked for s in states),
                    "changed": sum(s.changed for s in states),
                }
            )
        points = [mean_interval(list(passed.values())) for passed in right]
        return {
            **self.names,
            "points": [{"round": n, **asdict(point)} for n, point in enumerate(points)],
            "gain": asdict(paired_difference(right[0], right[-1])) if changes else None,
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
    for n, states in enumerate(curve.rounds):
        failing = [s for s in states if not s.right]
        after = curve.passed(n + 1) if n + 1 < len(curve.rounds) else {}
        mended = Counter(s.kind for s in failing if after.get(s.task_id))
        kinds = Counter(s.kind for s in failing)
        for kind, count in sorted(kinds.items(), key=lambda item: (-item[1], item[0])):
            here = {"round": n, "kind": kind, "count": count, "mended": mended[kind]}
            rows.append(curve.names | here)
    return rows


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
    value = outcome.value
    if value is None:
        return "returns None"
    if {type(value), type(expected)} <= {int, float}:
        return "off by one" if value in (expected - 1, expected + 1) else "wrong value"
    return "wrong value" if type(value) is type(expected) else "wrong type"
