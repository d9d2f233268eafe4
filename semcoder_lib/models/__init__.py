"""Engines that complete prompts, with batching, exact stops, and a cache keyed by content.

Importing this room imports neither torch nor transformers; `load` does.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from semcoder_lib.core.errors import UserError
from semcoder_lib.models.engine import Engine, Output, Request

__all__ = ["Engine", "Output", "Request", "load"]


def load(
    model: str = "smollm2-135m",
    *,
    backend: str = "auto",
    adapter: str | Path | None = None,
    cache: Path | str | None = None,
    **options: Any,
) -> Engine:
    """An engine for `model`: a known name, a folder of a saved model, a GGUF file, a hub name.

    `backend`: `auto` (our decoder for Llama and Qwen2 models, else transformers' `generate`),
    `plain` (the latter in any case), or `openai` (then `model` is the server's name for it and
    `base_url` is needed). `adapter` is the folder of a PEFT adapter, merged on load.
    `cache` is a JSONL file; a second run with it generates nothing twice. Other options are the
    engine's own. Raises UserError for names and options that do not exist, InfrastructureError
    when weights or a server cannot be had.
    """
    if backend in ("auto", "plain"):
        from semcoder_lib.models.local import LocalEngine

        return LocalEngine(model, adapter=adapter, cache=cache, backend=backend, **options)
    if backend == "openai":
        from semcoder_lib.models.servers import OpenAIEngine

        if adapter is not None:
            raise UserError("backend openai: the server chooses the adapter; give its model name")
        return OpenAIEngine(model, cache=cache, **options)
    raise UserError(f"backend {backend!r}: choose from auto, plain, openai")
