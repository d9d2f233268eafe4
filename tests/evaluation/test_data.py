"""Against the real benchmark files: published verdicts, reported scores, preflights."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest

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


def test_preflight_of_outputs(box: Sandbox) -> None:
    benchmark = get("cruxeval-o")
    report = benchmark.preflight(benchmark.load(), box=box)
    assert (report["tasks"], report["reference"], report["empty"]) == (800, 1.0, 0.0)
    assert (report["constant"], report["constant_right"]) == ("False", 29)
    assert set(report["cheats"].values()) == {0.0}


@pytest.mark.slow
def test_preflight_of_inputs() -> None:
    benchmark = get("cruxeval-i")
    tasks = benchmark.load()
    with Sandbox() as box:
        report = benchmark.preflight(tasks, box=box)
    assert len(report["errata"]) == 11
    assert report["constant_right"] == 46
    assert set(report["cheats"].values()) == {0.0}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["humaneval+", "mbpp+", "mbpp"])
def test_references_pass(name: str) -> None:
    benchmark = get(name)
    tasks = benchmark.load()
    with Sandbox() as box:
        report = benchmark.preflight(tasks, box=box)
    assert report["reference"] == 1.0
    assert set(report["cheats"].values()) == {0.0}


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
