"""Stage 07: the same programs and inputs in several formats; which one teaches execution?"""

from __future__ import annotations

from typing import Any

from semcoder_lib import benchmarks, generation, monologues, records, tracing, training
from semcoder_lib.stages import evaluation, models, s01_pyx, s02_monologues, s04_sft, s06_reasoning
from semcoder_lib.stages.session import Session

CONTROLS = ("shuffled", "answer_only")


def run(session: Session) -> dict[str, Any]:
    """One adapter per format and seed, trained on an equal number of examples for an equal number
    of steps, evaluated on the same held-out items; paired differences to the first format."""
    p = session.profile
    corpus = s01_pyx.load(session.upstream(1))
    held_out = s01_pyx.short(s01_pyx.split(corpus, "held_out"), p)
    held_out = s06_reasoning.balanced(held_out, p.ablation_items, p.seed)
    benchmark = benchmarks.get("pyx-o")
    tasks = benchmark.from_entries(held_out)  # type: ignore[attr-defined]
    formats = p.names("ablation_formats")
    rows = examples_by_format(session, corpus, formats)
    results: dict[str, Any] = {"scores": [], "differences": [], "training": []}
    first: dict[int, evaluation.Evaluated] = {}
    for format in formats:
        for seed in range(p.ablation_seeds):
            label = f"{format}_s{seed}"
            trained = training.train(
                rows[format], session.path(f"adapters/{label}"), base=p.model,
                config=_config(p, seed),
            )  # fmt: skip
            summary = s04_sft.summary_of(trained, session.path(f"adapters/{label}"))
            results["training"].append({"format": format, "seed": seed, **summary})
            model = models.Model(label, session.path(f"adapters/{label}"))
            with models.engine(session, model) as engine:
                one = _evaluate(session, engine, label, benchmark, tasks, format)
            results["scores"].append({**one.row, "format": format, "seed": seed})
            if seed in first:
                row = evaluation.difference_row(first[seed], one, p.seed)
                results["differences"].append({**row, "format": format, "seed": seed})
            first.setdefault(seed, one)
    return results


def examples_by_format(
    session: Session, corpus: list[records.Entry], formats: list[str]
) -> dict[str, list[training.Example]]:
    """For every format the same (program, case) pairs: those with an accepted monologue."""
    entries = {e.program.id: e for e in corpus}
    accepted = s02_monologues.load(session.upstream(2), "forward")
    pairs = []
    for m in accepted:
        entry = entries[m.program_id]
        case = next(c for c in entry.cases if monologues.call_text(entry.program, c) == m.call)
        pairs.append((entry.program, case))
    traces = list(tracing.trace_many(pairs, session.box))
    rows: dict[str, list[training.Example]] = {format: [] for format in formats}
    for (program, case), trace, m in zip(pairs, traces, accepted, strict=True):
        for format in formats:
            prompt, completion = monologues.ablation(
                program, case, trace, format, monologue=m, seed=session.profile.seed
            )
            rows[format].append(
                training.Example(f"{program.id}:{format}", "forward", prompt, completion)
            )
    return rows


def _config(p: Any, seed: int) -> training.Config:
    return training.Config(
        method=p.train_method,
        steps=p.ablation_steps,
        learning_rate=p.learning_rate,
        min_learning_rate=min(p.min_learning_rate, p.learning_rate),
        batch_tokens=p.batch_tokens,
        max_length=p.max_length,
        lora_rank=p.lora_rank,
        seed=p.seed + seed,
    )


def _evaluate(
    session: Session,
    engine: generation.Engine,
    label: str,
    benchmark: benchmarks.Benchmark,
    tasks: list[Any],
    format: str,
) -> evaluation.Evaluated:
    p = session.profile
    reasoning = "direct" if format == "direct" else format
    if format in CONTROLS:
        reasoning = "monologue"
    tokens = p.baseline_tokens if format == "direct" else p.reasoning_tokens
    setting = evaluation.Setting(format, reasoning, 0, tokens)
    return evaluation.evaluate(session, engine, label, benchmark, tasks, setting)
