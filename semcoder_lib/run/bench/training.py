"""`bench training`: real tokens a second against TRL's defaults, on the same rows, in one run.

TRL's defaults are: rows in random order, eight a batch, bf16 arithmetic, activations
checkpointed, scores at every position (without Triton). Where the machine computes bf16 only by
emulation, the literal default is measured on one small batch, and the comparison is with the
defaults in fp32, the friendlier of the two.

Utilisation is the arithmetic that the training needs over what the machine's matrix products could
have done in that time, both in the row's number format (`bench.arithmetic`).
"""

from __future__ import annotations

import dataclasses
import math
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from semcoder_lib.core import workspace
from semcoder_lib.corpus import seeds
from semcoder_lib.models import assets, hardware, prompts
from semcoder_lib.models.tokens import load_tokenizer
from semcoder_lib.run.bench import arithmetic
from semcoder_lib.run.bench.arguments import Parser
from semcoder_lib.training import Config, Example, rows

TRL_BATCH = 8
_DEFAULTS = ("TRL defaults", "TRL defaults, fp32")


def main(argv: Sequence[str] = ()) -> dict[str, Any]:
    """Prints a table to standard error; returns the rows and the ratio of our fastest setting to
    TRL's faster default. `--peers` adds the literal bf16 default where it is emulated, and each of
    our measures alone."""
    parser = Parser(prog="python -m semcoder_lib bench training")
    parser.add_argument("--rows", type=int, default=96)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--peers", action="store_true")
    parser.add_argument("--out")
    options = parser.parse_args(list(argv))
    examples = bench_examples(options.rows)
    folder = assets.locate(options.model)
    tokenizer = load_tokenizer(folder)
    machine = hardware.probe(threads=options.threads)
    base = Config(max_length=1024, batch_tokens=2048, threads=machine.threads, stop_check=0)
    made = rows.tokenise(examples, tokenizer, base).rows
    # the same number of tokens a batch on both sides, padding aside
    average = sum(len(r.ids) for r in made) / len(made)
    micro = max(round(average * TRL_BATCH), max(len(r.ids) for r in made))
    native = machine.dtype == "bfloat16"
    measured = []
    for name, given in _settings(machine, native, options.peers).items():
        with tempfile.TemporaryDirectory() as place:
            where = Path(place)
            if name.startswith("TRL"):
                row = _trl(folder, tokenizer, made, base, where, **given)
            else:
                row = _ours(folder, tokenizer, made, micro, base, where, given["dtype"])
        row["utilisation"] = arithmetic.utilisation(
            folder, made[: row["rows"]], row["tokens_per_second"],
            dtype=row["dtype"], threads=machine.threads, rank=base.lora_rank,
        )  # fmt: skip
        measured.append({"setting": name, **row})
        print(_line(measured[-1]), file=sys.stderr)
    whole = [row for row in measured if row["rows"] == len(made)]
    theirs = max((r for r in whole if r["setting"] in _DEFAULTS), key=_rate)
    ours = max((r for r in whole if r["setting"].startswith("ours")), key=_rate)
    summary = {
        "bench": "training",
        "rows_trained": len(made),
        "hardware": dataclasses.asdict(machine),
        "compared": [ours["setting"], theirs["setting"]],
        "ratio": round(_rate(ours) / _rate(theirs), 2),
        "loss_difference": round(ours["loss"] - theirs["loss"], 4),
        "rows": measured,
    }
    if options.out:
        workspace.write_json(options.out, summary)
    return summary


def _settings(machine: hardware.Hardware, native: bool, peers: bool) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    if native:
        found["TRL defaults"] = {"bf16": True}
    found["TRL defaults, fp32"] = {"bf16": False}
    found["ours, fp32"] = {"dtype": "float32"}
    if native:
        found["ours, bf16"] = {"dtype": "bfloat16"}
    if peers:
        plain: dict[str, Any] = {"bf16": native, "checkpointing": False}
        found["TRL, no checkpointing"] = plain
        found["TRL, no checkpointing, grouped by length"] = {**plain, "grouped": True}
        if not native:
            found["TRL defaults, bf16 (one batch of two rows)"] = {"bf16": True, "rows": 2}
    return found


