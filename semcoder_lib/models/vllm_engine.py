"""vLLM as an engine, for GPUs. Not run on the machines this was developed on: it shares the other
engines' tests behind the marker `vllm`, which says so."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from semcoder_lib.core import workspace
from semcoder_lib.core.errors import UserError
from semcoder_lib.models import assets, stops
from semcoder_lib.models.engine import Engine, Request, Written


class VllmEngine(Engine):
    """Loads `model` into vLLM; `adapter` is applied as a LoRA. vLLM does its own batching and
    prefix sharing. Raises UserError when vLLM is not installed."""

    def __init__(
        self,
        model: str = "smollm2-135m",
        *,
        adapter: str | Path | None = None,
        dtype: str = "auto",
        cache: Path | str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(cache=cache)
        try:
            import vllm
        except ImportError:
            raise UserError(
                "backend vllm: install vllm (it needs a GPU), or use backend='auto'"
            ) from None
        self._vllm = vllm
        folder = assets.locate(model)
        self.name = assets.shown_name(model) + (f" + {Path(adapter).name}" if adapter else "")
        parts = [assets.weights_hash(folder), "vllm", vllm.__version__, dtype]
        self._lora: Any = None
        if adapter is not None:
            from vllm.lora.request import LoRARequest

            parts.append(assets.weights_hash(str(adapter)))
            self._lora = LoRARequest("adapter", 1, str(adapter))
            options["enable_lora"] = True
        self.identity = workspace.content_key(*parts)
        self._model = vllm.LLM(folder, dtype=dtype, enable_prefix_caching=True, **options)

    def _produce(
        self, jobs: list[tuple[str, Request, int]], deliver: Callable[[str, Written], None]
    ) -> None:
        settings = [
            self._vllm.SamplingParams(
                max_tokens=request.max_new_tokens,
                temperature=request.temperature,
                top_p=request.top_p,
                stop=list(request.stop) or None,
                seed=request.seed + index,
            )
            for _, request, index in jobs
        ]
        prompts = [request.prompt for _, request, _ in jobs]
        outputs = self._model.generate(prompts, settings, lora_request=self._lora)
        for (key, request, _), output in zip(jobs, outputs, strict=True):
            best = output.outputs[0]
            text, cut = stops.cut(best.text, request.stop)
            stopped = cut or isinstance(best.stop_reason, str)
            finish = "length" if best.finish_reason == "length" else "stop" if stopped else "end"
            deliver(key, Written(text, finish, len(best.token_ids)))
