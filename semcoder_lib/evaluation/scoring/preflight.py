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
    failures: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether a score may follow."""
        return not self.failures

    def lines(self) -> list[str]:
        """The report in words, one line a check."""
        mark = {True: "ok", False: "FAILED"}
        allowed = f" ({len(self.errata)} named errata aside)" if self.errata else ""
        out = [
            f"preflight {self.benchmark}, {self.scorer} scorer, {self.tasks} tasks",
            f"  reference {self.reference:7.2%}{allowed}",
            f"  empty     {self.empty:7.2%}",
        ]
        if self.cheats:
            name, worst = max(self.cheats.items(), key=lambda pair: pair[1])
            note = f", worst: {name}" if worst else ""
            out.append(f"  cheats    {worst:7.2%} ({len(self.cheats)} kinds{note})")
        if self.constant:
            out.append(
                f"  constant  {self.constant_rate:7.2%} ({self.constant} alone is right "
                f"{self.constant_right} times)"
            )
        out += [f"  {reason}" for reason in self.failures]
        out.append(f"  {mark[self.passed]}")
        return out

    def row(self) -> dict[str, Any]:
        """As JSON data, for the card."""
        return {**asdict(self), "failures": list(self.failures), "passed": self.passed}


def preflight(
    benchmark: str,
    scorer: str,
    probes: Sequence[tuple[str, str, Verdict]],
    errata: Mapping[str, str] | None = None,
    *,
    cheats_must_fail: bool | None = None,
) -> Preflight:
    """Judge the scorer by its verdicts on known solutions: (kind, name, verdict) with the kinds
    `reference`, `empty`, `cheat`, `constant`.

    References must all pass, except tasks in `errata`; empty answers must all fail; in `strict`
    cheats must all fail (`cheats_must_fail` overrides). Does not raise; see `require`.
    """
    errata = dict(errata or {})
    strict = scorer == "strict" if cheats_must_fail is None else cheats_must_fail
    references = [v for kind, _, v in probes if kind == "reference" and v.task_id not in errata]
    empties = [v for kind, _, v in probes if kind == "empty"]
    cheats = _by_name(probes, "cheat")
    constants = _by_name(probes, "constant")
    failures = []
    wrong = [v for v in references if not v.passed]
    if not references and not errata:
        failures.append("no reference solution was judged")
    if wrong:
        first = wrong[0]
        failures.append(
            f"{len(wrong)} of {len(references)} reference solutions fail, first {first.task_id} "
            f"({first.status}{': ' + first.detail if first.detail else ''})"
        )
    if passed := [v for v in empties if v.passed]:
        failures.append(f"{len(passed)} empty answers pass, first {passed[0].task_id}")
    if strict:
        for name, verdicts in cheats.items():
            if through := [v for v in verdicts if v.passed]:
                failures.append(
                    f"the cheat {name!r} passes {len(through)} times, first {through[0].task_id}"
                )
    best = max(constants, key=lambda name: _right(constants[name]), default="")
    return Preflight(
        benchmark=benchmark,
        scorer=scorer,
        tasks=len({v.task_id for _, _, v in probes}),
        reference=_rate(references),
        empty=_rate(empties),
        cheats={name: _rate(verdicts) for name, verdicts in cheats.items()},
        constant=best,
        constant_right=_right(constants[best]) if best else 0,
        constant_rate=_rate(constants[best]) if best else 0.0,
        errata=errata,
        failures=tuple(failures),
    )


def require(result: Preflight) -> None:
    """Raises PreflightFailed (exit status 3) when the preflight failed."""
    if not result.passed:
        raise PreflightFailed(
            f"{result.benchmark}: the {result.scorer} scorer failed its preflight: "
            + "; ".join(result.failures)
        )


def _by_name(probes: Sequence[tuple[str, str, Verdict]], kind: str) -> dict[str, list[Verdict]]:
    found: dict[str, list[Verdict]] = {}
    for what, name, verdict in probes:
        if what == kind:
            found.setdefault(name, []).append(verdict)
    return found


def _right(verdicts: Sequence[Verdict]) -> int:
    return sum(v.passed for v in verdicts)


def _rate(verdicts: Sequence[Verdict]) -> float:
    return _right(verdicts) / len(verdicts) if verdicts else 0.0
