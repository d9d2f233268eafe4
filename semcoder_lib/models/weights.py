"""A model's weights in memory, with an adapter that is known to be whole."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from semcoder_lib.core.errors import UserError

_ADAPTER = "adapter_model.safetensors"


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


def reason(error: BaseException) -> str:
    """What another library's exception says, in one line."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
