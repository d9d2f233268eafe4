"""TRL's `SFTTrainer`, fed with planned batches and a loss that looks at labels only."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from torch.utils.data import SequentialSampler
from transformers import TrainerCallback
from trl import SFTConfig, SFTTrainer

from semcoder_lib.core import workspace
from semcoder_lib.models import hardware
from semcoder_lib.training.guards import LossWatch
from semcoder_lib.training.loss import add_labelled_loss
from semcoder_lib.training.rows import Collator, Row
from semcoder_lib.training.settings import Config

_TIDY = 50  # steps: batches of ever other sizes leave gaps, GBs of them in a thousand steps


class PlannedTrainer(SFTTrainer):
    """Takes one planned batch after another, so a resumed training meets the same batches, and so
    do several processes between them."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.model_accepts_loss_kwargs = True  # the loss is divided by the tokens of the whole step
        whole: Any = self.model
        base = whole.get_base_model() if hasattr(whole, "peft_config") else whole
        add_labelled_loss(base)
        if self.args.bf16:
            for module in whole.modules():
                # autocast takes bf16 in any case: PEFT's way over fp32 is two copies for nothing
                if hasattr(module, "cast_input_dtype_enabled"):
                    module.cast_input_dtype_enabled = False

    def _get_train_sampler(self, train_dataset: Any = None) -> Any:
        dataset: Any = train_dataset if train_dataset is not None else self.train_dataset
        return SequentialSampler(dataset)

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Any = None,
    ) -> Any:
        """The summed loss of the labelled tokens over their number in the whole step."""
        if return_outputs or self.accelerator.distributed_type == "DEEPSPEED":
            # ZeRO-3 keeps the head's weights in pieces, which TRL's own loss knows to gather
            return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
        loss = model(**inputs, labelled_loss=True)
        if num_items_in_batch is None:
            num_items_in_batch = (inputs["labels"][:, 1:] != -100).sum()
        loss = loss / torch.as_tensor(num_items_in_batch, device=loss.device).clamp(min=1)
        if self.args.average_tokens_across_devices:
            loss = loss * self.accelerator.num_processes
        return loss


class Recorder(TrainerCallback):
    """Writes one line of `loss.jsonl` a step, shows progress, and lets the guard rails look."""

    def __init__(
        self, path: Path, rows: list[Row], plan: list[list[int]], pieces: int, watch: LossWatch
    ) -> None:
        self.path, self.watch, self.pieces = path, watch, pieces
        self.lengths = [(len(r.ids), len(r.ids) - r.prompt) for r in rows]
        self.plan = plan
        self.done = list(workspace.read_jsonl(path)) if path.exists() else []
        self.started = time.perf_counter()
        self.shown = 0.0
        self.tokens = self.trained = self.padded = 0

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.done = [row for row in self.done if row["step"] <= state.global_step]
        self.watch.losses = [row["loss"] for row in self.done]
        if state.is_world_process_zero:
            workspace.write_jsonl(self.path, self.done)
        self.started = time.perf_counter()

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if args.use_cpu and state.global_step % _TIDY == 0:
            hardware.give_back()

    def on_log(
        self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **kwargs: Any
    ) -> None:
        if not logs or "loss" not in logs or not state.is_world_process_zero:
            return
        step = state.global_step
        for batch in self.plan[(step - 1) * self.pieces : step * self.pieces]:
            self.tokens += sum(self.lengths[i][0] for i in batch)
            self.trained += sum(self.lengths[i][1] for i in batch)
            self.padded += max(self.lengths[i][0] for i in batch) * len(batch)
        norm = logs.get("grad_norm")
        seconds = time.perf_counter() - self.started
        row = {
            "step": step,
            "loss": float(logs["loss"]),
            "learning_rate": float(logs.get("learning_rate", 0.0)),
            "grad_norm": None if norm is None else float(norm),
            "tokens": self.tokens,
            "seconds": round(seconds, 3),
        }
        self.done.append(row)
        with self.path.open("a", encoding="utf-8") as out:
            out.write(workspace.dumps(row) + "\n")
        last = step == state.max_steps
        if last or seconds - self.shown > 5:
            self.shown = seconds
            rate = self.tokens / max(seconds, 1e-9)
            print(
                f"training: step {step}/{state.max_steps}, loss {row['loss']:.3f}, "
                f"{rate:,.0f} tokens/s",
                file=sys.stderr,
            )
        self.watch.see(step, row["loss"], row["grad_norm"])


def arguments(
    config: Config, machine: hardware.Hardware, folder: Path, *, steps: int, accumulate: int
) -> SFTConfig:
    """TRL's arguments for a configuration: half precision only where the hardware computes in it,
    checkpointing of activations only on a GPU, the paper's cosine down to a floor."""
    bf16 = machine.dtype == "bfloat16"
    checkpointing = config.gradient_checkpointing
    if checkpointing is None:
        checkpointing = machine.device == "cuda" and config.method == "full"
    return SFTConfig(
        output_dir=str(folder),
        max_steps=steps,
        per_device_train_batch_size=1,
        gradient_accumulation_steps=accumulate,
        learning_rate=config.learning_rate,
        lr_scheduler_type="cosine_with_min_lr",
        lr_scheduler_kwargs={"min_lr": config.min_learning_rate},
        warmup_steps=round(steps * config.warmup_share),
        weight_decay=config.weight_decay,
        max_grad_norm=config.max_grad_norm,
        optim="adamw_torch_fused",
        bf16=bf16,
        fp16=False,
        use_cpu=machine.device == "cpu",
        gradient_checkpointing=checkpointing,
        logging_steps=1,
        logging_first_step=True,
        logging_nan_inf_filter=False,  # a NaN is to be seen, not averaged away
        save_strategy="steps",
        save_steps=config.save_steps or max(5, steps // 5),
        save_total_limit=2,
        report_to=config.report_to,
        disable_tqdm=True,
        remove_unused_columns=False,
        dataset_kwargs={"skip_prepare_dataset": True},
        max_length=None,
        dataloader_pin_memory=machine.device == "cuda",
        seed=config.seed,
        data_seed=config.seed,
        ddp_find_unused_parameters=False,
    )


def build(
    model: Any,
    tokenizer: Any,
    rows: list[Row],
    plan: list[list[int]],
    args: SFTConfig,
    *,
    peft_config: Any = None,
    recorder: Recorder | None = None,
) -> PlannedTrainer:
    """A trainer over planned batches, silent but for `recorder`."""
    from transformers.trainer_callback import PrinterCallback

    trainer = PlannedTrainer(
        model=model,
        args=args,
        train_dataset=Dataset.from_list([{"rows": batch} for batch in plan]),
        data_collator=Collator(rows, tokenizer.pad_token_id),
        processing_class=tokenizer,
        peft_config=peft_config,
        callbacks=[recorder] if recorder is not None else [],
    )
    trainer.remove_callback(PrinterCallback)
    return trainer
