"""The default engine: a transformers model, on whatever device there is.

A `Text` is one completion while it is written; the `Scheduler` says which text is in which slot of
our decoder: longest first, a finished text's slot filled at once.
"""

from __future__ import annotations

import random
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from semcoder_lib.core import scale, workspace
from semcoder_lib.models import assets, hardware, prompts, tokens, weights
from semcoder_lib.models.decoder import Decoder, Slots, supports
from semcoder_lib.models.engine import Deliver, Engine, Job, Output, Request

_CACHE_BYTES = 1_500_000_000
_SHORT_LIST = 512  # tokens sorted first; the whole vocabulary only where they hold too little
_OPENING = 64  # prompts that agree in so many first tokens are looked at for a shared prefix
_PREFILL_TOKENS = 4096  # tokens read in one pass, which bounds its memory

Ids = tuple[int, ...]


# --- one text ---


@dataclass(slots=True)
class Text:
    """A text to be written after the prompt `ids`. A sampled text draws from its own generator
    (`draw`), so it does not depend on its neighbours in a batch; a greedy one has none."""

    key: str
    request: Request
    ids: list[int]
    draw: Callable[[], float] | None = None
    written: list[int] = field(default_factory=list)

    @property
    def room(self) -> int:
        """Tokens of cache that it may need."""
        return len(self.ids) + self.request.max_new_tokens

    def output(self, tokenizer: Any, ends: frozenset[int]) -> Output | None:
        """What it came to, once it is finished by a stop string, an end token or its limit."""
        stop, ended = self.request.stop, self.written[-1] in ends
        full = len(self.written) >= self.request.max_new_tokens
        if not (ended or full or self._stops(tokenizer)):
            return None
        text = tokens.decode(tokenizer, self.written[:-1] if ended else self.written)
        text, cut = tokens.cut(text, stop)
        if not (cut or ended or full):
            return None  # the tail alone looked like a stop string, the text does not hold one
        finish = "stop" if cut else "end" if ended else "length"
        return Output(text, finish, len(self.written), len(self.ids))

    def _stops(self, tokenizer: Any) -> bool:
        """Whether its last tokens hold a stop string; read alone, so the whole text may not."""
        stop = self.request.stop
        tail = self.written[-tokens.tail_tokens(stop) :]
        return bool(stop) and tokens.cut(tokens.decode(tokenizer, tail), stop)[1]


def choose(logits: Tensor, texts: Sequence[Text]) -> list[int]:
    """The next token of every row of `logits`: the likeliest where the temperature is 0, else
    drawn from the smallest set of tokens that holds `top_p` of the probability."""
    picked: list[int] = logits.float().argmax(-1).tolist()  # in bf16 it is five times as slow
    for row, text in enumerate(texts):
        if text.draw is not None:
            heat = (logits[row].float() / text.request.temperature).softmax(-1)
            picked[row] = _drawn(heat, text.request.top_p, text.draw())
    return picked


def _drawn(probabilities: Tensor, top_p: float, chance: float) -> int:
    size = len(probabilities)
    for count in (min(_SHORT_LIST, size), size):
        values, ids = probabilities.topk(count)
        total = values.cumsum(0)
        if count == size or float(total[-1]) >= top_p:
            break
    most = min(int(torch.searchsorted(total, min(top_p, float(total[-1])))) + 1, count)
    place = int(torch.searchsorted(total[:most], chance * float(total[most - 1]), right=True))
    return int(ids[min(place, most - 1)])


# --- many texts through our decoder ---


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
    """Writes texts, longest first, through the decoder of an engine, with `batch` slots and at most
    `cache_bytes` of cache."""

    def __init__(self, engine: LocalEngine, texts: Sequence[Text], deliver: Deliver) -> None:
        self.engine, self.deliver = engine, deliver
        self.decoder: Decoder = engine._model
        self._waiting = deque(texts)
        self._prefix = shared_prefixes(texts)
        self._users = Counter(self._prefix.values())
        self._prefix_cache: dict[Ids, tuple[Tensor, Tensor]] = {}

    def run(self) -> None:
        while self._waiting:
            self._fill_and_drain(self._waiting)

    def _fill_and_drain(self, waiting: deque[Text]) -> None:
        """Work through the texts that fit the longest one's cache without wasting most of it."""
        longest = waiting[0].room
        fit = self.engine.cache_bytes // (longest * self.decoder.bytes_per_token())
        wanted = min(self.engine.batch, len(waiting))
        count = max(1, min(wanted, fit))
        # far shorter texts would fit more slots into the same memory: leave them for the next turn
        floor = longest // 2 if fit < wanted else 0
        slots = Slots(self.decoder, count, longest)
        active: list[Text] = []  # in slot order; a slot holds all of a text but its last token
        while True:
            self.engine.threads.look()
            fresh: list[Text] = []
            while waiting and len(active) + len(fresh) < count and waiting[0].room >= floor:
                fresh.append(waiting.popleft())
            if fresh:
                self._prefill(slots, len(active), fresh)
                active += fresh
            if not active:
                return
            if self._finish(slots, active):
                continue  # a slot is free: fill it before the next step
            ids = torch.tensor([text.written[-1] for text in active], device=self.decoder.device)
            cached = [_cached_tokens(text) for text in active]
            lengths = torch.tensor(cached, device=self.decoder.device)
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
        if prefix not in self._prefix_cache:
            self.decoder.prefill(slots, [(slot, list(prefix), 0)])
            self._prefix_cache[prefix] = slots.take(slot, len(prefix))
        self._users[prefix] -= 1
        return self._prefix_cache[prefix] if self._users[prefix] else self._prefix_cache.pop(prefix)

    def _finish(self, slots: Slots, active: list[Text]) -> bool:
        """Deliver what is finished and close the gaps; True when a slot became free."""
        before = len(active)
        for place in range(before - 1, -1, -1):
            output = active[place].output(self.engine.tokenizer, self.engine.ends)
            if output is None:
                continue
            self.deliver(active[place].key, output)
            last = active.pop()
            if place < len(active):
                slots.copy(len(active), place, _cached_tokens(last))
                active[place] = last
        return len(active) < before


