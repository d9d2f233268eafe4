"""Taking the answer out of text that completes `assert f(...) == ...`.

Two extractions: `faithful` follows the authors' post-processing step by step, quote rewriting
included (`experiments/process_cruxeval.py` of their repository), because their published scores
went through it; `clean` is ours, rewrites nothing, and splits the assertion where Python would.
"""

from __future__ import annotations

import ast
import re

from semcoder_lib.core.records import Status
from semcoder_lib.models.extraction import Answer, longest

_OPEN, _CLOSE, _PROBLEM = "[ANSWER]", "[/ANS", "[PYTHON]"
_FENCE = re.compile(r"```[a-zA-Z]*\n?")
_PROMPT_CALL = re.compile(r"^assert\s+([A-Za-z_]\w*)\s*\(", re.MULTILINE)
_BARE = re.compile(r"\s*(assert\s|[A-Za-z_]\w*\(.*==)")  # a completion after "[ANSWER]\n"
_MOST = 200_000  # characters of the end of a text that are looked at


def faithful_answer(text: str, direction: str) -> Answer:
    """The answer as the authors' script takes it out. `direction` is "output" or "input"."""
    if "\nANSWER]" in text:
        start = text.rfind("ANSWER]") + len("ANSWER]")
    else:  # the script's guard against "not found" comes after the addition and never fires
        start = text.rfind(_OPEN) + len(_OPEN)
    end = text.rfind(_CLOSE)
    if end == -1 or end < start:
        end = len(text)
    answer = text[start:end]
    if "==" in answer:
        answer = answer.split("==")[1 if direction == "output" else 0].strip()
    if "assert" in answer:
        answer = answer.split("assert")[1].strip()
    answer = answer.replace('"', "'")
    return Answer(answer, Status.OK, asked_function(text))


def clean_answer(text: str, direction: str) -> Answer:
    """The answer in a completion: the value after `==` (output) or the call before it (input).

    Looks in the last `[ANSWER]` block (an unclosed one reaches to the end), but not in a problem
    that the completion went on to pose itself; else takes a text that is one assertion. Status
    `no_answer` when there is neither or the block is empty.
    """
    text = _own(text)
    function = asked_function(text)
    block = _FENCE.sub("", _block(text[-_MOST:])).replace("```", "").strip()
    chosen = block
    if block:
        left, right = _sides(block)
        side = right if direction == "output" else left
        # without "==" it is the bare value or call
        chosen = (_after_assert(block) if side is None else side).strip()
    if not chosen or chosen == "??" or (direction == "input" and "??" in chosen):
        return Answer(None, Status.NO_ANSWER, function)
    return Answer(chosen, Status.OK, function)


def asked_function(text: str) -> str:
    """The function that the prompt inside `text` asks about, or "": the name in the first
    `assert NAME(` line whose call or value is `??`."""
    for match in _PROMPT_CALL.finditer(text):
        line_end = text.find("\n", match.end())
        if "??" in text[match.end() : line_end if line_end != -1 else len(text)]:
            return match.group(1)
    return ""


def _own(text: str) -> str:
    """A completion without the problems that it poses after its answer. Where a problem comes
    first, the text begins with its prompt, whose examples come before the answer; the authors'
    prompt names the tags before it, with "and" between them."""
    problem, close = text.find(_PROBLEM), text.find(_CLOSE)
    if problem == -1 or not -1 < close < problem:
        return text
    answer = text[:close].rpartition(_OPEN)[2].strip()
    return text[:problem] if answer not in ("", "and") else text


def _block(text: str) -> str:
    start, close = text.rfind(_OPEN), text.rfind(_CLOSE)
    if start > close:  # unclosed: the stop string was cut off
        return text[start + len(_OPEN) :]
    if close != -1:
        start = text.rfind(_OPEN, 0, close)
        if start != -1:
            return text[start + len(_OPEN) : close]
        # the opening tag belongs to the prompt and was not generated
        reasoning = text.rfind("[/MONOLOGUE]", 0, close)
        return text[reasoning + len("[/MONOLOGUE]") if reasoning != -1 else 0 : close]
    return text if _BARE.match(text) else ""


def _after_assert(block: str) -> str:
    """The block from its first assertion on, without the word."""
    first = re.search(r"^[ \t]*assert\b", block, re.MULTILINE)
    return block[first.end() :].strip() if first else block


def _sides(block: str) -> tuple[str | None, str | None]:
    """Both sides of the `==` of the block's first assertion, as source text. Lines after it that
    are not Python (a remark, say) are left out."""
    whole = _after_assert(block)
    lines = whole.split("\n")
    tree, count, _ = longest(lines, lambda text: ast.parse(f"assert {text}"))
    node = tree.body[0] if tree is not None else None
    if not isinstance(node, ast.Assert):
        return _split_by_text(whole)
    text, test = "\n".join(lines[:count]), node.test
    if isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], ast.Eq):
        sides = (
            ast.get_source_segment(f"assert {text}", x) for x in (test.left, *test.comparators)
        )
        return next(sides), next(sides)
    return _split_by_text(text)  # `== 1 or True`: the scorer shall see all of it


def _split_by_text(text: str) -> tuple[str | None, str | None]:
    """For text that does not parse: split at the first `==` outside quotes and brackets, else at
    the first one of all."""
    quote, depth, position = "", 0, -1
    for i, char in enumerate(text):
        if quote:
            if char == quote and text[i - 1] != "\\":
                quote = ""
        elif char in "'\"":
            quote = char
        elif char in "([{":
            depth += 1
        elif char in ")]}":
            depth -= 1
        elif char == "=" and depth == 0 and text[i : i + 2] == "==":
            position = i
            break
    if position == -1:
        position = text.find("==")
    if position == -1:
        return None, None
    return text[:position].strip(), text[position + 2 :].strip()
