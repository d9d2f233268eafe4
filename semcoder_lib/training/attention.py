"""Causal attention in blocks of queries, for training on a CPU.

torch's fused kernel computes whole squares there, the half above the diagonal too, repeats keys and
values for every query head, and multiplies bf16 at the rate of fp32. Plain batched products over
blocks of queries leave that half out and run at the processor's own rate. Measured for rows of 320
tokens, nine heads on three: 17 against 65 ms in bf16 (AVX512-BF16), 37 against 60 in fp32.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

NAME = "semcoder_blocks"
_BLOCK = 64


class _Causal(torch.autograd.Function):
    """Attention of (batch, heads, length, width) queries on keys and values with as many heads or
    fewer. Keeps the probabilities for the backward pass: half a square for each head and row."""

    @staticmethod
    def forward(ctx: Any, query: Tensor, key: Tensor, value: Tensor, scale: float) -> Tensor:
        shared = key.shape[0] * key.shape[1]  # products, each for the queries that share a key head
        length = query.shape[2]
        above = torch.full((_BLOCK, _BLOCK), float("-inf"), dtype=query.dtype).triu(1)
        scaled = query * scale
        out = torch.empty_like(query)
        kept = []
        for start in range(0, length, _BLOCK):
            end = min(length, start + _BLOCK)
            scores = _grouped(scaled, start, end, shared) @ _upto(key, end).transpose(1, 2)
            diagonal = scores.view(shared, -1, end - start, end)[..., start:]
            diagonal.add_(above[: end - start, : end - start])
            kept.append(torch.softmax(scores, -1))
            out[:, :, start:end] = (kept[-1] @ _upto(value, end)).view(out[:, :, start:end].shape)
        ctx.save_for_backward(query, key, value, out, *kept)
        ctx.scale = scale
        return out

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        (d_out,) = grads
        query, key, value, out, *kept = ctx.saved_tensors
        shared = key.shape[0] * key.shape[1]
        scaled = query * ctx.scale
        d_query = torch.empty_like(query)
        # every block adds to the keys and values before it: in fp32, so that nothing is lost
        d_key = torch.zeros(shared, *key.shape[2:], dtype=torch.float32)
        d_value = torch.zeros_like(d_key)
        # the sum over a row of probability times its gradient
        along = (d_out.float() * out.float()).sum(-1, keepdim=True).to(query.dtype)
        for number, chances in enumerate(kept):
            start, end = number * _BLOCK, chances.shape[-1]
            d_part = _grouped(d_out, start, end, shared)
            d_value[:, :end] += chances.transpose(1, 2) @ d_part
            d_scores = d_part @ _upto(value, end).transpose(1, 2)
            d_scores.sub_(_grouped(along, start, end, shared)).mul_(chances)
            place = d_query[:, :, start:end]
            place.copy_((d_scores @ _upto(key, end)).view(place.shape))
            d_key[:, :end] += d_scores.transpose(1, 2) @ _grouped(scaled, start, end, shared)
        return (
            d_query * ctx.scale,
            d_key.view(key.shape).to(key.dtype),
            d_value.view(value.shape).to(value.dtype),
            None,
        )


def _grouped(x: Tensor, start: int, end: int, shared: int) -> Tensor:
    """(batch, heads, length, width) between two places as (shared, queries of the group, width)."""
    return x[:, :, start:end].reshape(shared, -1, x.shape[3])


def _upto(x: Tensor, end: int) -> Tensor:
    return x[:, :, :end].reshape(-1, end, x.shape[3])


def causal_attention(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    *,
    scaling: float | None = None,
    dropout: float = 0.0,
    **kwargs: Any,
) -> tuple[Tensor, None]:
    """transformers' attention interface: (batch, heads, length, width) in, (batch, length, heads,
    width) out. Whatever is more than plain causal attention goes to torch's kernel."""
    from transformers.integrations.sdpa_attention import sdpa_attention_forward

    whole = query.shape[2] == key.shape[2] and query.shape[3] == value.shape[3]
    odd = any(kwargs.get(name) is not None for name in ("sliding_window", "softcap", "s_aux"))
    causal = kwargs.get("is_causal")
    causal = getattr(module, "is_causal", True) if causal is None else causal
    on_cpu = query.device.type == "cpu"
    if not (whole and causal and on_cpu) or odd or dropout or attention_mask is not None:
        out, _ = sdpa_attention_forward(
            module, query, key, value, attention_mask, scaling=scaling, dropout=dropout, **kwargs
        )
        return out, None
    scale = query.shape[3] ** -0.5 if scaling is None else scaling
    if torch.is_autocast_enabled("cpu"):
        # rotated queries and keys of fp32 weights are fp32, values bf16; and there is no autocast
        # in the backward pass
        kind = torch.get_autocast_dtype("cpu")
        query, key, value = query.to(kind), key.to(kind), value.to(kind)
    with torch.autocast("cpu", enabled=False):
        made: Any = _Causal.apply(query, key, value, scale)
    return made.transpose(1, 2), None


def use(model: Any) -> None:
    """Let a transformers model attend this way; one that brings attention of its own is left as it
    is."""
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.masking_utils import sdpa_mask

    if not getattr(model, "_supports_attention_backend", False):
        return
    AttentionInterface.register(NAME, causal_attention)
    AttentionMaskInterface.register(NAME, sdpa_mask)  # none, unless more than causality is asked
    model.set_attn_implementation(NAME)
