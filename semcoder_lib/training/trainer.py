"""TRL's `SFTTrainer` over planned batches: one optimiser step takes the next few of them, so a
resumed training, or several processes between them, meet the same batches."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from peft import LoraConfig
from transformers import AutoModelForCausalLM, TrainerCallback
from transformers.trainer_callback import PrinterCallback
from trl import SFTConfig, SFTTrainer

from semcoder_lib.core.errors import UserError
from semcoder_lib.models import hardware, weights
from semcoder_lib.training import guards
from semcoder_lib.training.cpu import CpuTrainer
from semcoder_lib.training.rows import IGNORED, Config, Plan, Row, batches

_LOOKED_AT = 2048  # tokens at once, of rows that are not trained on
_TIDY = 10  # steps: batches of ever other sizes leave gaps, GBs of them in fifty steps


class Collator:
    """Pads the rows of one planned batch on the right."""

    def __init__(self, rows: Sequence[Row], pad: int) -> None:
        self.rows, self.pad = rows, pad

    def __call__(self, items: Sequence[dict[str, Any]]) -> dict[str, Any]:
        chosen = [self.rows[i] for item in items for i in item["rows"]]
        width = max(len(row.ids) for row in chosen)

        def padded(lists: list[list[int]], value: int) -> torch.Tensor:
            return torch.tensor([ids + [value] * (width - len(ids)) for ids in lists])

        return {
            "input_ids": padded([row.ids for row in chosen], self.pad),
            "attention_mask": padded([[1] * len(row.ids) for row in chosen], 0),
            "labels": padded([row.labels() for row in chosen], IGNORED),
        }


class Watch(TrainerCallback):
    """Shows every step in `bar`, lets the guard rails look at it, follows the free cores, and adds
    to the trainer's log (which checkpoints carry) the wall seconds of all steps so far."""

    def __init__(
        self, config: Config, vocabulary: int, threads: hardware.Threads, bar: Any
    ) -> None:
        self.config, self.vocabulary, self.threads, self.bar = config, vocabulary, threads, bar
        self.began = 0.0

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        before = max((row.get("seconds", 0.0) for row in state.log_history), default=0.0)
        self.began = time.perf_counter() - before
        self.bar.n = self.bar.initial = state.global_step  # of an earlier process
        self.threads.restart()

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.threads.look()
        if args.use_cpu and state.global_step % _TIDY == 0:
            hardware.give_back()

    def on_log(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        row = state.log_history[-1]
        if "loss" not in row:
            return
        row["seconds"] = max(0.001, round(time.perf_counter() - self.began, 3))
        if state.is_world_process_zero:
            self.bar.set_postfix_str(f"loss {row['loss']:.3f}", refresh=False)
            self.bar.update()
        losses = [float(row["loss"]) for row in state.log_history if "loss" in row]
        norm = row.get("grad_norm")
        guards.check_step(row["step"], losses, norm, self.vocabulary, self.config)


def curve(state: Any) -> list[dict[str, Any]]:
    """The log's rows of optimiser steps, without what is no number in JSON."""
    names = ("step", "loss", "learning_rate", "grad_norm", "seconds")
    return [
        {name: row[name] for name in names if math.isfinite(row.get(name, math.nan))}
        for row in state.log_history
        if "loss" in row
    ]


def load(folder: str, start: Path | None, config: Config, machine: hardware.Hardware) -> Any:
    """The model to train: the base, with the adapter to go on from if there is one."""
    # weights that are trained stay in fp32 under autocast; frozen ones may be small
    frozen = config.lora_rank and machine.dtype == "bfloat16"
    model: Any = AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.bfloat16 if frozen else torch.float32, trust_remote_code=False
    )
    if start is None:
        return model
    if not config.lora_rank:
        raise UserError("lora_rank 0 cannot go on from an adapter; give a whole model")
    return weights.with_adapter(model, start, trainable=True)


