"""Taking a program out of what a model wrote."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

from semcoder_lib.core.records import Status


@dataclass(frozen=True, slots=True)
class Answer:
    """What was taken out of a completion. `status` is `ok`, or `no_answer` with `text` None.

    `function` is the name of the function that the completion's own prompt asked about, where the
    text holds its prompt and the function was renamed in it; empty otherwise.
    """

    text: str | None
    status: Status = Status.OK
    function: str = ""


_FENCE = re.compile(r"^[ \t]*```[ \t]*([A-Za-z0-9_+-]*)[ \t]*\n(.*?)(?:^[ \t]*```|\Z)", re.M | re.S)
_MAX_LINES = 2_000


def clean_code(text: str, entry_point: str, prefix: str = "") -> Answer:
    """The solution in a completion.

    Tried in order: the first fenced block that defines `entry_point` (of Python, or with no
    language); the text as a continuation of `prefix` (the code that the prompt had begun), cut at
    the next fence and at the last line that still parses; the whole text. Top-level statements
    that only run things (prints, asserts, a `__main__` block) are dropped. Status `no_answer` when
    nothing of this defines the function.
    """
    blocks = [code for language, code in _FENCE.findall(text) if language.lower() in _PYTHON]
    whole = prefix + _until_fence(text)
    candidates = [*blocks, *([whole] if prefix else []), *([] if prefix else [whole, text])]
    candidates += [prefix + block for block in blocks if prefix]
    for candidate in candidates:
        tree = _parsed(candidate)
        if tree is not None and _defines(tree, entry_point) and not _only_stub(tree, entry_point):
            return Answer(_kept(tree))
    return Answer(None, Status.NO_ANSWER)


def faithful_code(text: str, entry_point: str, prefix: str = "") -> Answer:
    """As the authors' script: the response, pre-filled with a fence and `prefix`, cut at the next
    fence; nothing else is taken away (EvalPlus's own sanitizer is a separate step)."""
    code = prefix + _until_fence(text)
    return Answer(code) if code.strip() else Answer(None, Status.NO_ANSWER)


def first_block(text: str) -> str | None:
    """The first fenced block, whatever its language; None where there is none."""
    found = _FENCE.search(text)
    return found.group(2) if found else None


_PYTHON = ("", "python", "py", "python3")


def _until_fence(text: str) -> str:
    found = re.search(r"^[ \t]*```", text, re.M)
    return text[: found.start()] if found and text[: found.start()].strip() else text


def _parsed(code: str) -> ast.Module | None:
    """The longest run of whole lines from the start that parses."""
    lines = code.split("\n")[:_MAX_LINES]
    count = len(lines)
    while count > 0:
        try:
            return ast.parse("\n".join(lines[:count]))
        except SyntaxError as error:
            # what comes after the error cannot mend it, so go back at least to its line
            count = min(count - 1, error.lineno) if error.lineno else count - 1
        except (ValueError, MemoryError, RecursionError):
            return None
    return None


def _defines(tree: ast.Module, name: str) -> bool:
    return any(name in _names(node) for node in tree.body)


def _names(node: ast.stmt) -> set[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {node.name}
    if isinstance(node, ast.Assign):
        return {t.id for t in node.targets if isinstance(t, ast.Name)}
    return set()


def _only_stub(tree: ast.Module, name: str) -> bool:
    """Whether the function has a docstring and nothing else: the model added nothing."""
    for node in reversed(tree.body):
        if isinstance(node, ast.FunctionDef) and node.name == name:
            first = node.body[0]
            return len(node.body) == 1 and _is_text(first) and ast.get_docstring(node) is not None
    return False


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _kept(tree: ast.Module) -> str:
    kinds = (
        ast.FunctionDef,
        ast.AsyncFunctionDef,
        ast.ClassDef,
        ast.Import,
        ast.ImportFrom,
        ast.Assign,
        ast.AnnAssign,
        ast.AugAssign,
        ast.Try,
        ast.With,
    )
    body: list[ast.stmt] = [
        n for n in tree.body if isinstance(n, kinds) or (isinstance(n, ast.If) and not _main(n))
    ]
    return ast.unparse(ast.Module(body, [])) + "\n"


def _main(node: ast.If) -> bool:
    return "__name__" in ast.unparse(node.test)
