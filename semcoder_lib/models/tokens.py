"""Text to tokens, the same way in training and in evaluation, and where a text ends."""

from __future__ import annotations

from typing import Any

from semcoder_lib.core.errors import UserError

_PADDING = (
    "<|endoftext|>", "<pad>", "[PAD]", "<|pad|>", "<|fim_pad|>", "<|finetune_right_pad_id|>",
    "<|reserved_special_token_0|>", "<unk>",
)  # fmt: skip


def load_tokenizer(folder: str) -> Any:
    """The tokenizer of a model's folder, with a padding token that is not its end token."""
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    except (OSError, ValueError) as error:
        raise UserError(f"model {folder}: no tokenizer can be loaded ({reason(error)})") from None
    return with_padding(tokenizer)


def with_padding(tokenizer: Any, size: int | None = None) -> Any:
    """Give `tokenizer` a padding token distinct from its end token: its own, else its unknown
    token, else one that the vocabulary names as padding or reserved; always among the model's
    first `size` tokens. Raises UserError when there is none, because a model whose padding is its
    end token never learns to stop (the padding is masked out of the loss, and the end with it)."""
    if tokenizer.eos_token_id is None:
        raise UserError("the tokenizer has no end token; set eos_token in its configuration")
    vocabulary = tokenizer.get_vocab()
    for name in (tokenizer.pad_token, tokenizer.unk_token, *_PADDING):
        place = vocabulary.get(name, tokenizer.eos_token_id)
        if place != tokenizer.eos_token_id and (size is None or place < size):
            tokenizer.pad_token = name
            return tokenizer
    raise UserError(
        "the tokenizer has no padding token apart from its end token; set pad_token to a token "
        "that no text contains"
    )


def encode_prompt(tokenizer: Any, prompt: str) -> list[int]:
    """The prompt's ids, with the start token where the model's own tokenizer puts one, and never
    with an end token that the prompt does not hold. Special tokens are read as such, as the
    model's chat form needs; a lone surrogate, which no tokenizer takes, as a question mark."""
    prompt = prompt.encode("utf-8", "replace").decode()
    ids = list(tokenizer(prompt, verbose=False)["input_ids"])
    while ids and ids[-1] == tokenizer.eos_token_id and not prompt.endswith(tokenizer.eos_token):
        ids.pop()
    return ids


def encode_completion(tokenizer: Any, completion: str) -> list[int]:
    """The completion's ids, tokenised apart from the prompt and followed by the end token; so the
    ids a model is trained on are those it can produce after the prompt's own ids. The name of a
    special token in it is text like any other."""
    plain = {"add_special_tokens": False, "split_special_tokens": True, "verbose": False}
    return [*tokenizer(completion, **plain)["input_ids"], tokenizer.eos_token_id]


def end_ids(tokenizer: Any, model: Any) -> frozenset[int]:
    """Every id that ends a text: the model's end tokens, the tokenizer's, and padding."""
    named = getattr(model.generation_config, "eos_token_id", None)
    ids = {*(named if isinstance(named, list) else [named])}
    ids |= {tokenizer.eos_token_id, tokenizer.pad_token_id}
    return frozenset(i for i in ids if i is not None)


def decode(tokenizer: Any, ids: list[int]) -> str:
    """The text of ids, without special tokens."""
    return str(tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False))


def cut(text: str, stop: tuple[str, ...]) -> tuple[str, bool]:
    """The text before the first stop string in it, and whether there was one."""
    places = [place for s in stop if s and (place := text.find(s)) >= 0]
    return (text[: min(places)], True) if places else (text, False)


def tail_tokens(stop: tuple[str, ...]) -> int:
    """How many last tokens must be looked at to see a stop string that ends in the newest: every
    token holds at least one byte, plus room for a character split over tokens."""
    return max((len(s.encode()) for s in stop), default=0) + 4


def reason(error: BaseException) -> str:
    """What another library's exception says, in one line."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
