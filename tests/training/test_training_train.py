"""Training a tiny random model: it learns, resumes to the same curve, and stops when it must."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
import types
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file
from tiny_model import save_tiny
from training_tiny import curve, examples, rows

from semcoder_lib import models as generation
from semcoder_lib.core import source
from semcoder_lib.core.errors import UserError
from semcoder_lib.models import Request, assets
from semcoder_lib.training import Config, TrainingStopped, train, trainer

CONFIG = Config(
    steps=8, batch_tokens=256, max_length=128, learning_rate=1e-2, min_learning_rate=1e-3,
    threads=1, lora_rank=4, stop_check=0, dtype="float32",
)  # fmt: skip


def test_learns_and_leaves_adapter_card_and_curve(
    tiny: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    watched = dataclasses.replace(CONFIG, stop_check=4)
    result = train(examples(), tmp_path / "a", base=tiny, config=watched, held_out=examples(4))
    printed = capsys.readouterr().err  # a row is shown line by line
    assert "one of them:\n" in printed
    assert "\\n" not in printed
    losses = curve(tmp_path / "a")
    assert len(losses) == result.steps == 8
    assert losses[-1] < losses[0] - 0.5
    assert result.held_out_loss is not None
    assert result.held_out_loss < losses[0]
    assert result.stopped_by_itself in (0.0, 0.25, 0.5, 0.75, 1.0)
    names = {p.name for p in (tmp_path / "a").iterdir()}
    assert {"adapter_model.safetensors", "adapter_config.json", "README.md"} <= names
    assert "checkpoints" not in names
    written = json.loads((tmp_path / "a" / "adapter_config.json").read_text())
    assert written["base_model_name_or_path"] == Path(tiny).name, "no path of this machine"
    assert written["target_modules"] == sorted(written["target_modules"])
    card = (tmp_path / "a" / "README.md").read_text()
    assert f"| base's sha256 | {assets.weights_hash(tiny)} |" in card
    assert 0 < result.trained_tokens < result.tokens


def test_same_seed_same_adapter_other_seed_another(tiny: str, tmp_path: Path) -> None:
    def weights(name: str, seed: int) -> bytes:
        config = dataclasses.replace(CONFIG, steps=2, seed=seed)
        train(examples(), tmp_path / name, base=tiny, config=config)
        return (tmp_path / name / "adapter_model.safetensors").read_bytes()

    assert weights("a", 0) == weights("b", 0)
    assert weights("c", 1) != weights("a", 0)


def test_goes_on_from_an_adapter(tiny: str, tmp_path: Path) -> None:
    first = train(examples(), tmp_path / "main", base=tiny, config=CONFIG)
    second = train(
        examples(), tmp_path / "refine", base=tiny, adapter=tmp_path / "main", config=CONFIG
    )
    assert second.loss_first < first.loss_first - 0.3
    with pytest.raises(UserError, match="adapter"):
        train(examples(), tmp_path / "x", base=tiny, adapter=tmp_path / "none", config=CONFIG)


@pytest.mark.parametrize(
    ("rank", "kind", "dtype"),
    [(4, "qwen2", "float32"), (0, "qwen2", "float32"), (0, "llama", "bfloat16")],
)
def test_what_was_trained_is_saved_and_loads(
    tmp_path: Path, rank: int, kind: str, dtype: str
) -> None:
    base, out = str(save_tiny(tmp_path / "base", kind=kind)), tmp_path / "out"
    config = dataclasses.replace(CONFIG, lora_rank=rank, dtype=dtype, threads=None)
    result = train(examples(), out, base=base, config=config, held_out=examples(4))
    assert result.held_out_loss is not None
    assert result.loss_last < result.loss_first - 0.5
    with generation.load(base, adapter=out, threads=1) as engine:
        assert engine.name == "base + out"
        assert engine.generate([Request("a", "if 1", max_new_tokens=3)])[0][0].tokens == 3
    if rank == 0:
        names = load_file(out / "model.safetensors").keys()
        assert "lm_head.weight" not in names, "the tied head was saved, too"


RESUMED = dataclasses.replace(CONFIG, steps=12, save_steps=5)
COUNTS = ("steps", "tokens", "trained_tokens", "loss_first")


@pytest.mark.parametrize("step", [11, 12])
def test_interrupted_and_resumed_is_the_undisturbed_one(
    tiny: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    whole = train(examples(), tmp_path / "whole", base=tiny, config=RESUMED)
    see = trainer.Watch.on_log
    save = trainer.SFTTrainer.save_model

    def interrupted(self: Any, args: Any, state: Any, *rest: Any, **kwargs: Any) -> None:
        see(self, args, state, *rest, **kwargs)
        if state.global_step == step:
            raise KeyboardInterrupt

    def at_the_end(self: Any, output_dir: Any = None, **kwargs: Any) -> None:
        if str(output_dir) == str(tmp_path / "cut"):
            raise KeyboardInterrupt
        save(self, output_dir, **kwargs)

    with monkeypatch.context() as patch:
        if step < RESUMED.steps:
            patch.setattr(trainer.Watch, "on_log", interrupted)
        else:  # every step is done, nothing is saved yet
            patch.setattr(trainer.SFTTrainer, "save_model", at_the_end)
        with pytest.raises(KeyboardInterrupt):
            train(examples(), tmp_path / "cut", base=tiny, config=RESUMED)
        assert len(curve(tmp_path / "cut")) == step, "a curve to look at"
    again = train(examples(), tmp_path / "cut", base=tiny, config=RESUMED)
    assert again.resumed_at == (10 if step == 11 else 12)
    assert curve(tmp_path / "cut") == pytest.approx(curve(tmp_path / "whole"), abs=1e-3)
    assert [getattr(again, n) for n in COUNTS] == [getattr(whole, n) for n in COUNTS]
    seconds = [row["seconds"] for row in rows(tmp_path / "cut")]
    assert seconds == sorted(seconds)
    assert again.seconds == seconds[-1]


SLOW_RUN = """
import sys, time
import test_training_train as t
from semcoder_lib.training import trainer
see = trainer.Watch.on_log
def slow(self, *a, **k):
    see(self, *a, **k); time.sleep(0.15)
