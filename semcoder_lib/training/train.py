"""One call from examples to an adapter."""

from __future__ import annotations

import dataclasses
import resource
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from semcoder_lib.core import workspace
from semcoder_lib.core.errors import UserError
from semcoder_lib.models import Request, assets, load, tokens
from semcoder_lib.training import card, guards, rows
from semcoder_lib.training.settings import Config, Example, Result, TrainingStopped

_DONE = "training.json"
_LOSSES = "loss.jsonl"


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
    `method="full"` a model, in safetensors, with a card, `loss.jsonl` and `training.json`.

    The rows are shuffled together whatever their task. The same examples, configuration and
    number of threads give the same adapter. After a kill the same call goes on from the last
    checkpoint with the same batches; after it was finished it returns the stored result. With
    `held_out` the result has their loss and the share of them that the model completes with an
    end of its own. Raises UserError for wrong input, TrainingStopped when a guard rail trips.
    """
    config = config or Config()
    out = Path(out)
    folder, start = _start_of(base, adapter)
    key = workspace.content_key(
        [dataclasses.astuple(e) for e in examples],
        config.row(),
        assets.weights_hash(folder),
        assets.weights_hash(str(start)) if start else "",
    )
    done = _finished(out, key)
    if done is not None:
        return done
    tokenizer = tokens.load_tokenizer(folder)
    made = rows.tokenise(examples, tokenizer, config)
    shown = guards.check_rows(made, tokenizer, config, len(examples))
    from semcoder_lib.training import job  # torch and TRL are loaded only from here on

    state = job.run(made, tokenizer, folder, start, out, base, config, key, shown)
    if not state.main:
        return state.result
    result = dataclasses.replace(
        state.result,
        dropped=dict(made.dropped),
        held_out_loss=job.held_out_loss(state, held_out, tokenizer, config) if held_out else None,
        peak_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    )
    if held_out and config.stop_check:
        state.release()
        result = dataclasses.replace(
            result, stopped_by_itself=_stop_rate(base, result, held_out, config)
        )
    card.write(out, base, config, result, examples, start)
    workspace.write_json(out / _DONE, {"key": key, "result": dataclasses.asdict(result)})
    shutil.rmtree(out / "checkpoints", ignore_errors=True)
    return result


def overfit_check(
    examples: Sequence[Example],
    out: Path | str,
    *,
    base: str = "smollm2-135m",
    config: Config | None = None,
    steps: int = 40,
    rows_used: int = 4,
) -> float:
    """Train on a few rows over and over; returns the last loss over the first. Raises
    TrainingStopped when it is above 0.5, since a set-up that cannot learn four rows by heart
    cannot learn anything."""
    chosen = sorted(examples, key=lambda e: len(e.prompt) + len(e.completion))[:rows_used]
    config = dataclasses.replace(
        config or Config(), steps=steps, stop_check=0, uniform_after=steps + 1
    )
    result = train(chosen, out, base=base, config=config)
    ratio = result.loss_last / result.loss_first
    if ratio > 0.5:
        raise TrainingStopped(
            f"overfit check: after {steps} steps on {len(chosen)} rows the loss went from "
            f"{result.loss_first:.2f} to {result.loss_last:.2f} only; raise the learning rate or "
            "look at the labels"
        )
    return ratio


def merge(base: str, adapter: Path | str, out: Path | str) -> Path:
    """Write `base` with `adapter` merged into its weights to the folder `out`, tokenizer included.
    Loading it needs no PEFT. Raises UserError when one does not fit the other."""
    from semcoder_lib.models.transformers_engine import load_model

    folder = assets.locate(base)
    model = load_model(folder, dtype="float32", adapter=adapter)
    out = Path(out)
    model.save_pretrained(out)
    tokens.load_tokenizer(folder).save_pretrained(out)
    return out


def _start_of(base: str, adapter: Path | str | None) -> tuple[str, Path | None]:
    """The folder of the weights and the adapter to go on from. A full model given as `adapter`
    takes the base's place."""
    if adapter is None:
        return assets.locate(base), None
    path = Path(adapter)
    if (path / "adapter_config.json").is_file():
        return assets.locate(base), path
    if (path / "config.json").is_file():
        return str(path), None
    raise UserError(f"adapter {path}: neither adapter_config.json nor config.json is there")


def _finished(out: Path, key: str) -> Result | None:
    if not (out / _DONE).is_file():
        return None
    stored = workspace.read_json(out / _DONE)
    if stored.get("key") != key:
        print(f"training: {out} holds another training, it is replaced", file=sys.stderr)
        (out / _DONE).unlink()
        (out / _LOSSES).unlink(missing_ok=True)
        shutil.rmtree(out / "checkpoints", ignore_errors=True)
        return None
    return Result(**{**stored["result"], "adapter": str(out)})


def _stop_rate(
    base: str, result: Result, held_out: Sequence[Example], config: Config
) -> float | None:
    started = time.perf_counter()
    chosen = held_out[: config.stop_check]
    with load(base, adapter=result.adapter, threads=config.threads) as engine:
        asked = [
            Request(e.id, e.prompt, max_new_tokens=min(config.max_length, len(e.completion)))
            for e in chosen
        ]
        written = [row[0] for row in engine.generate(asked)]
    rate = guards.stopped_by_itself(written)
    seconds = time.perf_counter() - started
    print(
        f"training: stopped by themselves: {rate:.0%} of {len(chosen)} held-out answers "
        f"({seconds:.0f} s)",
        file=sys.stderr,
    )
    return rate
