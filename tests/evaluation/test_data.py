"""Against the real benchmark files: published verdicts, reported scores, preflights."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from helpers import write

from semcoder_lib import faults as pyx_r
from semcoder_lib.core.records import Program
from semcoder_lib.evaluation import SCORERS, Answer, Sample, get, score_command
from semcoder_lib.sandbox import Sandbox

FOLDER = os.environ.get("SEMCODER_DATA", "")
pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(
        not FOLDER or not (Path(FOLDER) / "cruxeval.jsonl").is_file(),
        reason="SEMCODER_DATA does not name the folder with the benchmark files",
    ),
]


def given(name: str) -> Path:
    path = Path(FOLDER) / name
    if not path.is_file():
        pytest.skip(f"{name} is not in SEMCODER_DATA")
    return path


def rows(path: Path) -> list[dict[str, Any]]:
    text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["output", "input"])
def test_published_verdicts(mode: str, tmp_path: Path) -> None:
    samples = given(f"cruxeval_{mode}_scored_answers.jsonl.gz")
    out = tmp_path / "out.jsonl"
    with Sandbox() as box:
        score_command("cruxeval", samples, scorer="official", mode=mode, out=out, box=box)
    published = [(r["task_id"], r["index"], r["passed"]) for r in rows(samples)]
    assert len(published) == 2_000
    assert [(r["task_id"], r["index"], r["passed"]) for r in rows(out)] == published


def test_output_answers_quickly(tmp_path: Path, box: Sandbox) -> None:
    """The strict scorer on all outputs: nothing runs, and it agrees with the published verdicts."""
    samples = rows(given("cruxeval_output_scored_answers.jsonl.gz"))
    benchmark = get("cruxeval-o")
    tasks = benchmark.load()
    asked = [Sample(r["task_id"], r["index"], Answer(r["answer"])) for r in samples]
    verdicts = benchmark.judge(tasks, asked, scorer="strict", box=box)
    assert [v.passed for v in verdicts] == [r["passed"] for r in samples]


PREFLIGHTS = [
    ("cruxeval-o", {"tasks": 800, "constant": "False", "constant_right": 29}),
    ("cruxeval-i", {"tasks": 800, "constant": "f([])", "constant_right": 46}),
    ("humaneval+", {"tasks": 164}), ("mbpp+", {"tasks": 399}), ("mbpp", {"tasks": 399}),
]  # fmt: skip
SLOW = [pytest.param(*row, marks=pytest.mark.slow) for row in PREFLIGHTS[1:]]


@pytest.mark.parametrize(("name", "known"), [PREFLIGHTS[0], *SLOW])
def test_references_pass_and_cheats_do_not(name: str, known: dict[str, Any], box: Sandbox) -> None:
    report = get(name).preflight(get(name).load(), box=box)
    assert (report["reference"], report["empty"], set(report["cheats"].values())) == (1, 0, {0.0})
    assert report | known == report
    assert len(report["errata"]) == (11 if name == "cruxeval-i" else 0)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "official"), [("cruxeval-o", 64.1), ("cruxeval-i", 63.1)])
def test_the_released_texts_have_the_scores_of_the_board(
    name: str, official: float, box: Sandbox
) -> None:
    kind = {"o": "output", "i": "input"}[name[-1]]
    samples = given(f"semcoder_s_1030_cruxeval_{kind}_monologues.jsonl.gz")
    scores = [score_command(name, samples, scorer=s, box=box)["pass@1"] for s in SCORERS]
    assert abs(scores[0] - scores[1]) <= 5 / 800
    assert round(100 * scores[SCORERS.index("official")], 1) == official


# --- verdict for verdict beside EvalPlus 0.3.1, on references and their mutants; on demand ---
#
#   SEMCODER_EVALPLUS=ENV/bin/python SEMCODER_DATA=… python -m pytest --slow -s THIS_FILE
#
# EvalPlus pins packages of its own, so it is run by the interpreter of its own environment.

PYTHON = os.environ.get("SEMCODER_EVALPLUS", "")
MUTANTS = {"humaneval": 5, "mbpp": 3}  # 2,580 solutions with the references
FILES = {
    "humaneval": ("HumanEvalPlus-v0.1.10.jsonl.gz", "HUMANEVAL_OVERRIDE_PATH"),
    "mbpp": ("MbppPlus-2023-11-16.jsonl.gz", "MBPP_OVERRIDE_PATH"),
}


def solutions(name: str, data: Path) -> list[dict[str, str]]:
    found = []
    for task in get(f"{name}+").load(data):
        whole = f"{task.data['prompt']}{task.data['canonical_solution']}"
        found.append({"task_id": task.task_id, "solution": whole})
        program = Program(whole, task.data["entry_point"], id=task.task_id)
        mutants = pyx_r.mutate(program, seed=7, limit=MUTANTS[name])
        found += [{"task_id": task.task_id, "solution": m.buggy} for m in mutants]
    return found


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
@pytest.mark.skipif(not PYTHON, reason="SEMCODER_EVALPLUS names no interpreter with EvalPlus")
@pytest.mark.parametrize("name", FILES)
def test_official_verdicts_are_those_of_evalplus(name: str, tmp_path: Path) -> None:
    data, out = given(FILES[name][0]), tmp_path / "ours.jsonl"
    asked = solutions(name, data)
    samples = write(tmp_path / "s.jsonl", asked)
    score_command(f"{name}+", samples, scorer="official", data=data, out=out)
    ours = rows(out)
    other = theirs(name, samples, data, tmp_path)
    assert len(ours) == len(asked) == sum(map(len, other.values()))
    pairs = []
    for row, verdict in zip(asked, ours, strict=True):
        found = other[row["task_id"]].pop(0)
        assert found["solution"] == row["solution"]
        pairs.append((verdict, (found["base_status"], found["plus_status"])))
    differing = [(v, s) for v, s in pairs if v["passed"] != (s == ("pass", "pass"))]
    passing = sum(verdict["passed"] for verdict in ours)
    print(f"\n{name}: {len(asked)} solutions, {passing} pass, {len(differing)} verdicts differ")
    assert 0.1 < passing / len(asked) < 0.9
    # what depends on the speed of the machine may differ
    assert [(v, s) for v, s in differing if "timeout" not in (v["status"], *s)] == []
