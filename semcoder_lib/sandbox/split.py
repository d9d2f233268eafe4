"""Test code with assertions, judged without letting the solution near it.

The test runs in one sandbox with a proxy for the solution, the solution in another. First
the test's calls are collected (with the reference solution in the test's sandbox, if given), then
the solution answers them, then the test runs on those answers. Only values of exact built-in types
cross, as text, through the parent; the solution never shares a process with the test, so it can
read, patch or outlive nothing of it.

Samples of one task share the process of the test, not of the solutions: it holds trusted code and
values only, and the test's module is executed anew for each.
"""

from __future__ import annotations

import json
import marshal
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from semcoder_lib.core import values
from semcoder_lib.core.records import Status, Trust, Verdict
from semcoder_lib.sandbox.box import Sandbox
from semcoder_lib.sandbox.model import Job, Limits, Outcome

_PLUGIN = "semcoder_lib.sandbox.child.assertions"
_STATUSES = frozenset(Status) - {Status.OK, Status.PASSED}  # with which an answer ends a test
_WAVE = 128
_ROUNDS = 100  # of answering calls that only the answers before them brought about
# What one process of a test judges at most: large answers of one sample must not fill the memory
# in which another is judged.
_TOGETHER = 64
_TOGETHER_CHARACTERS = 1_000_000


@dataclass(frozen=True, slots=True)
class Test:
    """A solution and the source of a function `check(candidate)` that judges it.

    `reference` is trusted source with the helper functions that the test uses, usually the
    reference solution; it is loaded before the test, in the test's sandbox only.
    """

    __test__ = False  # not one of pytest's

    solution: str
    entry_point: str
    test: str
    reference: str = ""
    task_id: str = ""
    index: int = 0
    check: str = "check"


def run_many(
    box: Sandbox, tests: Iterable[Test], *, limits: Limits | None = None
) -> Iterator[Verdict]:
    """Verdicts (`Trust.SPLIT`) in order, streaming. The limits hold for each call of the solution
    and for the test.

    Supposes that a call's answer depends on its arguments alone, hands changed arguments back, and
    cannot pass functions or instances of classes: such tests end as `unserializable`.
    """
    stream = iter(tests)
    collected: dict[tuple[str, ...], Calls] = {}
    while wave := list(islice(stream, _WAVE)):
        yield from _judged(box, wave, limits, collected)


Answers = dict[str, tuple[str, str, str]]
Calls = dict[str, tuple[Any, ...]]  # by the text of (positional arguments, named arguments)


@dataclass(slots=True)
class _Case:
    """A sample on its way: the calls that its test still `needs`, the `answers` it has, what
    became of the test at last and why it was `stopped`."""

    test: Test
    needs: Calls
    answers: Answers = field(default_factory=dict)
    size: int = 0
    outcome: Outcome | None = None
    stopped: str = ""
    cpu: float = 0.0

    def answer(self, need: str, outcome: Outcome) -> None:
        answer = self.answers[need] = _answer(outcome)
        self.size += len(need) + sum(map(len, answer))
        self.cpu += outcome.cpu_seconds


def _judged(
    box: Sandbox,
    wave: list[Test],
    limits: Limits | None,
    collected: dict[tuple[str, ...], Calls],
) -> list[Verdict]:
    new = {_key(t): t for t in wave if _key(t) not in collected}
    jobs = (_testing(t, [{}], True, limits) for t in new.values())
    for key, (outcome,) in zip(new, box.map(jobs), strict=True):
        collected[key], _ = _report(outcome)
    cases = [_Case(t, collected[_key(t)]) for t in wave]
    open_cases = cases
    for _ in range(_ROUNDS):
        asked = [c for c in open_cases if c.needs]
        answering = box.map(_answering(c, limits) for c in asked)
        for case, outcomes in zip(asked, answering, strict=True):
            for need, outcome in zip(case.needs, outcomes, strict=True):
                case.answer(need, outcome)
        groups = _together(open_cases)
        tests = (_testing(g[0].test, [c.answers for c in g], False, limits) for g in groups)
        for group, outcomes in zip(groups, box.map(tests), strict=True):
            for case, outcome in zip(group, outcomes, strict=True):
                case.outcome, (case.needs, case.stopped) = outcome, _report(outcome)
        open_cases = [c for c in open_cases if c.needs]
        if not open_cases:
            break
    return [_verdict(case) for case in cases]


