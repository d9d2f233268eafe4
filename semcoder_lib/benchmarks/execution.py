"""Strict scoring of execution reasoning, in both directions, for every benchmark that asks it.

Output answers are literals and are compared here; no program runs. Input answers are calls with
literal arguments: the program runs on them in the sandbox, and the value it returns is compared
here. Nothing of an answer is ever evaluated, and the program never sees the expected value.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from semcoder_lib import values
from semcoder_lib.benchmarks.base import Answer, Sample
from semcoder_lib.records import Status, Trust, Verdict

_WRAPPER = "_call_with_names"


@dataclass(frozen=True, slots=True)
class Item:
    """One program with one known call and output. `call` is the source text of the call."""

    source: str
    entry_point: str
    call: str
    output: str


def judge_output(item: Item, sample: Sample) -> Verdict:
    """Is the answered literal equal (Python's `==`) to the recorded output? Statuses `passed`,
    `wrong`, `no_answer`, `unparseable`."""
    answer = sample.answer
    if answer.text is None or not answer.text.strip():
        return _verdict(sample, Status.NO_ANSWER)
    try:
        got = values.decode(answer.text)
    except values.NotALiteral as error:
        return _verdict(sample, Status.UNPARSEABLE, str(error))
    same = values.equal(got, values.decode(item.output))
    return _verdict(sample, Status.PASSED if same else Status.WRONG)


def judge_inputs(items: Sequence[Item], samples: Sequence[Sample], box: Any) -> list[Verdict]:
    """Does the program, called with the answered arguments, return the recorded output? Equal
    calls of equal programs run once. Statuses as above, and those of the run when it failed
    (`exception`, `timeout`, …)."""
    from semcoder_lib.sandbox import Job

    verdicts: list[Verdict | None] = [None] * len(samples)
    plan: dict[tuple[str, str], dict[str, list[int]]] = {}
    arguments: dict[str, tuple[Any, ...]] = {}
    for place, (item, sample) in enumerate(zip(items, samples, strict=True)):
        parsed = _arguments(item, sample.answer)
        if isinstance(parsed, tuple):
            source, entry_point, positional = parsed
            key = values.encode(positional)
            arguments[key] = positional
            plan.setdefault((source, entry_point), {}).setdefault(key, []).append(place)
        else:
            verdicts[place] = _verdict(sample, parsed.status, parsed.detail)
    jobs = [
        Job(source, entry_point, calls=[arguments[key] for key in keys])
        for (source, entry_point), keys in plan.items()
    ]
    for outcomes, keys in zip(box.map(jobs), plan.values(), strict=True):
        for outcome, places in zip(outcomes, keys.values(), strict=True):
            for place in places:
                verdicts[place] = _returned(items[place], samples[place], outcome)
    return [v for v in verdicts if v is not None]


@dataclass(frozen=True, slots=True)
class _Refused:
    status: Status
    detail: str = ""


def _arguments(item: Item, answer: Answer) -> tuple[str, str, tuple[Any, ...]] | _Refused:
    """The program to run, its entry point and the arguments, or why there are none."""
    if answer.text is None or not answer.text.strip():
        return _Refused(Status.NO_ANSWER)
    try:
        name, positional, named = values.parse_call(answer.text)
        values.encode(positional)
        values.encode(named)
    except (values.NotALiteral, values.Unserializable) as error:
        return _Refused(Status.UNPARSEABLE, str(error))
    if name not in (item.entry_point, answer.function):
        return _Refused(Status.UNPARSEABLE, f"calls {name!r}, not {item.entry_point!r}")
    if not named:
        return item.source, item.entry_point, positional
    source = (
        f"{item.source}\n\ndef {_WRAPPER}(_positional, _named):\n"
        f"    return {item.entry_point}(*_positional, **_named)\n"
    )
    return source, _WRAPPER, (positional, named)


def _returned(item: Item, sample: Sample, outcome: Any) -> Verdict:
    seconds = outcome.cpu_seconds
    if outcome.status is not Status.OK:
        raised = outcome.exception
        detail = f"{raised.type}: {raised.message}"[:200] if raised is not None else ""
        return _verdict(sample, outcome.status, detail, seconds)
    same = values.equal(outcome.value, values.decode(item.output))
    return _verdict(sample, Status.PASSED if same else Status.WRONG, "", seconds)


def _verdict(sample: Sample, status: Status, detail: str = "", seconds: float = 0.0) -> Verdict:
    return Verdict(
        sample.task_id,
        status is Status.PASSED,
        status,
        index=sample.index,
        trust=Trust.OUTSIDE,
        detail=detail,
        cpu_seconds=seconds,
    )


def literal_call(call: str) -> bool:
    """Whether the text is a call with literal arguments, as strict input answers have to be."""
    try:
        values.parse_call(call)
    except values.NotALiteral:
        return False
    return True


def is_expression(text: str) -> bool:
    """Whether the text parses as one Python expression."""
    try:
        ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return False
    return True
