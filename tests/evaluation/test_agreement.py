"""Verdict for verdict beside EvalPlus 0.3.1, on references and their mutants. On demand:

    SEMCODER_EVALPLUS=ENV/bin/python SEMCODER_DATA=… python -m pytest --slow -s \
        tests/evaluation/test_agreement.py

EvalPlus pins packages of its own, so it is run by the interpreter of its own environment.
"""

from __future__ import annotations

import json
import os
import subprocess
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


def solutions(name: str, data: Path) -> list[dict[str, str]]:
    rows = []
    for task in benchmarks.get(f"{name}+").load(data):
        whole = f"{task.data['prompt']}{task.data['canonical_solution']}"
        rows.append({"task_id": task.task_id, "solution": whole})
        program = Program(whole, task.data["entry_point"], id=task.task_id)
        mutants = pyx_r.mutate(program, seed=7, limit=MUTANTS[name])
        rows += [{"task_id": task.task_id, "solution": m.buggy} for m in mutants]
    return rows


def theirs(name: str, samples: Path, data: Path, cache: Path) -> dict[str, list[dict[str, Any]]]:
    """EvalPlus's verdicts by task, with five seconds for each input and any memory: what takes
    too much of either is told as wrong."""
    command = [
        PYTHON, "-m", "evalplus.evaluate", "--dataset", name, "--samples", str(samples),
        "--parallel", str(os.cpu_count()), "--i_just_wanna_run", "--min_time_limit", "5",
    ]  # fmt: skip
    paths = {"XDG_CACHE_HOME": str(cache), FILES[name][1]: str(data)}
    environment = {**os.environ, **paths, "EVALPLUS_MAX_MEMORY_BYTES": "-1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    path = samples.with_name(samples.stem + "_eval_results.json")
    return dict(json.loads(path.read_text())["eval"])


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
    pairs = []
    for row, verdict in zip(rows, ours, strict=True):
        found = other[row["task_id"]].pop(0)
        assert found["solution"] == row["solution"]
        pairs.append((verdict, (found["base_status"], found["plus_status"])))
    differing = [(v, s) for v, s in pairs if v["passed"] != (s == ("pass", "pass"))]
    passing = sum(verdict["passed"] for verdict in ours)
    print(f"\n{name}: {len(rows)} solutions, {passing} pass, {len(differing)} verdicts differ")
    assert 0.1 < passing / len(rows) < 0.9
    # what depends on the speed of the machine may differ
    assert [(v, s) for v, s in differing if "timeout" not in (v["status"], *s)] == []
