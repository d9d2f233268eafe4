"""A tiny random model of the same architecture as the real ones, for rehearsals and tests."""

from __future__ import annotations

import keyword
from pathlib import Path
from typing import Any

_SIZES = {
    "hidden_size": 48, "intermediate_size": 96, "num_hidden_layers": 3, "num_attention_heads": 6,
    "num_key_value_heads": 2, "max_position_embeddings": 512,
}  # fmt: skip


def save_tiny(folder: Path | str, *, kind: str = "llama", seed: int = 0, **sizes: Any) -> Path:
    """Write a random model (about 0.1 M parameters; `kind` `llama`, as SmolLM2 and deepseek-coder,
    or `qwen2`) and a byte-level tokenizer with start, end and padding tokens into `folder`. `sizes`
    replaces fields of its configuration. The same seed gives the same weights."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    folder, tokenizer = Path(folder), _tokenizer()
    config = AutoConfig.for_model(
        kind,
        vocab_size=len(tokenizer),
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        tie_word_embeddings=True,
        initializer_range=0.2,
        **{**_SIZES, **sizes},
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = AutoModelForCausalLM.from_config(config)
        for name, values in model.named_parameters():
            if name.endswith("bias"):
                torch.nn.init.normal_(values, std=0.2)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def engine_of(folder: str, **options: Any) -> Any:
    """An engine of such a model, in fp32 on one thread unless a test says otherwise."""
    from semcoder_lib import models

    return models.load(folder, **{"dtype": "float32", "threads": 1, "batch": 5, **options})


def _tokenizer() -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    inner = Tokenizer(models.BPE())
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=["<pad>", "<s>", "</s>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    words = " ".join(keyword.kwlist)
    inner.train_from_iterator([f"{words} [ANSWER] assert f() == [/ANSWER]\n"] * 4, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=inner, pad_token="<pad>", bos_token="<s>", eos_token="</s>"
    )
