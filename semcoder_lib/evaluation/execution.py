"""Strict scoring of execution reasoning, in both directions, for every benchmark that asks it.

Output answers are literals and are compared here; no program runs. Input answers are calls with
literal arguments: the program runs on them in the sandbox, and the value it returns is compared
here. Nothing of an answer is ever evaluated, and the program never sees the expected value.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from semcoder_lib.core import values
from semcoder_lib.core.records import Status, Trust, Verdict
from semcoder_lib.evaluation.base import Answer, Sample
from semcoder_lib.evaluation.calls import Call, Ledger

_WRAPPER = "_call_with_names"


@dataclass(frozen=True, slots=True)
class Item:
    """One program with one known call and output. `call` is the source text of the call; `before`
    is run before the program and not shown in prompts."""

    source: str
    entry_point: str
    call: str
    output: str
    before: str = ""

    @property
    def program(self) -> str:
        """What is run."""
        return f"{self.before}{self.source}"


def judge_output(item: Item, sample: Sample) -> Verdict:
    """Is the answered literal equal to the recorded output? Statuses `passed`, `wrong`,
    `no_answer`, `unparseable`."""
    answer = sample.answer
    if answer.text is None or not answer.text.strip():
        return _verdict(sample, Status.NO_ANSWER)
    try:
        got = values.decode(answer.text)
    except values.NotALiteral as error:
        return _verdict(sample, Status.UNPARSEABLE, str(error))
    right = equal(got, values.decode(item.output))
    return _verdict(sample, Status.PASSED if right else Status.WRONG)


def judge_inputs(
    items: Sequence[Item], samples: Sequence[Sample], box: Any, ledger: Ledger
) -> list[Verdict]:
    """Does the program, called with the answered arguments, return the recorded output? Statuses
    as above, and those of the run where it failed (`exception`, `timeout`, …)."""
    verdicts: list[Verdict | None] = [None] * len(samples)
    places, calls = [], []
    for place, (item, sample) in enumerate(zip(items, samples, strict=True)):
        asked = _asked(item, sample.answer)
        if isinstance(asked, Call):
            places.append(place)
            calls.append(asked)
        else:
            verdicts[place] = _verdict(sample, *asked)
    for place, outcome in zip(places, ledger.run(calls, box), strict=True):
        verdicts[place] = _returned(items[place], samples[place], outcome)
    return [v for v in verdicts if v is not None]


def equal(a: Any, b: Any) -> bool:
    """Python's `==` on decoded values, except that a bool equals only a bool (an answer `False`
    is not 0) and nan equals nan."""
    if isinstance(a, bool) or isinstance(b, bool):
        return isinstance(a, bool) and isinstance(b, bool) and a == b
    if isinstance(a, list | tuple) and type(a) is type(b):
        return len(a) == len(b) and all(map(equal, a, b))
    if isinstance(a, dict) and isinstance(b, dict) and a.keys() == b.keys():
        return all(equal(a[key], b[key]) for key in a)
    return values.equal(a, b)


def _asked(item: Item, answer: Answer) -> Call | tuple[Status, str]:
    """The call that the answer stands for, or why there is none."""
    if answer.text is None or not answer.text.strip():
        return Status.NO_ANSWER, ""
    try:
        name, positional, named = values.parse_call(answer.text)
        if name not in (item.entry_point, answer.function):
            return Status.UNPARSEABLE, f"calls {name[:50]!r}, not {item.entry_point!r}"
        if not named:
            return Call.of(item.program, item.entry_point, positional)
        source = (
            f"{item.program}\n\ndef {_WRAPPER}(_positional, _named):\n"
            f"    return {item.entry_point}(*_positional, **_named)\n"
        )
        return Call.of(source, _WRAPPER, (positional, named))
    except (values.NotALiteral, values.Unserializable) as error:
        return Status.UNPARSEABLE, str(error)


def _returned(item: Item, sample: Sample, outcome: Any) -> Verdict:
    seconds = outcome.cpu_seconds
    if outcome.status is not Status.OK:
        raised = outcome.exception
        detail = f"{raised.type}: {raised.message}"[:200] if raised is not None else outcome.note
        return _verdict(sample, outcome.status, detail, seconds)
    right = equal(outcome.value, values.decode(item.output))
    return _verdict(sample, Status.PASSED if right else Status.WRONG, "", seconds)


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
