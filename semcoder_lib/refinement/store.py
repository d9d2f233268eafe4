"""The completions of a refinement run, in one JSONL file: what resumes it, and what proves it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from semcoder_lib import workspace
from semcoder_lib.errors import UserError
from semcoder_lib.prompts import Prompt


class Engine(Protocol):
    """What is needed of `generation.Engine`."""

    name: str

    def generate(self, requests: Sequence[Any]) -> list[list[Any]]: ...


_MODEL = "model"


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

    def complete(
        self,
        asked: Sequence[tuple[str, int, Prompt]],
        engine: Engine | None,
        *,
        max_new_tokens: int,
        temperature: float,
        top_p: float,
        seed: int,
    ) -> list[dict[str, Any]]:
        """One row (`text`, `finish`, `tokens`) for each `(task id, round, prompt)`, in order."""
        sampled = temperature > 0
        keys = [
            workspace.content_key(
                self.model, prompt.text, list(prompt.stop), max_new_tokens, temperature, top_p,
                [seed, task, turn] if sampled else None,
            )
            for task, turn, prompt in asked
        ]  # fmt: skip
        missing = [n for n, key in enumerate(keys) if not self._has(key)]
        first = {keys[n]: n for n in reversed(missing)}
        wanted = sorted(first.values())
        if wanted and engine is None:
            raise UserError(
                f"{self.path}: {len(wanted)} completions are missing (first: "
                f"{asked[wanted[0]][0]}, round {asked[wanted[0]][1]}); run it with an engine"
            )
        if wanted:
            self._generate([asked[n] for n in wanted], [keys[n] for n in wanted], engine,
                           max_new_tokens, temperature, top_p, seed)  # fmt: skip
        return [self._get(key) for key in keys]

    def _generate(
        self,
        asked: Sequence[tuple[str, int, Prompt]],
        keys: Sequence[str],
        engine: Engine | None,
        max_new_tokens: int,
        temperature: float,
        top_p: float,
        seed: int,
    ) -> None:
        from semcoder_lib.generation import Request

        assert engine is not None
        requests = [
            Request(
                task,
                prompt.text,
                prompt.stop,
                max_new_tokens=max_new_tokens,
                temperature=temperature,
                top_p=top_p,
                # a sampled text depends on the item alone, not on its place in a batch
                seed=int(workspace.content_key(seed, task, turn)[:7], 16) if temperature else 0,
            )
            for task, turn, prompt in asked
        ]
        for (task, turn, _), key, group in zip(asked, keys, engine.generate(requests), strict=True):
            done = group[0]
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

    def _has(self, key: str) -> bool:
        return key in self.rows or (self.cache is not None and key in self.cache)

    def _get(self, key: str) -> dict[str, Any]:
        if key in self.rows:
            return self.rows[key]
        assert self.cache is not None
        return dict(self.cache.get(key))
