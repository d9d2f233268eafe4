"""Which text is in which slot: longest first, a finished text's slot filled at once."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from semcoder_lib.models.decoder import Decoder, Slots
from semcoder_lib.models.engine import Deliver
from semcoder_lib.models.hardware import Threads
from semcoder_lib.models.sampling import Text, choose

_OPENING = 64  # prompts that agree in so many first tokens are looked at for a shared prefix
_PREFILL_TOKENS = 4096  # tokens read in one pass, which bounds its memory

Ids = tuple[int, ...]


def shared_prefixes(texts: Sequence[Text]) -> dict[str, Ids]:
    """The ids with which a text's prompt begins like others' (few-shot examples, several samples
    of one prompt), by the text's key, so that they are read once. At least one id of every prompt
    is its own."""
    families: dict[Ids, list[Text]] = {}
    for text in texts:
        families.setdefault(tuple(text.ids[:_OPENING]), []).append(text)
    shared: dict[str, Ids] = {}
    for members in families.values():
        first, last = min(m.ids for m in members), max(m.ids for m in members)
        most = min(len(m.ids) for m in members) - 1
        same = (n for n in range(most) if first[n] != last[n])
        length = next(same, most)
        if len(members) > 1 and length > 0:
            shared |= dict.fromkeys((m.key for m in members), tuple(first[:length]))
    return shared


class Scheduler:
    """Writes texts through a decoder with `batch` slots and at most `cache_bytes` of cache. The
    order of work depends on the set of texts alone, not on their order."""

    def __init__(
        self,
        decoder: Decoder,
        tokenizer: Any,
        ends: frozenset[int],
        threads: Threads,
        *,
        batch: int,
        cache_bytes: int,
    ) -> None:
        self.decoder, self.tokenizer, self.ends, self.threads = decoder, tokenizer, ends, threads
        self.batch, self.cache_bytes = batch, cache_bytes
        self._prefix: dict[str, Ids] = {}
        self._users: Counter[Ids] = Counter()
        self._kept: dict[Ids, tuple[Tensor, Tensor]] = {}

    def run(self, texts: Sequence[Text], deliver: Deliver) -> None:
        """Write every text and deliver its output."""
        self.threads.restart()
        self._prefix = shared_prefixes(texts)
        self._users = Counter(self._prefix.values())
        waiting = deque(sorted(texts, key=lambda text: (-text.room, text.key)))
        while waiting:
            self._fill_and_drain(waiting, deliver)
        self._kept.clear()

    def _fill_and_drain(self, waiting: deque[Text], deliver: Deliver) -> None:
        """Work through the texts that fit the longest one's cache without wasting most of it."""
        longest = waiting[0].room
        fit = self.cache_bytes // (longest * self.decoder.bytes_per_token())
        wanted = min(self.batch, len(waiting))
        count = max(1, min(wanted, fit))
        # far shorter texts would fit more slots into the same memory: leave them for the next turn
        floor = longest // 2 if fit < wanted else 0
        slots = Slots(self.decoder, count, longest)
        active: list[Text] = []  # in slot order; a slot holds all of a text but its last token
        while True:
            self.threads.look()
            fresh: list[Text] = []
            while waiting and len(active) + len(fresh) < count and waiting[0].room >= floor:
                fresh.append(waiting.popleft())
            if fresh:
                self._prefill(slots, len(active), fresh)
                active += fresh
            if not active:
                return
            if self._finish(slots, active, deliver):
                continue  # a slot is free: fill it before the next step
            ids = torch.tensor([text.written[-1] for text in active], device=self.decoder.device)
            lengths = torch.tensor([_held(text) for text in active], device=self.decoder.device)
            _append(active, choose(self.decoder.step(slots, ids, lengths), active))

    def _prefill(self, slots: Slots, start: int, fresh: list[Text]) -> None:
        """Read prompts into the slots from `start` on, and choose each text's first token."""
        rows = []
        for slot, text in enumerate(fresh, start):
            prefix = self._prefix.get(text.key, ())
            if prefix:
                slots.put(slot, self._shared(slots, slot, prefix))
            rows.append((slot, text.ids[len(prefix) :], len(prefix)))
        while rows:
            take, size = 1, len(rows[0][1])
            while take < len(rows) and size < _PREFILL_TOKENS:
                size += len(rows[take][1])
                take += 1
            part, fresh = fresh[:take], fresh[take:]
            _append(part, choose(self.decoder.prefill(slots, rows[:take]), part))
            rows = rows[take:]

    def _shared(self, slots: Slots, slot: int, prefix: Ids) -> tuple[Tensor, Tensor]:
        if prefix not in self._kept:
            self.decoder.prefill(slots, [(slot, list(prefix), 0)])
            self._kept[prefix] = slots.take(slot, len(prefix))
        self._users[prefix] -= 1
        return self._kept[prefix] if self._users[prefix] else self._kept.pop(prefix)

    def _finish(self, slots: Slots, active: list[Text], deliver: Deliver) -> bool:
        """Deliver what is finished and close the gaps; True when a slot became free."""
        before = len(active)
        for place in range(before - 1, -1, -1):
            output = active[place].output(self.tokenizer, self.ends)
            if output is None:
                continue
            deliver(active[place].key, output)
            last = active.pop()
            if place < len(active):
                slots.copy(len(active), place, _held(last))
                active[place] = last
        return len(active) < before


def _held(text: Text) -> int:
    return len(text.ids) + len(text.written) - 1


def _append(texts: Sequence[Text], ids: Sequence[int]) -> None:
    for text, token in zip(texts, ids, strict=True):
        text.written.append(token)
