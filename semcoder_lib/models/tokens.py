"""Text to tokens, the same way in training and in evaluation."""

from __future__ import annotations

from typing import Any

from semcoder_lib.core.errors import UserError


def load_tokenizer(folder: str) -> Any:
    """The model's tokenizer, with a padding token that is not its end token."""
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(folder)
    except (OSError, ValueError) as error:
        raise UserError(f"model {folder}: no tokenizer can be loaded ({_line(error)})") from None
    return with_padding(tokenizer)


def with_padding(tokenizer: Any) -> Any:
    """Give `tokenizer` a padding token distinct from its end token: its own, else its unknown
    token, else one that the vocabulary names as padding or reserved. Raises UserError when there
    is none, because a model whose padding is its end token never learns to stop (the padding is
    masked out of the loss, and the end with it)."""
    if tokenizer.eos_token_id is None:
        raise UserError("the tokenizer has no end token; set eos_token in its configuration")
    if tokenizer.pad_token_id is not None and tokenizer.pad_token_id != tokenizer.eos_token_id:
        return tokenizer
    vocabulary = tokenizer.get_vocab()
    names = ("<|endoftext|>", "<pad>", "[PAD]", "<|pad|>", "<|fim_pad|>", "<unk>")
    for name in (tokenizer.unk_token, *names):
        if name in vocabulary and vocabulary[name] != tokenizer.eos_token_id:
            tokenizer.pad_token = name
            return tokenizer
    raise UserError(
        "the tokenizer has no padding token apart from its end token; set pad_token to a token "
        "that no text contains"
    )


def encode_prompt(tokenizer: Any, prompt: str) -> list[int]:
    """The prompt's ids, with the start token where the model's own tokenizer puts one, and never
    with an end token."""
    ids = list(tokenizer(prompt, verbose=False)["input_ids"])
    while ids and ids[-1] == tokenizer.eos_token_id and not prompt.endswith(tokenizer.eos_token):
        ids.pop()
    return ids


def encode_completion(tokenizer: Any, completion: str) -> list[int]:
    """The completion's ids, tokenised apart from the prompt and followed by the end token; so the
    ids a model is trained on are those it can produce after the prompt's own ids."""
    ids = list(tokenizer(completion, add_special_tokens=False, verbose=False)["input_ids"])
    return [*ids, tokenizer.eos_token_id]


def end_ids(tokenizer: Any, model: Any) -> frozenset[int]:
    """Every id that ends a text: the model's end tokens, the tokenizer's, and padding."""
    named = getattr(model.generation_config, "eos_token_id", None)
    found = set(named if isinstance(named, list) else [named])
    found |= {tokenizer.eos_token_id, tokenizer.pad_token_id}
    return frozenset(i for i in found if i is not None)


def _line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
