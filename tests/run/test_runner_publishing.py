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

CARD = {
    "run": "r", "inputs": {}, "versions": {}, "machine": {}, "isolation": {}, "seed": 5,
    "seconds": 1.0, "peak_memory_bytes": 1,
}  # fmt: skip


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SEMCODER_RUNS", str(tmp_path / "runs"))
    main = tmp_path / "runs" / "r" / "04_sft" / "main"
    main.mkdir(parents=True)
    save_file({"a": torch.arange(600.0).reshape(20, 30) / 7}, main / "adapter_model.safetensors")
    (main / "adapter_config.json").write_text('{"r": 16}')
    (main / "README.md").write_text("# M\n\n| | |\n|---|---|\n| seed | 1 |\n")
    return tmp_path / "runs"


def test_an_adapter_is_halved_and_told(runs: Path, tmp_path: Path) -> None:
    out, run = tmp_path / "shared", runs / "r"
    told = models.publish("r", out)
    whole = load_file(run / "04_sft" / "main" / "adapter_model.safetensors")["a"]
    half = load_file(out / "adapter_model.safetensors")["a"]
    assert half.dtype == torch.bfloat16
    assert torch.allclose(half.float(), whole, rtol=2**-8)
    assert told["bytes"] == (out / "adapter_model.safetensors").stat().st_size < 2000
    assert told["hash"] == assets.weights_hash(str(out))
    card = (out / "README.md").read_text()
    assert card.endswith("| seed | 1 |\n| weights | bfloat16 |\n")
    with pytest.raises(UserError, match="run 'none' has no adapter"):
        models.publish("none", out)

    measured = run / "06_reasoning"
    workspace.write_json(measured / "results.json", {"scores": [ROW]})
    for given, scored in (("a/x", False), ("", True)):
        digest = workspace.file_hash(measured / "results.json")
        facts = {"configuration": {"adapter": given}, "outputs": {"results.json": digest}}
        workspace.write_json(measured / "card.json", CARD | facts)
        models.publish("r", out)
        line = "| held-out PyX, output | tuned | direct 2shot | official | 25.0 [12.5, 37.5] n=40 |"
        assert (line in (out / "README.md").read_text()) == scored
    (measured / "results.json").write_text("{}")  # not the file of its card
    models.publish("r", out)
    assert (out / "README.md").read_text() == card


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
