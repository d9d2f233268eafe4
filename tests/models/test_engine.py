"""The local engine on tiny random models: exactness, order, stops, cache, adapters, threads."""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from tiny_model import engine_of, save_tiny
from transformers import AutoModelForCausalLM

from semcoder_lib import models
from semcoder_lib.core import scale
from semcoder_lib.core.errors import UserError
from semcoder_lib.models import Engine, Request, hardware
from semcoder_lib.models.tokens import cut

WORDS = ["def", "if x", "return 3", "lambda", "[1, 2]", "é", "while", "  ", "\n", "yield"]


def requests(count: int, **options: Any) -> list[Request]:
    draw = random.Random(3)
    return [
        Request(
            f"t{i}",
            " ".join(draw.choices(WORDS, k=draw.randint(1, 40))),
            max_new_tokens=draw.randint(1, 24),
            **options,
        )
        for i in range(count)
    ]


def texts(engine: Engine, asked: list[Request]) -> list[list[tuple[str, str, int]]]:
    return [[(c.text, c.finish, c.tokens) for c in row] for row in engine.generate(asked)]


@pytest.mark.parametrize("kind", ["llama", "qwen2"])
def test_decoder_writes_what_plain_generate_writes(tiny: Callable[[str], str], kind: str) -> None:
    asked = [*requests(24, stop=("w", "ret")), *requests(4, temperature=1.0, n=3, stop=("\n",))]
    with engine_of(tiny(kind), backend="plain", batch=7) as plain:
        expected = texts(plain, asked)
    with engine_of(tiny(kind), backend="auto") as decoder:
        assert texts(decoder, asked) == expected
    assert {finish for row in expected for _, finish, _ in row} >= {"stop", "length"}


def test_order_duplicates_batches_and_cache_memory_do_not_matter(
    engine: Engine, tiny: Callable[[str], str]
) -> None:
    asked = requests(30)
    straight = texts(engine, asked)
    order = list(range(30))
    random.Random(1).shuffle(order)
    shuffled = texts(engine, [asked[i] for i in order])
    assert [shuffled[order.index(i)] for i in range(30)] == straight
    assert texts(engine, [asked[0], asked[0]]) == [straight[0], straight[0]]
    with engine_of(tiny("llama"), batch=3) as small:
        vars(small)["cache_bytes"] = 200_000
        assert texts(small, asked) == straight


def test_stop_is_cut_exactly(engine: Engine) -> None:
    whole = engine.generate([Request("a", "def f", max_new_tokens=24)])[0][0].text
    stop = whole[5:8]
    got = engine.generate([Request("a", "def f", stop=(stop,), max_new_tokens=24)])[0][0]
    assert got.text == whole[: whole.index(stop)]
    assert got.finish == "stop"
    assert got.tokens <= 24
    assert cut("a[/X]b[Y]", ("[Y]", "[/X]")) == ("a", True)
    assert cut("abc", ("d", "")) == ("abc", False)


def test_shared_prefix_gives_the_same_texts(engine: Engine) -> None:
    start = "if x return 3 " * 12
    asked = [Request(str(i), start + w, max_new_tokens=10) for i, w in enumerate(WORDS)]
    alone = [texts(engine, [r])[0] for r in asked]
    assert texts(engine, asked) == alone


def test_samples_are_seeded_and_differ(engine: Engine) -> None:
    def sampled(seed: int, *others: Request) -> list[tuple[str, str, int]]:
        hot = Request("s", "def f", (), 12, temperature=1.0, top_p=0.9, n=4, seed=seed)
        return texts(engine, [hot, *others])[0]

    assert sampled(7, *requests(6)) == sampled(7) != sampled(8)
    assert len(set(sampled(7))) > 1


def test_cache_survives_a_kill_and_damaged_rows(tiny: Callable[[str], str], tmp_path: Path) -> None:
    asked, cache = requests(8), tmp_path / "cache.jsonl"
    with engine_of(tiny("llama"), cache=cache) as first:
        expected = texts(first, asked)
    lines = cache.read_bytes().splitlines(keepends=True)
    lines[0] = lines[0].replace(b'"text"', b'"test"')
    cache.write_bytes(b"".join(lines[:-2]) + lines[-2][:20])  # as if killed while writing
    with engine_of(tiny("llama"), cache=cache) as second:
        assert len(second._cache or ()) == 5
        assert texts(second, asked) == expected


def test_too_long_prompts_and_odd_ones_have_a_completion(engine: Engine) -> None:
    too_long, odd = engine.generate(
        [Request("long", "yield " * 600, max_new_tokens=4), Request("odd", "x \ud83d")]
    )
    assert (too_long[0].text, too_long[0].finish) == ("", "too_long")
    assert odd[0].tokens > 0


def test_a_chat_without_a_template_is_plain_paragraphs(engine: Engine) -> None:
    chat = ({"role": "system", "content": "if x"}, {"role": "user", "content": "return"})
    asked = Request("plain", "if x\n\nreturn\n", max_new_tokens=9)
    assert texts(engine, [Request("chat", "", chat=chat, max_new_tokens=9)]) == texts(
        engine, [asked]
    )


