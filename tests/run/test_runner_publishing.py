"""A run's adapter, halved and with its scores; folders of the user's own on a notebook's card."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from semcoder_lib.core import workspace
from semcoder_lib.core.errors import UserError
from semcoder_lib.models import assets
from semcoder_lib.run import models, notebook

ROW = {
    "benchmark": "pyx-o", "model": "tuned", "setting": "direct_2shot", "n": 40,
    "value": 0.25, "low": 0.125, "high": 0.375, "scorer": "official",
}  # fmt: skip


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SEMCODER_RUNS", str(tmp_path / "runs"))
    main = tmp_path / "runs" / "r" / "04_sft" / "main"
    main.mkdir(parents=True)
    save_file({"a": torch.arange(600.0).reshape(20, 30) / 7}, main / "adapter_model.safetensors")
    (main / "adapter_config.json").write_text('{"r": 16}')
    (main / "README.md").write_text("# M\n\n| | |\n|---|---|\n| seed | 1 |\n")
    workspace.write_json(main.parent / "card.json", {"inputs": {"01_pyx/pyx.jsonl": "x"}})
    return tmp_path / "runs"


def evaluated(runs: Path, adapter: Path, corpus: str) -> None:
    folder = runs / "r" / "06_reasoning"
    card = {
        "inputs": {"01_pyx/pyx.jsonl": corpus},
        "used": {"adapter": [str(adapter), assets.weights_hash(str(adapter))]},
        "seed": 5,
        "machine": {"cores": 2, "architecture": "x86_64"},
    }
    workspace.write_json(folder / "card.json", card)
    workspace.write_json(folder / "results.json", {"scores": [ROW]})


def test_an_adapter_is_halved_and_told(runs: Path, tmp_path: Path) -> None:
    out = tmp_path / "shared"
    told = models.publish("r", out)
    whole = load_file(runs / "r" / "04_sft" / "main" / "adapter_model.safetensors")["a"]
    half = load_file(out / "adapter_model.safetensors")["a"]
    assert half.dtype == torch.bfloat16
    assert torch.allclose(half.float(), whole, rtol=2**-8)
    assert told["bytes"] == (out / "adapter_model.safetensors").stat().st_size < 2000
    assert told["hash"] == assets.weights_hash(str(out))
    assert "| weights | bfloat16 |" in (out / "README.md").read_text()

    evaluated(runs, out, "x")
    models.publish("r", out, scores="r")
    card = (out / "README.md").read_text()
    assert "| held-out PyX, output | tuned | direct 2shot | 40 | 25.0 [12.5, 37.5] |" in card
    assert "HumanEval" not in card
    assert "\n\nScorer: official; " in card
    assert "seed 5; 2 cores, x86_64" in card

    code, row = (
        runs / "r" / "05_codegen",
        {**ROW, "benchmark": "humaneval", "setting": "completion"},
    )
    workspace.write_json(code / "results.json", {"scores": [row]})
    for held, there in (("of another adapter", False), (assets.weights_hash(str(out)), True)):
        workspace.write_json(code / "card.json", {"used": {"adapter": [str(out), held]}})
        models.publish("r", out, scores="r")
        card = (out / "README.md").read_text()
        assert ("| HumanEval | tuned | completion | 40 | 25.0 [12.5, 37.5] |" in card) == there


def test_scores_of_anything_else_are_refused(runs: Path, tmp_path: Path) -> None:
    out = tmp_path / "shared"
    models.publish("r", out)
    before = (out / "README.md").read_bytes()
    with pytest.raises(UserError, match="not an evaluation of"):
        models.publish("r", out, scores="r")
    evaluated(runs, out, "another corpus")
    with pytest.raises(UserError, match="its corpus is not the one"):
        models.publish("r", out, scores="r")
    assert (out / "README.md").read_bytes() == before
    with pytest.raises(UserError, match="does not hold this adapter yet"):
        models.publish("r", tmp_path / "other", scores="r")
    assert not (tmp_path / "other").exists()
    with pytest.raises(UserError, match="run 'none' has no adapter"):
        models.publish("none", out)


def test_weights_that_are_too_large_are_refused(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "LARGEST", 1000)
    with pytest.raises(UserError, match="smaller lora_rank"):
        models.publish("r", tmp_path / "shared")
    assert not (tmp_path / "shared" / "adapter_model.safetensors").exists()


def test_another_adapter_under_the_same_name_is_another_key(runs: Path, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "adapter_config.json").write_text("{}")

    def key() -> Any:
        profile = notebook.configured("smoke", f"adapter={folder}")
        return notebook._basis("05_codegen", profile, {"adapter"})["used"]

    save_file({"a": torch.zeros(3)}, folder / "adapter_model.safetensors")
    first = key()
    assert key() == first
    save_file({"a": torch.ones(3)}, folder / "adapter_model.safetensors")
    assert key() != first