def build(
    model: Any,
    tokenizer: Any,
    rows: Sequence[Row],
    plan: Plan,
    args: SFTConfig,
    config: Config,
    watch: TrainerCallback,
) -> SFTTrainer:
    """A trainer of the model, or of a new LoRA adapter on it, silent but for `watch`."""
    trainer = (CpuTrainer if args.use_cpu and CpuTrainer.supports(model) else SFTTrainer)(
        model=model,
        args=args,
        train_dataset=Dataset.from_list([{"rows": batch} for batch in plan.batches]),
        data_collator=Collator(rows, tokenizer.pad_token_id),
        processing_class=tokenizer,
        peft_config=None if hasattr(model, "peft_config") else adapter_arguments(config),
        callbacks=[watch],
    )
    trainer.model_accepts_loss_kwargs = True  # the loss is divided by the tokens of the whole step
    trainer.remove_callback(PrinterCallback)
    return trainer


def adapter_arguments(config: Config) -> LoraConfig | None:
    """PEFT's arguments for a configuration, an adapter beside every linear layer; None where all
    weights are trained."""
    if not config.lora_rank:
        return None
    return LoraConfig(
        r=config.lora_rank,
        lora_alpha=config.lora_alpha,
        lora_dropout=0.0,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )


def save(trainer: Any, out: Path, base: str) -> None:
    """Write the adapter or the model, and nothing of this machine."""
    model = trainer.accelerator.unwrap_model(trainer.model)
    if hasattr(model, "peft_config"):
        for adapter in model.peft_config.values():
            adapter.base_model_name_or_path = base  # not the path of this machine's copy
            adapter.target_modules = sorted(adapter.target_modules)  # a set has no order
        trainer.processing_class = None  # the tokenizer is the base's, and has 3.5 MB
    trainer.save_model(str(out))
    if trainer.accelerator.is_main_process:
        (out / "training_args.bin").unlink(missing_ok=True)


@torch.no_grad()
def mean_loss(trainer: Any, rows: Sequence[Row]) -> float | None:
    """The mean loss per completion token of rows that were not trained on; None without rows."""
    model = trainer.model.eval()
    collate = Collator(rows, trainer.data_collator.pad)
    trainer.args.average_tokens_across_devices = False  # this process looks at all of them
    total, count = 0.0, 0
    for batch in batches(rows, _LOOKED_AT, seed=0, epoch=0):
        inputs = {name: x.to(model.device) for name, x in collate([{"rows": batch}]).items()}
        labelled = int((inputs["labels"][:, 1:] != IGNORED).sum())
        loss = trainer.compute_loss(model, inputs, num_items_in_batch=labelled)
        total += float(loss) * labelled
        count += labelled
    return total / count if count else None


def arguments(config: Config, machine: hardware.Hardware, folder: Path, plan: Plan) -> SFTConfig:
    """TRL's arguments for a configuration: half precision only where the hardware computes in it,
    checkpointing of activations only on a GPU, the paper's cosine down to a floor."""
    on_gpu = machine.device == "cuda"
    checkpointing = config.gradient_checkpointing
    if checkpointing is None:
        checkpointing = on_gpu and not config.lora_rank
    return SFTConfig(
        output_dir=str(folder),
        max_steps=plan.steps,
        per_device_train_batch_size=1,
        gradient_accumulation_steps=plan.accumulate,
        train_sampling_strategy="sequential",
        learning_rate=config.learning_rate,
        lr_scheduler_type="cosine_with_min_lr",
        lr_scheduler_kwargs={"min_lr": config.min_learning_rate},
        warmup_steps=round(plan.steps * config.warmup_share),
        weight_decay=config.weight_decay,
        max_grad_norm=config.max_grad_norm,
        optim="adamw_torch_fused",
        bf16=machine.dtype == "bfloat16",
        fp16=False,
        use_cpu=not on_gpu,
        gradient_checkpointing=checkpointing,
        logging_steps=1,
        logging_first_step=True,
        logging_nan_inf_filter=False,  # a NaN is to be seen, not averaged away
        save_strategy="steps",
        save_steps=config.save_steps or max(5, plan.steps // 5),
        save_total_limit=2,
        report_to="none",
        disable_tqdm=True,
        remove_unused_columns=False,
        dataset_kwargs={"skip_prepare_dataset": True},
        max_length=None,
        dataloader_pin_memory=on_gpu,
        seed=config.seed,
        data_seed=config.seed,
        ddp_find_unused_parameters=False,
    )
