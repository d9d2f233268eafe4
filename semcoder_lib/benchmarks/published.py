"""CRUXEval's published scorer, verdict for verdict, quirks included.

Its rule (facebookresearch/cruxeval, `evaluation/utils_general.py` at 190faf1): append
`assert OUTPUT == ANSWER` to the program, execute that text, and call it passed when nothing was
raised within three seconds. Before that a text guard refuses input answers without the text `f(`
and output answers that contain the call; refused answers leave the denominator as soon as another
answer of the same task passed, and count as wrong otherwise.

The text of an answer is code to this scorer, so `1 or True` passes. It runs in the sandbox, which
protects this machine but not the verdict (`Trust.SAME_PROCESS`). Where the whole assertion is a
comparison of two plain literals its truth is decided here, because running it can give no other.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any

from semcoder_lib.benchmarks.base import Sample
from semcoder_lib.benchmarks.execution import Item
from semcoder_lib.records import Status, Trust, Verdict

SECONDS = 3.0
_RUNNER = "def run(text):\n    exec(text, {})\n"


def judge(
    items: Sequence[Item], samples: Sequence[Sample], direction: str, box: Any
) -> list[Verdict]:
    """One verdict a sample, in order. A refused answer that the scorer drops has
    `counted=False`."""
    from semcoder_lib.sandbox import Job, Limits

    statuses: list[Status | None] = [None] * len(samples)
    refused = [False] * len(samples)
    texts: dict[str, list[int]] = {}
    for place, (item, sample) in enumerate(zip(items, samples, strict=True)):
        answer = sample.answer.text or ""
        renamed = _renamed(item, sample.answer.function)
        if _guarded(renamed, answer, direction):
            refused[place] = True
            statuses[place] = Status.NO_ANSWER if not answer.strip() else Status.WRONG
            continue
        statuses[place] = _decided(renamed.output, answer)
        if statuses[place] is None:
            text = f"{renamed.source}\nassert {renamed.output} == {answer}"
            texts.setdefault(text, []).append(place)
    limits = Limits(cpu_seconds=SECONDS, wall_seconds=3 * SECONDS, memory_mb=4096)
    jobs = [Job(_RUNNER, "run", calls=[(text,)], limits=limits) for text in texts]
    for outcomes, places in zip(box.map(jobs), texts.values(), strict=True):
        for place in places:
            statuses[place] = _status(outcomes[0])
    return _verdicts(samples, statuses, refused)


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
    return Item(alias, function, function + arguments, item.output)


def _decided(output: str, answer: str) -> Status | None:
    """The verdict where both sides are plain literals and nothing else is in the assertion."""
    try:
        body = ast.parse(f"assert {output} == {answer}").body
        known = ast.literal_eval(output.strip())
    except (SyntaxError, ValueError, MemoryError, RecursionError, TypeError):
        return None
    node = body[0] if len(body) == 1 else None
    if not isinstance(node, ast.Assert) or not isinstance(node.test, ast.Compare):
        return None
    test = node.test
    if len(test.ops) != 1 or not isinstance(test.ops[0], ast.Eq):
        return None
    if ast.dump(test.left) != ast.dump(ast.parse(output.strip(), mode="eval").body):
        return None
    try:
        got = ast.literal_eval(test.comparators[0])
        return Status.PASSED if known == got else Status.WRONG
    except (ValueError, TypeError, MemoryError, RecursionError):
        return None


def _status(outcome: Any) -> Status:
    if outcome.status is Status.OK:
        return Status.PASSED
    if outcome.exception is not None and outcome.exception.type == "AssertionError":
        return Status.WRONG
    return outcome.status  # type: ignore[no-any-return]


def _verdicts(
    samples: Sequence[Sample], statuses: Sequence[Status | None], refused: Sequence[bool]
) -> list[Verdict]:
    right = {
        sample.task_id
        for sample, status in zip(samples, statuses, strict=True)
        if status is Status.PASSED
    }
    verdicts = []
    for sample, status, out in zip(samples, statuses, refused, strict=True):
        assert status is not None
        verdicts.append(
            Verdict(
                sample.task_id,
                status is Status.PASSED,
                status,
                index=sample.index,
                counted=not (out and sample.task_id in right),
                trust=Trust.SAME_PROCESS,
                detail="refused by the scorer's text guard" if out else "",
            )
        )
    return verdicts
