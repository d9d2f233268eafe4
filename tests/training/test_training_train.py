"""Training a tiny random model: it learns, resumes to the same curve, and stops when it must."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from semcoder_lib.training.loss import labelled_loss
from training_tiny import curve, examples

from semcoder_lib import models as generation
from semcoder_lib.core import workspace
from semcoder_lib.core.errors import UserError
from semcoder_lib.models import Request
from semcoder_lib.training import (
    Config,
    TrainingStopped,
    merge,
    overfit_check,
    train,
    trainer,
)

CONFIG = Config(
    steps=8,
    batch_tokens=256,
    max_length=128,
    learning_rate=1e-2,
    min_learning_rate=1e-3,
    threads=1,
    lora_rank=4,
    stop_check=0,
    dtype="float32",
)


def test_learns_and_leaves_adapter_card_and_curve(tiny: str, tmp_path: Path) -> None:
    result = train(examples(), tmp_path / "a", base=tiny, config=CONFIG, held_out=examples(4))
    losses = curve(tmp_path / "a")
    assert len(losses) == result.steps == 8
    assert losses[-1] < losses[0] - 0.5
    assert result.held_out_loss is not None
    assert result.held_out_loss < losses[0]
    names = {p.name for p in (tmp_path / "a").iterdir()}
    assert {"adapter_model.safetensors", "adapter_config.json", "README.md"} <= names
    assert "checkpoints" not in names
    written = json.loads((tmp_path / "a" / "adapter_config.json").read_text())
    assert written["base_model_name_or_path"] == tiny
    assert 0 < result.trained_tokens < result.tokens <= result.padded_tokens
    again = train(examples(), tmp_path / "a", base=tiny, config=CONFIG)
    assert again.loss_last == result.loss_last


def test_same_seed_same_adapter_other_seed_another(tiny: str, tmp_path: Path) -> None:
    def weights(name: str, seed: int) -> bytes:
        config = dataclasses.replace(CONFIG, steps=2, seed=seed)
        train(examples(), tmp_path / name, base=tiny, config=config)
        return (tmp_path / name / "adapter_model.safetensors").read_bytes()

    assert weights("a", 0) == weights("b", 0)
    assert weights("c", 1) != weights("a", 0)


def test_merged_model_writes_what_adapter_writes(tiny: str, tmp_path: Path) -> None:
    train(examples(), tmp_path / "a", base=tiny, config=CONFIG)
    merged = merge(tiny, tmp_path / "a", tmp_path / "merged")
    asked = [Request(str(i), e.prompt, max_new_tokens=16) for i, e in enumerate(examples(6))]
    with generation.load(tiny, adapter=tmp_path / "a", threads=1) as engine:
        ours = [row[0].text for row in engine.generate(asked)]
    with generation.load(str(merged), threads=1) as engine:
        assert [row[0].text for row in engine.generate(asked)] == ours
    with generation.load(tiny, threads=1) as engine:
        assert [row[0].text for row in engine.generate(asked)] != ours


def test_goes_on_from_an_adapter(tiny: str, tmp_path: Path) -> None:
    first = train(examples(), tmp_path / "main", base=tiny, config=CONFIG)
    second = train(
        examples(), tmp_path / "refine", base=tiny, adapter=tmp_path / "main", config=CONFIG
    )
    assert second.loss_first < first.loss_first - 0.3


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_full_model_is_saved_and_loads(tiny: str, tmp_path: Path, dtype: str) -> None:
    config = dataclasses.replace(CONFIG, method="full", steps=4, dtype=dtype)
    result = train(examples(), tmp_path / "full", base=tiny, config=config)
    with generation.load(tiny, adapter=tmp_path / "full", threads=1) as engine:
        assert engine.generate([Request("a", "if 1", max_new_tokens=3)])[0][0].tokens == 3
    assert result.loss_last < result.loss_first


@pytest.mark.parametrize("rows", [3, 700])
def test_labelled_loss_equals_full_cross_entropy(rows: int) -> None:
    torch.manual_seed(0)
    hidden = torch.randn(2, rows, 8, requires_grad=True)
    weight = torch.randn(50, 8, requires_grad=True)
    labels = torch.randint(0, 50, (2, rows))
    labels[:, : rows // 2] = -100
    full = torch.nn.functional.cross_entropy(
        (hidden[:, :-1] @ weight.T).reshape(-1, 50), labels[:, 1:].reshape(-1), reduction="sum"
    )
    expected = torch.autograd.grad(full, (hidden, weight))
    ours = labelled_loss(hidden, weight, labels)
    got = torch.autograd.grad(3 * ours, (hidden, weight))
    torch.testing.assert_close(ours, full)
    for a, b in zip(got, expected, strict=True):
        torch.testing.assert_close(a, 3 * b, rtol=1e-4, atol=1e-4)


def test_batch_without_labels_gives_zero_with_gradient() -> None:
    hidden = torch.randn(1, 4, 8, requires_grad=True)
    loss = labelled_loss(hidden, torch.randn(50, 8), torch.full((1, 4), -100))
    loss.backward()
    assert float(loss.detach()) == 0.0
    assert hidden.grad is not None
    assert float(hidden.grad.abs().sum()) == 0.0


SLOW_RUN = """
import sys, time, pathlib
from semcoder_lib.training import Config, Example, train, trainer
import test_training_train as t, dataclasses
see = trainer.Recorder.on_log
def slow(self, *a, **k):
    see(self, *a, **k); time.sleep(0.15)
