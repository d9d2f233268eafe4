"""What a refinement run comes to: rounds, points with intervals, what was fixed and broken."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from semcoder_lib.evaluation.scoring import (
    Interval,
    McNemar,
    mcnemar,
    mean_interval,
    paired_difference,
)


@dataclass(frozen=True)
class State:
    """One task after one round. `visible` is the share of the source's checks that pass (None
    where there are none), `right` the hidden verdict by measure, `kind` the kind of its failure.
    `asked` says that the model was asked in this round, `changed` that its answer was taken."""

    task_id: str
    right: dict[str, bool]
    visible: float | None
    kind: str
    asked: bool = False
    changed: bool = False
    solution: str = ""


@dataclass(frozen=True)
class Curve:
    """A refinement run. `rounds[0]` is the first solution; `settings` says everything that the
    numbers depend on besides the tasks."""

    model: str
    source: str
    accept: str
    temperature: float
    rounds: tuple[tuple[State, ...], ...]
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def measures(self) -> tuple[str, ...]:
        """The hidden verdicts that there are: `base`, or `base` and `plus`."""
        return tuple(self.rounds[0][0].right) if self.rounds and self.rounds[0] else ()

    @property
    def oracle(self) -> bool:
        """Whether the feedback came from the hidden tests (to be drawn dashed)."""
        return self.source == "oracle"

    def passed(self, turn: int, measure: str = "base") -> dict[str, float]:
        """1.0 or 0.0 by task after a round."""
        return {s.task_id: float(s.right[measure]) for s in self.rounds[turn]}

    def points(self, measure: str = "base") -> list[Interval]:
        """pass@1 after each round with its 95 % interval over tasks."""
        return [
            mean_interval(list(self.passed(n, measure).values())) for n in range(len(self.rounds))
        ]

    def gains(self, measure: str = "base") -> list[Interval]:
        """The paired difference of each round to the first solution; round 0 is zero by itself and
        left out."""
        first = self.passed(0, measure)
        return [
            paired_difference(first, self.passed(n, measure)) for n in range(1, len(self.rounds))
        ]

    def moved(self, turn: int, measure: str = "base") -> tuple[list[str], list[str]]:
        """The tasks that a round fixed, and those that it broke."""
        before, after = self.passed(turn - 1, measure), self.passed(turn, measure)
        fixed = [t for t in after if after[t] > before[t]]
        broken = [t for t in after if after[t] < before[t]]
        return fixed, broken

    def visible(self, turn: int) -> list[float | None]:
        """The share of visible checks that each task passes after a round."""
        return [s.visible for s in self.rounds[turn]]

    def rows(self) -> list[dict[str, Any]]:
        """One row per round and measure, for tables and figures."""
        made = []
        for measure in self.measures:
            points, gains = self.points(measure), self.gains(measure)
            for n, point in enumerate(points):
                fixed, broken = self.moved(n, measure) if n else ([], [])
                gain = gains[n - 1] if n else None
                made.append(
                    {
                        "model": self.model,
                        "source": self.source,
                        "oracle": self.oracle,
                        "accept": self.accept,
                        "temperature": self.temperature,
                        "measure": measure,
                        "round": n,
                        "value": point.value,
                        "low": point.low,
                        "high": point.high,
                        "n": point.n,
                        "gain": gain.value if gain else 0.0,
                        "gain_low": gain.low if gain else 0.0,
                        "gain_high": gain.high if gain else 0.0,
                        "fixed": len(fixed),
                        "broken": len(broken),
                        "asked": sum(s.asked for s in self.rounds[n]),
                        "changed": sum(s.changed for s in self.rounds[n]),
                    }
                )
        return made

    def drawn(self, benchmark: str, measure: str = "base", model: str = "") -> dict[str, Any]:
        """The curve as the report draws it (figure 3) and tabulates it (tables 3 and 4)."""
        gains = self.gains(measure)
        last = gains[-1] if gains else None
        return {
            "model": model or self.model,
            "benchmark": benchmark,
            "measure": measure,
            "source": self.source,
            "label": f"{self.source}, {self.accept.replace('_', ' ')}, T = {self.temperature:g}",
            "accept": self.accept,
            "temperature": self.temperature,
            "oracle": self.oracle,
            "points": [
                {"round": n, "value": p.value, "low": p.low, "high": p.high, "n": p.n}
                for n, p in enumerate(self.points(measure))
            ],
            "gain": None
            if last is None
            else {"value": last.value, "low": last.low, "high": last.high, "n": last.n},
        }

    def state_rows(self) -> list[dict[str, Any]]:
        """One row per task and round, without the programs."""
        return [
            {
                "task_id": s.task_id, "round": n, "right": s.right, "visible": s.visible,
                "kind": s.kind, "asked": s.asked, "changed": s.changed,
            }
            for n, states in enumerate(self.rounds)
            for s in states
        ]  # fmt: skip


def atlas(curves: Sequence[Curve]) -> list[dict[str, Any]]:
    """The failure atlas: for every curve and round how many tasks failed in which way, and how many
    of these the next round mended; most frequent first within a round."""
    made = []
    for curve in curves:
        for n, states in enumerate(curve.rounds):
            measure = curve.measures[-1]
            kinds = Counter(s.kind for s in states if not s.right[measure])
            mended: Counter[str] = Counter()
            if n + 1 < len(curve.rounds):
                after = curve.passed(n + 1, measure)
                mended.update(
                    s.kind for s in states if not s.right[measure] and after[s.task_id] > 0.5
                )
            for kind, count in sorted(kinds.items(), key=lambda item: (-item[1], item[0])):
                made.append(
                    {
                        "model": curve.model,
                        "source": curve.source,
                        "accept": curve.accept,
                        "temperature": curve.temperature,
                        "round": n,
                        "kind": kind,
                        "count": count,
                        "mended": mended[kind],
                    }
                )
    return made


def compare(
    a: Curve, b: Curve, *, turn: int = -1, measure: str = "base"
) -> tuple[Interval, McNemar]:
    """How much more `b` solves than `a` after a round, paired over the tasks that both have."""
    left = a.passed(turn % len(a.rounds), measure)
    right = b.passed(turn % len(b.rounds), measure)
    return paired_difference(left, right), mcnemar(left, right)
