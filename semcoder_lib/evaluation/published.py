"""CRUXEval's published scorer, verdict for verdict, quirks included.

Its rule (facebookresearch/cruxeval, `evaluation/utils_general.py` at 190faf1): append
`assert OUTPUT == ANSWER` to the program, execute that text, and call it passed when nothing was
raised within three seconds. Before that a text guard refuses input answers without the text `f(`
and output answers that contain the call; refused answers leave the denominator as soon as another
answer of the same task passed, and count as wrong otherwise.

The text of an answer is code to this scorer, so `1 or True` passes. It runs in the sandbox, which
protects this machine but not the verdict (`Trust.SAME_PROCESS`). Two kinds of assertion are
decided without executing their text, because that can give no other verdict: a comparison of two
plain literals, and of a literal with a literal call of the benchmark's own program, whose value
the sandbox tells.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any

from semcoder_lib.core.records import Status, Trust, Verdict
from semcoder_lib.core.values import Unserializable
from semcoder_lib.evaluation.base import Sample
from semcoder_lib.evaluation.calls import FLOOR_SECONDS, Call, Ledger, cpu_limits
from semcoder_lib.evaluation.execution import Item
from semcoder_lib.evaluation.testcode import RUNNER, told


def judge(
    items: Sequence[Item], samples: Sequence[Sample], direction: str, box: Any, ledger: Ledger
) -> list[Verdict]:
    """One verdict a sample, in order. A refused answer that the scorer drops has
    `counted=False`."""
    statuses: list[Status | None] = [None] * len(samples)
    refused = [False] * len(samples)
    calls: list[tuple[int, Any, Call]] = []
    texts: dict[str, list[int]] = {}
    for place, (item, sample) in enumerate(zip(items, samples, strict=True)):
        answer = sample.answer.text or ""
        named = _renamed(item, sample.answer.function)
        if _guarded(named, answer, direction):
            refused[place] = True
            statuses[place] = Status.WRONG if answer.strip() else Status.NO_ANSWER
            continue
        found = _simple(named, answer)
        if isinstance(found, Status):
            statuses[place] = found
        elif found is not None:
            calls.append((place, *found))
        else:
            text = f"{named.program}\nassert {named.output} == {answer}"
            texts.setdefault(text, []).append(place)
    outcomes = ledger.run([call for _, _, call in calls], box)
    for (place, known, _), outcome in zip(calls, outcomes, strict=True):
        status = _compared(known, outcome)
        statuses[place] = status
        if status is None:  # the value has no exact text: only running the text can tell
            named = _renamed(items[place], samples[place].answer.function)
            text = f"{named.program}\nassert {named.output} == {samples[place].answer.text}"
            texts.setdefault(text, []).append(place)
    _execute(texts, statuses, box)
    return _verdicts(samples, statuses, refused)


def _execute(texts: dict[str, list[int]], statuses: list[Status | None], box: Any) -> None:
    from semcoder_lib.sandbox import Job

    limits = cpu_limits(FLOOR_SECONDS, memory_mb=4096)
    jobs = [Job(RUNNER, "run", calls=[(text,)], limits=limits) for text in texts]
    for outcomes, places in zip(box.map(jobs), texts.values(), strict=True):
        for place in places:
            statuses[place] = told(outcomes[0])[0]


def _guarded(item: Item, answer: str, direction: str) -> bool:
    if direction == "input":
        return f"{item.entry_point}(" not in answer
    return item.call in answer


def _renamed(item: Item, function: str) -> Item:
    """The item with its function under the name that the completion's own prompt used."""
    if not function or function == item.entry_point:
        return item
    arguments = item.call[len(item.entry_point) :]
    alias = f"{item.source}\n{function} = {item.entry_point}"
    return Item(alias, function, function + arguments, item.output, item.before)


def _simple(item: Item, answer: str) -> Status | tuple[Any, Call] | None:
    """The verdict of a comparison of literals; the known value and the call of a comparison with
    a literal call; None for everything else."""
    try:
        body = ast.parse(f"assert {item.output} == {answer}").body
        expected = ast.parse(item.output.strip(), mode="eval").body
        known = ast.literal_eval(expected)
    except (SyntaxError, ValueError, MemoryError, RecursionError, TypeError):
        return None
    node = body[0] if len(body) == 1 else None
    if not isinstance(node, ast.Assert) or not isinstance(node.test, ast.Compare):
        return None
    test = node.test
    if len(test.ops) != 1 or not isinstance(test.ops[0], ast.Eq):
        return None
    if ast.dump(test.left) != ast.dump(expected):
        return None
    right = test.comparators[0]
    try:
        if not isinstance(right, ast.Call) or ast.unparse(right) == "set()":
            return Status.PASSED if known == ast.literal_eval(right) else Status.WRONG
        if right.keywords or ast.unparse(right.func) != item.entry_point:
            return None
        arguments = tuple(ast.literal_eval(argument) for argument in right.args)
        return known, Call.of(item.program, item.entry_point, arguments)
    except (ValueError, TypeError, MemoryError, RecursionError, Unserializable):
        return None


def _compared(known: Any, outcome: Any) -> Status | None:
    if outcome.status is Status.UNSERIALIZABLE:
        return None
    if outcome.status is not Status.OK:
        return told(outcome)[0]
    return Status.PASSED if known == outcome.value else Status.WRONG


def _verdicts(
    samples: Sequence[Sample], statuses: Sequence[Status | None], refused: Sequence[bool]
) -> list[Verdict]:
    pairs = list(zip(samples, statuses, strict=True))
    right = {sample.task_id for sample, status in pairs if status is Status.PASSED}
    return [
        Verdict(
            sample.task_id,
            status is Status.PASSED,
            status or Status.INFRASTRUCTURE,
            index=sample.index,
            counted=not (out and sample.task_id in right),
            trust=Trust.SAME_PROCESS,
            detail="refused by the scorer's text guard" if out else "",
        )
        for (sample, status), out in zip(pairs, refused, strict=True)
    ]
