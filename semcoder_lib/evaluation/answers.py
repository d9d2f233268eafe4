"""A model's answers to a benchmark: prompts, completions, verdicts, a score with its interval.

plans = [Plan("humaneval", tasks, Setting("instruction", max_new_tokens=320))]
rows = complete(Model("base", "smollm2-135m"), plans, style="clean", cache=path)
judged = verdicts(plans[0], rows, scorer="strict", box=box)
evaluated(plans[0], "base", rows, judged, scorer="strict", seed=0).row
"""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semcoder_lib import models
from semcoder_lib.core import records
from semcoder_lib.evaluation import base, scoring
from semcoder_lib.models import prompts
from semcoder_lib.sandbox import Sandbox

CODE_FORMS = {"completion": "completion", "instruction": "direct", "chat": "direct"}
"""How code is asked for, as a profile says it and as a benchmark's prompt does."""


@dataclass(frozen=True, slots=True)
class Model:
    """A model under evaluation: "base" is never tuned, "tuned" after the fine-tuning on all tasks,
    "refined" after the one on PyX-R that follows it, "traced" after the same with real traces in
    the prompts (table 4). `weights`: the hash of a file of the user's own."""

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


@dataclass(frozen=True, slots=True)
class Plan:
    """The tasks of a benchmark, to be asked in one way."""

    benchmark: str
    tasks: tuple[base.Task, ...]
    setting: Setting

    @property
    def name(self) -> str:
        """For files: benchmark and setting."""
        return f"{self.benchmark.replace('+', '_plus')}_{self.setting.name}"

    def prompts(self, style: str, tokenizer: Any) -> list[prompts.Prompt]:
        """What the model is asked, task by task. `tokenizer` has the chat template."""
        benchmark, how = base.get(self.benchmark), self.setting
        asked = [
            benchmark.prompt(task, style=style, reasoning=how.reasoning, shots=how.shots)
            for task in self.tasks
        ]
        return [prompts.in_chat(p, tokenizer) for p in asked] if how.chat else asked


@dataclass(frozen=True, slots=True)
class Evaluated:
    """One model, one benchmark, one setting: its verdicts, and its score as the report reads it."""

    benchmark: str
    model: str
    setting: str
    verdicts: list[records.Verdict]
    completions: list[records.Completion]
    row: dict[str, Any]

    @property
    def passed(self) -> dict[str, float]:
        """1.0 or 0.0 per task, by its id."""
        return {v.task_id: float(v.passed) for v in self.verdicts}


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
    """`count` entries, real and synthesised in equal numbers where there are enough."""
    real = [e for e in entries if e.program.origin != "synthesised"]
    synthesised = [e for e in entries if e.program.origin == "synthesised"]
    half = min(len(real), count - min(len(synthesised), count // 2))
    chosen = sample_tasks(real, half, seed) if half else []
    return chosen + sample_tasks(synthesised, max(1, count - half), seed)


def complete(
    model: Model, plans: Sequence[Plan], *, style: str = "clean", cache: Path
) -> list[dict[str, Any]]:
    """One greedy completion for each task of each plan, in order, as rows: benchmark, setting,
    task_id, text, finish, tokens. Prompts are not kept: they hold benchmark text. All plans are
    generated together, since a small model decodes a full batch as fast as a single row."""
    with model.engine(cache) as engine:
        asked = [(plan, plan.prompts(style, engine.tokenizer)) for plan in plans]
        groups = engine.generate(
            [
                models.Request(
                    task.task_id, prompt.text, prompt.stop,
                    max_new_tokens=plan.setting.max_new_tokens,
                )
                for plan, prompted in asked
                for task, prompt in zip(plan.tasks, prompted, strict=True)
            ]
        )  # fmt: skip
    rows, completions = [], (group[0] for group in groups)
    for plan, prompted in asked:
        # an answer that the prompt began is read with its beginning; code is put together later
        whole = not base.get(plan.benchmark).code
        for prompt in prompted:
            c = next(completions)
            rows.append(
                {
                    "benchmark": plan.benchmark, "setting": plan.setting.name,
                    "task_id": c.task_id, "text": prompt.prefill + c.text if whole else c.text,
                    "finish": c.finish, "tokens": c.tokens,
                }
            )  # fmt: skip
    return rows


def completions_of(plan: Plan, rows: Sequence[dict[str, Any]]) -> list[records.Completion]:
    """The completions of one plan among the rows of `complete`."""
    return [
        records.Completion(r["task_id"], r["text"], finish=r["finish"], tokens=r["tokens"])
        for r in rows
        if (r["benchmark"], r["setting"]) == (plan.benchmark, plan.setting.name)
    ]


def verdicts(
    plan: Plan, rows: Sequence[dict[str, Any]], *, scorer: str, box: Sandbox
) -> list[records.Verdict]:
    """Whether each completion of a plan is right, found in the sandbox."""
    found = base.get(plan.benchmark).score(
        list(plan.tasks), completions_of(plan, rows), scorer=scorer, box=box
    )
    # a verdict's detail and time differ from run to run; what is kept does not
    return [dataclasses.replace(v, detail="", cpu_seconds=0.0) for v in found]


def evaluated(
    plan: Plan,
    model: str,
    rows: Sequence[dict[str, Any]],
    judged: list[records.Verdict],
    *,
    scorer: str,
    seed: int,
) -> Evaluated:
    """The score of one plan, from the rows of `complete` and the plan's verdicts."""
    texts = completions_of(plan, rows)
    row = score_row(plan.benchmark, model, plan.setting.name, judged, texts, scorer, seed)
    return Evaluated(plan.benchmark, model, plan.setting.name, judged, texts, row)


def score_row(
    benchmark: str,
    model: str,
    setting: str,
    verdicts: list[records.Verdict],
    completions: list[records.Completion],
    scorer: str,
    seed: int,
) -> dict[str, Any]:
    """A score as the report reads it: value and interval as fractions, n, statuses, stop rate."""
    interval = scoring.mean_interval([float(v.passed) for v in verdicts], seed=seed)
    statuses: dict[str, int] = {}
    for v in verdicts:
        statuses[v.status.value] = statuses.get(v.status.value, 0) + 1
    stopped = sum(1 for c in completions if c.finish != "length")
    return {
        "benchmark": benchmark,
        "model": model,
        "setting": setting,
        "scorer": scorer,
        "value": interval.value,
        "low": interval.low,
        "high": interval.high,
        "n": len(verdicts),
        "statuses": dict(sorted(statuses.items())),
        "stopped_by_itself": stopped / len(completions) if completions else None,
        "tokens": sum(c.tokens for c in completions),
    }


def difference_row(a: Evaluated, b: Evaluated, seed: int) -> dict[str, Any]:
    """The paired difference b - a over the tasks that both did, with its 95 % interval."""
    both = [(a.passed[name], passed) for name, passed in b.passed.items() if name in a.passed]
    before, after = [x for x, _ in both], [y for _, y in both]
    diff = scoring.paired_difference(before, after, seed=seed)
    return {
        "benchmark": a.benchmark,
        "from": f"{a.model}, {a.setting}",
        "to": f"{b.model}, {b.setting}",
        "value": diff.value,
        "low": diff.low,
        "high": diff.high,
        "n": len(both),
        "p_mcnemar": scoring.mcnemar(before, after).p_value,
    }