@pytest.mark.parametrize(
    ("request_", "word"),
    [
        (Request("x", ""), "empty"),
        (Request("x", "a", max_new_tokens=0), "max_new_tokens"),
        (Request("x", "a", top_p=0.0), "top_p"),
        (Request("x", "a", stop="ab"), "tuple"),  # type: ignore[arg-type]
    ],
)
def test_senseless_requests_are_refused(engine: Engine, request_: Request, word: str) -> None:
    with pytest.raises(UserError, match=word):
        engine.generate([request_])


def test_unknown_names_are_refused(tmp_path: Path) -> None:
    for model, word in (
        ("nonsense", "neither smollm2-135m"),
        (str(tmp_path), r"config\.json"),
        (str(tmp_path / "none.gguf"), "neither smollm2-135m"),
    ):
        with pytest.raises(UserError, match=word):
            models.load(model)
    with pytest.raises(UserError, match="dtype"):
        hardware.probe(dtype="int8")
    with pytest.raises(UserError, match="backend"):
        models.load(backend="magic")


@pytest.mark.parametrize("kind", ["llama", "evil"])
def test_a_folder_never_runs_code_of_its_own(tmp_path: Path, kind: str) -> None:
    folder, mark = save_tiny(tmp_path / "evil"), tmp_path / "ran"
    (folder / "evil.py").write_text(f"open({str(mark)!r}, 'w')\nclass C: pass\n")
    config = (folder / "config.json").read_text().replace('"llama"', f'"{kind}"')
    own = '{"auto_map": {"AutoConfig": "evil.C", "AutoModelForCausalLM": "evil.C"},'
    (folder / "config.json").write_text(config.replace("{", own, 1))
    expected = pytest.raises(UserError) if kind == "evil" else contextlib.nullcontext()
    with expected:
        engine_of(str(folder)).close()
    assert not mark.exists()


@pytest.fixture(scope="module")
def adapter(tiny: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    model: Any = AutoModelForCausalLM.from_pretrained(tiny("llama"))
    tuned = get_peft_model(model, LoraConfig(r=2, target_modules="all-linear"))
    folder = tmp_path_factory.mktemp("adapters") / "whole"
    tuned.save_pretrained(str(folder))
    return folder


def damaged(name: str, tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    first = min(tensors)
    if name == "unknown":
        return {key.replace("layers.0", "layers.9"): value for key, value in tensors.items()}
    if name == "missing":
        return {key: value for key, value in tensors.items() if "layers.1" not in key}
    if name == "shape":
        return {**tensors, first: tensors[first][:, :-1].contiguous()}
    return {**tensors, first: tensors[first] * float(name)}


@pytest.mark.parametrize(
    ("damage", "word"),
    [
        ("unknown", "no place for"),
        ("missing", "tensors missing, as base_model.*layers.1"),
        ("nan", "NaN or inf"), ("inf", "NaN or inf"), ("none", "adapter_config"),
        ("shape", "does not fit"), ("cut", "does not fit"), ("config", "does not fit"),
    ],
)  # fmt: skip
def test_an_adapter_that_is_not_whole_is_refused_in_one_line(
    tiny: Callable[[str], str], adapter: Path, tmp_path: Path, damage: str, word: str
) -> None:
    weights = (adapter / "adapter_model.safetensors").read_bytes()
    config = "[]" if damage == "config" else (adapter / "adapter_config.json").read_text()
    if damage != "none":
        (tmp_path / "adapter_config.json").write_text(config)
    if damage in ("cut", "config", "none"):
        (tmp_path / "adapter_model.safetensors").write_bytes(weights[: len(weights) // 2])
    else:
        tensors = damaged(damage, load_file(adapter / "adapter_model.safetensors"))
        save_file(tensors, tmp_path / "adapter_model.safetensors")
    with pytest.raises(UserError, match=word) as caught:
        engine_of(tiny("llama"), adapter=tmp_path)
    assert "\n" not in str(caught.value)


def test_threads_follow_statement_and_load(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert hardware.cores() == hardware.free_cores() == 1
    monkeypatch.delenv("OMP_NUM_THREADS")
    monkeypatch.setattr(scale, "cores", lambda: 8)
    monkeypatch.setattr(scale, "idle_seconds", lambda: 0.0)
    assert hardware.free_cores(0.01) == 1
    ticks = iter([0.0, 0.0, 0.0, 1e9])  # busy at first, as where a notebook has just ended
    monkeypatch.setattr(scale, "idle_seconds", lambda: next(ticks))
    assert hardware.free_cores(0.01) == 8


def test_threads_are_chosen_anew_while_something_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(scale, "cores", lambda: 4)
    chosen: list[int] = []
    monkeypatch.setattr(torch, "set_num_threads", chosen.append)
    # (wall, own processor time, idle time of all cores): another program ends, then three begin
    looks = iter([(0.0, 0.0, 0.0), (10.0, 10.0, 30.0), (20.0, 21.0, 30.5), (21.0, 22.0, 30.5)])
    now = [next(looks)]
    monkeypatch.setattr(hardware.Threads, "_now", staticmethod(lambda: now[0]))
    monkeypatch.setattr(time, "perf_counter", lambda: now[0][0])
    threads = hardware.Threads(2, stated=False)
    stated = hardware.Threads(2, stated=True)
    del chosen[:]
    monkeypatch.setattr(torch, "get_num_threads", lambda: (chosen or [2])[-1])
    for look in looks:
        now[0] = look
        threads.look()
        stated.look()
    assert chosen == [4, 1]
