"""Training on a CPU four to six times as fast as TRL's defaults: an optional accelerator.

Two things cost a small model most of its time there, and neither changes what is computed.

*The loss.* With a vocabulary of 49,152 the scores of one token take 200 kB and a fifth of the
arithmetic. TRL skips the unlabelled positions only where it has Triton; here it is done in chunks,
and the gradient is kept instead of the scores.

*Attention.* torch's fused kernel computes whole squares, the half above the diagonal too, repeats
keys and values for every query head, and multiplies bf16 at the rate of fp32. Plain batched
products over blocks of queries leave that half out and run at the processor's own rate. Measured
for rows of 320 tokens, nine heads on three: 17 against 65 ms in bf16 (AVX512-BF16), 37 against 60
in fp32.
"""

from __future__ import annotations

import types
from typing import Any

import torch
from torch import Tensor
from trl import SFTTrainer

ATTENTION = "semcoder_blocks"
_BLOCK = 64
_CHUNK = 512


class CpuTrainer(SFTTrainer):
    """TRL's trainer with both, for models of the kinds that our decoder knows, too."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        whole: Any = self.model
        accelerate(whole.get_base_model() if hasattr(whole, "peft_config") else whole)
        for module in whole.modules():
            # autocast takes bf16 in any case: PEFT's way over fp32 is two copies for nothing
            if self.args.bf16 and hasattr(module, "cast_input_dtype_enabled"):
                module.cast_input_dtype_enabled = False

    @staticmethod
    def supports(model: Any) -> bool:
        """Whether the model's loss is the plain one over all its scores."""
        return model.config.model_type in ("llama", "qwen2")

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Any = None,
    ) -> Any:
        """The summed loss of the labelled tokens over their number in the whole step."""
        if return_outputs:
            return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
        loss = model(**inputs, labelled_loss=True)
        if num_items_in_batch is None:
            num_items_in_batch = (inputs["labels"][:, 1:] != -100).sum()
        loss = loss / torch.as_tensor(num_items_in_batch, device=loss.device).clamp(min=1)
        if self.args.average_tokens_across_devices:
            loss = loss * self.accelerator.num_processes
        return loss


def accelerate(model: Any) -> None:
    """Let a transformers model attend in blocks, and give `model(..., labelled_loss=True)`, which
    returns the summed loss instead of scores. It goes through the model's `forward`, so wrappers
    that act on it (PEFT, data parallelism) still do."""
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.masking_utils import sdpa_mask

    AttentionInterface.register(ATTENTION, causal_attention)
    AttentionMaskInterface.register(ATTENTION, sdpa_mask)  # none, unless more than causality is due
    model.set_attn_implementation(ATTENTION)
    original = model.forward

    def forward(self: Any, *args: Any, labelled_loss: bool = False, **kwargs: Any) -> Any:
        if not labelled_loss:
            return original(*args, **kwargs)
        labels = kwargs.pop("labels")
        kwargs["use_cache"] = False
        # Padding is on the right and attention looks back only, so no real token sees padding:
        # without a mask the cheaper causal kernel is taken.
        kwargs.pop("attention_mask", None)
        hidden = self.base_model(*args, **kwargs).last_hidden_state
        return summed_loss(hidden, self.get_output_embeddings().weight, labels)

    forward.__wrapped__ = original  # type: ignore[attr-defined]  # signature checks see the model's own
    model.forward = types.MethodType(forward, model)


def summed_loss(hidden: Tensor, weight: Tensor, labels: Tensor) -> Tensor:
    """The summed next-token loss: `hidden` (batch, length, width), `labels` (batch, length) with
    -100 where there is no loss. Equals cross-entropy over the full scores."""
    target = labels[:, 1:].reshape(-1)
    places = (target != -100).nonzero()[:, 0]
    flat = hidden[:, :-1].reshape(-1, hidden.shape[-1])
    # index_select, whose gradient is one scatter; a batch without labels gives a zero with gradient
    loss: Tensor = _ChunkedLoss.apply(flat.index_select(0, places), weight, target[places])
    return loss


class _ChunkedLoss(torch.autograd.Function):
    """Sum of the cross-entropies of `hidden @ weight.T` against `labels`. The gradients are made
    in the forward pass, chunk by chunk, so no more than one chunk's scores exist at a time."""

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, weight: Tensor, labels: Tensor) -> Tensor:
        total = hidden.new_zeros((), dtype=torch.float32)
        wants_hidden, wants_weight = hidden.requires_grad, weight.requires_grad
        d_hidden = torch.empty_like(hidden) if wants_hidden else None
        d_weight = torch.zeros_like(weight, dtype=torch.float32) if wants_weight else None
        for start in range(0, len(labels), _CHUNK):
            part, target = hidden[start : start + _CHUNK], labels[start : start + _CHUNK]
            scores = (part @ weight.T).float()
            logs = scores.logsumexp(-1, keepdim=True)
            total += (logs[:, 0] - scores.gather(1, target[:, None])[:, 0]).sum()
            if not (wants_hidden or wants_weight):
                continue
            slope = scores.sub_(logs).exp_()
            slope[torch.arange(len(target), device=slope.device), target] -= 1
            slope = slope.to(hidden.dtype)
            if d_hidden is not None:
                d_hidden[start : start + _CHUNK] = slope @ weight
            if d_weight is not None:
                d_weight += (slope.T @ part).float()
        ctx.save_for_backward(d_hidden, d_weight)
        ctx.kind = weight.dtype
        return total

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> tuple[Tensor | None, Tensor | None, None]:
        (grad,) = grads
        d_hidden, d_weight = ctx.saved_tensors
        return (
            None if d_hidden is None else d_hidden * grad.to(d_hidden.dtype),
            None if d_weight is None else (d_weight * grad).to(ctx.kind),
            None,
        )


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
        attended: Any = _Causal.apply(query, key, value, scale)
    return attended.transpose(1, 2), None


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
        probabilities = []
        for start in range(0, length, _BLOCK):
            end = min(length, start + _BLOCK)
            scores = _grouped(scaled, start, end, shared) @ _upto(key, end).transpose(1, 2)
            diagonal = scores.view(shared, -1, end - start, end)[..., start:]
            diagonal.add_(above[: end - start, : end - start])
            probabilities.append(torch.softmax(scores, -1))
            out[:, :, start:end] = (probabilities[-1] @ _upto(value, end)).view(
                out[:, :, start:end].shape
            )
        ctx.save_for_backward(query, key, value, out, *probabilities)
        ctx.scale = scale
        return out

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        (d_out,) = grads
        query, key, value, out, *probabilities = ctx.saved_tensors
        shared = key.shape[0] * key.shape[1]
        scaled = query * ctx.scale
        d_query = torch.empty_like(query)
        # every block adds to the keys and values before it: in fp32, so that nothing is lost
        d_key = torch.zeros(shared, *key.shape[2:], dtype=torch.float32)
        d_value = torch.zeros_like(d_key)
        # the sum over a row of probability times its gradient
        along = (d_out.float() * out.float()).sum(-1, keepdim=True).to(query.dtype)
        for number, chances in enumerate(probabilities):
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
