"""Engines that complete prompts, with batching, exact stops, and a cache keyed by content.

Importing this room imports neither torch nor transformers; `load` does.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from semcoder_lib.core.errors import UserError
from semcoder_lib.models.engine import Engine, Progress, Request, Written

__all__ = ["Engine", "Progress", "Request", "Written", "load"]


def load(
    model: str = "smollm2-135m",
    *,
    adapter: str | Path | None = None,
    dtype: str = "auto",
    threads: int | None = None,
    cache: Path | str | None = None,
    backend: str = "auto",
    **options: Any,
) -> Engine:
    """An engine for `model`: a known name, a folder of a saved model, or a hub name.

    `adapter` is the folder of a PEFT adapter, merged on load. `backend`: `auto` (transformers),
    `decoder` or `plain` (its two ways, see `TransformersEngine`), `vllm`, or `openai` (then
    `model` is the server's name for it and `base_url` is needed). `cache` is a JSONL file; a
    second run with it generates nothing twice. Raises UserError for names and options that do not
    exist, InfrastructureError when weights or a server cannot be had.
    """
    if backend in ("auto", "decoder", "plain"):
        from semcoder_lib.models.transformers_engine import TransformersEngine

        return TransformersEngine(
            model,
            adapter=adapter,
            dtype=dtype,
            threads=threads,
            cache=cache,
            backend=backend,
            **options,
        )
    if backend == "openai":
        from semcoder_lib.models.openai_engine import OpenAIEngine

        if adapter is not None:
            raise UserError("backend openai: the server chooses the adapter; give its model name")
        return OpenAIEngine(model, cache=cache, **options)
    if backend == "vllm":
        from semcoder_lib.models.vllm_engine import VllmEngine

        return VllmEngine(model, adapter=adapter, dtype=dtype, cache=cache, **options)
    raise UserError(f"backend {backend!r}: choose from auto, decoder, plain, vllm, openai")
