"""What every engine promises: requests in, completions out, nothing generated twice."""

from __future__ import annotations

import abc
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from semcoder_lib.core import records, workspace
from semcoder_lib.core.errors import UserError


@dataclass(frozen=True, slots=True)
class Request:
    """One prompt and how to complete it. Temperature 0 is greedy; `n` completions share the
    prompt's prefill; `seed` matters only when sampling. Generation ends before the first string
    of `stop`, at an end token, or after `max_new_tokens`."""

    task_id: str
    prompt: str
    stop: tuple[str, ...] = ()
    max_new_tokens: int = 256
    temperature: float = 0.0
    top_p: float = 1.0
    n: int = 1
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Written:
    """A finished text with its finish reason (`stop`, `end`, `length`, `too_long`) and how many
    tokens were generated for it."""

    text: str
    finish: str
    tokens: int


@dataclass(slots=True)
class Progress:
    """How far a call of `generate` is. `tokens` are generated ones; `cached` completions cost
    nothing."""

    total: int
    done: int = 0
    cached: int = 0
    tokens: int = 0
    started: float = field(default_factory=time.perf_counter)

    @property
    def seconds(self) -> float:
        """Wall seconds since the call began."""
        return time.perf_counter() - self.started

    def line(self) -> str:
        """One line for a terminal."""
        rate = self.tokens / max(self.seconds, 1e-9)
        return f"{self.done}/{self.total} done, {self.tokens:,} tokens, {rate:,.0f} tokens/s"


class Engine(abc.ABC):
    """Turns requests into completions.

    `name` is what tables print, `identity` everything (weights, format, backend) that decides the
    text, so that it keys the cache. Greedy completions do not depend on the order of the requests;
    they are repeatable on one machine with one number of threads. With a cache that already holds
    some of the completions the others are batched differently, which can change a text only where
    two tokens are equal to the last bits.
    """

    name: str
    identity: str

    def __init__(self, *, cache: Path | str | None = None) -> None:
        self._cache = workspace.ItemCache(cache) if cache is not None else None
        self.last: Progress | None = None

    def generate(
        self,
        requests: Sequence[Request],
        *,
        progress: Callable[[Progress], None] | None = None,
    ) -> list[list[records.Completion]]:
        """The completions of each request, in order; `n` of them each. Raises UserError for a
        request that makes no sense, before anything is generated. Finished completions are kept
        in the cache, so that after a kill only the missing ones are made."""
        for request in requests:
            _check(request)
        made: dict[str, Written] = {}
        wanted: dict[str, tuple[Request, int]] = {}
        keys = [[self._key(r, i) for i in range(r.n)] for r in requests]
        for request, row in zip(requests, keys, strict=True):
            for i, key in enumerate(row):
                if self._cache is not None and key in self._cache:
                    made[key] = Written(**self._cache.get(key))
                else:
                    wanted.setdefault(key, (request, i))
        state = Progress(total=len(made) + len(wanted), done=len(made), cached=len(made))
        self.last = state

        def deliver(key: str, written: Written) -> None:
            made[key] = written
            state.done += 1
            state.tokens += written.tokens
            if self._cache is not None:
                row = {"text": written.text, "finish": written.finish, "tokens": written.tokens}
                self._cache.put(key, row)
            if progress is not None:
                progress(state)

        if wanted:
            # a canonical order, so that batches are composed alike whatever the order asked for
            jobs = sorted(wanted.items(), key=lambda item: item[0])
            self._produce([(key, request, i) for key, (request, i) in jobs], deliver)
            if self._cache is not None:
                self._cache.flush()
        return [
            [self._completion(r, i, made[key]) for i, key in enumerate(row)]
            for r, row in zip(requests, keys, strict=True)
        ]

    @abc.abstractmethod
    def _produce(
        self, jobs: list[tuple[str, Request, int]], deliver: Callable[[str, Written], None]
    ) -> None:
        """Make every job's text, calling `deliver(key, written)` once for each."""

    def describe(self) -> dict[str, Any]:
        """What a card should say about this engine."""
        return {"name": self.name, "identity": self.identity}

    def close(self) -> None:
        """Let go of the cache file and the weights."""
        if self._cache is not None:
            self._cache.close()
            self._cache = None

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _key(self, request: Request, index: int) -> str:
        sampled = [] if request.temperature == 0 else [request.seed, index]
        return workspace.content_key(
            self.identity,
            request.prompt,
            list(request.stop),
            [request.max_new_tokens, request.temperature, request.top_p, *sampled],
        )

    def _completion(self, request: Request, index: int, written: Written) -> records.Completion:
        return records.Completion(
            task_id=request.task_id,
            text=written.text,
            index=index,
            finish=written.finish,
            tokens=written.tokens,
            model=self.name,
        )


def _check(request: Request) -> None:
    where = f"request {request.task_id!r}"
    if not request.prompt:
        raise UserError(f"{where}: the prompt is empty")
    if request.max_new_tokens < 1 or request.n < 1:
        raise UserError(f"{where}: max_new_tokens and n must be at least 1")
    if not 0 <= request.temperature <= 10 or not 0 < request.top_p <= 1:
        raise UserError(f"{where}: temperature must be in 0..10 and top_p in (0, 1]")
    if isinstance(request.stop, str):
        raise UserError(f"{where}: stop must be a tuple of strings, not one string")
