"""Batches through transformers' own `generate`: the fallback for other architectures, and the
baseline that the decoder is measured against."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

from semcoder_lib.models import stops
from semcoder_lib.models.engine import Written
from semcoder_lib.models.sampling import choose
from semcoder_lib.models.scheduler import Job


@torch.inference_mode()
def run(
    model: Any,
    tokenizer: Any,
    ends: frozenset[int],
    jobs: Sequence[Job],
    deliver: Callable[[str, Written], None],
    *,
    batch: int,
) -> None:
    """Write the texts in batches sorted by length, padded on the left."""
    ordered = sorted(jobs, key=lambda job: (-job.room, job.key))
    for start in range(0, len(ordered), batch):
        _batch(model, tokenizer, ends, ordered[start : start + batch], deliver)


def _batch(
    model: Any,
    tokenizer: Any,
    ends: frozenset[int],
    jobs: Sequence[Job],
    deliver: Callable[[str, Written], None],
) -> None:
    width = max(len(job.ids) for job in jobs)
    pad = tokenizer.pad_token_id
    ids = torch.tensor([[pad] * (width - len(j.ids)) + j.ids for j in jobs], device=model.device)
    mask = torch.tensor(
        [[0] * (width - len(j.ids)) + [1] * len(j.ids) for j in jobs], device=model.device
    )
    out = model.generate(
        input_ids=ids,
        attention_mask=mask,
        max_new_tokens=max(job.limit for job in jobs),
        do_sample=False,
        num_beams=1,
        pad_token_id=pad,
        eos_token_id=sorted(ends),
        stopping_criteria=[_Stops(tokenizer, jobs, width, ends)],
        logits_processor=[_Choices(jobs)] if any(j.chooser.draw for j in jobs) else None,
    )
    for job, row in zip(jobs, out[:, width:].tolist(), strict=True):
        made = row[: job.limit]
        end = next((n for n, token in enumerate(made) if token in ends), None)
        text = tokenizer.decode(
            made[:end], skip_special_tokens=True, clean_up_tokenization_spaces=False
        )
        text, cut = stops.cut(text, job.stop)
        finish = "stop" if cut else "length" if end is None else "end"
        # a row that a stop string ended is filled up with padding, which is no token of its text
        count = len(made) if end is None else end if cut else end + 1
        deliver(job.key, Written(text, finish, count))


class _Stops:
    def __init__(self, tokenizer: Any, jobs: Sequence[Job], width: int, ends: frozenset[int]):
        self.tokenizer, self.jobs, self.width, self.ends = tokenizer, jobs, width, ends
        self.done = [False] * len(jobs)

    def __call__(self, ids: torch.Tensor, scores: Any, **_: Any) -> torch.Tensor:
        made = ids.shape[1] - self.width
        for place, job in enumerate(self.jobs):
            if self.done[place]:
                continue
            tail = ids[place, self.width :][-stops.tail_tokens(job.stop) :].tolist()
            stopped = job.stop and stops.cut(self.tokenizer.decode(tail), job.stop)[1]
            self.done[place] = bool(stopped) or made >= job.limit
        return torch.tensor(self.done, device=ids.device)


class _Choices:
    """Leaves only the token that the row's own generator draws, so that greedy search takes it."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        self.choosers = [job.chooser for job in jobs]

    def __call__(self, ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        picked = torch.tensor(choose(scores, self.choosers), device=scores.device)
        only = torch.full_like(scores, float("-inf"))
        return only.scatter(1, picked[:, None], 0.0)
