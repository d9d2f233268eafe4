"""A model's weights: loaded with an adapter that is known to be whole, or read from a GGUF file."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from semcoder_lib.core.errors import InfrastructureError, UserError
from semcoder_lib.models import tokens
from semcoder_lib.models.tokens import reason

_ADAPTER = "adapter_model.safetensors"
ARCHITECTURES = ("llama", "qwen2")
# How a byte-level vocabulary splits text first. With a rule that transformers' reader does not know
# the model would see other tokens than those it was trained on.
_SPLITS = ("qwen2", "llama-bpe", "smollm", "gpt-2", "default")
_SAME = 0.2  # a matrix and its quantised copy differ by 5 % of its norm, two matrices by 140 %


def load_model(folder: str, *, dtype: str, adapter: str | Path | None = None) -> Any:
    """A model on the CPU in evaluation mode, its adapter merged into the weights in fp32, since
    half precision rounds small changes away. Never runs code from the folder. Raises UserError
    that names what could not be loaded."""
    import torch
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging

    logging.disable_progress_bar()
    kind = getattr(torch, dtype)
    try:
        model: Any = AutoModelForCausalLM.from_pretrained(
            folder, dtype=torch.float32 if adapter else kind, trust_remote_code=False
        )
    except (OSError, ValueError) as error:
        raise UserError(f"model {folder}: cannot be loaded ({reason(error)})") from None
    if adapter is not None:
        model = with_adapter(model, Path(adapter)).merge_and_unload()
    return model.to(kind).eval()


def with_adapter(model: Any, folder: Path, *, trainable: bool = False) -> Any:
    """The model with the PEFT adapter of a folder. Raises UserError where the adapter is not a
    whole one for this model: another's names, tensors that are missing or of another shape,
    numbers that are not finite, files that cannot be read."""
    from peft import PeftModel, get_peft_model_state_dict
    from safetensors.torch import load_file

    if not (folder / "adapter_config.json").is_file():
        raise UserError(f"adapter {folder}: no adapter_config.json there")
    try:
        tensors = load_file(folder / _ADAPTER)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of missing tensors: that is an error below
            tuned: Any = PeftModel.from_pretrained(model, str(folder), is_trainable=trainable)
        expected = get_peft_model_state_dict(tuned, save_embedding_layers=False)
    except Exception as error:  # a damaged file surfaces as anything from KeyError to its own
        raise UserError(f"adapter {folder}: does not fit the model ({reason(error)})") from None
    for problem, names in (
        ("tensors that the model has no place for", tensors.keys() - expected.keys()),
        ("tensors missing", expected.keys() - tensors.keys()),
        ("tensors with NaN or inf", {n for n, t in tensors.items() if not t.isfinite().all()}),
    ):
        if names:
            raise UserError(f"adapter {folder}: {len(names)} {problem}, as {min(names)}")
    return tuned


def is_whole_model(folder: Path) -> bool:
    """Whether a folder given as an adapter holds a whole fine-tuned model instead."""
    return (folder / "config.json").is_file() and not (folder / "adapter_config.json").is_file()


def dequantise(file: Path, folder: Path) -> str:
    """Write the model and the tokenizer of a GGUF file to `folder`, in fp32, as transformers, PEFT
    and our decoder load them; returns how the file is quantised, as `Q4_K_M`. Raises UserError for
    a file that cannot be read or whose architecture or vocabulary is not known here,
    InfrastructureError where the disk is full."""
    from gguf import GGUFReader, LlamaFileType
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig
    from transformers.utils import logging

    logging.disable_progress_bar()
    keys = ("general.architecture", "tokenizer.ggml.model", "tokenizer.ggml.pre")
    place: dict[str, Any] = {"gguf_file": file.name, "trust_remote_code": False}
    exact = GgufConfig(dequantize=True)
    try:
        reader = GGUFReader(file)
        fields = [reader.get_field(key) for key in (*keys, "general.file_type")]
        kind, vocabulary, pre, number = (str(f.contents()) if f else "" for f in fields)
        quantisation = LlamaFileType(int(number or LlamaFileType.GUESSED)).name
        if kind in ARCHITECTURES and (vocabulary != "gpt2" or pre in _SPLITS):
            tokenizer: Any = AutoTokenizer.from_pretrained(str(file.parent), **place)
            model: Any = AutoModelForCausalLM.from_pretrained(
                str(file.parent), dtype="float32", quantization_config=exact, **place
            )
    except Exception as error:  # a damaged file surfaces as anything
        raise UserError(f"{file}: no GGUF file that can be read ({reason(error)})") from None
    if kind not in ARCHITECTURES:
        allowed = " or ".join(ARCHITECTURES)
        raise UserError(f"{file}: a model of architecture {kind or 'unknown'}, not of {allowed}")
    if vocabulary == "gpt2" and pre not in _SPLITS:
        raise UserError(
            f"{file}: text is split by the rule {pre or 'unknown'!r}, which is not among "
            f"{', '.join(_SPLITS)}; give the folder of the original model"
        )
    if pre == "smollm":
        _split_digits(tokenizer)
    tokens.with_padding(tokenizer, model.config.vocab_size)
    model.config.pad_token_id = model.generation_config.pad_token_id = tokenizer.pad_token_id
    model.config._name_or_path = file.stem
    _tie(model)
    try:
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    except Exception as error:  # a full disk surfaces as safetensors' own
        raise InfrastructureError(f"{folder}: cannot be written ({reason(error)})") from None
    return quantisation.removeprefix("MOSTLY_").removeprefix("ALL_")


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
