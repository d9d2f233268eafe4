"""`bench generation`: tokens a second of every way to generate, against plain batched `generate`.

All settings answer the same prompts in one process, one after the other; on a machine that others
use, compare the tokens per CPU second, which their load hardly touches. The batch size of each way
is the best of a few on the first prompts.
"""

from __future__ import annotations

import argparse
import gc
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from semcoder_lib.core import workspace
from semcoder_lib.corpus import seeds
from semcoder_lib.models import Request, hardware, load, prompts, tokens, weights
from semcoder_lib.run.bench import generation_peers, generation_scores
from semcoder_lib.run.bench.arguments import Parser

BATCHES = (16, 32, 64, 96)
PROBED = 96  # prompts that choose the batch size
PROBED_TOKENS = 32

Work = Callable[[list[Request]], tuple[list[str], int, float, float]]


@dataclass(frozen=True, slots=True)
class Way:
    """One way to generate: `make(batch)` gives what is timed. `kind` is `plain`, `ours` (both take
    part in the ratio if `exact`) or `other`."""

    name: str
    kind: str
    make: Callable[[int], Work]
    batches: tuple[int, ...] = BATCHES
    exact: bool = True


def main(argv: Sequence[str] = ()) -> dict[str, Any]:
    """Prints a table to standard error; returns the rows and the ratio of our best exact way to the
    best plain one. `--peers` adds ways that lost, and other engines (see docs/generation.md)."""
    parser = Parser(prog="python -m semcoder_lib bench generation")
    parser.add_argument("--prompts", type=int, default=400)
    parser.add_argument("--new-tokens", type=int, default=300)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--adapter")
    parser.add_argument("--batch", type=int, help="for all; otherwise the best of a few")
    parser.add_argument("--only", default="", help="parts of names, separated by ;")
    parser.add_argument("--peers", action="store_true")
    parser.add_argument("--openvino", help="folder of a model exported for OpenVINO")
    parser.add_argument(
        "--scores", type=int, metavar="N", help="instead: scores of each format on N CRUXEval items"
    )
    parser.add_argument("--out")
    options = parser.parse_args(list(argv))
    if options.scores:
        return _scores(options)
    asked = held_out_requests(options.prompts, options.new_tokens)
    probes = held_out_requests(min(PROBED, options.prompts), min(PROBED_TOKENS, options.new_tokens))
    rows: list[dict[str, Any]] = []
    texts: list[list[str]] = []
    for way in ways(options):
        if options.only and not any(part in way.name for part in options.only.split(";")):
            continue
        batch = _best_batch(way, probes, options.batch)
        row, made = _measured(way, batch, asked)
        rows.append(row)
        texts.append(made)
        print(_line(row), file=sys.stderr)
        gc.collect()
    for row, made in zip(rows, texts, strict=True):
        row["same_as_first"] = sum(a == b for a, b in zip(made, texts[0], strict=True))
    summary = {
        "bench": "generation",
        "prompts": len(asked),
        "new_tokens": options.new_tokens,
        "hardware": asdict(hardware.probe(threads=options.threads)),
        "ratio": _ratio(rows, "tokens_per_second"),
        "ratio_cpu": _ratio(rows, "tokens_per_cpu_second"),
        "rows": rows,
    }
    if options.out:
        workspace.write_json(options.out, summary)
    return summary


def _scores(options: argparse.Namespace) -> dict[str, Any]:
    found = hardware.probe(threads=options.threads)
    formats = list(dict.fromkeys(["float32", found.dtype]))
    rows = generation_scores.scores(
        options.model, options.adapter, formats, options.scores, options.threads
    )
    summary = {"bench": "generation", "scores": rows, "hardware": asdict(found)}
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


