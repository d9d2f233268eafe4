"""HumanEval+ and MBPP+ (Liu et al. 2023), and their base tests alone: inputs go in, values come
out, and are compared here (`Trust.OUTSIDE`) by EvalPlus's rule.

Both releases of MBPP+ (399 tasks, later 378) load; their scores cannot be compared, so the summary
names the release.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semcoder_lib.core.records import Status, Verdict
from semcoder_lib.core.values import NotALiteral, decode
from semcoder_lib.evaluation import codegen, truth
from semcoder_lib.evaluation.base import Answer, Benchmark, Probe, Sample, Task, check_scorer
from semcoder_lib.evaluation.calls import Ledger
from semcoder_lib.evaluation.files import locate, read_rows
from semcoder_lib.evaluation.inputs import restored
from semcoder_lib.evaluation.oracles import ANY_VALUE, Oracle
from semcoder_lib.evaluation.truth import Expected
from semcoder_lib.models.prompts import Prompt

_FLOOR_SECONDS = 1.0  # EvalPlus: at least one second a call, four times the reference's
_FACTOR = 4.0
_TASK_SECONDS = 60.0
_FIELDS = ("task_id", "prompt", "entry_point", "canonical_solution", "base_input", "atol")


@dataclass(slots=True)
class EvalPlus(Benchmark):
    """`dataset` is `humaneval` or `mbpp`; `plus` adds the extra inputs to the base ones."""

    dataset: str = "humaneval"
    plus: bool = True

    @property
    def keeps_preflight(self) -> bool:
        """The references alone take as long as a whole evaluation."""
        return self.plus

    def load(self, path: Path | str | None = None) -> list[Task]:
        """See `Benchmark.load`."""
        fields = (*_FIELDS, "plus_input") if self.plus else _FIELDS
        tasks = []
        for row in read_rows(locate(self.name, self.files, self.home, path), fields):
            data = dict(row)
            for which in ("base_input", "plus_input"):
                data[which] = restored(str(row["task_id"]), row.get(which, []))
            tasks.append(Task(str(row["task_id"]), data))
        return tasks

    def prompt(
        self, task: Task, *, style: str = "clean", reasoning: str = "direct", shots: int = 0
    ) -> Prompt:
        """See `Benchmark.prompt`."""
        make = codegen.humaneval_prompt if self.dataset == "humaneval" else codegen.mbpp_prompt
        return make(self, task, style, reasoning)

    def perturb(self, task: Task, name: str, *, seed: int = 0) -> Task:
        """See `codegen.perturbed`."""
        return codegen.perturbed(task, name, seed)

    def extract(self, task: Task, text: str, *, style: str = "clean") -> Answer:
        """See `codegen.extract_code`; an MBPP completion begins a program of its own."""
        prefix = task.data["prompt"] if self.dataset == "humaneval" else ""
        return codegen.extract_code(task, text, style, prefix)

    def judge(
        self,
        tasks: Sequence[Task],
        samples: Sequence[Sample],
        *,
        scorer: str,
        box: Any,
        ledger: Ledger | None = None,
    ) -> list[Verdict]:
        """Both scorers compare alike; `official` also has EvalPlus 0.3.1's defect on HumanEval/32,
        which no solution passes there."""
        check_scorer(scorer)
        ledger = ledger or Ledger()
        by_id = {task.task_id: task for task in tasks}
        results: dict[tuple[str, str], Verdict] = ledger.outcomes.setdefault(self.name, {})
        fresh: dict[tuple[str, str], None] = {}
        for sample in samples:
            text = sample.answer.text or ""
            if text.strip() and (sample.task_id, text) not in results:
                fresh[sample.task_id, text] = None
        results.update(self._run(by_id, list(fresh), box))
        return [self._verdict(sample, results, scorer) for sample in samples]

    def _verdict(
        self, sample: Sample, results: dict[tuple[str, str], Verdict], scorer: str
    ) -> Verdict:
        text = sample.answer.text or ""
        if not text.strip():
            return Verdict(sample.task_id, False, Status.NO_ANSWER, index=sample.index)
        found = results[sample.task_id, text]
        passed, status, detail = found.passed, found.status, found.detail
        if scorer == "official" and passed and sample.task_id in _DEFECTS.get(self.dataset, {}):
            passed, status, detail = False, Status.WRONG, "EvalPlus never counts its tests"
        return Verdict(
            sample.task_id,
            passed,
            status,
            index=sample.index,
            detail=detail,
            cpu_seconds=found.cpu_seconds,
        )

    def _run(
        self, tasks: dict[str, Task], solutions: Sequence[tuple[str, str]], box: Any
    ) -> dict[tuple[str, str], Verdict]:
        """Base inputs first; the extra ones only where those passed."""
        used = [tasks[name] for name in dict.fromkeys(name for name, _ in solutions)]
        results = dict(self._pass(tasks, solutions, "base_input", used, box))
        if self.plus:
            through = [key for key in solutions if results[key].passed]
            results.update(self._pass(tasks, through, "plus_input", used, box))
        return results

    def _pass(
        self,
        tasks: dict[str, Task],
        solutions: Sequence[tuple[str, str]],
        which: str,
        used: Sequence[Task],
        box: Any,
    ) -> Iterable[tuple[tuple[str, str], Verdict]]:
        known = truth.expected(used, which, box)
        jobs = []
        for name, source in solutions:
            seconds = max(_FLOOR_SECONDS, _FACTOR * known[name].slowest)
            jobs.append(truth.job(source, tasks[name], tasks[name].data[which], seconds))
        for (name, source), outcomes in zip(solutions, box.map(jobs), strict=True):
            task = tasks[name]
            oracle = Oracle(self.dataset, _oracle_name(task), task.data["atol"])
            again = Again(source, task, which, box)
            yield (name, source), compared(task, which, known[name], outcomes, oracle, again)

    def probes(self, tasks: Sequence[Task]) -> list[Probe]:
        """References, empty answers, cheats, constants."""
        found = codegen.probes(tasks)
        open_tasks = {t.task_id for t in tasks if self._any_value(t)}
        return [p for p in found if p.kind != "cheat" or p.sample.task_id not in open_tasks]

    def errata(self, tasks: Sequence[Task], scorer: str) -> dict[str, str]:
        """See `Benchmark.errata`."""
        if scorer != "official":
            return {}
        return dict(_DEFECTS.get(self.dataset, {}))

    def extra(self, tasks: Sequence[Task], verdicts: Sequence[Verdict]) -> dict[str, Any]:
        """The release, the tasks that any value passes, and the base tests' own score."""
        added: dict[str, Any] = {"release": f"{len(tasks)} tasks"}
        if open_tasks := [t.task_id for t in tasks if self._any_value(t)]:
            added["any_value_passes"] = open_tasks
        if self.plus and verdicts:
            base = [v.passed or v.detail.startswith("plus_input") for v in verdicts]
            added["base_pass@1"] = _mean_by_task(verdicts, base)
        return added

    def _any_value(self, task: Task) -> bool:
        return self.dataset == "mbpp" and _oracle_name(task) in ANY_VALUE


