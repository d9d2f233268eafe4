"""One program, one call, one output, asked about in one direction: what CRUXEval, LiveCodeBench's
output prediction and held-out PyX share.

Strict: output answers are literals and are compared here; no program runs. Input answers are calls
with literal arguments: the program runs on them in the sandbox, and the value it returns is
compared here. Nothing of an answer is ever evaluated, and the program never sees the expected
value.

Official is CRUXEval's published scorer, verdict for verdict, quirks included
(facebookresearch/cruxeval, `evaluation/utils_general.py` at 190faf1): append `assert OUTPUT ==
ANSWER` to the program, execute that text, and call it passed when nothing was raised within three
seconds. The text of an answer is code to it, so `1 or True` passes; the sandbox protects this
machine but not the verdict.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from semcoder_lib.core import values
from semcoder_lib.core.records import Status, Trust, Verdict
from semcoder_lib.evaluation.asking import Item, few_shot
from semcoder_lib.evaluation.assertions import clean_answer, faithful_answer
from semcoder_lib.evaluation.base import (
    Answer,
    Benchmark,
    Finding,
    Ledger,
    Probe,
    Sample,
    Task,
    cpu_limits,
    finding,
)
from semcoder_lib.models import prompts
from semcoder_lib.models.prompts import Prompt
from semcoder_lib.sandbox import Job, Sandbox

_OFFICIAL_SECONDS = 3.0
_RUNNER = "def run(text):\n    exec(text, {})\n"
_WITH_NAMES = "\n\ndef _call(_positional, _named):\n    return {}(*_positional, **_named)\n"


@dataclass
class ExecutionReasoning(Benchmark):
    """Predict an output (`direction="output"`) or an input that gives it (`"input"`). `item` says
    what is asked about, by a task's data."""

    direction: str = "output"
    item: Callable[[dict[str, Any]], Item] = lambda data: data["item"]
    code: ClassVar[bool] = False

    def render(self, task: Task, style: str, reasoning: str, shots: int) -> Prompt:
        """`reasoning`: `direct`, `monologue`, a trace format of `prompts`, or `cot` (free chain of
        thought, two shots of ours)."""
        item = self.item(task.data)
        if shots or reasoning == "cot":
            return few_shot(item, self.direction, reasoning, shots or 2)
        if self.direction == "output":
            return prompts.forward(item.source, item.call, format=reasoning, style=style)
        return prompts.backward(
            item.source, item.entry_point, item.output, format=reasoning, style=style
        )

    def extract(self, task: Task, text: str, *, style: str = "clean") -> Answer:
        """See `assertions`."""
        extract = faithful_answer if style == "faithful" else clean_answer
        return extract(text, self.direction)

    def trust(self, scorer: str) -> Trust:
        """The published scorer executes the answer."""
        return Trust.SAME_PROCESS if scorer == "official" else Trust.OUTSIDE

    def findings(
        self, asked: Sequence[tuple[Task, Answer]], scorer: str, box: Sandbox, ledger: Ledger
    ) -> Iterable[Finding]:
        """Statuses `passed`, `wrong`, `unparseable` for no literal, and those of a failed run."""
        pairs = [(self.item(task.data), answer) for task, answer in asked]
        if scorer == "official":
            texts = ["" if self._refuses(*pair) else _official_text(*pair) for pair in pairs]
            found = iter(run_texts(filter(None, texts), box))
            refused = Finding(Status.WRONG, "refused by the scorer's text guard")
            return (next(found) if text else refused for text in texts)
        if self.direction == "output":
            return (_strict_output(item, answer) for item, answer in pairs)
        return _strict_inputs(pairs, ledger.seconds, box)

    def _refuses(self, item: Item, answer: Answer) -> bool:
        """The published scorer's text guard: against input answers without the text `f(` and output
        answers that contain the call."""
        named, text = _renamed(item, answer.function), answer.text or ""
        if self.direction == "output":
            return named.call in text
        return f"{named.entry_point}(" not in text

    def judge(
        self,
        tasks: Sequence[Task],
        samples: Sequence[Sample],
        *,
        scorer: str = "strict",
        **how: Any,
    ) -> list[Verdict]:
        """As everywhere; but answers that the published scorer refuses leave its denominator where
        another answer of the task passed (`counted`)."""
        verdicts = super().judge(tasks, samples, scorer=scorer, **how)
        if scorer == "strict":
            return verdicts
        items = {task.task_id: self.item(task.data) for task in tasks}
        right = {v.task_id for v in verdicts if v.passed}
        dropped = [
            s.task_id in right and self._refuses(items[s.task_id], s.answer) for s in samples
        ]
        return [
            dataclasses.replace(v, counted=not out)
            for v, out in zip(verdicts, dropped, strict=True)
        ]

    def probes(self, tasks: Sequence[Task]) -> list[Probe]:
        """References, empty answers, planted cheats, and constants."""
        found = []
        for task in tasks:
            item = self.item(task.data)
            words = {"CALL": item.call, "OUT": item.output, "NAME": item.entry_point}
            reference = "OUT" if self.direction == "output" else "CALL"
            for kind, name, text in (
                ("reference", "reference", reference),
                *_PROBES[self.direction],
            ):
                parts = re.split("(CALL|OUT|NAME)", text)
                filled = "".join(words.get(part, part) for part in parts)
                found.append(Probe(kind, name, task.task_id, filled))
            found.append(Probe("empty", "empty", task.task_id, None))
        return found

    def errata(self, tasks: Sequence[Task], scorer: str) -> dict[str, str]:
        """Strict inputs: tasks whose own input is an expression, not a literal."""
        if scorer == "official" or self.direction == "output":
            return {}
        asked = {task.task_id: self.item(task.data) for task in tasks}
        return {
            name: "the benchmark's own input is an expression, not a literal"
            for name, item in asked.items()
            if isinstance(_answered_call(item, Answer(item.call)), Finding)
        }


