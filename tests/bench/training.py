"""Real tokens a second of our training beside TRL's defaults, on the same rows.

TRL's defaults are: rows in random order, eight a batch, bf16 arithmetic, activations checkpointed,
scores at every position (without Triton). Where the machine computes bf16 only by emulation the
comparison is with the defaults in fp32.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from semcoder_lib import training
from semcoder_lib.core import workspace
from semcoder_lib.core.progress import say
from semcoder_lib.corpus import seeds
from semcoder_lib.models import assets, hardware, prompts, tokens
from semcoder_lib.training import rows

BATCH = 8  # TRL's


def arguments(parser: ArgumentParser) -> None:
    """The options."""
    parser.add_argument("--rows", type=int, default=96)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--model", default="smollm2-135m")


def run(options: Namespace) -> dict[str, Any]:
    """Tokens a second of each setting, and the ratio of our best to TRL's best default."""
    examples = _examples(options.rows)
    folder = assets.locate(options.model)
    machine = hardware.probe(threads=options.threads)
    config = training.Config(
        max_length=1024,
        batch_tokens=2048,
        threads=machine.threads,
        stop_check=0,
        uniform_after=10**6,  # some tens of rows teach nothing
    )
    data = rows.tokenise(examples, tokens.load_tokenizer(folder), config).rows
    settings: dict[str, dict[str, Any]] = {"TRL, fp32": {"bf16": False}, "ours, fp32": {}}
    if machine.dtype == "bfloat16":
        settings |= {"TRL, bf16": {"bf16": True}, "ours, bf16": {}}
    measured = []
    for name, given in settings.items():
        kind = "bfloat16" if "bf16" in name else "float32"
        with tempfile.TemporaryDirectory() as place:
            if given:
                row = _trl(folder, data, machine.threads, Path(place), given)
            else:
                row = _ours(folder, examples, config, kind, Path(place))
        row["tokens_per_second"] = round(sum(len(r.ids) for r in data) / row["seconds"], 1)
        measured.append({"setting": name, **row})
        say(str(measured[-1]))
    ours, theirs = (
        max((r for r in measured if who in r["setting"]), key=lambda r: r["tokens_per_second"])
        for who in ("ours", "TRL")
    )
    return {
        "rows": len(data), "hardware": asdict(machine), "settings": measured,
        "compared": [ours["setting"], theirs["setting"]],
        "ours_over_trl": round(ours["tokens_per_second"] / theirs["tokens_per_second"], 2),
        "loss_difference": round(ours["loss"] - theirs["loss"], 4),
    }  # fmt: skip


def _examples(count: int) -> list[training.Example]:
    """Synthesised programs: description to code, and code to description."""
    made = []
    for number, program in enumerate(seeds.synthesise(count, 990_002)):
        code, words = program.source.strip(), program.description
        prompt, text = prompts.nl_to_code(words).text, code + "\n```"
        if number % 2:
            prompt, text = f"Describe the program.\n```python\n{code}\n```\n", words
        made.append(training.Example(program.id, "bench", prompt, text))
    return made


def _ours(
    folder: str, examples: list[training.Example], config: Any, kind: str, place: Path
) -> dict[str, Any]:
    given = replace(config, dtype=kind, epochs=1.0)
    result = training.train(examples, place / "out", base=folder, config=given)
    losses = [row["loss"] for row in workspace.read_jsonl(place / "out" / "logs" / "loss.jsonl")]
    return {"seconds": round(result.seconds, 2), "loss": round(statistics.fmean(losses), 4)}


def _trl(
    folder: str, data: Sequence[rows.Row], threads: int, place: Path, given: dict[str, Any]
) -> dict[str, Any]:
    import torch
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import AutoModelForCausalLM
    from trl import SFTConfig, SFTTrainer

    torch.set_num_threads(threads)
    args = SFTConfig(
        output_dir=str(place), num_train_epochs=1, learning_rate=5e-4, save_strategy="no",
        per_device_train_batch_size=BATCH, use_cpu=not torch.cuda.is_available(), logging_steps=1,
        disable_tqdm=True, report_to="none", **given,
    )  # fmt: skip
    trainer = SFTTrainer(
        model=AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32),
        args=args,
        train_dataset=Dataset.from_list([{"input_ids": r.ids, "labels": r.labels()} for r in data]),
        processing_class=tokens.load_tokenizer(folder),
        peft_config=LoraConfig(r=16, lora_alpha=32, target_modules="all-linear"),
    )
    start = time.perf_counter()
    trainer.train()
    seconds = time.perf_counter() - start
    losses = [row["loss"] for row in trainer.state.log_history if "loss" in row]
    return {"seconds": round(seconds, 2), "loss": round(statistics.fmean(losses), 4)}
