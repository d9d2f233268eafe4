"""One text while it is written: its prompt, how its tokens are chosen, and when it is finished."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from semcoder_lib.core import workspace
from semcoder_lib.models import tokens
from semcoder_lib.models.engine import Output, Request

_SHORT_LIST = 512  # tokens sorted first; the whole vocabulary only where they hold too little


@dataclass(slots=True)
class Text:
    """A text to be written after the prompt `ids`. A sampled text draws from its own generator
    (`draw`), so it does not depend on its neighbours in a batch; a greedy one has none."""

    key: str
    ids: list[int]
    stop: tuple[str, ...]
    limit: int
    temperature: float = 0.0
    top_p: float = 1.0
    draw: Callable[[], float] | None = None
    written: list[int] = field(default_factory=list)

    @classmethod
    def of(cls, key: str, request: Request, index: int, prompt: str, ids: list[int]) -> Text:
        """The text of a request's sample number `index`, whose prompt is read as these ids."""
        name = f"{request.seed}:{workspace.content_key(prompt)}:{index}"
        draw = random.Random(name).random if request.temperature > 0 else None
        heat, top_p = request.temperature, request.top_p
        return cls(key, ids, tuple(request.stop), request.max_new_tokens, heat, top_p, draw)

    @property
    def room(self) -> int:
        """Tokens of cache that it may need."""
        return len(self.ids) + self.limit

    def output(self, tokenizer: Any, ends: frozenset[int]) -> Output | None:
        """What it came to, once it is finished by a stop string, an end token or its limit."""
        ended = self.written[-1] in ends
        full = len(self.written) >= self.limit
        if not (ended or full or self.stops(tokenizer)):
            return None
        text = tokens.decode(tokenizer, self.written[:-1] if ended else self.written)
        text, cut = tokens.cut(text, self.stop)
        if not (cut or ended or full):
            return None  # the tail alone looked like a stop string, the text does not hold one
        finish = "stop" if cut else "end" if ended else "length"
        return Output(text, finish, len(self.written), len(self.ids))

    def stops(self, tokenizer: Any) -> bool:
        """Whether its last tokens hold a stop string; read alone, so the whole text may not."""
        tail = self.written[-tokens.tail_tokens(self.stop) :]
        return bool(self.stop) and tokens.cut(tokens.decode(tokenizer, tail), self.stop)[1]


def choose(logits: Tensor, texts: Sequence[Text]) -> list[int]:
    """The next token of every row of `logits`: the likeliest where the temperature is 0, else
    drawn from the smallest set of tokens that holds `top_p` of the probability."""
    picked: list[int] = logits.float().argmax(-1).tolist()  # in bf16 it is five times as slow
    for row, text in enumerate(texts):
        if text.draw is not None:
            heat = (logits[row].float() / text.temperature).softmax(-1)
            picked[row] = _drawn(heat, text.top_p, text.draw())
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
