"""Which text is in which slot: longest first, a finished text's slot filled at once."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from semcoder_lib.models import stops
from semcoder_lib.models.engine import Written
from semcoder_lib.models.llama import Decoder, Slots
from semcoder_lib.models.sampling import Chooser, choose

_OPENING = 64  # prompts that agree in so many first tokens are looked at for a shared prefix
_PREFILL_TOKENS = 4096  # tokens read in one pass, which bounds its memory


@dataclass(slots=True)
class Job:
    """One text to be written. `prefix` is how many first ids it shares with others."""

    key: str
    ids: list[int]
    stop: tuple[str, ...]
    limit: int
    chooser: Chooser
    family: tuple[int, ...] = ()
    prefix: int = 0
    made: list[int] = field(default_factory=list)

    @property
    def room(self) -> int:
        """Tokens of cache that it may need."""
        return len(self.ids) + self.limit


def share_prefixes(jobs: Sequence[Job]) -> None:
    """Find the jobs whose prompts begin alike (few-shot examples, several samples of one prompt)
    and note how much they share, so that the shared part is read once."""
    families: dict[tuple[int, ...], list[Job]] = {}
    for job in jobs:
        families.setdefault(tuple(job.ids[:_OPENING]), []).append(job)
    for members in families.values():
        if len(members) < 2:
            continue
        first, last = min(m.ids for m in members), max(m.ids for m in members)
        shared = next(
            (n for n, (a, b) in enumerate(zip(first, last, strict=False)) if a != b),
            min(len(first), len(last)),
        )
        shared = min(shared, min(len(m.ids) for m in members) - 1)
        if shared > 0:
            family = tuple(first[:shared])
            for member in members:
                member.family, member.prefix = family, shared


class Scheduler:
    """Runs jobs through a decoder with `batch` slots and at most `cache_bytes` of cache. Stops
    between two tokens once `ended` is set."""

    def __init__(
        self,
        decoder: Decoder,
        tokenizer: Any,
        ends: frozenset[int],
        *,
        batch: int,
        cache_bytes: int,
        ended: threading.Event,
    ) -> None:
        self.decoder = decoder
        self.tokenizer = tokenizer
        self.ends = ends
        self.batch = batch
        self.cache_bytes = cache_bytes
        self.ended = ended
        self._kept: dict[tuple[int, ...], tuple[Tensor, Tensor]] = {}
        self._users: Counter[tuple[int, ...]] = Counter()

    def run(self, jobs: Sequence[Job], deliver: Callable[[str, Written], None]) -> None:
        """Write every job's text. The order of work depends on the jobs alone, not on their
        order."""
        share_prefixes(jobs)
        self._users = Counter(job.family for job in jobs if job.prefix)
        waiting = deque(sorted(jobs, key=lambda job: (-job.room, job.key)))
        while waiting and not self.ended.is_set():
            self._fill_and_drain(waiting, deliver)
        self._kept.clear()

    def _fill_and_drain(self, waiting: deque[Job], deliver: Callable[[str, Written], None]) -> None:
        """Work through the jobs that fit the longest one's cache without wasting most of it."""
        longest = waiting[0].room
        per_slot = longest * self.decoder.bytes_per_token()
        room = self.cache_bytes // per_slot
        wanted = min(self.batch, len(waiting))
        count = max(1, min(wanted, room))
        # far shorter texts would fit more slots into the same memory: leave them for the next turn
        floor = longest // 2 if room < wanted else 0
        slots = Slots(self.decoder, count, longest)
        active: list[Job] = []
        lengths: list[int] = []
        while not self.ended.is_set():
            fresh: list[Job] = []
            while waiting and len(active) + len(fresh) < count and waiting[0].room >= floor:
                fresh.append(waiting.popleft())
            if fresh:
                first = self._prefill(slots, len(active), fresh)
                active += fresh
                lengths += [len(job.ids) for job in fresh]
                for job, token in zip(fresh, first, strict=True):
                    job.made.append(token)
            if not active:
                return
            if self._finish(slots, active, lengths, deliver):
                continue  # a slot is free: fill it before the next step
            ids = torch.tensor([job.made[-1] for job in active], device=self.decoder.device)
            held = torch.tensor(lengths, device=self.decoder.device)
            logits = self.decoder.step(slots, ids, held)
            for place, token in enumerate(choose(logits, [job.chooser for job in active])):
                active[place].made.append(token)
                lengths[place] += 1

    def _prefill(self, slots: Slots, start: int, fresh: list[Job]) -> list[int]:
        rows = []
        for slot, job in enumerate(fresh, start):
            if job.prefix:
                slots.put(slot, self._shared(slots, slot, job))
            rows.append((slot, job.ids[job.prefix :], job.prefix))
        picked: list[int] = []
        done = 0
        while done < len(rows):
            take, tokens = 1, len(rows[done][1])
            while done + take < len(rows) and tokens < _PREFILL_TOKENS:
                tokens += len(rows[done + take][1])
                take += 1
            logits = self.decoder.prefill(slots, rows[done : done + take])
            picked += choose(logits, [job.chooser for job in fresh[done : done + take]])
            done += take
        return picked

    def _shared(self, slots: Slots, slot: int, job: Job) -> tuple[Tensor, Tensor]:
        kept = self._kept.get(job.family)
        if kept is None:
            self.decoder.prefill(slots, [(slot, list(job.family), 0)])
            kept = self._kept[job.family] = slots.take(slot, job.prefix)
        self._users[job.family] -= 1
        if not self._users[job.family]:
            del self._kept[job.family]
        return kept

    def _finish(
        self,
        slots: Slots,
        active: list[Job],
        lengths: list[int],
        deliver: Callable[[str, Written], None],
    ) -> bool:
        """Deliver what is finished and close the gaps; True when a slot became free."""
        freed = False
        for place in range(len(active) - 1, -1, -1):
            written = self._written(active[place])
            if written is None:
                continue
            deliver(active[place].key, written)
            freed = True
            last = len(active) - 1
            if place != last:
                slots.copy(last, place, lengths[last])
                active[place], lengths[place] = active[last], lengths[last]
            active.pop()
            lengths.pop()
        return freed

    def _written(self, job: Job) -> Written | None:
        ended = job.made[-1] in self.ends
        full = len(job.made) >= job.limit
        tail = job.made[-stops.tail_tokens(job.stop) :] if job.stop else []
        stopped = bool(tail) and stops.cut(self._decode(tail), job.stop)[1]
        if not (ended or full or stopped):
            return None
        text = self._decode(job.made[:-1] if ended else job.made)
        text, cut = stops.cut(text, job.stop)
        if not (cut or ended or full):
            return None  # the tail alone looked like a stop string, the text does not hold one
        finish = "stop" if cut else "end" if ended else "length"
        return Written(text, finish, len(job.made))

    def _decode(self, ids: list[int]) -> str:
        return str(
            self.tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        )
