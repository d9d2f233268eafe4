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

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

from semcoder_lib.core import records, values
from semcoder_lib.core.errors import UserError
from semcoder_lib.core.records import Status, Trust, Verdict
from semcoder_lib.evaluation.assertions import clean_answer, faithful_answer
from semcoder_lib.evaluation.base import (
    CALL_SECONDS,
    Answer,
    Benchmark,
    Finding,
    Sample,
    Task,
    cpu_limits,
    finding,
    get,
)
from semcoder_lib.models import prompts
from semcoder_lib.models.prompts import Prompt
from semcoder_lib.sandbox import Job, Sandbox

_RUNNER = "def run(text):\n    exec(text, {})\n"
_WITH_NAMES = "\n\ndef _call(_positional, _named):\n    return {}(*_positional, **_named)\n"

# two worked examples of ours, for models that were never tuned (table 1's baselines)
SHOTS: list[dict[str, str]] = json.loads(Path(__file__).with_name("shots.json").read_text())
_ASK = {
    "output": "Complete the assertion with the value that the call returns. "
    "Write a literal, no expression.",
    "input": "Complete the assertion with arguments for which the call returns the given value. "
    "Write literals, no expressions.",
}


@dataclass(frozen=True, slots=True)
class Item:
    """One program with one known call and output. `call` is the source text of the call; `before`
    is run before the program and not shown in prompts."""

    source: str
    entry_point: str
    call: str
    output: str
    before: str = ""


@dataclass
class ExecutionReasoning(Benchmark):
    """Predict an output (`direction="output"`) or an input that gives it (`"input"`). `item` says
    what is asked about, by a task's data."""

    direction: str = "output"
    item: Callable[[dict[str, Any]], Item] = lambda data: data["item"]
    code: ClassVar[bool] = False
    trusts: ClassVar[dict[str, Trust]] = {"official": Trust.SAME_PROCESS}

    def prompt(
        self, task: Task, *, style: str = "clean", reasoning: str = "direct", shots: int = 0
    ) -> Prompt:
        """`reasoning`: `direct`, `monologue`, a trace format of `prompts`, or `cot` (free chain of
        thought, two shots of ours)."""
        item = self.item(task.data)
        if shots or reasoning == "cot":
            return few_shot(item, self.direction, reasoning, shots or 2)
        way = "forward" if self.direction == "output" else "backward"
        shown = item.source, item.entry_point, item.call, item.output
        return prompts.execution(way, *shown, format=reasoning, style=style)

    def opening(self, task: Task) -> str:
        """How the answer begins, as far as the question gives it away: what a text that ran out of
        tokens is made to go on with."""
        return f"[ANSWER]\n{_begun(self.item(task.data), self.direction)}"

    def extract(self, task: Task, text: str, *, style: str = "clean") -> Answer:
        """See `assertions`."""
        extract = faithful_answer if style == "faithful" else clean_answer
        return extract(text, self.direction)

    def findings(
        self, asked: Sequence[tuple[Task, Answer]], scorer: str, box: Sandbox
    ) -> Iterable[Finding]:
        """Statuses `passed`, `wrong`, `unparseable` for no literal, and those of a failed run."""
        pairs = [(self.item(task.data), answer) for task, answer in asked]
        if scorer == "official":
            return self._official(pairs, box)
        if self.direction == "output":
            return (_strict_output(item, answer) for item, answer in pairs)
        return _strict_inputs(pairs, box)

    def _official(self, pairs: Sequence[tuple[Item, Answer]], box: Sandbox) -> Iterator[Finding]:
        refused = [self._refuses(item, answer) for item, answer in pairs]
        asked = (
            (_renamed(item, answer.function), answer.text)
            for (item, answer), out in zip(pairs, refused, strict=True)
            if not out
        )
        texts = (f"{i.before}{i.source}\nassert {i.output} == {text}" for i, text in asked)
        findings = iter(run_texts(texts, box))
        for out in refused:
            guarded = Finding(Status.WRONG, "refused by the scorer's text guard")
            yield guarded if out else next(findings)

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
        return [replace(v, counted=not out) for v, out in zip(verdicts, dropped, strict=True)]

    def probes(self, task: Task) -> tuple[str, dict[str, str]]:
        item = self.item(task.data)
        reference = item.output if self.direction == "output" else item.call
        return self.direction, {
            "NAME": item.entry_point, "CALL": item.call, "OUT": item.output, "REFERENCE": reference
        }  # fmt: skip

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


