"""Verdict for verdict beside EvalPlus 0.3.1, on references and their mutants. On demand:

    SEMCODER_EVALPLUS=ENV/bin/python SEMCODER_DATA=… python -m pytest --slow -s \
        tests/evaluation/test_agreement.py

EvalPlus pins packages of its own, so it is run by the interpreter of its own environment.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from semcoder_lib import evaluation as benchmarks
from semcoder_lib import faults as pyx_r
from semcoder_lib.core import workspace
from semcoder_lib.core.records import Program
from semcoder_lib.evaluation import score_command

PYTHON = os.environ.get("SEMCODER_EVALPLUS", "")
MUTANTS = {"humaneval": 5, "mbpp": 3}  # 2,580 solutions with the references
FILES = {
    "humaneval": ("HumanEvalPlus-v0.1.10.jsonl.gz", "HUMANEVAL_OVERRIDE_PATH"),
    "mbpp": ("MbppPlus-2023-11-16.jsonl.gz", "MBPP_OVERRIDE_PATH"),
}
CLOCK = ("timeout",)  # statuses that depend on the machine's speed


def solutions(name: str, data: Path) -> list[dict[str, str]]:
    rows = []
    for task in benchmarks.get(f"{name}+").load(data):
        whole = f"{task.data['prompt']}{task.data['canonical_solution']}"
        rows.append({"task_id": task.task_id, "solution": whole})
        program = Program(whole, task.data["entry_point"], id=task.task_id)
        mutants = pyx_r.mutate(program, seed=7, limit=MUTANTS[name])
        rows += [{"task_id": task.task_id, "solution": m.buggy} for m in mutants]
    return rows


def theirs(
    name: str, samples: Path, data: Path, cache: Path, *more: str
) -> dict[str, list[dict[str, Any]]]:
    command = [
        PYTHON, "-m", "evalplus.evaluate", "--dataset", name, "--samples", str(samples),
        "--parallel", str(os.cpu_count()), "--i_just_wanna_run",
        *more,
    ]  # fmt: skip
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache), FILES[name][1]: str(data)}
    if more:  # 4 GB otherwise, and running out of them is told as a wrong answer
        environment["EVALPLUS_MAX_MEMORY_BYTES"] = "-1"
    path = samples.with_name(samples.stem + "_eval_results.json")
    path.unlink(missing_ok=True)  # else it asks whether to write over it
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return dict(json.loads(path.read_text())["eval"])


def with_patience(
    name: str, row: dict[str, str], every: list[str], data: Path, folder: Path
) -> tuple[str, str]:
    """Their verdict on one solution when a minute is allowed for each input, and any memory: an
    input that takes too much of either is told as a wrong one. Tasks without a solution are not
    accepted, so the others get an empty one."""
    samples = folder / "patient.jsonl"
    others = [{"task_id": t, "solution": "pass"} for t in every if t != row["task_id"]]
    workspace.write_jsonl(samples, [row, *others])
    found = theirs(name, samples, data, folder, "--min_time_limit", "60")[row["task_id"]][0]
    return found["base_status"], found["plus_status"]


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.skipif(not PYTHON, reason="SEMCODER_EVALPLUS names no interpreter with EvalPlus")
@pytest.mark.parametrize("name", FILES)
def test_official_verdicts_are_those_of_evalplus(name: str, tmp_path: Path) -> None:
    data = workspace.find_data(FILES[name][0])
    assert data is not None
    rows = solutions(name, data)
    samples, out = tmp_path / "s.jsonl", tmp_path / "ours.jsonl"
    workspace.write_jsonl(samples, rows)
    score_command(f"{name}+", samples, scorer="official", data=data, out=out)
    ours = list(workspace.read_jsonl(out))
    other = theirs(name, samples, data, tmp_path)
    assert len(ours) == len(rows) == sum(map(len, other.values()))
    nth: Counter[str] = Counter()
    differing = []
    for row, mine in zip(rows, ours, strict=True):
        task = row["task_id"]
        found = other[task][nth[task]]
        nth[task] += 1
        assert found["solution"] == row["solution"]
        assert mine["task_id"] == task
        passed = found["base_status"] == found["plus_status"] == "pass"
        if passed != mine["passed"]:
            statuses = (found["base_status"], found["plus_status"])
            if mine["passed"]:
                statuses = with_patience(name, row, list(other), data, tmp_path)
            if mine["passed"] != (statuses == ("pass", "pass")):
                differing.append((task, mine["status"], mine.get("detail", ""), statuses))
            else:
                print(f"\n{name}: {task} passes in {PYTHON} too when it is given time")
    passing = sum(m["passed"] for m in ours)
    print(f"\n{name}: {len(rows)} solutions, {passing} pass, {len(differing)} verdicts differ")
    for line in differing:
        print("  ", *line)
    unexplained = [d for d in differing if d[1] not in CLOCK and not any(s in CLOCK for s in d[3])]
    assert 0.1 < passing / len(rows) < 0.9
    assert not unexplained