def _oracle_name(task: Task) -> str:
    """The function's name in the release, by which a few tasks have rules of their own."""
    return str(task.data.get("original_entry_point", task.data["entry_point"]))


_DEFECTS = {
    "humaneval": {
        "HumanEval/32": "EvalPlus 0.3.1 leaves its special oracle before the test is counted, so "
        "no solution passes"
    }
}


def _mean_by_task(verdicts: Sequence[Verdict], passed: Sequence[bool]) -> float:
    by_task: dict[str, list[bool]] = {}
    for verdict, told in zip(verdicts, passed, strict=True):
        by_task.setdefault(verdict.task_id, []).append(told)
    return sum(sum(x) / len(x) for x in by_task.values()) / len(by_task)


@dataclass(frozen=True, slots=True)
class Again:
    """Asks solution and reference for the whole text of a value that came as a hash."""

    source: str
    task: Task
    which: str
    box: Any

    def texts(self, number: int) -> tuple[str, str]:
        """The solution's text and the reference's, for the call of that number."""
        arguments = self.task.data[self.which][number]
        told = []
        for source in (self.source, truth.reference(self.task)):
            outcome = truth.whole(source, self.task, arguments, truth.SECONDS, self.box)
            told.append(outcome.value if isinstance(outcome.value, str) else truth.OPAQUE)
        return told[0], told[1]