def few_shot(item: Item, direction: str, reasoning: str, count: int) -> Prompt:
    """A prompt with `count` (1 or 2) worked examples. `reasoning` is `direct` or `cot`. For
    `direct` the assertion is begun in `prefill` and there is no question with `??`, because a small
    base model copies that (`docs/LOG.md`); for `cot` the assertion follows free text in tags
    [THOUGHT]."""
    if count not in (1, 2) or reasoning not in ("direct", "cot"):
        raise UserError(f"{count} shots, reasoning {reasoning!r}: there are 1 or 2, direct or cot")
    parts = [_ASK[direction]]
    for shot in SHOTS[:count]:
        example = Item(shot["source"], "f", shot["call"], shot["output"])
        thought = shot["forward" if direction == "output" else "backward"]
        middle = f"{thought}\n[/THOUGHT]\n[ANSWER]\n" if reasoning == "cot" else ""
        opening = _opening(example, direction, reasoning)
        parts.append(f"{opening}{middle}assert {example.call} == {example.output}\n[/ANSWER]")
    text = "\n\n".join([*parts, _opening(item, direction, reasoning)])
    if reasoning == "cot":
        return Prompt(text, ("[/ANSWER]",), "[THOUGHT]\n")
    begun = _begun(item, direction)
    return Prompt(text + begun, ("[/ANSWER]",), f"[ANSWER]\n{begun}")


def _begun(item: Item, direction: str) -> str:
    """The asserted answer as far as the question gives it away."""
    return f"assert {item.call} ==" if direction == "output" else f"assert {item.entry_point}("


def _opening(item: Item, direction: str, reasoning: str) -> str:
    source = item.source.rstrip()
    if reasoning == "direct":
        question = "" if direction == "output" else f"[OUTPUT]\n{item.output}\n[/OUTPUT]\n"
        return f"[PYTHON]\n{source}\n[/PYTHON]\n{question}[ANSWER]\n"
    output = direction == "output"
    asked = f"{item.call} == ??" if output else f"{item.entry_point}(??) == {item.output}"
    return f"[PYTHON]\n{source}\nassert {asked}\n[/PYTHON]\n[THOUGHT]\n"


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
    limits = cpu_limits(CALL_SECONDS, memory_mb=4096)
    jobs = (Job(_RUNNER, "run", [(text,)], limits) for text in texts)
    return (finding(outcome, asserts=True) for (outcome,) in box.map(jobs))


def _renamed(item: Item, function: str) -> Item:
    """The item with its function under the name that the completion's own prompt used."""
    if not function or function == item.entry_point:
        return item
    source = f"{item.source}\n{function} = {item.entry_point}"
    call = function + item.call[len(item.entry_point) :]
    return replace(item, source=source, entry_point=function, call=call)


def _strict_output(item: Item, answer: Answer) -> Finding:
    try:
        actual = values.decode(answer.text or "")
    except values.NotALiteral as error:
        return Finding(Status.UNPARSEABLE, str(error)[:200])
    right = equal(actual, values.decode(item.output))
    return Finding(Status.PASSED if right else Status.WRONG)


def _strict_inputs(pairs: Sequence[tuple[Item, Answer]], box: Sandbox) -> Iterator[Finding]:
    asked = [_answered_call(item, answer) for item, answer in pairs]
    outcomes = box.map(job for job in asked if isinstance(job, Job))
    for (item, _), job in zip(pairs, asked, strict=True):
        if isinstance(job, Finding):
            yield job
            continue
        (outcome,), expected = next(outcomes), values.decode(item.output)
        yield finding(outcome, outcome.status is Status.OK and equal(outcome.value, expected))