def _cached_tokens(text: Text) -> int:
    return len(text.ids) + len(text.written) - 1


def _append(texts: Sequence[Text], ids: Sequence[int]) -> None:
    for text, token in zip(texts, ids, strict=True):
        text.written.append(token)


# --- the engine ---


class LocalEngine(Engine):
    """Loads `model` (see `assets.locate`), merges `adapter` into it, and generates. A folder with a
    whole fine-tuned model may stand for the adapter.

    Llama and Qwen2 models run through `decoder`; others, and all with `backend="plain"`, through
    transformers' own `generate`. Both compute in the model's own arithmetic. `batch` is the number
    of texts written at once (None: 64 on a CPU, 256 on a GPU)."""

    def __init__(
        self,
        model: str = "smollm2-135m",
        *,
        adapter: str | Path | None = None,
        dtype: str = "auto",
        threads: int | None = None,
        batch: int | None = None,
        cache: Path | str | None = None,
        backend: str = "auto",
    ) -> None:
        super().__init__(cache=cache)
        self.hardware = hardware.probe(dtype=dtype, threads=threads)
        self.threads = hardware.Threads(self.hardware.threads, stated=threads is not None)
        self.name = assets.shown_name(model, adapter)
        if adapter and weights.is_whole_model(Path(adapter)):
            model, adapter = str(adapter), None
        self.folder = assets.locate(model)
        on_gpu = self.hardware.device == "cuda"
        self.batch = batch or (256 if on_gpu else 64)
        self.tokenizer = tokens.load_tokenizer(self.folder)
        loaded = weights.load_model(self.folder, dtype=self.hardware.dtype, adapter=adapter)
        loaded = loaded.to(self.hardware.device)
        self.ends = tokens.end_ids(self.tokenizer, loaded)
        self.context = loaded.config.max_position_embeddings
        self.backend = "plain" if backend == "plain" or not supports(loaded) else "decoder"
        parts = [assets.weights_hash(self.folder), self.hardware.dtype, self.backend]
        if adapter:
            parts.append(assets.weights_hash(str(adapter)))
        self.identity = workspace.content_key(*parts)
        self._model: Any = Decoder(loaded) if self.backend == "decoder" else loaded
        self.cache_bytes = _cache_bytes(on_gpu)

    def _produce(self, jobs: list[Job], deliver: Deliver) -> None:
        texts: list[Text] = []
        for key, request, index in jobs:
            chat = request.chat
            prompt = prompts.chat(self.tokenizer, chat) if chat else request.prompt
            ids = tokens.encode_prompt(self.tokenizer, prompt)
            if len(ids) + request.max_new_tokens > self.context:
                deliver(key, Output("", "too_long"))
            else:
                name = f"{request.seed}:{workspace.content_key(prompt)}:{index}"
                draw = random.Random(name).random if request.temperature else None
                texts.append(Text(key, request, ids, draw))
        # the order of work depends on the set of texts alone, not on their order
        texts.sort(key=lambda text: (-text.room, text.key))
        self.threads.restart()
        if self.backend == "decoder":
            Scheduler(self, texts, deliver).run()
            return
        for start in range(0, len(texts), self.batch):
            self._plain(texts[start : start + self.batch], deliver)

    @torch.inference_mode()
    def _plain(self, texts: Sequence[Text], deliver: Deliver) -> None:
        """One batch through transformers' `generate`, padded on the left. What a finished row is
        filled up with is passed over."""
        width, pad = max(len(text.ids) for text in texts), self.tokenizer.pad_token_id
        done = [False] * len(texts)

        def drawn(_: Tensor, scores: Tensor) -> Tensor:
            """Scores that leave only the token that each row's own generator draws."""
            picked = torch.tensor(choose(scores, texts), device=scores.device)
            return torch.full_like(scores, float("-inf")).scatter(1, picked[:, None], 0.0)

        def finished(written: Tensor, *_: Any, **__: Any) -> Tensor:
            self.threads.look()
            for row, text in enumerate(texts):
                if not done[row]:
                    text.written.append(int(written[row, -1]))
                    output = text.output(self.tokenizer, self.ends)
                    if output is not None:
                        done[row] = True
                        deliver(text.key, output)
            return torch.tensor(done, device=written.device)

        ids = torch.full((len(texts), width), pad, device=self._model.device)
        mask = torch.zeros_like(ids)
        for row, text in enumerate(texts):
            ids[row, width - len(text.ids) :] = torch.tensor(text.ids)
            mask[row, width - len(text.ids) :] = 1
        self._model.generate(
            input_ids=ids,
            attention_mask=mask,
            max_new_tokens=max(text.request.max_new_tokens for text in texts),
            do_sample=False,
            num_beams=1,
            pad_token_id=pad,
            eos_token_id=sorted(self.ends),
            stopping_criteria=[finished],
            logits_processor=[drawn] if any(text.draw for text in texts) else None,
        )

    def close(self) -> None:
        super().close()
        self._model = None


def _cache_bytes(on_gpu: bool) -> int:
    if on_gpu:
        return int(torch.cuda.mem_get_info()[0] * 0.6)
    return min(2 * _CACHE_BYTES, max(_CACHE_BYTES, scale.memory() // 5))
