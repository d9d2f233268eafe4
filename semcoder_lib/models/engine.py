"""What every engine promises: requests in, completions out, nothing generated twice."""

from __future__ import annotations

import abc
import itertools
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from semcoder_lib.core import progress, records, workspace
from semcoder_lib.core.errors import InfrastructureError, UserError
from semcoder_lib.models.prompts import Message


@dataclass(frozen=True, slots=True)
class Request:
    """One prompt, or in its place a chat to be answered, and how to complete it. Temperature 0 is
    greedy; `n` completions share the prompt's prefill; `seed` matters only when sampling.
    Generation ends before the first string of `stop`, at an end token, or after
    `max_new_tokens`."""

    task_id: str
    prompt: str
    stop: tuple[str, ...] = ()
    max_new_tokens: int = 256
    temperature: float = 0.0
    top_p: float = 1.0
    n: int = 1
    seed: int = 0
    chat: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True)
class Output:
    """A finished text with its finish reason (`stop`, `end`, `length`, `too_long`) and its tokens,
    generated and read."""

    text: str
    finish: str
    tokens: int = 0
    prompt_tokens: int = 0


Job = tuple[str, Request, int]  # the key of a text, its request, and which of its samples it is
Deliver = Callable[[str, Output], None]


class Engine(abc.ABC):
    """Turns requests into completions.

    `name` is what tables print, `identity` everything (weights, format, backend) that decides the
    text, so that it keys the cache; `tokenizer` is None where a server keeps it. Greedy
    completions do not depend on the order of the requests; they are repeatable on one machine with
    one number of threads.
    """

    name: str
    identity: str
    tokenizer: Any = None

    def __init__(self, *, cache: Path | str | None = None) -> None:
        self._cache = workspace.ItemCache(cache) if cache is not None else None

    def generate(self, requests: Sequence[Request]) -> list[list[records.Completion]]:
        """The completions of each request, in order; `n` of them each. Raises UserError for a
        request that makes no sense, before anything is generated, and InfrastructureError where a
        server fails. Finished completions are kept in the cache at once, so that after a kill only
        the missing ones are made."""
        rows = self.outputs(requests)
        for output in itertools.chain.from_iterable(rows):
            if output.finish == "failed":  # all others were asked and are kept
                raise InfrastructureError(output.text)
        return [
            [
                records.Completion(r.task_id, o.text, index, "", o.finish, o.tokens, self.name)
                for index, o in enumerate(row)
            ]
            for r, row in zip(requests, rows, strict=True)
        ]

    def outputs(self, requests: Sequence[Request]) -> list[list[Output]]:
        """As `generate`, with what the outputs cost."""
        for request in requests:
            _check(request)
        cache = self._cache if self._cache is not None else {}
        outputs: dict[str, Output] = {}
        missing: dict[str, Job] = {}
        keys = [[self._key(request, i) for i in range(request.n)] for request in requests]
        for request, row in zip(requests, keys, strict=True):
            for index, key in enumerate(row):
                if key in cache:
                    outputs[key] = Output(**cache[key])
                else:
                    missing.setdefault(key, (key, request, index))

        with progress.bar(f"{self.name} writes", len(missing), "completions") as bar:

            def deliver(key: str, output: Output) -> None:
                outputs[key] = output
                bar.update()
                if self._cache is not None and output.finish != "failed":
                    self._cache.put(key, asdict(output))

            if missing:  # in a canonical order, so that batches are composed alike
                self._produce([missing[key] for key in sorted(missing)], deliver)
        return [[outputs[key] for key in row] for row in keys]

    @abc.abstractmethod
    def _produce(self, jobs: list[Job], deliver: Deliver) -> None:
        """Make every job's text, calling `deliver(key, output)` once for each."""

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
            list(request.chat) or request.prompt,
            list(request.stop),
            [request.max_new_tokens, request.temperature, request.top_p, *sampled],
        )


def _check(request: Request) -> None:
    where = f"request {request.task_id!r}"
    if not (request.prompt or request.chat):
        raise UserError(f"{where}: the prompt is empty")
    if request.max_new_tokens < 1 or request.n < 1:
        raise UserError(f"{where}: max_new_tokens and n must be at least 1")
    if not 0 <= request.temperature <= 10 or not 0 < request.top_p <= 1:
        raise UserError(f"{where}: temperature must be in 0..10 and top_p in (0, 1]")
    if isinstance(request.stop, str):
        raise UserError(f"{where}: stop must be a tuple of strings, not one string")