def _rate(row: dict[str, Any]) -> float:
    return float(row["tokens_per_second"])


def bench_examples(count: int) -> list[Example]:
    """Synthesised programs: description to code, and code to description."""
    made = []
    for number, program in enumerate(seeds.synthesise(count, 990_002)):
        code, words = program.source.strip(), program.description
        if number % 2:
            prompt = f"Describe the program.\n```python\n{code}\n```\n"
            made.append(Example(program.id, "describe", prompt, words))
        else:
            prompt = prompts.nl_to_code(words).text
            made.append(Example(program.id, "nl_to_code", prompt, code + "\n```"))
    return made


def _ours(
    folder: str,
    tokenizer: Any,
    made: list[rows.Row],
    micro: int,
    config: Config,
    place: Path,
    dtype: str,
) -> dict[str, Any]:
    import torch

    from semcoder_lib.training.trainer import arguments, build, load

    config = dataclasses.replace(config, batch_tokens=max(micro, config.max_length), dtype=dtype)
    machine = hardware.probe(dtype=config.dtype, threads=config.threads)
    torch.set_num_threads(machine.threads)
    plan = rows.batches(made, micro, seed=0, epoch=0)
    args = arguments(config, machine, place, steps=len(plan), accumulate=1)
    args.save_strategy = "no"
    trainer = build(load(folder, None, config, machine), tokenizer, made, plan, args, config)
    padded = sum(max(len(made[i].ids) for i in b) * len(b) for b in plan)
    return {**_timed(trainer, made), "dtype": dtype, "padded_tokens": padded, "steps": len(plan)}


def _trl(
    folder: str,
    tokenizer: Any,
    made: list[rows.Row],
    config: Config,
    place: Path,
    *,
    bf16: bool,
    checkpointing: bool = True,
    grouped: bool = False,
    rows: int = 0,
) -> dict[str, Any]:
    import torch
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import AutoModelForCausalLM
    from transformers.trainer_callback import PrinterCallback
    from trl import SFTConfig, SFTTrainer

    chosen = made[:rows] if rows else made
    machine = hardware.probe(dtype="float32", threads=config.threads)
    torch.set_num_threads(machine.threads)
    args = SFTConfig(
        output_dir=str(place),
        num_train_epochs=1,
        learning_rate=config.learning_rate,
        per_device_train_batch_size=TRL_BATCH,
        bf16=bf16,
        gradient_checkpointing=checkpointing,
        train_sampling_strategy="group_by_length" if grouped else "random",
        use_cpu=machine.device == "cpu",
        save_strategy="no",
        logging_steps=1,
        disable_tqdm=True,
        report_to="none",
    )
    model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    lora = LoraConfig(r=config.lora_rank, lora_alpha=config.lora_alpha, target_modules="all-linear")
    data = Dataset.from_list([{"input_ids": r.ids, "labels": r.labels()} for r in chosen])
    trainer = SFTTrainer(
        model=model, args=args, train_dataset=data, processing_class=tokenizer, peft_config=lora
    )
    trainer.remove_callback(PrinterCallback)
    kind = "bfloat16" if bf16 else "float32"
    return {**_timed(trainer, chosen), "dtype": kind, "steps": math.ceil(len(chosen) / TRL_BATCH)}


def _timed(trainer: Any, made: list[rows.Row]) -> dict[str, Any]:
    wall, cpu = time.perf_counter(), time.process_time()
    trainer.train()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    tokens = sum(len(r.ids) for r in made)
    losses = [row["loss"] for row in trainer.state.log_history if "loss" in row]
    return {
        "tokens": tokens,
        "rows": len(made),
        "seconds": round(wall, 2),
        "cpu_seconds": round(cpu, 2),
        "tokens_per_second": round(tokens / wall, 1),
        "tokens_per_cpu_second": round(tokens / cpu, 1),
        "loss": round(sum(losses) / len(losses), 4),
    }


def _line(row: dict[str, Any]) -> str:
    return (
        f"{row['setting']:44} {row['tokens']:7,} tokens {row['seconds']:8.1f} s "
        f"{row['tokens_per_second']:7.1f} tokens/s, utilisation {row['utilisation']:.0%}, "
        f"mean loss {row['loss']:.3f}"
    )
