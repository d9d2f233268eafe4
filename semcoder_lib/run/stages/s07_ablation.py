"""Stage 07: the same programs and inputs in several formats; which one teaches execution?"""

from __future__ import annotations

import dataclasses
import itertools
import random
from collections.abc import Iterator
from typing import Any

from semcoder_lib import evaluation as benchmarks
from semcoder_lib import models as generation
from semcoder_lib import monologues, tracing, training
from semcoder_lib.core import records
from semcoder_lib.models import assets, tokens
from semcoder_lib.run.stages import (
    chains,
    evaluation,
    models,
    parts,
    s01_pyx,
    s02_monologues,
    s04_sft,
    s06_reasoning,
)
from semcoder_lib.run.stages.evaluation import Evaluated, Setting
from semcoder_lib.run.stages.session import Session
from semcoder_lib.training import rows

CONTROLS = ("shuffled", "answer_only")
Pools = dict[str, list[training.Example]]
Items = dict[str, tuple[benchmarks.Benchmark, list[Any]]]


def run(session: Session) -> dict[str, Any]:
    """One adapter per view, format and seed, all from the base model, evaluated on the same items:
    held-out PyX and, where it is, CRUXEval-O. In the view `examples` every format is trained on the
    very same executions; in `tokens` on as many trained tokens as the longest format has there.
    Scores for every seed and over the seeds, paired differences to the first format, scores by
    length and construct, and how far each format's own steps are right."""
    p = session.profile
    corpus = s01_pyx.load(session.upstream(1))
    formats = p.names("ablation_formats")
    results: dict[str, Any] = {
        "scores": [], "differences": [], "training": [], "pooled": [], "parts": [], "chains": [],
        "missing": {},
    }  # fmt: skip
    items = _items(session, corpus, results)
    pools = examples_by_format(session, corpus, formats)
    done: dict[tuple[str, str], list[list[Evaluated]]] = {}
    for view, seed, format in itertools.product(p.ablation_views, range(p.ablation_seeds), formats):
        label = f"{format}_s{seed}" if view == "examples" else f"{format}_{view}_s{seed}"
        chosen, steps = share_of(session, pools, format, view, seed)
        folder = session.path(f"adapters/{label}")
        trained = training.train(chosen, folder, base=p.model, config=_config(p, steps, seed))
        common = {"format": format, "seed": seed, "view": view}
        results["training"].append(
            {**common, "examples": len(chosen), **s04_sft.summary_of(trained, folder)}
        )
        with models.engine(session, models.Model(label, folder)) as engine:
            found = _evaluate(session, engine, label, items, format)
        results["scores"] += [{**one.row, **common} for one in found]
        first = done.get((view, formats[0]), [])
        if format != formats[0]:
            for before, after in zip(first[seed], found, strict=True):
                row = evaluation.difference_row(before, after, p.seed)
                results["differences"].append({**row, **common})
        done.setdefault((view, format), []).append(found)
    _over_seeds(session, done, results)
    _by_kind_and_chain(session, done, items, results)
    return results


def _items(session: Session, corpus: list[records.Entry], results: dict[str, Any]) -> Items:
    p = session.profile
    held_out = s01_pyx.short(s01_pyx.split(corpus, "held_out"), p)
    held_out = s06_reasoning.balanced(held_out, p.ablation_items, p.seed)
    mine = benchmarks.get("pyx-o")
    items: Items = {"pyx-o": (mine, mine.from_entries(held_out))}  # type: ignore[attr-defined]
    other = benchmarks.get("cruxeval-o")
    try:
        tasks = evaluation.sample_tasks(other.load(), p.ablation_items, p.seed)
        items["cruxeval-o"] = (other, tasks)
    except benchmarks.Missing as missing:
        results["missing"]["cruxeval-o"] = str(missing)
    return items


def examples_by_format(session: Session, corpus: list[records.Entry], formats: list[str]) -> Pools:
    """For every format the same (program, case) pairs, in the same random order: those with an
    accepted monologue whose row is short enough in each of the formats."""
    p = session.profile
    entries = {e.program.id: e for e in corpus}
    accepted = s02_monologues.load(session.upstream(2), "forward")
    random.Random(f"{p.seed}:ablation").shuffle(accepted)
    if p.ablation_views == ["examples"]:  # twice as many as needed: some are too long
        accepted = accepted[: 2 * p.ablation_steps * p.ablation_rows * p.ablation_seeds]
    pairs = []
    for m in accepted:
        pairs.append((entries[m.program_id].program, m.case))
    traces = tracing.trace_many(pairs, session.box)
    tokenizer = tokens.load_tokenizer(assets.locate(p.model))
    config = _config(p, 1, 0)
    pools: Pools = {format: [] for format in formats}
    for (program, case), trace, m in zip(pairs, traces, accepted, strict=True):
        made = []
        for format in formats:
            prompt, completion = monologues.ablation(
                program, case, trace, format, monologue=m, seed=p.seed, prompt_style=p.style
            )
            made.append(training.Example(f"{program.id}:{format}", "forward", prompt, completion))
        if len(rows.tokenise(made, tokenizer, config).rows) == len(formats):
            for format, example in zip(formats, made, strict=True):
                pools[format].append(example)
    return pools


