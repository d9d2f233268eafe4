"""TRL's `SFTTrainer` over planned batches: one optimiser step takes the next few of them, so a
resumed training, or several processes between them, meet the same batches."""

from __future__ import annotations

import contextlib
import json
import shutil
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from accelerate import PartialState
from datasets import Dataset
from peft import LoraConfig
from transformers import AutoModelForCausalLM, TrainerCallback
from transformers.trainer_callback import PrinterCallback
from trl import SFTConfig, SFTTrainer

from semcoder_lib.core import workspace
from semcoder_lib.core.errors import InfrastructureError, UserError
from semcoder_lib.core.progress import bar, in_jupyter, say
from semcoder_lib.models import hardware, weights
from semcoder_lib.training import guards
from semcoder_lib.training import rows as rows_
from semcoder_lib.training.cpu import CpuTrainer
from semcoder_lib.training.rows import IGNORED, Config, Job, Plan, Result, Row, Rows

_LOGGED = ("step", "loss", "learning_rate", "grad_norm", "seconds")
REDRAWN = 1.5  # seconds between two pictures of the curve
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


class Curve:
    """The losses so far, in Jupyter, on an axis with room for all steps: a curve that grows."""

    def __init__(self, steps: int) -> None:
        self.steps, self.drawn, self.handle = steps, 0.0, None

    def draw(self, losses: Sequence[float]) -> None:
        """Draw them if it is time to."""
        now, count = time.perf_counter(), len(losses)
        if count < 2 or not in_jupyter() or (now - self.drawn < REDRAWN and count < self.steps):
            return
        from IPython.display import HTML, display

        self.drawn, top = now, max(*losses, 1e-9)
        points = (f"{n / self.steps:.4f},{1 - y / top:.4f}" for n, y in enumerate(losses, 1))
        line = "fill='none' vector-effect='non-scaling-stroke' stroke-width='2'"
        page = HTML(
            f"<div>loss {losses[-1]:.3f}; the axis ends at {top:.2f} nats a token</div>"
            "<svg viewBox='0 0 1 1' width='560' height='150' preserveAspectRatio='none'>"
            f"<path d='M0 0V1H1' stroke='#8a9199' {line}/>"
            f"<polyline points='{' '.join(points)}' stroke='#4269d0' {line}/></svg>"
        )
        if self.handle is None:
            self.handle = display(page, display_id=True)
        else:
            self.handle.update(page)


class Watch(TrainerCallback):
    """Shows every step in `bar` and `curve`, lets the guard rails look at it, follows the free
    cores, and adds to the trainer's log (which checkpoints carry) the wall seconds of all steps so
    far."""

    def __init__(
        self, config: Config, vocabulary: int, threads: hardware.Threads, bar: Any
    ) -> None:
        self.config, self.vocabulary, self.threads, self.bar = config, vocabulary, threads, bar
        self.began, self.curve = 0.0, Curve(bar.total)

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
        losses = [float(row["loss"]) for row in state.log_history if "loss" in row]
        row["seconds"] = max(0.001, round(time.perf_counter() - self.began, 3))
        if state.is_world_process_zero:
            self.bar.set_postfix_str(f"loss {row['loss']:.3f}", refresh=False)
            self.bar.update()
            self.curve.draw(losses)
        norm = row.get("grad_norm")
        guards.check_step(row["step"], losses, norm, self.vocabulary, self.config)