def ways(options: argparse.Namespace) -> list[Way]:
    """Every way, the plain one in fp32 first. Half precision takes part where the machine computes
    in it."""
    native = hardware.probe(threads=options.threads).dtype
    formats = list(dict.fromkeys(["float32", native]))
    made = [
        Way(f"plain generate, {dtype}", "plain", partial(_plain, options, dtype=dtype))
        for dtype in formats
    ]
    ordered = partial(_engine, options, dtype=native, backend="plain")
    made.append(Way(f"plain generate, {native}, sorted by length", "plain", ordered))
    made += [
        Way(f"decoder, {dtype}", "ours", partial(_engine, options, dtype=dtype))
        for dtype in formats
    ]
    if not options.peers:
        return made
    still: dict[str, Any] = {"cache_implementation": "static"}
    few = BATCHES[1:2]  # each size would be compiled anew, a minute each
    made += [
        Way(
            f"plain generate, {native}, static cache",
            "other",
            partial(_plain, options, dtype=native, **still, disable_compile=True),
            few,
        ),
        Way(
            f"plain generate, {native}, static cache, torch.compile",
            "other",
            partial(_plain, options, dtype=native, **still),
            few,
        ),
    ]
    others = generation_peers.settings(options.model, options.threads, options.openvino)
    for name, work in others.items():
        made.append(Way(name, "other", partial(_as_it_is, work), (0,), False))
    return made


def _as_it_is(work: Work, batch: int) -> Work:
    return work


def _best_batch(way: Way, probes: list[Request], asked_for: int | None) -> int:
    if len(way.batches) == 1:
        return way.batches[0]
    if asked_for:
        return asked_for
    found = []
    for batch in way.batches:
        row, _ = _measured(way, batch, probes)
        print(f"  {_line(row)}", file=sys.stderr)
        found.append((row["tokens_per_second"], batch))
        gc.collect()
    return max(found)[1]


def _engine(options: argparse.Namespace, batch: int, **given: Any) -> Work:
    common = {"threads": options.threads, "adapter": options.adapter, "batch": batch}

    def work(asked: list[Request]) -> tuple[list[str], int, float, float]:
        with load(options.model, **common, **given) as engine:
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


def _plain(options: argparse.Namespace, batch: int, *, dtype: str, **extra: Any) -> Work:
    """What one would write by hand: pad on the left, `generate`, decode, cut."""

    def work(asked: list[Request]) -> tuple[list[str], int, float, float]:
        import torch

        from semcoder_lib.models import assets

        torch.set_num_threads(hardware.probe(threads=options.threads).threads)
        folder = assets.locate(options.model)
        tokenizer = tokens.load_tokenizer(folder)
        tokenizer.padding_side = "left"
        model = weights.load_model(folder, dtype=dtype, adapter=options.adapter)
        ends = sorted(tokens.end_ids(tokenizer, model))
        texts, count = [], 0
        wall, cpu = time.perf_counter(), time.process_time()
        for start in range(0, len(asked), batch):
            part = asked[start : start + batch]
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
                texts.append(tokens.cut(text, request.stop)[0])
                count += int((row != tokenizer.pad_token_id).sum())
        return texts, count, time.perf_counter() - wall, time.process_time() - cpu

    return work


def _measured(way: Way, batch: int, asked: list[Request]) -> tuple[dict[str, Any], list[str]]:
    texts, tokens, wall, cpu = way.make(batch)(asked)
    row = {
        "setting": f"{way.name}, batch {batch}" if batch else way.name,
        "kind": way.kind,
        "exact": way.exact,
        "tokens": tokens,
        "seconds": round(wall, 2),
        "cpu_seconds": round(cpu, 2),
        "tokens_per_second": round(tokens / wall, 1),
        "tokens_per_cpu_second": round(tokens / cpu, 1),
    }
    return row, texts


def _ratio(rows: list[dict[str, Any]], measure: str) -> float | None:
    """Our best exact way over the best plain one."""
    plain = [r[measure] for r in rows if r["kind"] == "plain" and r["exact"]]
    ours = [r[measure] for r in rows if r["kind"] == "ours" and r["exact"]]
    return round(max(ours) / max(plain), 2) if plain and ours else None


def _line(row: dict[str, Any]) -> str:
    return (
        f"{row['setting']:64} {row['tokens']:7,} tokens {row['seconds']:8.1f} s "
        f"{row['tokens_per_second']:7.1f} tokens/s {row['tokens_per_cpu_second']:7.1f} per CPU s"
    )
