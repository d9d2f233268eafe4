"""Against the real benchmark files: published verdicts, reported scores, preflights."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest

from semcoder_lib.evaluation import Answer, Sample, analysis, get, score_command
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


# --- the texts of the released SemCoder-S, found or named ---


@pytest.mark.slow
def test_they_have_the_scores_of_the_board(box: Sandbox) -> None:
    scores: dict[str, dict[str, float]] = {"official": {}, "strict": {}}
    for r in analysis.released_scores(
        analysis.released_texts({}), given("cruxeval.jsonl"), box=box
    ):
        scores[r["scorer"]][r["benchmark"]] = 100 * r["value"]
    official = {name: round(value, 1) for name, value in scores["official"].items()}
    assert official == {"cruxeval-o": 64.1, "cruxeval-i": 63.1}
    for name, value in scores["strict"].items():
        assert abs(value - scores["official"][name]) <= 100 * 5 / 800


def test_they_are_read(box: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    missing: dict[str, str] = {}
    files = analysis.released_texts(missing)
    assert not missing
    read = analysis.released_faithfulness(files, limit=8, seed=1, box=box)
    assert [r["n"] for r in read] == [8, 8]
    assert all(r["supported"] > r["contradicted"] for r in read)
    assert capsys.readouterr().err == ""


def test_without_a_file_or_the_benchmark_the_report_says_which(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEMCODER_DATA", str(tmp_path))
    monkeypatch.setenv("SEMCODER_HOME", str(tmp_path))
    (tmp_path / analysis.RELEASED["cruxeval-i"]).write_bytes(b"")
    missing: dict[str, str] = {}
    assert list(analysis.released_texts(missing)) == ["cruxeval-i"]
    assert list(missing) == ["cruxeval-o, released texts"]
    assert analysis.RELEASED["cruxeval-o"] in missing["cruxeval-o, released texts"]
    missing = {"cruxeval-i": "it is not here"}  # texts without their benchmark are of no use
    assert analysis.released_texts(missing) == {}
    assert missing["cruxeval-i, released texts"] == "it is not here"
