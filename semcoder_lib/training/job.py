"""The part of a training that holds the model: build, resume, run, save."""

from __future__ import annotations

import contextlib
import json
import math
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate import PartialState

from semcoder_lib.core import workspace
from semcoder_lib.core.errors import InfrastructureError, UserError
from semcoder_lib.models import hardware
from semcoder_lib.training import attention
from semcoder_lib.training import rows as rows_
from semcoder_lib.training.guards import LossWatch
from semcoder_lib.training.settings import Config, Example, Result
from semcoder_lib.training.trainer import Recorder, arguments, build

_CPU_MICRO = 2048
_GPU_MICRO = 16_384


@dataclass(slots=True)
class State:
    """A finished training with its model still in memory. `main`: this is the process that writes
    files."""

    result: Result
    trainer: Any
    main: bool

    def release(self) -> None:
        """Let the model go."""
        self.trainer = None


def run(
    made: rows_.Rows,
    tokenizer: Any,
    folder: str,
    start: Path | None,
    out: Path,
    base: str,
    config: Config,
    key: str,
    shown: str,
) -> State:
    """Train and save. Raises InfrastructureError when memory or disk run out."""
    machine = hardware.probe(dtype=config.dtype, threads=config.threads)
    hardware.use_threads(machine.threads)
    world = PartialState(cpu=machine.device == "cpu")
    micro = config.micro_tokens or (_GPU_MICRO if machine.device == "cuda" else _CPU_MICRO)
    micro = _even(micro, config.batch_tokens)
    micro_rows = rows_.rows_at_once(made.rows, micro, config.batch_rows)
    share = config.batch_rows / micro_rows if micro_rows else config.batch_tokens / micro
    accumulate = max(1, round(share / world.num_processes))
    pieces = accumulate * world.num_processes
    plan, steps = rows_.plan(made.rows, micro, config, pieces=pieces, micro_rows=micro_rows)
    checkpoints = out / "checkpoints"
    if world.is_main_process:
        print(f"training: {shown}", file=sys.stderr)
        _keep_only(checkpoints, out, key)
    world.wait_for_everyone()
    watch = LossWatch(len(tokenizer), config)
    recorder = Recorder(out / "loss.jsonl", made.rows, plan, pieces, watch)
    args = arguments(config, machine, checkpoints, steps=steps, accumulate=accumulate)
    model, peft_config = _model(folder, start, config, machine)
    trainer = build(
        model, tokenizer, made.rows, plan, args, peft_config=peft_config, recorder=recorder
    )
    last = _last_checkpoint(checkpoints)
    resumed_at = int(last.name.rpartition("-")[2]) if last else 0
    try:
        trainer.train(resume_from_checkpoint=str(last) if last else None)
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise InfrastructureError(
            f"out of memory at micro_tokens {micro}: lower micro_tokens or max_length ({error})"
        ) from None
    _save(trainer, tokenizer, out, base, config)
    losses = [row["loss"] for row in recorder.done] or [math.nan]
    result = Result(
        adapter=str(out),
        steps=steps,
        loss_first=losses[0],
        loss_last=_mean(losses[-max(1, len(losses) // 10) :]),
        tokens=recorder.tokens,
        trained_tokens=recorder.trained,
        padded_tokens=recorder.padded,
        seconds=float(recorder.done[-1]["seconds"]) if recorder.tokens else 0.0,
        rows=len(made.rows),
        resumed_at=resumed_at,
        hardware={**machine.row(), "processes": world.num_processes},
    )
    return State(result, trainer, world.is_main_process)


@torch.no_grad()
def held_out_loss(
    state: State, examples: Sequence[Example], tokenizer: Any, config: Config
) -> float:
    """The mean loss per completion token of rows that were not trained on."""
    made = rows_.tokenise(examples, tokenizer, config)
    if not made.rows:
        raise UserError("held-out rows: all of them are longer than max_length")
    collate = rows_.Collator(made.rows, tokenizer.pad_token_id)
    model = state.trainer.model.eval()
    total, count = 0.0, 0
    for batch in rows_.batches(made.rows, _CPU_MICRO, seed=0, epoch=0):
        inputs = {k: v.to(model.device) for k, v in collate([{"rows": batch}]).items()}
        count += int((inputs["labels"][:, 1:] != rows_.IGNORED).sum())
        total += float(model(**inputs, labelled_loss=True))
    return total / count


def _model(
    folder: str, start: Path | None, config: Config, machine: hardware.Hardware
) -> tuple[Any, Any]:
    from peft import LoraConfig, PeftModel
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging

    logging.disable_progress_bar()
    # weights that are trained stay in fp32 under autocast; frozen ones may be small
    frozen = config.method == "lora" and machine.dtype == "bfloat16"
    dtype = torch.bfloat16 if frozen else torch.float32
    model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype)
    if machine.device == "cpu":
        attention.use(model)
    if start is not None:
        if config.method == "full":
            raise UserError("method full cannot go on from an adapter: merge it first")
        return PeftModel.from_pretrained(model, str(start), is_trainable=True), None
    if config.method == "full":
        return model, None
    return model, LoraConfig(
        r=config.lora_rank,
        lora_alpha=config.lora_alpha,
        lora_dropout=0.0,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )


def _even(micro: int, batch: int) -> int:
    """Tokens at once, at most `micro`, so that a step's pieces are equal and make a whole batch."""
    return batch // math.ceil(batch / micro)


def _save(trainer: Any, tokenizer: Any, out: Path, base: str, config: Config) -> None:
    if config.method == "lora":
        inner = trainer.accelerator.unwrap_model(trainer.model)
        for kind in inner.peft_config.values():
            kind.base_model_name_or_path = base  # not the path of this machine's copy
    trainer.save_model(str(out))
    if trainer.accelerator.is_main_process:
        if config.method == "full":
            tokenizer.save_pretrained(out)
        for name in ("training_args.bin", "chat_template.jinja"):
            if config.method == "lora" or name == "training_args.bin":
                (out / name).unlink(missing_ok=True)
        if config.method == "lora":
            for name in ("tokenizer.json", "tokenizer_config.json"):
                (out / name).unlink(missing_ok=True)  # the base's, and 3.5 MB


def _keep_only(checkpoints: Path, out: Path, key: str) -> None:
    """Throw away the checkpoints of another training, and half-written ones."""
    note = checkpoints / "key.json"
    stored: Any = None
    with contextlib.suppress(UserError):
        stored = workspace.read_json(note)
    if stored != key:
        shutil.rmtree(checkpoints, ignore_errors=True)
        (out / "loss.jsonl").unlink(missing_ok=True)
        workspace.write_json(note, key)


def _last_checkpoint(folder: Path) -> Path | None:
    """The newest complete checkpoint: the trainer writes its state file last."""
    found = []
    for path in folder.glob("checkpoint-*"):
        try:
            step = json.loads((path / "trainer_state.json").read_text())["global_step"]
        except (OSError, ValueError, KeyError):
            continue
        found.append((int(step), path))
    return max(found)[1] if found else None


def _mean(numbers: Sequence[float]) -> float:
    return sum(numbers) / len(numbers)
