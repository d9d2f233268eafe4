"""Choosing the next token."""

from __future__ import annotations

import random
from collections.abc import Sequence

import torch
from torch import Tensor

_SHORT_LIST = 512  # tokens sorted first; the whole vocabulary only where they hold too little


class Chooser:
    """How one text chooses its tokens. A sampled text draws from its own generator, so it does
    not depend on its neighbours in a batch."""

    __slots__ = ("draw", "temperature", "top_p")

    def __init__(self, temperature: float, top_p: float, name: str) -> None:
        self.temperature = temperature
        self.top_p = top_p
        self.draw = random.Random(name).random if temperature > 0 else None


def choose(logits: Tensor, choosers: Sequence[Chooser]) -> list[int]:
    """The next token of every row of `logits`: the likeliest where the temperature is 0, else
    drawn from the smallest set of tokens that holds `top_p` of the probability."""
    picked = logits.float().argmax(-1).tolist()  # in bf16 the search itself is five times as slow
    for row, chooser in enumerate(choosers):
        if chooser.draw is not None:
            heat = (logits[row].float() / chooser.temperature).softmax(-1)
            picked[row] = _drawn(heat, chooser.top_p, chooser.draw())
    return picked


def _drawn(probabilities: Tensor, top_p: float, chance: float) -> int:
    size = len(probabilities)
    for count in (min(_SHORT_LIST, size), size):
        values, ids = probabilities.topk(count)
        total = values.cumsum(0)
        if count == size or float(total[-1]) >= top_p:
            break
    kept = int(torch.searchsorted(total, min(top_p, float(total[-1])))) + 1
    kept = min(kept, count)
    place = int(torch.searchsorted(total[:kept], chance * float(total[kept - 1]), right=True))
    return int(ids[min(place, kept - 1)])
