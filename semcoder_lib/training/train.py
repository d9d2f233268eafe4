"""One call from examples to an adapter: tokenise, train, measure, save, and go on after a kill."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from semcoder_lib.core import source, workspace
from semcoder_lib.core.errors import UserError
from semcoder_lib.core.progress import say
from semcoder_lib.models import Request, assets, load, tokens, weights
from semcoder_lib.training import guards
from semcoder_lib.training.rows import Config, Example, Job, Result, tokenise

_DONE = "logs/training.json"
_PACKAGES = ("torch", "transformers", "trl", "peft")


def train(
    examples: Sequence[Example],
    out: Path | str,
    *,
    base: str = "smollm2-135m",
    adapter: Path | str | None = None,
    config: Config | None = None,
    held_out: Sequence[Example] = (),
) -> Result:
    """Fine-tune `base` (going on from `adapter`, if given) and write to `out` an adapter, or with
    `lora_rank=0` a model, in safetensors, with a card; `logs/` has `loss.jsonl` and
    `training.json`, with the times.

    The rows are shuffled together whatever their task. The same examples, configuration and
    number of threads give the same adapter. After a kill the same call goes on from the last
    checkpoint with the same batches; after it was finished it returns the stored result; with
    other code or packages it begins anew. With
    `held_out` the result has their loss and the share of them that the model completes with an
    end of its own. Raises UserError for wrong input, TrainingStopped when a guard rail trips,
    InfrastructureError when memory runs out.
    """
    config = config or Config()
    folder, start = _start_of(base, adapter)
    key = workspace.content_key(
        [dataclasses.astuple(e) for e in examples],
        asdict(config),
        assets.weights_hash(folder),
        assets.weights_hash(str(start)) if start else "",
        source.code_behind(source.files_of(__name__)),
        [importlib.metadata.version(name) for name in _PACKAGES],
    )
    job = Job(base, folder, start, Path(out), config, key)
    finished = _finished(job)
    if finished is not None:
        return finished
    tokenizer = tokens.load_tokenizer(folder)
    rows = tokenise(examples, tokenizer, config)
    shown = guards.check_rows(rows, tokenizer, config, len(examples))
    test = tokenise(held_out, tokenizer, config)
    if held_out and not test.rows:
        raise UserError(f"held-out rows: none can be used ({test.dropped})")
    from semcoder_lib.training.trainer import fit  # loads torch

    result, main = fit(job, rows, test, tokenizer, shown)
    if not main:
        return result
    if held_out and config.stop_check:
        result = dataclasses.replace(result, stopped_by_itself=_ends(job, held_out, tokenizer))
    workspace.write_text(job.out / "README.md", _card(job, result, examples))
    workspace.write_json(job.out / _DONE, {"key": key, "result": asdict(result)})
    shutil.rmtree(job.checkpoints, ignore_errors=True)
    return result


def _start_of(base: str, adapter: Path | str | None) -> tuple[str, Path | None]:
    """The folder of the weights and the adapter to go on from. A full model given as `adapter`
    takes the base's place."""
    if adapter is None:
        return assets.locate(base), None
    path = Path(adapter)
    if weights.is_whole_model(path):
        return str(path), None
    if (path / "adapter_config.json").is_file():
        return assets.locate(base), path
    raise UserError(f"adapter {path}: neither adapter_config.json nor config.json is there")


def _finished(job: Job) -> Result | None:
    done = job.out / _DONE
    if not done.is_file():
        return None
    stored = workspace.read_json(done)
    if isinstance(stored, dict) and stored.get("key") == job.key:
        return Result(**{**stored["result"], "adapter": str(job.out)})
    say(f"training: {job.out.name} holds another training, it is replaced")
    done.unlink()
    return None


def _ends(job: Job, held_out: Sequence[Example], tokenizer: Any) -> float:
    """The share of some held-out rows that the model completes with an end of its own, in half as
    many tokens again as the right completion has."""
    requests = []
    for e in held_out[: job.config.stop_check]:
        room = min(job.config.max_length, 8 + 3 * len(tokenizer.encode(e.completion)) // 2)
        requests.append(Request(e.id, e.prompt, max_new_tokens=room))
    with load(job.base, adapter=job.out, threads=job.config.threads) as engine:
        ended = [row[0].finish in ("stop", "end") for row in engine.generate(requests)]
    rate = sum(ended) / len(ended)
    say(f"training: {rate:.0%} of {len(requests)} answers end by themselves")
    return rate


def _card(job: Job, result: Result, examples: Sequence[Example]) -> str:
    """The card beside the weights, in the hub's form: what they are, what they were made from, how
    well they learned."""
    base, config, start = job.base, job.config, job.start
    shown, lora = assets.shown_name(base), bool(config.lora_rank)
    licence = assets.LICENCE if base == assets.DEFAULT else "other"

    def counts(numbers: dict[str, int]) -> str:
        return ", ".join(f"{name}: {count}" for name, count in sorted(numbers.items())) or "none"

    def number(value: float | None) -> str:
        return "not measured" if value is None else f"{value:.3f}"

    facts = {
        "base": shown,
        **{f"base's {name}": value for name, value in assets.described(base).items()},
        "goes on from": f"the adapter `{start.name}`" if start else "the base",
        "kind": f"LoRA adapter, rank {config.lora_rank}" if lora else "full model",
        "rows": counts(Counter(example.task for example in examples)),
        "dropped": counts(result.dropped),
        "steps": f"{result.steps} of about {config.batch_tokens} tokens",
        "learning rate": f"{config.learning_rate:g}, cosine to {config.min_learning_rate:g}",
        "loss": f"{result.loss_first:.3f} to {result.loss_last:.3f} nats a trained token",
        "held-out loss": number(result.held_out_loss),
        "stopped by itself": number(result.stopped_by_itself),
        "seed": str(config.seed),
        "hardware": ", ".join(
            f"{name} {value}"
            for name, value in sorted(result.hardware.items())
            if name != "threads"  # it follows the cores that are free
        ),
    }
    table = "".join(f"| {name} | {value} |\n" for name, value in facts.items())
    return (
        f"---\nbase_model: {job.base_name}\nlibrary_name: {'peft' if lora else 'transformers'}\n"
        f"license: {licence}\ntags:\n- semcoder\n- code\n---\n\n"
        f"# {shown}, fine-tuned on program execution\n\n"
        "Trained with semcoder-lib, a reproduction of SemCoder (arXiv 2406.01006), on data that it "
        f"rebuilt; not the authors' model.\n\n| | |\n|---|---|\n{table}"
    )
