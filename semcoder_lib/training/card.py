"""The card beside the weights: what they are, what they were made from, how well they learned."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from semcoder_lib.core import workspace
from semcoder_lib.models import assets
from semcoder_lib.training.settings import Config, Example, Result


def write(
    out: Path,
    base: str,
    config: Config,
    result: Result,
    examples: Sequence[Example],
    start: Path | None,
) -> None:
    """Write `README.md` in the hub's form. Names the base and every change to it."""
    shown = assets.shown_name(base)
    tasks = Counter(example.task for example in examples)
    licence = assets.ASSETS[base].licence.lower() if base in assets.ASSETS else "other"
    kind = "LoRA adapter" if config.method == "lora" else "full model"
    rows = [
        ("base", shown),
        ("goes on from", f"the adapter `{start.name}`" if start else "the base"),
        ("kind", f"{kind}, rank {config.lora_rank}" if config.method == "lora" else kind),
        ("rows", ", ".join(f"{task}: {count}" for task, count in sorted(tasks.items()))),
        ("dropped", ", ".join(f"{k}: {v}" for k, v in sorted(result.dropped.items())) or "none"),
        ("steps", f"{result.steps} of about {config.batch_tokens} tokens"),
        ("learning rate", f"{config.learning_rate:g}, cosine to {config.min_learning_rate:g}"),
        ("loss", f"{result.loss_first:.3f} to {result.loss_last:.3f} nats a trained token"),
        ("held-out loss", _number(result.held_out_loss)),
        ("stopped by itself", _number(result.stopped_by_itself)),
        ("seed", str(config.seed)),
        ("hardware", ", ".join(f"{k} {v}" for k, v in sorted(result.hardware.items()))),
    ]
    table = "\n".join(f"| {name} | {value} |" for name, value in rows)
    library = "peft" if config.method == "lora" else "transformers"
    workspace.write_text(
        out / "README.md",
        f"---\nbase_model: {base}\nlibrary_name: {library}\nlicense: {licence}\n"
        "tags:\n- semcoder\n- code\n---\n\n"
        f"# {shown}, fine-tuned on program execution\n\n"
        "Trained with semcoder-lib, a reproduction of SemCoder (arXiv 2406.01006), on data that it "
        "rebuilt; not the authors' model.\n\n"
        f"| | |\n|---|---|\n{table}\n",
    )


def _number(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.3f}"
