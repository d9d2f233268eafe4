"""`bench generation`: tokens a second of every way to generate, against plain batched `generate`.

All settings answer the same prompts in one process, one after the other; on a machine that others
use, compare the tokens per CPU second, which their load hardly touches.
"""

from __future__ import annotations

import argparse
import gc
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from semcoder_lib import prompts, seeds, workspace
from semcoder_lib.bench.arguments import Parser
from semcoder_lib.generation import Request, hardware, load, stops

DECODER_BATCHES = (16, 32, 48, 64)
PLAIN_BATCHES = (8, 16, 32, 64)


def main(argv: Sequence[str] = ()) -> dict[str, Any]:
    """Prints a table to standard error; returns the rows and the best ratio. `--peers` adds the
    settings that lost (see docs/generation.md)."""
    parser = Parser(prog="python -m semcoder_lib bench generation")
    parser.add_argument("--prompts", type=int, default=400)
    parser.add_argument("--new-tokens", type=int, default=300)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--adapter")
    parser.add_argument("--only", default="", help="parts of names, separated by ;")
    parser.add_argument("--peers", action="store_true")
    parser.add_argument("--out")
    options = parser.parse_args(list(argv))
    asked = held_out_requests(options.prompts, options.new_tokens)
    rows: list[dict[str, Any]] = []
    texts: dict[str, list[str]] = {}
    for name, work in settings(options).items():
        if options.only and not any(part in name for part in options.only.split(";")):
            continue
        row, texts[name] = _measured(name, work, asked)
        rows.append(row)
        print(_line(row), file=sys.stderr)
        gc.collect()
    reference = next(
        (texts[r["setting"]] for r in rows if r["setting"].startswith("plain")),
        texts[rows[0]["setting"]] if rows else [],
    )
    for row in rows:
        pairs = zip(texts[row["setting"]], reference, strict=False)
        row["same_as_plain"] = sum(a == b for a, b in pairs)
    summary = {
        "bench": "generation",
        "prompts": len(asked),
        "new_tokens": options.new_tokens,
        "hardware": hardware.probe(threads=options.threads).row(),
        "ratio": _ratio(rows, "tokens_per_second"),
        "ratio_cpu": _ratio(rows, "tokens_per_cpu_second"),
        "rows": rows,
    }
    if options.out:
        workspace.write_json(options.out, summary)
    return summary


def held_out_requests(count: int, new_tokens: int) -> list[Request]:
    """Descriptions of synthesised programs that no training uses (their seed is the bench's own);
    the answers end by themselves at the closing fence, so they are ragged as real ones are."""
    made = []
    for program in seeds.synthesise(count, 990_001):
        prompt = prompts.nl_to_code(program.description)
        made.append(Request(program.id, prompt.text, prompt.stop, new_tokens))
    return made


Work = Callable[[list[Request]], tuple[list[str], int, float, float]]


def settings(options: argparse.Namespace) -> dict[str, Work]:
    """Every setting by name. The first ones are the baseline at several batch sizes."""
    common = {"threads": options.threads, "adapter": options.adapter}
    made: dict[str, Work] = {}
    for size in PLAIN_BATCHES:
        made[f"plain generate, batch {size}"] = _plain(options, size)
    made["plain generate sorted by length, batch 32"] = _engine(
        options, {**common, "backend": "plain", "batch": 32}
    )
    for size in DECODER_BATCHES:
        made[f"decoder, batch {size}"] = _engine(options, {**common, "batch": size})
    made["decoder int8, batch 48"] = _engine(options, {**common, "batch": 48, "dtype": "int8"})
    made["decoder, one lane, batch 48"] = _engine(options, {**common, "batch": 48, "lanes": 1})
    if options.peers:
        made["plain generate, static cache, batch 32"] = _plain(
            options, 32, cache_implementation="static", disable_compile=True
        )
        made["plain generate, batch 16, bf16"] = _plain(options, 16, dtype="bfloat16")
        made["plain generate, batch 32, int8"] = _plain(options, 32, dtype="int8")
    return made


def _engine(options: argparse.Namespace, given: dict[str, Any]) -> Work:
    def work(asked: list[Request]) -> tuple[list[str], int, float, float]:
        with load(options.model, **given) as engine:
            engine.generate([Request("warm", "def f():", max_new_tokens=2)])
            wall, cpu = time.perf_counter(), time.process_time()
            done = engine.generate(asked)
            return (
                [row[0].text for row in done],
                sum(row[0].tokens for row in done),
                time.perf_counter() - wall,
                time.process_time() - cpu,
            )

    return work


def _plain(options: argparse.Namespace, size: int, *, dtype: str = "float32", **extra: Any) -> Work:
    """What one would write by hand: pad on the left, `generate`, decode, cut."""

    def work(asked: list[Request]) -> tuple[list[str], int, float, float]:
        import torch

        from semcoder_lib.generation import assets, tokens
        from semcoder_lib.generation.transformers_engine import load_model

        hardware.use_threads(hardware.probe(threads=options.threads).threads)
        folder = assets.locate(options.model)
        tokenizer = tokens.load_tokenizer(folder)
        tokenizer.padding_side = "left"
        kind = "float32" if dtype == "int8" else dtype
        model = load_model(folder, dtype=kind, adapter=options.adapter)
        if dtype == "int8":
            model = torch.ao.quantization.quantize_dynamic(model, {torch.nn.Linear})
        ends = sorted(tokens.end_ids(tokenizer, model))
        texts, count = [], 0
        wall, cpu = time.perf_counter(), time.process_time()
        for start in range(0, len(asked), size):
            part = asked[start : start + size]
            inputs = tokenizer([r.prompt for r in part], return_tensors="pt", padding=True)
            with torch.inference_mode():
                out = model.generate(
                    **inputs,
                    max_new_tokens=part[0].max_new_tokens,
                    do_sample=False,
                    eos_token_id=ends,
                    pad_token_id=tokenizer.pad_token_id,
                    stop_strings=list(part[0].stop),
                    tokenizer=tokenizer,
                    **extra,
                )
            for request, row in zip(part, out[:, inputs["input_ids"].shape[1] :], strict=True):
                text = tokenizer.decode(row, skip_special_tokens=True)
                texts.append(stops.cut(text, request.stop)[0])
                count += int((row != tokenizer.pad_token_id).sum())
        return texts, count, time.perf_counter() - wall, time.process_time() - cpu

    return work


def _measured(name: str, work: Work, asked: list[Request]) -> tuple[dict[str, Any], list[str]]:
    texts, tokens, wall, cpu = work(asked)
    row = {
        "setting": name,
        "tokens": tokens,
        "seconds": round(wall, 2),
        "cpu_seconds": round(cpu, 2),
        "tokens_per_second": round(tokens / wall, 1),
        "tokens_per_cpu_second": round(tokens / cpu, 1),
    }
    return row, texts


def _ratio(rows: list[dict[str, Any]], measure: str) -> float | None:
    """The best exact decoder over the best plain batch."""
    plain = [r[measure] for r in rows if r["setting"].startswith("plain generate, batch")]
    ours = [r[measure] for r in rows if r["setting"].startswith("decoder, ")]
    return round(max(ours) / max(plain), 2) if plain and ours else None


def _line(row: dict[str, Any]) -> str:
    return (
        f"{row['setting']:44} {row['tokens']:7,} tokens {row['seconds']:8.1f} s "
        f"{row['tokens_per_second']:7.1f} tokens/s {row['tokens_per_cpu_second']:7.1f} per CPU s"
    )