trainer.Recorder.on_log = slow
train(t.examples(), sys.argv[2], base=sys.argv[1], config=t.RESUMED)
"""
RESUMED = Config(**{**CONFIG.row(), "steps": 24, "save_steps": 5})


def test_interrupted_and_resumed_curve_is_the_undisturbed_one(
    tiny: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(examples(), tmp_path / "whole", base=tiny, config=RESUMED)
    see = trainer.Recorder.on_log

    def interrupted(self, args, state, *rest, **kwargs) -> None:
        see(self, args, state, *rest, **kwargs)
        if state.global_step == 13:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(trainer.Recorder, "on_log", interrupted)
        with pytest.raises(KeyboardInterrupt):
            train(examples(), tmp_path / "cut", base=tiny, config=RESUMED)
    assert train(examples(), tmp_path / "cut", base=tiny, config=RESUMED).resumed_at == 10
    assert curve(tmp_path / "cut") == pytest.approx(curve(tmp_path / "whole"), abs=1e-3)


@pytest.mark.slow
def test_killed_and_resumed_curve_is_the_undisturbed_one(tiny: str, tmp_path: Path) -> None:
    train(examples(), tmp_path / "whole", base=tiny, config=RESUMED)
    expected = curve(tmp_path / "whole")
    killed = tmp_path / "killed"
    here = str(Path(__file__).parent)
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW_RUN, tiny, str(killed)],
        env={**os.environ, "PYTHONPATH": here},
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        if (killed / "loss.jsonl").exists() and len(curve_so_far(killed)) >= 13:
            break
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    reached = len(curve_so_far(killed))
    assert 13 <= reached < 24
    result = train(examples(), killed, base=tiny, config=RESUMED)
    assert 0 < result.resumed_at <= reached
    resumed = curve(killed)
    assert len(resumed) == 24
    assert max(abs(a - b) for a, b in zip(resumed, expected, strict=True)) < 1e-3
    one, other = (f / "adapter_model.safetensors" for f in (killed, tmp_path / "whole"))
    assert one.read_bytes() == other.read_bytes()


def curve_so_far(folder: Path) -> list[str]:
    return (folder / "loss.jsonl").read_text().splitlines()


@pytest.mark.parametrize(
    ("micro", "batch", "piece"), [(2048, 1024, 1024), (2048, 3072, 1536), (2048, 4096, 2048)]
)
def test_the_pieces_of_a_step_make_its_batch(micro: int, batch: int, piece: int) -> None:
    from semcoder_lib.training.job import _even

    assert _even(micro, batch) == piece


def test_half_written_checkpoint_is_passed_over(tiny: str, tmp_path: Path) -> None:
    from semcoder_lib.training.job import _last_checkpoint

    for step, text in ((5, '{"global_step": 5}'), (10, '{"global_s')):
        workspace.write_text(tmp_path / f"checkpoint-{step}" / "trainer_state.json", text)
    (tmp_path / "checkpoint-15").mkdir()
    assert _last_checkpoint(tmp_path) == tmp_path / "checkpoint-5"


def test_overfit_check_passes_and_trips(tiny: str, tmp_path: Path) -> None:
    assert overfit_check(examples(), tmp_path / "good", base=tiny, config=CONFIG) < 0.5
    frozen = dataclasses.replace(CONFIG, learning_rate=1e-9, min_learning_rate=1e-9)
    with pytest.raises(TrainingStopped, match="overfit check"):
        overfit_check(examples(), tmp_path / "bad", base=tiny, config=frozen, steps=10)


def test_too_high_a_learning_rate_is_stopped(tiny: str, tmp_path: Path) -> None:
    wild = dataclasses.replace(CONFIG, learning_rate=3e2, steps=30)
    with pytest.raises(TrainingStopped, match=r"guessing evenly|loss is nan|gradient norm|zero"):
        train(examples(), tmp_path / "wild", base=tiny, config=wild)


def test_missing_adapter_is_one_line(tiny: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="adapter"):
        train(examples(), tmp_path / "x", base=tiny, adapter=tmp_path / "none", config=CONFIG)