trainer.Watch.on_log = slow
t.train(t.examples(), sys.argv[2], base=sys.argv[1], config=t.RESUMED)
"""


@pytest.mark.slow
def test_killed_and_resumed_gives_the_undisturbed_bytes(tiny: str, tmp_path: Path) -> None:
    train(examples(), tmp_path / "whole", base=tiny, config=RESUMED)
    killed = tmp_path / "killed"
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW_RUN, tiny, str(killed)],
        env={**os.environ, "PYTHONPATH": ":".join(sys.path), "PYTHONHASHSEED": "7"},
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        if (killed / "checkpoints" / "checkpoint-10" / "trainer_state.json").exists():
            break
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (killed / "logs" / "training.json").exists()
    result = train(examples(), killed, base=tiny, config=RESUMED)
    assert result.resumed_at >= 10
    assert curve(killed) == pytest.approx(curve(tmp_path / "whole"), abs=1e-3)
    for name in ("adapter_model.safetensors", "adapter_config.json"):
        assert (killed / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name


def test_too_high_a_learning_rate_is_stopped(tiny: str, tmp_path: Path) -> None:
    wild = dataclasses.replace(CONFIG, learning_rate=3e2, steps=30)
    with pytest.raises(TrainingStopped, match=r"guessing evenly|loss is nan|gradient norm|zero"):
        train(examples(), tmp_path / "wild", base=tiny, config=wild)


def test_a_finished_training_is_read_back_unless_the_code_is_another(
    tiny: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out, config = tmp_path / "out", dataclasses.replace(CONFIG, steps=2)
    first = train(examples(), out, base=tiny, config=config)
    assert train(examples(), out, base=tiny, config=config) == first
    assert [step for step, _ in first.outcome()["losses"]] == [1, 2]
    assert not {"adapter", "seconds"} & first.outcome().keys()
    assert "it is replaced" not in capsys.readouterr().err
    monkeypatch.setattr(source, "code_behind", lambda function: {"train.py": "another"})
    again = train(examples(), out, base=tiny, config=config)
    assert "it is replaced" in capsys.readouterr().err
    assert again.outcome() == first.outcome()


def test_jupyter_gets_one_curve_that_grows(monkeypatch: pytest.MonkeyPatch) -> None:
    import IPython.display

    pages: list[str] = []

    def display(page: Any, display_id: bool) -> Any:
        pages.append(page.data)
        return types.SimpleNamespace(update=lambda new: pages.append(new.data))

    monkeypatch.setattr(trainer, "in_jupyter", lambda: True)
    monkeypatch.setattr(IPython.display, "display", display)
    monkeypatch.setattr(trainer, "REDRAWN", 0.0)
    curve = trainer.Curve(4)
    for count in range(1, 5):
        curve.draw([4.0, 2.0, 1.5, 1.0][:count])
    points = [page.partition("points='")[2].partition("'")[0].split() for page in pages]
    assert [len(drawn) for drawn in points] == [2, 3, 4]  # one loss is no curve
    assert points[-1] == ["0.2500,0.0000", "0.5000,0.5000", "0.7500,0.6250", "1.0000,0.7500"]
