"""How much arithmetic a training needs, and how much the machine can do."""

from __future__ import annotations

import functools
import time
from collections.abc import Sequence
from typing import Any

from semcoder_lib.training.rows import Row


def utilisation(
    folder: str,
    rows: Sequence[Row],
    tokens_per_second: float,
    *,
    dtype: str,
    threads: int,
    rank: int,
) -> float:
    """The share of the measured matrix rate that LoRA training at this speed makes use of.

    Useful floating point operations a token: 4 N for the N frozen weights of the linear layers
    (2 forward, 2 for the gradient of the input), 6 n for the n trained ones, 4 V d at the
    labelled tokens alone for the head, and 6 L d a layer for causal attention over L tokens (half
    of every square; 2 forward, 4 backward). Padding, recomputation and masked squares are work
    too, but not useful. Over `matrix_rate`.
    """
    needed = sum(_operations(folder, len(r.ids), len(r.ids) - r.prompt, rank) for r in rows)
    tokens = sum(len(r.ids) for r in rows)
    return needed / tokens * tokens_per_second / matrix_rate(dtype, threads)


def _operations(folder: str, length: int, labelled: int, rank: int) -> float:
    frozen, trained, head, width, layers = _sizes(folder, rank)
    return length * (4 * frozen + 6 * trained + 6 * length * width * layers) + 4 * head * labelled


@functools.cache
def _sizes(folder: str, rank: int) -> tuple[int, int, int, int, int]:
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    config: Any = AutoConfig.from_pretrained(folder)
    with torch.device("meta"):
        model: Any = AutoModelForCausalLM.from_config(config)
    head = model.get_output_embeddings()
    linear = [m for m in model.modules() if isinstance(m, torch.nn.Linear) and m is not head]
    frozen = sum(m.weight.numel() for m in linear)
    trained = sum(rank * (m.in_features + m.out_features) for m in linear)
    heads = config.num_attention_heads * getattr(
        config, "head_dim", config.hidden_size // config.num_attention_heads
    )
    return frozen, trained, head.weight.numel(), heads, config.num_hidden_layers


@functools.cache
def matrix_rate(dtype: str, threads: int, seconds: float = 0.5) -> float:
    """Operations a second of one product of (2048, 576) with (576, 1536), the shape of the default
    model's widest layers; the best tenth of a second counts."""
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    kind = getattr(torch, dtype)
    scale = 8 if device == "cuda" else 1  # a GPU is not filled by the small one
    left = torch.randn(2048 * scale, 576 * scale, device=device).to(kind)
    right = torch.randn(576 * scale, 1536 * scale, device=device).to(kind)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    best = 0.0
    try:
        left @ right
        ends = time.perf_counter() + seconds
        while time.perf_counter() < ends:
            count, start = 0, time.perf_counter()
            while time.perf_counter() - start < 0.1:
                left @ right
                if device == "cuda":
                    torch.cuda.synchronize()
                count += 1
            best = max(best, count / (time.perf_counter() - start))
    finally:
        torch.set_num_threads(before)
    return best * 2 * left.numel() * right.shape[1]