def share_of(
    session: Session, pools: Pools, format: str, view: str, seed: int
) -> tuple[list[training.Example], int]:
    """The examples of one arm and its steps. Each seed has its own part of the pool, where that is
    large enough."""
    p = session.profile
    wanted = p.ablation_steps * p.ablation_rows
    turned = seed * wanted % max(len(pools[format]), 1)
    turns = {name: [*pool[turned:], *pool[:turned]] for name, pool in pools.items()}
    if view == "examples":
        return turns[format][:wanted], p.ablation_steps
    tokenizer = tokens.load_tokenizer(assets.locate(p.model))

    def trained(some: list[training.Example]) -> Iterator[int]:
        for example in some:
            yield len(tokens.encode_completion(tokenizer, example.completion))

    budget = max(sum(trained(pool[:wanted])) for pool in turns.values())
    taken = reached = 0
    for count in trained(turns[format]):
        taken, reached = taken + 1, reached + count
        if reached >= budget:
            break
    again = max(1.0, budget / reached)  # a pool that is too small is gone through more than once
    return turns[format][:taken], max(1, round(taken * again / p.ablation_rows))


def _config(p: Any, steps: int, seed: int) -> training.Config:
    return training.Config(
        method=p.train_method,
        steps=steps,
        learning_rate=p.learning_rate,
        min_learning_rate=p.learning_rate / 10,
        batch_tokens=p.batch_tokens,
        batch_rows=p.ablation_rows,
        max_length=p.max_length,
        lora_rank=p.lora_rank,
        seed=p.seed + seed,
    )


def _evaluate(
    session: Session, engine: generation.Engine, label: str, items: Items, format: str
) -> list[Evaluated]:
    p = session.profile
    reasoning = "monologue" if format in CONTROLS else format
    length = p.baseline_tokens if format == "direct" else p.reasoning_tokens
    setting = Setting(format, reasoning, 0, length)
    plans = [(benchmark, tasks, setting) for benchmark, tasks in items.values()]
    evaluation.prefetch(session, engine, plans)
    return [evaluation.evaluate(session, engine, label, *plan) for plan in plans]


def _over_seeds(
    session: Session, done: dict[tuple[str, str], list[list[Evaluated]]], results: dict[str, Any]
) -> None:
    seed = session.profile.seed
    for (view, format), runs in done.items():
        first = done[view, session.profile.names("ablation_formats")[0]]
        for place, one in enumerate(runs[0]):
            mine = parts.over_seeds([run[place].passed for run in runs])
            row = {
                "view": view, "format": format, "benchmark": one.benchmark, "seeds": len(runs),
                **parts.pooled_row(mine, seed),
            }  # fmt: skip
            if runs is not first:
                before = parts.over_seeds([run[place].passed for run in first])
                row["difference"] = parts.paired_row(before, mine, seed)
            results["pooled"].append(row)


def _by_kind_and_chain(
    session: Session,
    done: dict[tuple[str, str], list[list[Evaluated]]],
    items: Items,
    results: dict[str, Any],
) -> None:
    """On held-out PyX, whose executions can be recorded."""
    tasks = {task.task_id: task.data for task in items["pyx-o"][1]}
    pairs = [(data["program"], data["case"]) for data in tasks.values()]
    traces = dict(zip(tasks, tracing.trace_many(pairs, session.box), strict=True))
    kinds = {name: parts.kinds_of(tasks[name]["program"], trace) for name, trace in traces.items()}
    for (view, format), runs in done.items():
        mine = parts.over_seeds([run[0].passed for run in runs])
        for kind in sorted({kind for some in kinds.values() for kind in some}):
            some = {name: value for name, value in mine.items() if kind in kinds[name]}
            row = parts.pooled_row(some, session.profile.seed)
            results["parts"].append({"view": view, "format": format, "kind": kind, **row})
        found, passed = [], []
        for one in (run[0] for run in runs):
            for verdict, completion in zip(one.verdicts, one.completions, strict=True):
                name = verdict.task_id
                data = tasks[name]
                checked = chains.chain(
                    format, completion.text, data["program"], data["case"], traces[name],
                    session.box,
                )  # fmt: skip
                if checked is not None:
                    if completion.finish == "forced":  # not all steps are there
                        checked = dataclasses.replace(checked, whole=False)
                    found.append(checked)
                    passed.append(verdict.passed)
        if found:
            row = chains.summary(found, passed)
            results["chains"].append({"view": view, "format": format, **row})
