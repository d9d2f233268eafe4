"""What holds whenever a condition on the arguments does: a value returned, an exception raised."""

from __future__ import annotations

import ast
import re

from semcoder_lib.monologues.verify.evaluate import literal, names_of, parse
from semcoder_lib.monologues.verify.runs import Runs, Verdict

_RAISES = re.compile(
    r"(?:`?\w+`?|the function|it) (?:always )?raises (?:an? )?`?(\w+)`?(?: error)? (?:when|if|whenever) (.+)$",
    re.I,
)
_WHEN_RETURNS = re.compile(
    r"(?:if|when|whenever) (?P<c>.+?), (?:then )?(?:the function|it|`?\w+`?|the (?:result|output)) (?:will |always |simply |immediately |also )*(?:returns?|is|be|return)(?: also| an?| the)? (?P<v>.+)$",
    re.I,
)
_RETURNS_WHEN = re.compile(
    r"(?:the function|it|`?\w+`?) (?:will |always |simply |immediately )*(?:returns?)(?: an?| the)? (?P<v>.+?) (?:if|when|whenever) (?P<c>.+)$",
    re.I,
)
_EMPTY_WORDS = {"an empty string": "''", "empty string": "''", "an empty list": "[]", "empty list": "[]",
                "an empty dictionary": "{}", "empty dictionary": "{}", "an empty dict": "{}",
                "empty dict": "{}", "an empty tuple": "()", "empty tuple": "()"}  # fmt: skip
_CONDITIONS = (
    (r"(\w+) is empty", "len({0}) == 0"),
    (r"(\w+) is not empty", "len({0}) > 0"),
    (r"(\w+) is (?:zero)", "{0} == 0"),
    (r"(\w+) is negative", "{0} < 0"),
    (r"(\w+) is positive", "{0} > 0"),
    (r"(\w+) is even", "{0} % 2 == 0"),
    (r"(\w+) is odd", "{0} % 2 == 1"),
    (r"(\w+) is an empty (?:string|list|dict|dictionary|tuple|set)", "len({0}) == 0"),
    (r"(\w+) is (?:not found|not present|not) in (\w+)", "{0} not in {1}"),
    (r"(\w+) is (?:found |present )?in (\w+)", "{0} in {1}"),
    (r"(\w+) (?:is less than|is smaller than) (-?\w+)", "{0} < {1}"),
    (r"(\w+) (?:is greater than|is larger than) (-?\w+)", "{0} > {1}"),
    (
        r"(\w+) (?:is|equals|is equal to) (-?\d+|None|True|False|'[^']*'|\"[^\"]*\")",
        "{0} == {1}",
    ),
    (r"(\w+) has (?:only )?(?:one|1|a single) (?:item|element|character)", "len({0}) == 1"),
)


def decide_implication(runs: Runs, text: str) -> Verdict | None:
    """`if n is 0, it returns []`, `it raises KeyError when k is not in d`; None when the text is
    neither."""
    match = _RAISES.match(text)
    if match:
        code = _condition(runs, match.group(2))
        return (
            (None, "condition not understood")
            if code is None
            else runs.when(code, "exception", match.group(1))
        )
    match = _WHEN_RETURNS.match(text) or _RETURNS_WHEN.match(text)
    if not match:
        return None
    code = _condition(runs, match.group("c"))
    words = match.group("v").strip().rstrip(".").strip("` ")
    if words.lower() in _EMPTY_WORDS:
        words = _EMPTY_WORDS[words.lower()]
    words = re.sub(
        r"^(?:an? |the )?(?:empty )?(?:list|string|dictionary|dict|tuple|value) `?(?=[\[\"'({\d])",
        "",
        words,
    )
    if code is None:
        return None, "condition not understood"
    if literal(words) is not None:
        return runs.when(code, "ok", literal(words)[0])  # type: ignore[index]
    if words in runs.parameters:
        return runs.when(code, "ok", words, by_name=True)
    return None, "value not understood"


def _condition(runs: Runs, words: str) -> str | None:
    """A condition in words, as code over the parameters."""
    text = words.strip().rstrip(".").replace("`", "").strip()
    text = re.sub(
        r"^(?:the )?(?:input |argument |parameter |list |string |dictionary )(?=\w+ (?:is|has))",
        "",
        text,
    )
    if (
        re.match(r"(?:the )?(?:input|argument)(?: \w+)? is empty$", words.strip().replace("`", ""))
        and len(runs.parameters) == 1
    ):
        text = f"{runs.parameters[0]} is empty"
    for pattern, code in _CONDITIONS:
        match = re.fullmatch(pattern, text)
        if match and match.group(1) in runs.parameters:
            return code.format(*match.groups())
    node = parse(text)
    if (
        node is not None
        and isinstance(node, ast.Compare | ast.BoolOp | ast.UnaryOp)
        and names_of(text) <= set(runs.parameters)
    ):
        return text
    return None