def _answered_call(item: Item, answer: Answer) -> Job | Finding:
    """The call that the answer is, or why it is none."""
    try:
        name, positional, named = values.parse_call(answer.text or "")
        values.encode((positional, named))
    except (values.NotALiteral, values.Unserializable) as error:
        return Finding(Status.UNPARSEABLE, str(error)[:200])
    if name not in (item.entry_point, answer.function):
        return Finding(Status.UNPARSEABLE, f"calls {name[:50]!r}, not {item.entry_point!r}")
    source = item.before + item.source
    if named:
        source += _WITH_NAMES.format(item.entry_point)
        return Job(source, "_call", [(positional, named)], cpu_limits(CALL_SECONDS))
    return Job(source, item.entry_point, [positional], cpu_limits(CALL_SECONDS))


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


# --- held-out PyX ---


@dataclass
class HeldOutPyx(ExecutionReasoning):
    """Programs of our own corpus that training never saw, in both directions. Reads rows of
    `records.Entry`: the programs of split `held_out`, each with one case, so that tasks are
    independent: the `hardest_to_guess`."""

    home: str = "a run of this project: runs/NAME/01_pyx/pyx.jsonl, given with --data"
    files: tuple[str, ...] = ("pyx.jsonl",)
    fields: tuple[str, ...] = ("program", "cases")
    item: Callable[[dict[str, Any]], Item] = lambda data: Item(
        data["code"], data["entry_point"], data["call"], data["output"]
    )

    def task(self, row: dict[str, Any], number: int) -> Task | None:
        entry = records.from_row(records.Entry, row)
        return _task(entry, number) if entry.program.split == "held_out" else None

    def from_entries(self, entries: Iterable[records.Entry]) -> list[Task]:
        """Tasks of entries at hand, whatever their split; entries without a case that has an
        exact text are left out."""
        tasks = [_task(entry, number) for number, entry in enumerate(entries, 1)]
        return [task for task in tasks if task is not None]


def questions(entry: records.Entry, kind: str, *, style: str) -> list[str]:
    """The prompts that the evaluation gives about the cases of an entry: of `kind` "direct" in both
    directions, without reasoning; of "forward" or "backward" in that one, with a monologue."""
    names = {"forward": ["pyx-o"], "backward": ["pyx-i"]}.get(kind, ["pyx-o", "pyx-i"])
    reasoning = "direct" if kind == "direct" else "monologue"
    alone = [replace(entry, cases=(case,)) for case in entry.cases]
    tasks = [task for task in map(_task, alone, range(len(alone))) if task is not None]
    return [
        get(name).prompt(task, style=style, reasoning=reasoning).text
        for name in names
        for task in tasks
    ]


def _task(entry: records.Entry, number: int) -> Task | None:
    program, case = entry.program, hardest_to_guess(entry.cases)
    if case is None:
        return None
    data = {
        "code": program.source,
        "entry_point": program.entry_point,
        "call": values.show_call(program.entry_point, case.arguments),
        "output": values.encode(case.output),
        "program": program,
        "case": case,
    }
    return Task(program.id or f"pyx/{number}", data)


def hardest_to_guess(cases: Iterable[records.Case]) -> records.Case | None:
    """The first case whose output is neither one of its arguments nor the output that most cases of
    the program have, so that copying and constants are not rewarded; where every case is one of
    these, the first that is the fewest. None without a case that has an exact text."""
    written = []
    for case in cases:
        try:
            arguments = [values.encode(a) for a in case.arguments]
            written.append((case, arguments, values.encode(case.output)))
        except values.Unserializable:
            continue
    if not written:
        return None
    usual = Counter(output for _, _, output in written).most_common(1)[0][0]
    return min(written, key=lambda row: (row[2] in row[1]) + (row[2] == usual))[0]
