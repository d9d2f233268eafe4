"""A model's answers to a benchmark: prompts, completions, verdicts, a score with its interval.

    plan = Plan("humaneval", tasks, Setting("instruction", max_new_tokens=320))
    rows = complete(Model("base", "smollm2-135m"), [plan], style="clean", cache=path)
    texts = completions_of(plan, rows)
    judged = verdicts(plan, texts, scorer="strict", box=box)
    evaluated(plan, "base", texts, judged, scorer="strict", seed=0).row

A model is loaded once for all its plans.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from semcoder_lib import corpus, models
from semcoder_lib.core import records
from semcoder_lib.evaluation import base, scoring
from semcoder_lib.evaluation.data import Missing
from semcoder_lib.evaluation.execution import ExecutionReasoning
from semcoder_lib.evaluation.score import Evaluation
from semcoder_lib.models import prompts
from semcoder_lib.sandbox import Sandbox

CODE_FORMS = {"completion": "completion", "instruction": "direct", "chat": "direct"}
"""How code is asked for, as a profile says it and as a benchmark's prompt does."""
ANSWER_TOKENS = 64  # of an answer that is forced


@dataclass(frozen=True, slots=True)
class Model:
    """A model under evaluation: "base" is never tuned, "tuned" after the fine-tuning on all tasks,
    "refined" after the one on PyX-R that follows it, "traced" after the same with real traces in
    the prompts (table 4). `weights`: the hash of a file or folder of the user's own."""

    label: str
    base: str
    adapter: Path | None = None
    backend: str = "auto"
    weights: str = ""

    def engine(self, cache: Path) -> models.Engine:
        """The model, loaded, with its completions kept in the file `cache`."""
        where = {"base_url": self.backend} if "://" in self.backend else {}
        backend = "openai" if where else self.backend
        return models.load(self.base, backend=backend, adapter=self.adapter, cache=cache, **where)


@dataclass(frozen=True, slots=True)
class Setting:
    """How a model is asked: with or without a monologue, how many worked examples first, how long
    its answer may be, and whether in its own chat template."""

    name: str
    reasoning: str = "direct"
    shots: int = 0
    max_new_tokens: int = 256
    chat: bool = False

    @property
    def steps(self) -> bool:
        """Whether a text between tags of its own comes before the answer."""
        return self.reasoning != "direct"


@dataclass(frozen=True, slots=True)
class Plan:
    """The tasks of a benchmark, to be asked in one way."""

    benchmark: str
    tasks: Sequence[base.Task]
    setting: Setting

    def name(self, model: str) -> str:
        """For files: benchmark, model and setting."""
        return f"{self.benchmark.replace('+', '_plus')}_{model}_{self.setting.name}"

    def prompts(self, style: str, tokenizer: Any) -> list[prompts.Prompt]:
        """What the model is asked, task by task. `tokenizer` has the chat template."""
        benchmark, how = base.get(self.benchmark), self.setting
        asked = [
            benchmark.prompt(task, style=style, reasoning=how.reasoning, shots=how.shots)
            for task in self.tasks
        ]
        return [prompts.in_chat(p, tokenizer) for p in asked] if how.chat else asked


def sample_tasks(tasks: Sequence[Any], limit: int, seed: int) -> list[Any]:
    """A fixed random slice of a benchmark, in the benchmark's order; `limit` 0 means all."""
    if not limit or limit >= len(tasks):
        return list(tasks)
    places = sorted(random.Random(f"{seed}:tasks").sample(range(len(tasks)), limit))
    return [tasks[i] for i in places]


def ask(
    model: Model, requests: Sequence[models.Request], *, cache: Path
) -> list[records.Completion]:
    """The completions of requests of any kind, in order."""
    if not requests:
        return []
    with model.engine(cache) as engine:
        return [completion for group in engine.generate(requests) for completion in group]


def balanced(entries: Sequence[records.Entry], count: int, seed: int) -> list[records.Entry]:
    """`count` entries of PyX, of each of its sources as many where there are enough; no drills."""
    parts = corpus.by_origin(e for e in entries if "drill" not in e.program.tags)
    chosen: list[records.Entry] = []
    for place, part in enumerate(sorted(parts.values(), key=len)):
        share = math.ceil((count - len(chosen)) / (len(parts) - place))
        chosen += sample_tasks(part, share, seed) if share else []
    return chosen


def tasks_of(
    benchmarks: Sequence[str], limit: int, seed: int
) -> tuple[dict[str, list[base.Task]], dict[str, str]]:
    """A slice of each benchmark whose file is found, and why the others are missing."""
    tasks, missing = {}, {}
    for name in benchmarks:
        try:
            tasks[name] = sample_tasks(base.get(name).load(), limit, seed)
        except Missing as why:
            missing[name] = str(why)
    return tasks, missing


def code_plans(
    tasks: Mapping[str, Sequence[base.Task]],
    forms: Sequence[str],
    *,
    style: str,
    max_new_tokens: int,
) -> list[Plan]:
    """A plan for each benchmark of code generation and each of the forms (`CODE_FORMS`) in which
    its prompts differ: some benchmarks have fewer, and call it `instruction`."""
    plans = []
    for name, asked in tasks.items():
        settings: dict[tuple[prompts.Prompt, bool], Setting] = {}
        for form in sorted(forms):
            setting = Setting(form, CODE_FORMS[form], 0, max_new_tokens, chat=form == "chat")
            prompt = base.get(name).prompt(asked[0], style=style, reasoning=setting.reasoning)
            settings[prompt, setting.chat] = setting
        plans += [Plan(name, asked, setting) for setting in settings.values()]
    return plans


