"""The default engine: a transformers model, on whatever device there is."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from semcoder_lib.core import scale, workspace
from semcoder_lib.core.errors import UserError
from semcoder_lib.models import assets, hardware, lanes, plain, quantised, tokens
from semcoder_lib.models.engine import Engine, Request, Written
from semcoder_lib.models.llama import Decoder, supports
from semcoder_lib.models.sampling import Chooser
from semcoder_lib.models.scheduler import Job, Scheduler

CACHE_BYTES = 1_500_000_000  # of one lane


class TransformersEngine(Engine):
    """Loads `model` (a known name, a folder, a hub id), merges `adapter` into it, and generates.
    A folder with a whole fine-tuned model may stand for the adapter.

    Llama-shaped models run through `generation.llama`; others through transformers' own
    `generate`, batch by batch. `dtype` `int8` quantises the weights of the linear layers on the
    CPU and changes some answers; every other format is the model's own arithmetic. `batch` is the
    number of texts that a lane writes at once (None: 48 on a CPU, 256 on a GPU); `lanes` how many
    work side by side (None: one a thread on a CPU, where there are texts enough, else one)."""

    def __init__(
        self,
        model: str = "smollm2-135m",
        *,
        adapter: str | Path | None = None,
        dtype: str = "auto",
        threads: int | None = None,
        batch: int | None = None,
        lanes: int | None = None,
        cache: Path | str | None = None,
        backend: str = "auto",
        cache_bytes: int | None = None,
    ) -> None:
        super().__init__(cache=cache)
        if backend not in ("auto", "decoder", "plain"):
            raise UserError(f"backend {backend!r}: choose from auto, decoder, plain")
        self.hardware = hardware.probe(dtype=dtype, threads=threads)
        hardware.use_threads(self.hardware.threads)
        self.name = assets.shown_name(model) + (f" + {Path(adapter).name}" if adapter else "")
        if adapter and _is_whole_model(Path(adapter)):
            model, adapter = str(adapter), None
        self.folder = assets.locate(model)
        self.batch = batch or (256 if self.hardware.device == "cuda" else 48)
        self.tokenizer = tokens.load_tokenizer(self.folder)
        loaded = load_model(
            self.folder,
            dtype="float32" if self.hardware.dtype == "int8" else self.hardware.dtype,
            device=self.hardware.device,
            adapter=adapter,
        )
        self.ends = tokens.end_ids(self.tokenizer, loaded)
        self.context = loaded.config.max_position_embeddings
        fits = supports(loaded)
        if backend == "decoder" and not fits:
            raise UserError(f"model {model!r}: not Llama-shaped, use backend='plain'")
        if self.hardware.dtype == "int8" and (backend == "plain" or not fits):
            raise UserError("dtype int8 needs the decoder backend and a Llama-shaped model")
        self.backend = "plain" if backend == "plain" or not fits else "decoder"
        parts = [assets.weights_hash(self.folder), self.hardware.dtype, self.backend]
        if adapter:
            parts.append(assets.weights_hash(str(adapter)))
        self.identity = workspace.content_key(*parts)
        self._decoder: Decoder | None = None
        self._model: Any = None
        if self.backend == "decoder":
            linear = quantised.linear if self.hardware.dtype == "int8" else None
            self._decoder = Decoder(loaded, linear=linear)
        else:
            self._model = loaded
        self.lanes = lanes or (self.hardware.threads if self.hardware.device == "cpu" else 1)
        self.cache_bytes = cache_bytes or _cache_bytes(self.hardware.device, self.lanes)

    def describe(self) -> dict[str, Any]:
        return {
            **super().describe(),
            **self.hardware.row(),
            "backend": self.backend,
            "batch": self.batch,
            "lanes": self.lanes,
        }

    def _produce(
        self, jobs: list[tuple[str, Request, int]], deliver: Callable[[str, Written], None]
    ) -> None:
        ready: list[Job] = []
        for key, request, index in jobs:
            ids = tokens.encode_prompt(self.tokenizer, request.prompt)
            if len(ids) + request.max_new_tokens > self.context:
                deliver(key, Written("", "too_long", 0))
                continue
            name = f"{request.seed}:{workspace.content_key(request.prompt)}:{index}"
            chooser = Chooser(request.temperature, request.top_p, name)
            ready.append(Job(key, ids, tuple(request.stop), request.max_new_tokens, chooser))
        if not ready:
            return
        if self._decoder is not None:
            self._in_lanes(self._decoder, ready, deliver)
        else:
            plain.run(self._model, self.tokenizer, self.ends, ready, deliver, batch=self.batch)

    def _in_lanes(
        self, decoder: Decoder, ready: list[Job], deliver: Callable[[str, Written], None]
    ) -> None:
        hands = lanes.deal(ready, lanes.count(len(ready), self.lanes))

        def work(hand: list[Job], hand_over: lanes.Deliver, ended: threading.Event) -> None:
            Scheduler(
                decoder,
                self.tokenizer,
                self.ends,
                batch=self.batch,
                cache_bytes=self.cache_bytes // len(hands),
                ended=ended,
            ).run(hand, hand_over)

        if len(hands) == 1:
            work(hands[0], deliver, threading.Event())
        else:
            lanes.run(hands, work, deliver, threads=self.hardware.threads)

    def close(self) -> None:
        super().close()
        self._decoder = self._model = None


def load_model(
    folder: str, *, dtype: str, device: str = "cpu", adapter: str | Path | None = None
) -> Any:
    """A model in evaluation mode, its adapter merged into the weights: on a CPU in fp32, since
    half precision rounds small changes away. Raises UserError that names what could not be
    loaded."""
    import torch
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging

    logging.disable_progress_bar()
    kind = getattr(torch, dtype)
    loaded = torch.float32 if adapter is not None and device == "cpu" else kind
    try:
        model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=loaded)
    except (OSError, ValueError) as error:
        reason = (str(error).strip().splitlines() or ["unknown"])[0]
        raise UserError(
            f"model {folder}: cannot be loaded ({reason}); check the name, and that the hub or "
            "its cache can be reached"
        ) from None
    if adapter is not None:
        model = _merged(model, Path(adapter))
    return model.to(device, kind).eval()


def _is_whole_model(folder: Path) -> bool:
    names = ("adapter_config.json", "config.json")
    return [(folder / name).is_file() for name in names] == [False, True]


def _merged(model: Any, adapter: Path) -> Any:
    from peft import PeftModel

    if not (adapter / "adapter_config.json").is_file():
        raise UserError(f"adapter {adapter}: no adapter_config.json there")
    try:
        return PeftModel.from_pretrained(model, str(adapter)).merge_and_unload()
    except (OSError, ValueError, RuntimeError) as error:
        reason = (str(error).strip().splitlines() or ["unknown"])[0]
        raise UserError(f"adapter {adapter}: does not fit the model ({reason})") from None


def _cache_bytes(device: str, lanes: int) -> int:
    if device != "cuda":
        return min(lanes * CACHE_BYTES, max(CACHE_BYTES, scale.memory() // 5))
    import torch

    return int(torch.cuda.mem_get_info()[0] * 0.6)