def fit(job: Job, rows: Rows, held_out: Rows, tokenizer: Any, shown: str) -> tuple[Result, bool]:
    """Train and save, from the last checkpoint on if there is one; what came of it, and whether
    this is the process that writes files. `shown` says what the rows are like."""
    config, folder = job.config, job.checkpoints
    machine = hardware.probe(dtype=config.dtype, threads=config.threads)
    threads = hardware.Threads(machine.threads, stated=config.threads is not None)
    world = PartialState(cpu=machine.device == "cpu")
    main, processes = bool(world.is_main_process), int(world.num_processes)
    plan = rows_.planned(rows.rows, config, machine.device, processes)
    if main:
        text = f"training: {shown}"
        for line in text.partition(";")[:1] if in_jupyter() else text.splitlines():
            say(line)
        _keep_only(folder, job.key)
    world.wait_for_everyone()
    model = _loaded(job, machine)
    args = arguments(config, machine, folder, plan)
    resumed_at, checkpoint = _last_checkpoint(folder)
    with bar("training", plan.steps, "steps") as steps:
        trainer = (CpuTrainer if args.use_cpu and CpuTrainer.supports(model) else SFTTrainer)(
            model=model,
            args=args,
            train_dataset=Dataset.from_list([{"rows": batch} for batch in plan.batches]),
            data_collator=Collator(rows.rows, tokenizer.pad_token_id),
            processing_class=tokenizer,
            peft_config=None if hasattr(model, "peft_config") else adapter_arguments(config),
            callbacks=[Watch(config, len(tokenizer), threads, steps)],
        )
        trainer.model_accepts_loss_kwargs = True  # the loss is over the tokens of the whole step
        trainer.remove_callback(PrinterCallback)
        try:
            trainer.train(resume_from_checkpoint=checkpoint)
        except (torch.OutOfMemoryError, MemoryError) as error:
            raise InfrastructureError(
                f"out of memory at micro_tokens {plan.micro_tokens}: lower micro_tokens or "
                f"max_length ({error})"
            ) from None
        finally:
            logged = (row for row in trainer.state.log_history if "loss" in row)
            curve: list[dict[str, Any]] = [
                {name: row.get(name) for name in _LOGGED} for row in logged
            ]
            if main:
                workspace.write_jsonl(job.out / "logs/loss.jsonl", curve)
    _save(trainer, job)
    used = [[rows.rows[i] for i in batch] for batch in plan.batches]
    losses = [row["loss"] for row in curve]
    last = losses[-max(1, len(losses) // 10) :]
    result = Result(
        adapter=str(job.out),
        steps=plan.steps,
        loss_first=losses[0],
        loss_last=sum(last) / len(last),
        tokens=sum(len(row.ids) for batch in used for row in batch),
        trained_tokens=sum(len(row.ids) - row.prompt for batch in used for row in batch),
        seconds=curve[-1]["seconds"],
        rows=len(rows.rows),
        dropped=rows.dropped,
        resumed_at=resumed_at,
        held_out_loss=_mean_loss(trainer, held_out.rows) if main else None,
        losses=[[row["step"], row["loss"]] for row in curve],
        hardware={**asdict(machine), "processes": processes},
    )
    return result, main


def _loaded(job: Job, machine: hardware.Hardware) -> Any:
    """The model to train: the base, with the adapter to go on from if there is one."""
    rank = job.config.lora_rank
    # weights that are trained stay in fp32 under autocast; frozen ones may be small
    kind = torch.bfloat16 if rank and machine.dtype == "bfloat16" else torch.float32
    model: Any = AutoModelForCausalLM.from_pretrained(
        job.folder, dtype=kind, trust_remote_code=False
    )
    if job.start is None:
        return model
    if not rank:
        raise UserError("lora_rank 0 cannot go on from an adapter; give a whole model")
    return weights.with_adapter(model, job.start, trainable=True)


def _save(trainer: Any, job: Job) -> None:
    """Write the adapter or the model, and nothing of this machine."""
    model = trainer.accelerator.unwrap_model(trainer.model)
    if hasattr(model, "peft_config"):
        for adapter in model.peft_config.values():
            adapter.base_model_name_or_path = job.base_name  # not the path of this machine's copy
            adapter.target_modules = sorted(adapter.target_modules)  # a set has no order
        trainer.processing_class = None  # the tokenizer is the base's, and has 3.5 MB
    trainer.save_model(str(job.out))
    if trainer.accelerator.is_main_process:
        (job.out / "training_args.bin").unlink(missing_ok=True)


@torch.no_grad()
def _mean_loss(trainer: Any, rows: Sequence[Row]) -> float | None:
    """The mean loss per completion token of rows that were not trained on; None without rows."""
    model = trainer.model.eval()
    collate = Collator(rows, trainer.data_collator.pad)
    trainer.args.average_tokens_across_devices = False  # this process looks at all of them
    total, count = 0.0, 0
    for batch in rows_.batches(rows, _LOOKED_AT, seed=0, epoch=0):
        inputs = {name: x.to(model.device) for name, x in collate([{"rows": batch}]).items()}
        labelled = int((inputs["labels"][:, 1:] != IGNORED).sum())
        loss = trainer.compute_loss(model, inputs, num_items_in_batch=labelled)
        total += float(loss) * labelled
        count += labelled
    return total / count if count else None


def _keep_only(checkpoints: Path, key: str) -> None:
    """Throw away the checkpoints of another training."""
    note = checkpoints / "key.json"
    stored: Any = None
    with contextlib.suppress(UserError):
        stored = workspace.read_json(note)
    if stored != key:
        shutil.rmtree(checkpoints, ignore_errors=True)
        workspace.write_json(note, key)


def _last_checkpoint(folder: Path) -> tuple[int, str | None]:
    """Step and folder of the newest complete checkpoint: the trainer writes its state file last."""
    complete: dict[int, str | None] = {0: None}
    for path in folder.glob("checkpoint-*"):
        with contextlib.suppress(OSError, ValueError, KeyError):
            state = json.loads((path / "trainer_state.json").read_text())
            complete[int(state["global_step"])] = str(path)
    step = max(complete)
    return step, complete[step]


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