_VALUES = "False True [] '' 0 1 -1 {} None"
_PROBES = {
    "output": (
        ("cheat", "or True", "0 or True"),
        ("cheat", "the call itself", "CALL"),
        ("cheat", "spaced call", "NAME (OUT)"),
        ("cheat", "always equal", "type('E', (), {'__eq__': lambda s, o: True})()"),
        ("cheat", "second statement", "None if False else None or 1; pass"),
        ("cheat", "comparison chain", "OUT == OUT"),
        *(("constant", x, x) for x in _VALUES.split()),
    ),
    "input": (
        ("cheat", "or True", "NAME() or True"),
        ("cheat", "call in a comment", "OUT # NAME("),
        ("cheat", "conditional", "OUT if True else NAME()"),
        ("cheat", "redefinition", "(lambda: OUT)() or NAME()"),
        ("constant", "f('')", "NAME('')"),
        ("constant", "f([])", "NAME([])"),
    ),
}


def cruxeval(direction: str) -> ExecutionReasoning:
    """CRUXEval (Gu et al. 2024): 800 short functions `f`. Task data: `code`, `input`, `output`."""
    return ExecutionReasoning(
        f"cruxeval-{direction[0]}",
        "facebookresearch/cruxeval (data/cruxeval.jsonl), hub cruxeval-org/cruxeval",
        ("cruxeval.jsonl",),
        ("id", "code", "input", "output"),
        direction=direction,
        item=lambda row: Item(row["code"], "f", f"f({row['input']})", row["output"]),
    )


def run_texts(texts: Iterable[str], box: Sandbox) -> Iterable[Finding]:
    """What becomes of each text that is executed in one process: solution, or answer, and test
    beside each other, as the published runners have them. Forgeable, but equal to them."""
    limits = cpu_limits(_OFFICIAL_SECONDS, memory_mb=4096)
    jobs = (Job(_RUNNER, "run", [(text,)], limits) for text in texts)
    return (finding(outcome, asserts=True) for (outcome,) in box.map(jobs))


def _official_text(item: Item, answer: Answer) -> str:
    named = _renamed(item, answer.function)
    return f"{named.before}{named.source}\nassert {named.output} == {answer.text}"


def _renamed(item: Item, function: str) -> Item:
    """The item with its function under the name that the completion's own prompt used."""
    if not function or function == item.entry_point:
        return item
    source = f"{item.source}\n{function} = {item.entry_point}"
    call = function + item.call[len(item.entry_point) :]
    return dataclasses.replace(item, source=source, entry_point=function, call=call)


def _strict_output(item: Item, answer: Answer) -> Finding:
    try:
        got = values.decode(answer.text or "")
    except values.NotALiteral as error:
        return Finding(Status.UNPARSEABLE, str(error)[:200])
    right = equal(got, values.decode(item.output))
    return Finding(Status.PASSED if right else Status.WRONG)


def _strict_inputs(
    pairs: Sequence[tuple[Item, Answer]], seconds: float, box: Sandbox
) -> list[Finding]:
    """Calls of one program share a process, on a module that is executed afresh for each; a call
    that kills it costs the others nothing."""
    found: list[Finding | None] = []
    groups: dict[tuple[str, str], list[tuple[int, tuple[Any, ...]]]] = {}
    for place, (item, answer) in enumerate(pairs):
        asked = _answered_call(item, answer)
        found.append(asked if isinstance(asked, Finding) else None)
        if not isinstance(asked, Finding):
            source, entry_point, arguments = asked
            groups.setdefault((source, entry_point), []).append((place, arguments))
    limits = cpu_limits(seconds)
    jobs = [
        Job(source, entry_point, [arguments for _, arguments in calls], limits,
            share=len(calls) > 1, give_up=len(calls) + 1)
        for (source, entry_point), calls in groups.items()
    ]  # fmt: skip
    for calls, outcomes in zip(groups.values(), box.map(jobs), strict=True):
        for (place, _), outcome in zip(calls, outcomes, strict=True):
            known = values.decode(pairs[place][0].output)
            right = outcome.status is Status.OK and equal(outcome.value, known)
            found[place] = finding(outcome, right)
    return [f for f in found if f is not None]


def _answered_call(item: Item, answer: Answer) -> tuple[str, str, tuple[Any, ...]] | Finding:
    """Program, function and arguments of the call that the answer is, or why it is none."""
    try:
        name, positional, named = values.parse_call(answer.text or "")
        if name not in (item.entry_point, answer.function):
            why = f"calls {name[:50]!r}, not {item.entry_point!r}"
            return Finding(Status.UNPARSEABLE, why)
        source = item.before + item.source
        values.encode((positional, named))
        if named:
            return source + _WITH_NAMES.format(item.entry_point), "_call", (positional, named)
        return source, item.entry_point, positional
    except (values.NotALiteral, values.Unserializable) as error:
        return Finding(Status.UNPARSEABLE, str(error)[:200])


def equal(a: Any, b: Any) -> bool:
    """Python's `==` on decoded values, except that a bool equals only a bool (an answer `False`
    is not 0) and nan equals nan. Never raises."""
    return values.equal(a, b) and _bools_agree(a, b)


def _bools_agree(a: Any, b: Any) -> bool:
    if isinstance(a, list | tuple):
        return all(map(_bools_agree, a, b))
    if isinstance(a, dict):
        return all(_bools_agree(a[key], b[key]) for key in a if key in b)
    return isinstance(a, bool) == isinstance(b, bool)
