"""Tokens a second of our decoder beside plain batched `generate`, on the same prompts in one
process. On a machine that others use, compare the tokens per CPU second."""

from __future__ import annotations

import gc
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import torch

from semcoder_lib.core.progress import say
from semcoder_lib.corpus import seeds
from semcoder_lib.models import Request, assets, hardware, load, prompts, tokens

Work = Callable[[list[Request]], tuple[list[str], int]]
"""Texts and the number of their tokens."""


def arguments(parser: ArgumentParser) -> None:
    """The options."""
    parser.add_argument("--prompts", type=int, default=400)
    parser.add_argument("--new-tokens", type=int, default=300)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--batch", type=int, default=64)


def run(options: Namespace) -> dict[str, Any]:
    """One row for each way; the ratio is that of our best to the best plain one."""
    machine = hardware.probe(threads=options.threads)
    torch.set_num_threads(machine.threads)
    asked = _requests(options.prompts, options.new_tokens)
    rows: list[dict[str, Any]] = []
    texts: list[list[str]] = []
    for dtype in dict.fromkeys(("float32", machine.dtype)):
        for name, way in (("plain generate", _plain), ("decoder", _ours)):
            row, written = _measured(way(options, dtype), asked)
            gc.collect()  # one model at a time, since each fills the memory
            texts.append(written)
            same = sum(a == b for a, b in zip(written, texts[0], strict=True))
            rows.append({"way": f"{name}, {dtype}", **row, "same_as_first": same})
            say(str(rows[-1]))
    return {
        "prompts": len(asked), "new_tokens": options.new_tokens, "hardware": asdict(machine),
        "ours_over_plain": _ratio(rows, "tokens_per_second"),
        "ours_over_plain_cpu": _ratio(rows, "tokens_per_cpu_second"), "rows": rows,
    }  # fmt: skip


def _ratio(rows: list[dict[str, Any]], measure: str) -> float:
    ours, plain = (
        max(row[measure] for row in rows if row["way"].startswith(name))
        for name in ("decoder", "plain")
    )
    return round(ours / plain, 2)


def _requests(count: int, new_tokens: int) -> list[Request]:
    """Descriptions of synthesised programs that no training uses (their seed is the bench's own);
    the answers end by themselves at the closing fence, so they are ragged as real ones are."""
    asked = [(p.id, prompts.nl_to_code(p.description)) for p in seeds.synthesise(count, 990_001)]
    return [Request(name, prompt.text, prompt.stop, new_tokens) for name, prompt in asked]


def _measured(work: Work, asked: list[Request]) -> tuple[dict[str, Any], list[str]]:
    work(asked[:1])  # what is loaded and compiled is not counted
    wall, cpu = time.perf_counter(), time.process_time()
    texts, count = work(asked)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    row = {
        "tokens": count, "seconds": round(wall, 2), "tokens_per_second": round(count / wall, 1),
        "tokens_per_cpu_second": round(count / cpu, 1),
    }  # fmt: skip
    return row, texts


def _ours(options: Namespace, dtype: str) -> Work:
    engine = load(options.model, dtype=dtype, threads=options.threads, batch=options.batch)

    def work(asked: list[Request]) -> tuple[list[str], int]:
        done = [group[0] for group in engine.generate(asked)]
        return [c.text for c in done], sum(c.tokens for c in done)

    return work


def _plain(options: Namespace, dtype: str) -> Work:
    """What one would write by hand: pad on the left, `generate`, decode, cut."""
    from transformers import AutoModelForCausalLM

    folder = assets.locate(options.model)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=getattr(torch, dtype)).eval()
    tokenizer = tokens.load_tokenizer(folder)
    tokenizer.padding_side = "left"

    def work(asked: list[Request]) -> tuple[list[str], int]:
        texts, count = [], 0
        for start in range(0, len(asked), options.batch):
            part = asked[start : start + options.batch]
            inputs = tokenizer([r.prompt for r in part], return_tensors="pt", padding=True)
            with torch.inference_mode():
                out = model.generate(
                    **inputs, max_new_tokens=part[0].max_new_tokens, do_sample=False,
                    eos_token_id=sorted(tokens.end_ids(tokenizer, model)),
                    pad_token_id=tokenizer.pad_token_id, stop_strings=list(part[0].stop),
                    tokenizer=tokenizer,
                )  # fmt: skip
            for request, ids in zip(part, out[:, inputs["input_ids"].shape[1] :], strict=True):
                text = tokenizer.decode(ids, skip_special_tokens=True)
                texts.append(tokens.cut(text, request.stop)[0])
                count += int((ids != tokenizer.pad_token_id).sum())
        return texts, count

    return work
