"""A GGUF file as a folder that transformers, PEFT and our decoder load: dequantised to fp32."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from semcoder_lib.core.errors import InfrastructureError, UserError
from semcoder_lib.models import tokens
from semcoder_lib.models.weights import reason

ARCHITECTURES = ("llama", "qwen2")
# How a byte-level vocabulary splits text first. With a rule that transformers' reader does not know
# the model would see other tokens than those it was trained on.
_SPLITS = ("qwen2", "llama-bpe", "smollm", "gpt-2", "default")
_SAME = 0.2  # a matrix and its quantised copy differ by 5 % of its norm, two matrices by 140 %


def dequantise(file: Path, folder: Path) -> str:
    """Write the model and the tokenizer of `file` to `folder`; returns how the file is quantised,
    as `Q4_K_M`. Raises UserError for a file that cannot be read or whose architecture or vocabulary
    is not known here, InfrastructureError where the disk is too full."""
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig
    from transformers.utils import logging

    logging.disable_progress_bar()
    try:
        facts, numbers = _read(file)
    except Exception as error:  # a damaged file surfaces as anything
        raise UserError(f"{file}: no GGUF file that can be read ({reason(error)})") from None
    _check(file, facts)
    needed, free = 4 * numbers + 100_000_000, shutil.disk_usage(folder).free
    if free < needed:
        raise InfrastructureError(
            f"{folder.parent}: {free / 1e9:.1f} GB free, the dequantised model needs "
            f"{needed / 1e9:.1f} GB; free some or set SEMCODER_HOME"
        )
    place: dict[str, Any] = {"gguf_file": file.name, "trust_remote_code": False}
    exact = GgufConfig(dequantize=True)
    try:
        tokenizer = AutoTokenizer.from_pretrained(str(file.parent), **place)
        model: Any = AutoModelForCausalLM.from_pretrained(
            str(file.parent), dtype="float32", quantization_config=exact, **place
        )
    except Exception as error:
        raise UserError(f"{file}: the model cannot be loaded ({reason(error)})") from None
    if facts["pre"] == "smollm":
        _split_digits(tokenizer)
    tokens.with_padding(tokenizer, model.config.vocab_size)
    model.config.pad_token_id = model.generation_config.pad_token_id = tokenizer.pad_token_id
    model.config._name_or_path = file.stem
    _tie(model)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return facts["quantisation"]


def _read(file: Path) -> tuple[dict[str, str], int]:
    """What the metadata say, and how many numbers the tensors hold."""
    from gguf import GGUFReader, LlamaFileType

    reader = GGUFReader(file)
    named = {
        "architecture": "general.architecture",
        "vocabulary": "tokenizer.ggml.model",
        "pre": "tokenizer.ggml.pre",
        "quantisation": "general.file_type",
    }
    fields = {name: reader.get_field(key) for name, key in named.items()}
    facts = {name: str(f.contents()) if f else "" for name, f in fields.items()}
    kind = LlamaFileType(int(facts["quantisation"] or LlamaFileType.GUESSED)).name
    facts["quantisation"] = kind.removeprefix("MOSTLY_").removeprefix("ALL_")
    return facts, sum(int(tensor.n_elements) for tensor in reader.tensors)


def _check(file: Path, facts: dict[str, str]) -> None:
    if facts["architecture"] not in ARCHITECTURES:
        raise UserError(
            f"{file}: a model of architecture {facts['architecture'] or 'unknown'}, not of "
            f"{' or '.join(ARCHITECTURES)}"
        )
    if facts["vocabulary"] == "gpt2" and facts["pre"] not in _SPLITS:
        raise UserError(
            f"{file}: text is split by the rule {facts['pre'] or 'unknown'!r}, which is not among "
            f"{', '.join(_SPLITS)}; give the folder of the original model"
        )


def _tie(model: Any) -> None:
    """Tie the head to the embedding again where the file holds the one matrix twice, quantised in
    two ways: the head's is the finer."""
    embedding, head = model.get_input_embeddings(), model.get_output_embeddings()
    if model.config.tie_word_embeddings or embedding.weight.shape != head.weight.shape:
        return
    if (embedding.weight - head.weight).norm() < _SAME * head.weight.norm():
        model.config.tie_word_embeddings = True
        embedding.weight = head.weight


def _split_digits(tokenizer: Any) -> None:
    """Put back the splitting of numbers into digits that the GGUF names (`smollm`) and that
    transformers' reader leaves out; without it the model sees spaces before digits otherwise than
    it was trained to."""
    from tokenizers import pre_tokenizers

    tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
        ]
    )
