"""Before a score is believed: known solutions must get their known verdicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from semcoder_lib.core.errors import PreflightFailed
from semcoder_lib.core.records import Verdict


@dataclass(frozen=True, slots=True)
class Preflight:
    """What came out. Rates are fractions; `failures` are the reasons not to go on."""

    benchmark: str
    scorer: str
    tasks: int
    reference: float
    empty: float
    cheats: dict[str, float] = field(default_factory=dict)
    constant: str = ""
    constant_right: int = 0
    constant_rate: float = 0.0
    errata: dict[str, str] = field(default_factory=dict)
    failures: Sequence[str] = ()

    @property
    def passed(self) -> bool:
        """Whether a score may follow."""
        return not self.failures

    def lines(self) -> list[str]:
        """The report in words, one line a check."""
        allowed = f" ({len(self.errata)} named errata aside)" if self.errata else ""
        name, worst = max(self.cheats.items(), key=lambda pair: pair[1], default=("", 0.0))
        note = f", worst: {name}" if worst else ""
        return [
            f"preflight {self.benchmark}, {self.scorer} scorer, {self.tasks} tasks",
            f"  reference {self.reference:7.2%}{allowed}",
            f"  empty     {self.empty:7.2%}",
            f"  cheats    {worst:7.2%} ({len(self.cheats)} kinds{note})",
            f"  constant  {self.constant_rate:7.2%} ({self.constant or 'none'} alone is right "
            f"{self.constant_right} times)",
            *(f"  {reason}" for reason in self.failures),
            "  ok" if self.passed else "  FAILED",
        ]

    def row(self) -> dict[str, Any]:
        """As JSON data, for the card."""
        return {**asdict(self), "passed": self.passed}

    def require(self) -> None:
        """Raises PreflightFailed (exit status 3) when the preflight failed."""
        if not self.passed:
            raise PreflightFailed(
                f"{self.benchmark}: the {self.scorer} scorer failed its preflight: "
                + "; ".join(self.failures)
            )


def preflight(
    benchmark: str,
    scorer: str,
    probes: Sequence[tuple[str, str, Verdict]],
    errata: Mapping[str, str] | None = None,
) -> Preflight:
    """Judge the scorer by its verdicts on known solutions: (kind, name, verdict) with the kinds
    `reference`, `empty`, `cheat`, `constant`.

    References must all pass, except tasks in `errata`; empty answers must all fail; in `strict`
    cheats must all fail. Does not raise.
    """
    errata = dict(errata or {})
    kinds: dict[str, dict[str, list[Verdict]]] = {
        kind: {} for kind in ("reference", "empty", "cheat", "constant")
    }
    for kind, name, verdict in probes:
        if kind != "reference" or verdict.task_id not in errata:
            kinds[kind].setdefault(name, []).append(verdict)
    references, empties = (
        [v for verdicts in kinds[kind].values() for v in verdicts]
        for kind in ("reference", "empty")
    )
    failures = []
    if not references and not errata:
        failures.append("no reference solution was judged")
    if wrong := [v for v in references if not v.passed]:
        why = f"{wrong[0].status}: {wrong[0].detail}".rstrip(": ")
        failures.append(
            f"{len(wrong)} of {len(references)} reference solutions fail, first "
            f"{wrong[0].task_id} ({why})"
        )
    if passed := [v for v in empties if v.passed]:
        failures.append(f"{len(passed)} empty answers pass, first {passed[0].task_id}")
    for name, verdicts in kinds["cheat"].items() if scorer == "strict" else ():
        if passed := [v for v in verdicts if v.passed]:
            failures.append(
                f"the cheat {name!r} passes {len(passed)} times, first {passed[0].task_id}"
            )
    constants = {name: _rate(verdicts) for name, verdicts in kinds["constant"].items()}
    best = max(constants, key=lambda name: constants[name], default="")
    return Preflight(
        benchmark=benchmark,
        scorer=scorer,
        tasks=len({verdict.task_id for _, _, verdict in probes}),
        reference=_rate(references),
        empty=_rate(empties),
        cheats={name: _rate(verdicts) for name, verdicts in kinds["cheat"].items()},
        constant=best,
        constant_right=sum(v.passed for v in kinds["constant"].get(best, [])),
        constant_rate=constants.get(best, 0.0),
        errata=errata,
        failures=failures,
    )


def _rate(verdicts: Sequence[Verdict]) -> float:
    return sum(v.passed for v in verdicts) / len(verdicts) if verdicts else 0.0
