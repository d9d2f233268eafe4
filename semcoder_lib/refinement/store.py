"""The completions of a refinement run, in one JSONL file: what resumes it, and what proves it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from semcoder_lib.core import workspace
from semcoder_lib.core.errors import UserError
from semcoder_lib.models.prompts import Prompt

if TYPE_CHECKING:
    from semcoder_lib.core.records import Completion
    from semcoder_lib.models import Request

Row = dict[str, Any]


class Engine(Protocol):
    """What is needed of `generation.Engine`."""

    name: str

    def generate(self, requests: Sequence[Any]) -> list[list[Any]]: ...


_MODEL = "model"


@dataclass(frozen=True, slots=True)
class Ask:
    """Texts wanted: `(task id, round, prompt)` each, and how they are to be sampled."""

    items: Sequence[tuple[str, int, Prompt]]
    max_new_tokens: int
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0


def complete(asks: Sequence[tuple[Store, Ask]], engine: Engine | None) -> list[list[Row]]:
    """The rows of every ask. What is missing in their stores is generated in one call, since a
    small model writes a full batch as fast as a single text. Raises UserError when something is
    missing and there is no engine."""
    wanted = [store.missing(ask) for store, ask in asks]
    if engine is None:
        for (store, ask), some in zip(asks, wanted, strict=True):
            for request in some.values():
                turn = next(t for name, t, _ in ask.items if name == request.task_id)
                raise UserError(
                    f"{store.path}: {len(some)} completions are missing (first: "
                    f"{request.task_id}, round {turn}); run it with an engine"
                )
    elif any(wanted):
        groups = iter(engine.generate([r for some in wanted for r in some.values()]))
        for (store, ask), some in zip(asks, wanted, strict=True):
            store.keep(ask, {key: next(groups)[0] for key in some})
    return [store.answers(ask) for store, ask in asks]


class Store:
    """Completions keyed by what was asked: the prompt's hash (prompts hold benchmark text and are
    not kept), the sampling settings, the model. A run that finds every completion here needs no
    engine, so a curve can be recomputed offline from the file alone.

    Raises UserError when a completion is missing and there is no engine.
    """

    def __init__(self, path: Path | str | None, engine: Engine | None) -> None:
        self.path = None if path is None else Path(path)
        self.rows: dict[str, dict[str, Any]] = {}
        self.generated = 0
        if engine is None and (self.path is None or not self.path.exists()):
            raise UserError(f"{self.path}: no stored completions, and no engine to make them")
        self.cache = None if self.path is None else workspace.ItemCache(self.path)
        known = self.cache is not None and _MODEL in self.cache
        stored = str(self.cache.get(_MODEL)["model"]) if self.cache and known else ""
        self.model = engine.name if engine is not None else stored
        if stored and stored != self.model:
            raise UserError(
                f"{self.path} holds completions of {stored}, not of {self.model}; use another file"
            )
        if self.cache is not None and not known:
            self.cache.put(_MODEL, {"model": self.model})

    def missing(self, ask: Ask) -> dict[str, Request]:
        """The requests whose completions are not here yet, by key."""
        from semcoder_lib.models import Request

        wanted: dict[str, Request] = {}
        for key, (task, turn, prompt) in zip(self._keys(ask), ask.items, strict=True):
            if self._has(key):
                continue
            # a sampled text depends on the item alone, not on its place in a batch
            seed = int(workspace.content_key(ask.seed, task, turn)[:7], 16)
            wanted[key] = Request(
                task,
                prompt.text,
                prompt.stop,
                max_new_tokens=ask.max_new_tokens,
                temperature=ask.temperature,
                top_p=ask.top_p,
                seed=seed if ask.temperature else 0,
            )
        return wanted

    def keep(self, ask: Ask, made: dict[str, Completion]) -> None:
        """Store the completions that were `missing`, by key."""
        for key, (task, turn, _) in zip(self._keys(ask), ask.items, strict=True):
            if key not in made or self._has(key):
                continue
            done = made[key]
            row = {
                "task_id": task,
                "round": turn,
                "text": done.text,
                "finish": done.finish,
                "tokens": done.tokens,
            }
            self.rows[key] = row
            self.generated += 1
            if self.cache is not None:
                self.cache.put(key, row)
        if self.cache is not None:
            self.cache.flush()

    def answers(self, ask: Ask) -> list[dict[str, Any]]:
        """One row (`text`, `finish`, `tokens`) for each item, in order."""
        return [self._get(key) for key in self._keys(ask)]

    def _keys(self, ask: Ask) -> list[str]:
        sampled = ask.temperature > 0
        return [
            workspace.content_key(
                self.model, prompt.text, list(prompt.stop), ask.max_new_tokens, ask.temperature,
                ask.top_p, [ask.seed, task, turn] if sampled else None,
            )
            for task, turn, prompt in ask.items
        ]  # fmt: skip

    def _has(self, key: str) -> bool:
        return key in self.rows or (self.cache is not None and key in self.cache)

    def _get(self, key: str) -> dict[str, Any]:
        if key in self.rows:
            return self.rows[key]
        assert self.cache is not None
        return dict(self.cache.get(key))