def _key(test: Test) -> tuple[str, ...]:
    return test.test, test.reference, test.entry_point, test.check


def _together(cases: list[_Case]) -> list[list[_Case]]:
    """Cases of the same test in groups that one process can judge."""
    by_test: dict[tuple[str, ...], list[list[_Case]]] = {}
    for case in cases:
        groups = by_test.setdefault(_key(case.test), [[]])
        size = sum(c.size for c in groups[-1]) + case.size
        if len(groups[-1]) >= _TOGETHER or size > _TOGETHER_CHARACTERS:
            groups.append([])
        groups[-1].append(case)
    return [group for groups in by_test.values() for group in groups if group]


def _testing(test: Test, answers: list[Answers], collect: bool, limits: Limits | None) -> Job:
    options = {
        "role": "check", "entry": test.entry_point, "answers": answers, "collect": collect,
    }  # fmt: skip
    calls = [(place,) for place in range(len(answers))]
    return Job(
        f"{test.reference}\n{test.test}\n", test.check, calls, limits, _PLUGIN, options,
        share=len(calls) > 1, give_up=len(calls) + 1,
    )  # fmt: skip


def _answering(case: _Case, limits: Limits | None) -> Job:
    test, calls = case.test, list(case.needs.values())
    return Job(
        test.solution, test.entry_point, calls, limits, _PLUGIN, {"role": "answer"},
        share=True, reload=False, give_up=1,
    )  # fmt: skip


def _answer(outcome: Outcome) -> tuple[str, str, str]:
    if outcome.status is Status.OK:
        text, changed = outcome.text or "", outcome.payload or ""
        if "bytearray(" not in text:  # marshal would make bytes of it
            try:  # read in the child for a tenth of the price of text
                return "packed", marshal.dumps(outcome.value, 2).decode("latin-1"), changed
            except ValueError:
                pass
        return "value", text, changed
    if outcome.status is Status.EXCEPTION and outcome.exception is not None:
        return "raise", outcome.exception.type, outcome.exception.message
    why = outcome.note
    if outcome.exception is not None:
        why = f"{outcome.exception.type}: {outcome.exception.message}"
    return outcome.status.value, why, ""


def _report(outcome: Outcome) -> tuple[Calls, str]:
    """What the test's process emitted: the calls it needs, why it was stopped. A claim, too."""
    try:
        report = json.loads(outcome.payload or "{}")
        needs = {text: values.decode(text) for text in report["needs"]}
        if any(list(map(type, call)) != [tuple, dict] for call in needs.values()):
            return {}, ""
        return needs, str(report["stopped"])
    except (LookupError, ValueError, TypeError, RecursionError):
        return {}, ""


def _verdict(case: _Case) -> Verdict:
    assert case.outcome is not None
    status, detail, raised = case.outcome.status, case.outcome.note, case.outcome.exception
    name, _, why = case.stopped.partition(": ")
    if name in _STATUSES:
        status, detail = Status(name), why
    elif status is Status.OK and case.outcome.value is True:
        status = Status.PASSED
    elif status is Status.OK:
        status, detail = Status.WRONG, "its calls depend on answers too often to follow"
    elif raised is not None:
        detail = f"{raised.type}: {raised.message}"
        status = Status.WRONG if raised.type == "AssertionError" else status
    return Verdict(
        case.test.task_id, status is Status.PASSED, status, case.test.index, True, Trust.SPLIT,
        detail, case.cpu + case.outcome.cpu_seconds,
    )  # fmt: skip
