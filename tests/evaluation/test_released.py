"""The texts of the released SemCoder-S: scored and read where they are found, named elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from semcoder_lib.evaluation import analysis, data
from semcoder_lib.sandbox import Sandbox


@pytest.mark.data
def test_they_are_scored_and_read(box: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    missing: dict[str, str] = {}
    files, cruxeval = analysis.released_texts(missing), data.find("cruxeval.jsonl")
    assert not missing
    assert cruxeval is not None
    rows = analysis.released_scores(files, cruxeval, box=box)
    official = {
        r["benchmark"]: round(100 * r["value"], 1) for r in rows if r["scorer"] == "official"
    }
    assert official == {"cruxeval-o": 64.1, "cruxeval-i": 63.1}
    read = analysis.released_faithfulness(files, limit=8, seed=1, box=box)
    assert [r["n"] for r in read] == [8, 8]
    assert all(r["supported"] > r["contradicted"] for r in read)
    assert capsys.readouterr().err == ""


def test_without_the_files_the_report_says_which(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, box: Sandbox
) -> None:
    monkeypatch.setenv("SEMCODER_DATA", str(tmp_path))
    monkeypatch.setenv("SEMCODER_HOME", str(tmp_path))
    missing: dict[str, str] = {}
    assert analysis.released_texts(missing) == {}
    for key, name in analysis.RELEASED.items():
        assert name in missing.pop(f"{key}, released texts")
    assert not missing


def test_without_the_benchmark_they_are_of_no_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEMCODER_DATA", str(tmp_path))
    for name in analysis.RELEASED.values():
        (tmp_path / name).write_bytes(b"")
    missing = {"cruxeval-o": "it is not here"}
    assert list(analysis.released_texts(missing)) == ["cruxeval-i"]
    assert missing["cruxeval-o, released texts"] == "it is not here"
