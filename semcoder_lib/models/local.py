"""The default engine: a transformers model, on whatever device there is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from semcoder_lib.core import scale, workspace
from semcoder_lib.core.errors import UserError
from semcoder_lib.models import assets, hardware, tokens, weights
from semcoder_lib.models.decoder import Decoder, supports
from semcoder_lib.models.engine import Deliver, Engine, Job, Output
from semcoder_lib.models.sampling import Text, choose
from semcoder_lib.models.scheduler import Scheduler

_CACHE_BYTES = 1_500_000_000


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
        cache_bytes: int | None = None,
    ) -> None:
        super().__init__(cache=cache)
        self.hardware = hardware.probe(dtype=dtype, threads=threads)
        self.threads = hardware.Threads(self.hardware.threads, stated=threads is not None)
        self.name = assets.shown_name(model) + (f" + {Path(adapter).name}" if adapter else "")
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
        if backend == "decoder" and not supports(loaded):
            raise UserError(f"model {model!r}: no Llama or Qwen2 model, use backend='plain'")
        self.backend = "plain" if backend == "plain" or not supports(loaded) else "decoder"
        parts = [assets.weights_hash(self.folder), self.hardware.dtype, self.backend]
        if adapter:
            parts.append(assets.weights_hash(str(adapter)))
        self.identity = workspace.content_key(*parts)
        self._model: Any = Decoder(loaded) if self.backend == "decoder" else loaded
        self.cache_bytes = cache_bytes or _cache_bytes(on_gpu)

    def _produce(self, jobs: list[Job], deliver: Deliver) -> None:
        texts: list[Text] = []
        for key, request, index in jobs:
            prompt = self.text_of(request)
            ids = tokens.encode_prompt(self.tokenizer, prompt)
            if len(ids) + request.max_new_tokens > self.context:
                deliver(key, Output("", "too_long"))
            else:
                texts.append(Text.of(key, request, index, prompt, ids))
        if self.backend == "decoder":
            Scheduler(
                self._model,
                self.tokenizer,
                self.ends,
                self.threads,
                batch=self.batch,
                cache_bytes=self.cache_bytes,
            ).run(texts, deliver)
            return
        texts.sort(key=lambda text: (-text.room, text.key))
        for start in range(0, len(texts), self.batch):
            self._plain(texts[start : start + self.batch], deliver)

    @torch.inference_mode()
    def _plain(self, texts: Sequence[Text], deliver: Deliver) -> None:
        """One batch through transformers' `generate`, padded on the left. Every token that it
        writes goes through `_Steps`; what a finished row is filled up with is passed over."""
        width, pad = max(len(text.ids) for text in texts), self.tokenizer.pad_token_id
        ids = torch.full((len(texts), width), pad, device=self._model.device)
        mask = torch.zeros_like(ids)
        for row, text in enumerate(texts):
            ids[row, width - len(text.ids) :] = torch.tensor(text.ids)
            mask[row, width - len(text.ids) :] = 1
        self.threads.restart()
        steps = _Steps(self, texts, deliver)
        self._model.generate(
            input_ids=ids,
            attention_mask=mask,
            max_new_tokens=max(text.limit for text in texts),
            do_sample=False,
            num_beams=1,
            pad_token_id=pad,
            eos_token_id=sorted(self.ends),
            stopping_criteria=[steps.stopped],
            logits_processor=[steps.choose] if any(text.draw for text in texts) else None,
        )

    def close(self) -> None:
        super().close()
        self._model = None


class _Steps:
    """What `generate` asks after every token: which rows are finished, and, where texts are
    sampled, for scores that leave only the token that the row's own generator draws."""

    def __init__(self, engine: LocalEngine, texts: Sequence[Text], deliver: Deliver) -> None:
        self.engine, self.texts, self.deliver = engine, texts, deliver
        self.done = [False] * len(texts)

    def choose(self, ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        picked = torch.tensor(choose(scores, self.texts), device=scores.device)
        return torch.full_like(scores, float("-inf")).scatter(1, picked[:, None], 0.0)

    def stopped(self, ids: torch.Tensor, scores: Any, **_: Any) -> torch.Tensor:
        self.engine.threads.look()
        for row, text in enumerate(self.texts):
            if not self.done[row]:
                text.written.append(int(ids[row, -1]))
                output = text.output(self.engine.tokenizer, self.engine.ends)
                if output is not None:
                    self.done[row] = True
                    self.deliver(text.key, output)
        return torch.tensor(self.done, device=ids.device)


def _cache_bytes(on_gpu: bool) -> int:
    if on_gpu:
        return int(torch.cuda.mem_get_info()[0] * 0.6)
    return min(2 * _CACHE_BYTES, max(_CACHE_BYTES, scale.memory() // 5))
