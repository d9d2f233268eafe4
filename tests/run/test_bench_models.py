"""The benches of generation and training run to their end on a tiny random model."""

from __future__ import annotations

from pathlib import Path

import pytest
from transformers import AutoConfig

from semcoder_lib.core import workspace
from semcoder_lib.models.tiny import save_tiny
from semcoder_lib.run.bench import arithmetic, generation, generation_peers, training


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("tiny") / "tiny-llama"
    return str(save_tiny(folder, max_position_embeddings=2048))


def test_generation_settings_write_the_same_texts(tiny: str, tmp_path: Path) -> None:
    out = tmp_path / "g.json"
    asked = ["--prompts", "6", "--new-tokens", "6", "--threads", "1", "--model", tiny]
    only = "plain generate, float32;decoder, float32"
    summary = generation.main([*asked, "--only", only, "--out", str(out)])
    assert workspace.read_json(out)["rows"] == summary["rows"]
    assert [row["same_as_first"] for row in summary["rows"]] == [6, 6]
    assert len({row["tokens"] for row in summary["rows"]}) == 1
    assert summary["ratio"] > 0


def test_only_exact_ways_take_part_in_the_ratio() -> None:
    rows = [
        {"kind": "plain", "exact": True, "tokens_per_second": 10.0},
        {"kind": "plain", "exact": True, "tokens_per_second": 20.0},
        {"kind": "ours", "exact": True, "tokens_per_second": 50.0},
        {"kind": "ours", "exact": False, "tokens_per_second": 90.0},
        {"kind": "other", "exact": True, "tokens_per_second": 99.0},
    ]
    assert generation._ratio(rows, "tokens_per_second") == 2.5
    assert generation._ratio(rows[2:], "tokens_per_second") is None


def test_engines_that_are_absent_are_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("SEMCODER_PEERS", raising=False)
    monkeypatch.setattr(generation_peers.importlib.util, "find_spec", lambda name: None)
    assert generation_peers.settings("smollm2-135m", 1, "folder") == {}
    said = capsys.readouterr().err
    assert all(name in said for name in ("ctranslate2", "llama_cpp", "openvino_genai"))


def test_training_compares_with_trl(tiny: str) -> None:
    summary = training.main(["--rows", "20", "--threads", "1", "--model", tiny])
    names = [row["setting"] for row in summary["rows"]]
    assert [n for n in names if "bf16" not in n and n != "TRL defaults"] == [
        "TRL defaults, fp32", "ours, fp32",
    ]  # fmt: skip
    assert len({row["tokens"] for row in summary["rows"]}) == 1
    assert summary["rows"][0]["steps"] == 3
    assert summary["compared"][0].startswith("ours")
    assert abs(summary["loss_difference"]) < 1.0
    assert all(0 < row["utilisation"] < 1 for row in summary["rows"])


def test_needed_arithmetic_is_counted_by_hand(tiny: str) -> None:
    config = AutoConfig.from_pretrained(tiny)
    width, inner, layers = config.hidden_size, config.intermediate_size, config.num_hidden_layers
    head = width // config.num_attention_heads
    shared = head * config.num_key_value_heads
    squares = [(width, width), (width, shared), (width, shared), (width, width)]
    squares += [(width, inner), (width, inner), (inner, width)]
    frozen = layers * sum(a * b for a, b in squares)
    trained = layers * sum(4 * (a + b) for a, b in squares)
    length, labelled = 30, 11
    expected = length * (4 * frozen + 6 * trained) + 4 * config.vocab_size * width * labelled
    expected += 6 * length * length * width * layers
    assert arithmetic._operations(tiny, length, labelled, rank=4) == expected
