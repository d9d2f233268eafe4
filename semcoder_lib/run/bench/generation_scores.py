"""What a faster number format costs in score, paired with fp32 on the same CRUXEval-O items."""

from __future__ import annotations

import dataclasses
import random
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from semcoder_lib import evaluation as benchmarks
from semcoder_lib.core.errors import UserError
from semcoder_lib.evaluation import scoring
from semcoder_lib.models import Engine, Request, load
from semcoder_lib.sandbox import Sandbox

FORMS = {"direct": 48, "monologue": 256}  # new tokens
SEED = 20240603


def scores(
    model: str, adapter: str | Path | None, formats: Sequence[str], count: int, threads: int | None
) -> list[dict[str, Any]]:
    """A row for each form of answer and format: strict score, texts that equal those of the first
    format, and the paired difference to it with its 95 % interval. Raises UserError without
    CRUXEval's file."""
    benchmark = benchmarks.get("cruxeval-o")
    try:
        tasks = benchmark.load()
    except benchmarks.Missing as missing:
        raise UserError(str(missing)) from None
    if count < len(tasks):
        tasks = random.Random(SEED).sample(tasks, count)
    rows: list[dict[str, Any]] = []
    firsts: dict[str, tuple[list[str], dict[str, float]]] = {}
    with Sandbox() as box:
        for dtype in formats:
            with load(model, adapter=adapter, dtype=dtype, threads=threads) as engine:
                for form, limit in FORMS.items():
                    texts, passed = _answers(benchmark, tasks, engine, form, limit, box)
                    first = firsts.setdefault(form, (texts, passed))
                    rows.append(_row(form, dtype, texts, passed, first))
                    print(_line(rows[-1]), file=sys.stderr)
    return rows


def _answers(
    benchmark: Any, tasks: list[Any], engine: Engine, form: str, limit: int, box: Sandbox
) -> tuple[list[str], dict[str, float]]:
    asked = [benchmark.prompt(task, reasoning=form) for task in tasks]
    requests = [
        Request(task.task_id, prompt.text, prompt.stop, max_new_tokens=limit)
        for task, prompt in zip(tasks, asked, strict=True)
    ]
    made = [
        dataclasses.replace(group[0], text=prompt.prefill + group[0].text)
        for group, prompt in zip(engine.generate(requests), asked, strict=True)
    ]
    verdicts = benchmark.score(tasks, made, scorer="strict", box=box)
    return [one.text for one in made], {v.task_id: float(v.passed) for v in verdicts}


def _row(
    form: str,
    dtype: str,
    texts: list[str],
    passed: dict[str, float],
    first: tuple[list[str], dict[str, float]],
) -> dict[str, Any]:
    score = scoring.mean_interval(list(passed.values()), seed=SEED)
    row: dict[str, Any] = {
        "form": form,
        "dtype": dtype,
        "n": score.n,
        "score": [score.value, score.low, score.high],
    }
    if texts is not first[0]:
        change = scoring.paired_difference(first[1], passed, SEED)
        row["difference"] = [change.value, change.low, change.high]
        row["same_texts"] = sum(a == b for a, b in zip(texts, first[0], strict=True))
    return row


def _line(row: dict[str, Any]) -> str:
    score, low, high = (100 * x for x in row["score"])
    line = (
        f"{row['form']:10} {row['dtype']:9} {score:5.1f} % [{low:.1f}, {high:.1f}], n = {row['n']}"
    )
    if "difference" in row:
        change, least, most = (100 * x for x in row["difference"])
        line += f", {change:+.1f} [{least:+.1f}, {most:+.1f}], {row['same_texts']} texts the same"
    return line
