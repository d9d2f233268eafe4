"""Evaluating one model on one benchmark: prompts, completions, verdicts, a score."""

from __future__ import annotations

import dataclasses
import random
from dataclasses import dataclass
from typing import Any

from semcoder_lib import evaluation as benchmarks
from semcoder_lib import models as generation
from semcoder_lib.core import records, workspace
from semcoder_lib.evaluation import scoring
from semcoder_lib.evaluation.execution import ExecutionReasoning
from semcoder_lib.models import prompts
from semcoder_lib.run.stages.session import Session

CODE_FORMS = {"completion": "completion", "instruction": "direct", "chat": "direct"}
"""How code is asked for, as a profile says it and as a benchmark's prompt does."""
_ANSWER_TOKENS = 64  # of an answer that is forced


@dataclass(frozen=True)
class Setting:
    """How a model is asked: with or without a monologue, how many worked examples first, and
    whether in its own chat template."""

    name: str
    reasoning: str = "direct"
    shots: int = 0
    max_new_tokens: int = 256
    items: int = 0  # a fixed slice of the tasks; 0 means all
    chat: bool = False

    @property
    def steps(self) -> bool:
        """Whether steps between tags of their own come before the answer."""
        return self.reasoning not in ("direct", "cot")


@dataclass(frozen=True)
class Evaluated:
    """One model, one benchmark, one setting."""

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


def sample_tasks(tasks: list[Any], limit: int, seed: int) -> list[Any]:
    """A fixed random slice of a benchmark, in the benchmark's order; `limit` 0 means all."""
    if not limit or limit >= len(tasks):
        return tasks
    places = sorted(random.Random(f"{seed}:tasks").sample(range(len(tasks)), limit))
    return [tasks[i] for i in places]


def requests_for(
    session: Session,
    engine: generation.Engine,
    benchmark: benchmarks.Benchmark,
    tasks: list[Any],
    setting: Setting,
) -> list[generation.Request]:
    """One greedy request a task."""
    return [
        generation.Request(
            task.task_id, prompt.text, prompt.stop, max_new_tokens=setting.max_new_tokens
        )
        for task, prompt in zip(
            tasks, _prompts(session, engine, benchmark, tasks, setting), strict=True
        )
    ]


def _prompts(
    session: Session,
    engine: generation.Engine,
    benchmark: benchmarks.Benchmark,
    tasks: list[Any],
    setting: Setting,
) -> list[prompts.Prompt]:
    style, reasoning, shots = session.profile.style, setting.reasoning, setting.shots
    asked = [benchmark.prompt(t, style=style, reasoning=reasoning, shots=shots) for t in tasks]
    return [prompts.in_chat(p, engine.tokenizer) for p in asked] if setting.chat else asked


def prefetch(
    session: Session,
    engine: generation.Engine,
    plans: list[tuple[benchmarks.Benchmark, list[Any], Setting]],
) -> None:
    """Generate for several benchmarks and settings in one call: a small model decodes a full batch
    as fast as a single row. `evaluate` then finds the completions in the engine's cache."""
    engine.generate([r for plan in plans for r in requests_for(session, engine, *plan)])


def evaluate(
    session: Session,
    engine: generation.Engine,
    model: str,
    benchmark: benchmarks.Benchmark,
    tasks: list[Any],
    setting: Setting,
) -> Evaluated:
    """Generate greedily, score in the sandbox, store completions and verdicts in the stage's
    folder, and return them with their score."""
    p = session.profile
    requests = requests_for(session, engine, benchmark, tasks, setting)
    completions = [group[0] for group in engine.generate(requests)]
    if not benchmark.code:  # an answer that the prompt began is read with its beginning
        begun = [prompt.prefill for prompt in _prompts(session, engine, benchmark, tasks, setting)]
        completions = [
            dataclasses.replace(c, text=opening + c.text)
            for c, opening in zip(completions, begun, strict=True)
        ]
    if isinstance(benchmark, ExecutionReasoning) and setting.steps:
        completions = _forced(engine, benchmark, tasks, requests, completions)
    verdicts = benchmark.score(tasks, completions, scorer=p.scorer, box=session.box)
    name = f"{benchmark.name.replace('+', '_plus')}_{model}_{setting.name}"
    workspace.write_jsonl(
        session.path(f"completions_{name}.jsonl"),
        # ids and completions only: prompts hold benchmark text
        ({"task_id": c.task_id, "text": c.text, "finish": c.finish, "tokens": c.tokens}
         for c in completions),
    )  # fmt: skip
    workspace.write_jsonl(
        session.path(f"verdicts_{name}.jsonl"),
        ({"task_id": v.task_id, "index": v.index, "passed": v.passed, "status": v.status.value,
          "counted": v.counted, "trust": v.trust.value} for v in verdicts),
    )  # fmt: skip
    return Evaluated(
        benchmark.name, model, setting.name, verdicts, completions,
        score_row(benchmark.name, model, setting.name, verdicts, completions, p.scorer, p.seed),
    )  # fmt: skip


def _forced(
    engine: generation.Engine,
    benchmark: ExecutionReasoning,
    tasks: list[Any],
    requests: list[generation.Request],
    completions: list[records.Completion],
) -> list[records.Completion]:
    """The completions; those that ran out of tokens among their steps are cut after the last whole
    line, the steps are closed, the answer is begun, and the model goes on for at most
    `_ANSWER_TOKENS`. Their finish is `forced`."""
    unanswered = {
        c.task_id: c for c in completions if c.finish == "length" and "[ANSWER]" not in c.text
    }
    texts, asked = {}, []
    for task, request in zip(tasks, requests, strict=True):
        if completion := unanswered.get(task.task_id):
            tag = completion.text.partition("]")[0].strip("[")
            steps = completion.text[: completion.text.rfind("\n") + 1].partition(f"[/{tag}]")[0]
            texts[task.task_id] = f"{steps}[/{tag}]\n{benchmark.opening(task)}"
            prompt = request.prompt.removesuffix(f"[{tag}]\n") + texts[task.task_id]
            asked.append(dataclasses.replace(request, prompt=prompt, max_new_tokens=_ANSWER_TOKENS))
    forced = {}
    for (answer,) in engine.generate(asked):
        text = texts[answer.task_id] + answer.text.partition("\n")[0]
        tokens = unanswered[answer.task_id].tokens + answer.tokens
        forced[answer.task_id] = dataclasses.replace(
            answer, text=text, tokens=tokens, finish="forced"
        )
    return [forced.get(c.task_id, c) for c in completions]


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
    stopped = sum(1 for c in completions if c.finish not in ("length", "forced"))
    forced = sum(1 for c in completions if c.finish == "forced")
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
        "forced": forced / len(completions) if completions else None,
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
