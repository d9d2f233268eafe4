"""What stands in `adapters/`: small enough for any repository, with a card, and it works."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from semcoder_lib import models as generation
from semcoder_lib import monologues
from semcoder_lib.core import values
from semcoder_lib.core.records import Case, Program
from semcoder_lib.models import Request, assets, prompts
from semcoder_lib.sandbox import Sandbox

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = sorted(p.parent for p in (ROOT / "adapters").glob("*/adapter_config.json"))
PROGRAM = Program("def f(n):\n    total = n * 3\n    return total - 1\n", "f")


def test_there_is_one() -> None:
    assert FOLDERS


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda p: p.name)
def test_its_card_names_base_changes_and_scores(folder: Path) -> None:
    assert (folder / "adapter_model.safetensors").stat().st_size <= 15 << 20
    config = json.loads((folder / "adapter_config.json").read_text())
    card = (folder / "README.md").read_text()
    assert f"base_model: {config['base_model_name_or_path']}\n" in card
    assert "license: apache-2.0\n" in card
    for row in ("base", "rows", "steps", "learning rate", "loss", "seed", "hardware", "weights"):
        assert f"\n| {row} | " in card, row
    scores = re.findall(
        r"^\| held-out PyX, (\w+) \| (\w+) \| .* \| \d+ \| [\d.]+ \[[\d., ]+\] \|$", card, re.M
    )
    assert {("output", "base"), ("output", "tuned"), ("input", "tuned")} <= set(scores)


@pytest.mark.model
@pytest.mark.parametrize("folder", FOLDERS, ids=lambda p: p.name)
def test_it_writes_a_monologue_with_claims_that_hold(folder: Path) -> None:
    base = json.loads((folder / "adapter_config.json").read_text())["base_model_name_or_path"]
    if base != assets.DEFAULT:
        pytest.skip(f"its base {base} is not a known asset")
    prompt = prompts.forward(PROGRAM.source, values.show_call("f", (4,)))
    request = Request("f", prompt.text, prompt.stop, max_new_tokens=160)
    with generation.load(base, adapter=folder, dtype="float32") as engine:
        ((written,),) = engine.generate([request])
    with Sandbox(workers=1) as box:
        report = monologues.verify(prompt.prefill + written.text, PROGRAM, Case((4,), 11), box)
    assert report.supported >= 1
    assert written.finish in ("stop", "end"), "it runs away"