def compared(
    task: Task,
    which: str,
    known: Expected,
    outcomes: Sequence[Any],
    oracle: Oracle,
    again: Again,
) -> Verdict:
    """The verdict of one solution on one set of inputs, by its first call that is not right. The
    detail begins with `which`."""
    seconds = sum(o.cpu_seconds for o in outcomes)
    for number, (outcome, text) in enumerate(zip(outcomes, known.texts, strict=True)):
        status, why = _one(task.data[which][number], number, outcome, text, oracle, again)
        if status is not Status.PASSED:
            detail = f"{which} {number}{': ' + why if why else ''}"
            return Verdict(task.task_id, False, status, detail=detail, cpu_seconds=seconds)
    if seconds > _TASK_SECONDS:
        detail = f"{which}: {seconds:.0f} s in all"
        return Verdict(task.task_id, False, Status.TIMEOUT, detail=detail, cpu_seconds=seconds)
    return Verdict(task.task_id, True, Status.PASSED, cpu_seconds=seconds)


def _one(
    arguments: tuple[Any, ...],
    number: int,
    outcome: Any,
    text: str,
    oracle: Oracle,
    again: Again,
) -> tuple[Status, str]:
    if outcome.status is not Status.OK:
        raised = outcome.exception
        return outcome.status, f"{raised.type}: {raised.message}"[:200] if raised else outcome.note
    got = outcome.value
    if not isinstance(got, str):
        return Status.UNSERIALIZABLE, "not what the plug-in returns"
    if oracle.asks_not_none:
        return _not_none(got, text)
    if got == text and oracle.exact_text_decides and text != truth.OPAQUE and "nan" not in text:
        if oracle.tolerance == 0 and "." in text and text[0] != "#":
            oracle.note(decode(text))
        return Status.PASSED, ""
    if got == truth.OPAQUE:
        return Status.UNSERIALIZABLE, "the value has no exact text"
    if "#" in (got[:1], text[:1]):
        got, text = again.texts(number)
    try:
        right = oracle.accepts(arguments, decode(got), decode(text))
    except NotALiteral as error:
        return Status.UNSERIALIZABLE, str(error)
    return (Status.PASSED if right else Status.WRONG), ""


def _not_none(got: str, text: str) -> tuple[Status, str]:
    """Only "is it None" is asked, and a bool must say so itself."""
    expected = text != "None"
    said = got == "True" if got in ("True", "False") else got != "None"
    return (Status.PASSED if said == expected else Status.WRONG), ""


def benchmarks() -> Sequence[EvalPlus]:
    """humaneval+, mbpp and mbpp+."""
    humaneval = ("HumanEvalPlus-v0.1.10.jsonl.gz", "HumanEvalPlus-v0.1.10.jsonl")
    mbpp = (
        "MbppPlus-2023-11-16.jsonl.gz",
        "MbppPlus-v0.2.0.jsonl.gz",
        "MbppPlus-v0.2.0.jsonl",
        "MbppPlus.jsonl",
    )
    base = "MbppBase-2023-11-16.jsonl.gz"
    homes = ("evalplus/humanevalplus_release, hub evalplus/humanevalplus", "hub evalplus/mbppplus")
    return (
        EvalPlus("humaneval+", homes[0], humaneval, dataset="humaneval"),
        EvalPlus("mbpp", homes[1], (*mbpp, base), dataset="mbpp", plus=False),
        EvalPlus("mbpp+", homes[1], mbpp, dataset="mbpp"),
    )