def complete(
    model: Model, plans: Sequence[Plan], *, style: str = "clean", cache: Path
) -> list[dict[str, Any]]:
    """One greedy completion for each task of each plan, in order, as rows: benchmark, setting,
    task_id, text, finish, tokens. Prompts are not kept: they hold benchmark text. All plans are
    generated together, since a small model decodes a full batch as fast as a single row. Texts that
    run out of tokens among their steps are made to answer (see `_forced`): finish `forced`."""
    if not plans:
        return []
    asked = []
    with model.engine(cache) as engine:
        for plan in plans:
            prompted = plan.prompts(style, engine.tokenizer)
            for task, prompt in zip(plan.tasks, prompted, strict=True):
                length = plan.setting.max_new_tokens
                request = models.Request(task.task_id, prompt.text, prompt.stop, length)
                # an answer that the prompt began is read with its beginning; code is put together
                # later
                opening = "" if base.get(plan.benchmark).code else prompt.prefill
                asked.append((plan, task, request, opening))
        groups = engine.generate([request for _, _, request, _ in asked])
        rows: list[dict[str, Any]] = []
        forced = []
        for (plan, task, request, opening), (answer,) in zip(asked, groups, strict=True):
            text = replace(answer, text=opening + answer.text)
            columns = {n: getattr(text, n) for n in ("task_id", "text", "finish", "tokens")}
            rows.append({"benchmark": plan.benchmark, "setting": plan.setting.name, **columns})
            if (begun := _forced(plan, task, text)) is not None:
                whole = request.prompt.removesuffix(opening) + begun
                again = replace(request, prompt=whole, max_new_tokens=ANSWER_TOKENS)
                forced.append((rows[-1], begun, again))
        groups = engine.generate([request for _, _, request in forced])
        for (row, begun, _), (answer,) in zip(forced, groups, strict=True):
            row["text"], row["finish"] = begun + answer.text.partition("\n")[0], "forced"
            row["tokens"] += answer.tokens
    return rows


def _forced(plan: Plan, task: base.Task, text: records.Completion) -> str | None:
    """For a text that ran out of tokens among its steps, what the model is to go on from: the text
    is cut after the last whole line (a first line stays as it is), the steps are closed, and the
    answer is begun as far as the question gives it away."""
    benchmark = base.get(plan.benchmark)
    if not (isinstance(benchmark, ExecutionReasoning) and plan.setting.steps):
        return None
    if text.finish != "length" or "[ANSWER]" in text.text:
        return None
    tag = text.text.partition("]")[0].strip("[")
    whole = text.text[: text.text.rfind("\n") + 1].partition(f"[/{tag}]")[0]
    steps = whole if whole.count("\n") > 1 else f"{text.text}\n"
    return f"{steps}[/{tag}]\n{benchmark.opening(task)}"


def completions_of(plan: Plan, rows: Sequence[dict[str, Any]]) -> list[records.Completion]:
    """The completions of one plan among the rows of `complete`."""
    return [
        records.Completion(r["task_id"], r["text"], finish=r["finish"], tokens=r["tokens"])
        for r in rows
        if (r["benchmark"], r["setting"]) == (plan.benchmark, plan.setting.name)
    ]


def verdicts(
    plan: Plan, completions: Sequence[records.Completion], *, scorer: str, box: Sandbox
) -> list[records.Verdict]:
    """Whether each completion of a plan is right, found in the sandbox."""
    judged = base.get(plan.benchmark).score(plan.tasks, completions, scorer=scorer, box=box)
    # a verdict's detail and time differ from run to run; what is kept does not
    return [replace(v, detail="", cpu_seconds=0.0) for v in judged]


def evaluated(
    plan: Plan,
    model: str,
    completions: list[records.Completion],
    judged: list[records.Verdict],
    **how: Any,
) -> Evaluation:
    """The score of one plan, from its completions and verdicts; `how`: `scorer`, and the `seed` of
    the bootstrap."""
    return Evaluation(plan.benchmark, completions, judged, model, plan.setting.name, **how)


def difference_row(a: Evaluation, b: Evaluation, seed: int) -> dict[str, Any]:
    """The paired difference b - a over the tasks that both did, with its 95 % interval."""
    return {
        "benchmark": a.benchmark,
        "from": f"{a.model}, {a.setting}",
        "to": f"{b.model}, {b.setting}",
        **asdict(scoring.paired_difference(a.passed, b.passed, seed=seed)),
        "p_mcnemar": scoring.mcnemar(a.passed, b.passed).p_value,
    }


def differences(evaluated: Sequence[Evaluation], seed: int) -> list[dict[str, Any]]:
    """Every setting of a tuned model against the base model in the form that is best for it, then
    its monologues against its direct answers, on the tasks that both did, as rows of
    `difference_row`."""
    best: dict[str, Evaluation] = {}
    named = {(e.benchmark, e.model, e.setting): e for e in evaluated}
    for e in evaluated:
        before = best.get(e.benchmark)
        if e.model == "base" and (before is None or e.row["value"] > before.row["value"]):
            best[e.benchmark] = e
    tuned = [e for e in evaluated if e.model != "base"]
    rows = [difference_row(best[e.benchmark], e, seed) for e in tuned]
    for e in tuned:
        direct = named.get((e.benchmark, e.model, "direct"))
        if direct and e.setting == "monologue":
            rows.append(difference_row(direct, e, seed))
    return rows
