"""The loss where there are labels, and nowhere else.

With a vocabulary of 49,152 the scores of one token take 200 kB and a fifth of a small model's
arithmetic. TRL skips the unlabelled positions only where it has Triton; this does it everywhere,
in chunks, and keeps the gradient instead of the scores.
"""

from __future__ import annotations

import types
from typing import Any

import torch
from torch import Tensor

_CHUNK = 512


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


def labelled_loss(hidden: Tensor, weight: Tensor, labels: Tensor) -> Tensor:
    """The summed next-token loss: `hidden` (batch, length, width), `labels` (batch, length) with
    -100 where there is no loss. Equals cross-entropy over the full scores."""
    target = labels[:, 1:].reshape(-1)
    places = (target != -100).nonzero()[:, 0]
    flat = hidden[:, :-1].reshape(-1, hidden.shape[-1])
    # index_select, whose gradient is one scatter; a batch without labels gives a zero with gradient
    return _ChunkedLoss.apply(flat.index_select(0, places), weight, target[places])


def add_labelled_loss(model: Any) -> None:
    """Give `model(..., labelled_loss=True)`: returns the summed loss instead of scores. It goes
    through the model's `forward`, so wrappers that act on it (PEFT, data parallelism) still do."""
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
        return _sum(hidden, self.get_output_embeddings().weight, labels)

    forward.__wrapped__ = original  # type: ignore[attr-defined]  # signature checks see the model's own
    model.forward = types.MethodType(forward, model)


def _sum(hidden: Tensor, weight: Tensor, labels: Tensor) -> Tensor:
    return labelled_loss(hidden, weight, labels)
