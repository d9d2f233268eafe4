"""Taking a program out of what a model wrote: one statement at a time, in linear time.

The text is cut into pieces that begin in column 0, each piece is compiled by itself, and what does
not compile (prose, a cut-off last line) falls away. Of the pieces that do, those are kept that the
asked function needs. EvalPlus's sanitizer is the model; `docs/scoring.md` lists where the two
differ. Nothing is executed.
"""

from __future__ import annotations

import ast
import re
import symtable
import textwrap
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from semcoder_lib.core.foreign import MAX_CHARACTERS, check_fields
from semcoder_lib.core.records import Status

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Answer:
    """What was taken out of a completion. `status` is `ok`, or with a `text` of None `no_answer`,
    or `unparseable` for a sample that is not even text; `detail` says why.

    `function` is the name of the function that the completion's own prompt asked about, where the
    text holds its prompt and the function was renamed in it; empty otherwise.
    """

    text: str | None
    status: Status = Status.OK
    function: str = ""
    detail: str = ""


def clean_code(text: str, entry_point: str, prefix: str = "") -> Answer:
    """The solution in a completion: what `entry_point` needs, in the text's order.

    Looked for in the text as a continuation of `prefix` (the code that the prompt had begun), in
    each fenced block, and in the whole text without its prose; the first of them that defines the
    function with a body counts, and takes helpers and imports that it lacks from the others. Of
    several definitions in one of them the first counts. Examples, assertions, input and output at
    module level are left out. Status `no_answer` when nothing defines the function.
    """
    text = plain(text)
    blocks = [_shifted(block, prefix) for block in fenced_blocks(text)]
    head = prefix + _until_fence(text)
    continues = prefix and text.lstrip("\n")[:1].isspace()
    pool = {source: statements(source) for source in (prefix, *blocks)}
    for source in dict.fromkeys((*([head] if continues else []), *blocks, head, text)):
        pieces = pool[source] if source in pool else statements(source)
        answer = next((p for p in pieces if entry_point in p.binds - p.stubs), None)
        if answer is not None:
            others = [p for other, parsed in pool.items() if other != source for p in parsed]
            return Answer("\n".join(_needed(answer, pieces, others, entry_point)) + "\n")
    return Answer(None, Status.NO_ANSWER)


def faithful_code(text: str, entry_point: str, prefix: str = "") -> Answer:
    """As the authors' script: the response, pre-filled with a fence and `prefix`, cut at the next
    fence; nothing else is taken away (EvalPlus's own sanitizer is a separate step)."""
    code = prefix + _until_fence(text)
    return Answer(code) if code.strip() else Answer(None, Status.NO_ANSWER)


_END = re.compile(r"<\|\w{1,40}\|>|</s>(?=\s|\Z)")


def plain(text: str) -> str:
    """The text without byte order marks, carriage returns, a draft in `<think>` tags, and whatever
    follows an end token or `MAX_CHARACTERS`."""
    text = text.replace("\ufeff", "").replace("\r\n", "\n")
    before, closing, after = text.rpartition("</think>")
    text = after if closing and after.strip() else before if closing else text
    end = _END.search(text)
    return (text[: end.start()] if end and text[: end.start()].strip() else text)[:MAX_CHARACTERS]


# --- fences ---

_FENCE = re.compile(r"([ \t]*)(`{3,}|~{3,})(.*)")


def fenced_blocks(text: str) -> list[str]:
    """The contents of all fenced blocks, whatever their language. A block ends at a fence of the
    same sign, as long and not further indented than its own; the last one may lack it."""
    blocks: list[list[str]] = []
    opening: re.Match[str] | None = None
    for line in text.split("\n"):
        fence = _FENCE.match(line)
        if opening is None:
            if fence and "`" not in fence[3]:
                opening = fence
                blocks.append([])
        elif fence and _closes(fence, opening):
            opening = None
        else:
            blocks[-1].append(line)
    return ["\n".join(lines) + "\n" for lines in blocks]


def _closes(fence: re.Match[str], opening: re.Match[str]) -> bool:
    return (
        fence[2].startswith(opening[2])
        and not fence[3].strip()
        and len(fence[1].expandtabs()) <= len(opening[1].expandtabs())
    )


def _until_fence(text: str) -> str:
    fence = re.search(r"^[ \t]*(?:```|~~~)", text, re.M)
    return text[: fence.start()] if fence and text[: fence.start()].strip() else text


def _shifted(block: str, prefix: str) -> str:
    """An indented block is the rest of the function that `prefix` began, or stands in a list."""
    first = block.lstrip("\n")
    if not first[:1].isspace():
        return block
    if prefix and not _DEFINITION.match(first.lstrip()):
        return prefix + block
    return textwrap.dedent(block)


# --- statements ---


@dataclass(frozen=True, slots=True, eq=False)
class Statement:
    """A statement of a module: the names it binds, and the global names it or what it defines
    looks up. `stubs` are functions in it that have no body yet."""

    text: str
    binds: frozenset[str]
    uses: frozenset[str]
    stubs: frozenset[str]


_DEFINITION = re.compile(r"(?:async[ \t]+def|def|class|import|from)[ \t]|@\w")
_GOES_ON = re.compile(r"(?:else|elif|except|finally)\b|#")
_LIKE_CODE = re.compile(r"[^\n]*[=(:]|(?:import|from|del)\b|@")
_LEXEME = re.compile(
    r"""#[^\n]*|\"{3}|'{3}|"(?:[^"\\\n]|\\.)*"?|'(?:[^'\\\n]|\\.)*'?|[([{]|[)\]}]|\\\n|\n""",
    re.S,
)
_CUTS = 8  # times that a piece is cut before a line that does not parse
_EFFORT = 300_000  # characters after which a piece is not cut again


def statements(text: str) -> list[Statement]:
    """The module-level statements in a text, in order; what does not compile is left out."""
    parsed: list[Statement] = []
    left = _EFFORT + len(text)  # characters that may still be compiled
    waiting = [_pieces(text)]
    while waiting and left >= 0:
        piece = next(waiting[-1], None)
        if piece is None:
            waiting.pop()
        elif _LIKE_CODE.match(piece):
            lines = piece.split("\n")
            statement, cut, work = longest(lines, _statement)
            left -= work
            if statement is not None:
                parsed.append(statement)
            if cut + 1 < len(lines):  # the line at the cut is prose; code may follow it
                waiting.append(_pieces("\n".join(lines[cut + 1 :])))
    return parsed


def _pieces(text: str) -> Iterator[str]:
    """Runs of lines that begin in column 0, outside of strings and brackets."""
    start, decorated = -1, False
    for place in _line_starts(text):
        if text[place : place + 1].isspace() or _GOES_ON.match(text, place):
            continue
        if not decorated:
            if start >= 0:
                yield text[start:place]
            start = place
        decorated = text.startswith("@", place)
    if start >= 0:
        yield text[start:]


def _line_starts(text: str) -> Iterator[int]:
    """Where lines begin, but for those within a string, brackets or after a backslash. What
    looks like a definition in column 0 is never within brackets."""
    depth = place = 0
    unclosed: set[str] = set()
    if text:
        yield 0
    while match := _LEXEME.search(text, place):
        place, lexeme = match.end(), match.group()
        if lexeme in ('"""', "'''") and lexeme not in unclosed:
            end = _closing(text, place, lexeme)
            unclosed |= {lexeme} if end == -1 else set()
            place = max(place, end)
        elif lexeme in "([{":
            depth += 1
        elif lexeme in ")]}":
            depth = max(0, depth - 1)
        elif lexeme == "\n" and place < len(text):
            if depth and _DEFINITION.match(text, place):
                depth = 0
            if not depth:
                yield place


def _closing(text: str, place: int, quotes: str) -> int:
    """Where the string ends whose inside begins at `place`; -1 where it does not."""
    while (end := text.find(quotes, place)) != -1:
        before = text[place:end]
        if (len(before) - len(before.rstrip("\\"))) % 2 == 0:
            return end + 3
        place = end + 1
    return -1


def longest(lines: list[str], read: Callable[[str], R]) -> tuple[R | None, int, int]:
    """What `read` makes of the first lines, as far as they parse: its result (None where it takes
    nothing), how many lines it took, and the characters that it was given. `read` raises
    SyntaxError for a line that cannot be part of it; then what comes before that line is tried."""
    count, work = len(lines), 0
    for _ in range(_CUTS):
        text = "\n".join(lines[:count]).rstrip()
        if not text or work > _EFFORT:
            break
        work += len(text)
        try:
            check_fields(text)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # a text can bring thousands of them
                return read(text), count, work
        except SyntaxError as error:
            count = min(count, error.lineno or 1) - 1
        except (ValueError, MemoryError, RecursionError):
            break
    return None, 0, work


def _statement(text: str) -> Statement:
    """Raises SyntaxError, and for odd texts ValueError, MemoryError or RecursionError."""
    compile(text, "<answer>", "exec", dont_inherit=True)
    module = symtable.symtable(text, "<answer>", "exec")
    binds, uses = set(), set()
    scopes = [module]
    while scopes:
        scope = scopes.pop()
        scopes += scope.get_children()
        for symbol in scope.get_symbols():
            if scope is module and (symbol.is_assigned() or symbol.is_imported()):
                binds.add(symbol.get_name())
            if symbol.is_referenced() and (scope is module or symbol.is_global()):
                uses.add(symbol.get_name())
    return Statement(text, frozenset(binds), frozenset(uses), frozenset(_stubs(text)))


def _stubs(text: str) -> Iterator[str]:
    try:
        body = ast.parse(text).body if _DEFINITION.match(text) else []
    except RecursionError:  # deeper than the compiler minds: it has a body
        return
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and all(map(_idle, node.body)):
            yield node.name


def _idle(node: ast.stmt) -> bool:
    if isinstance(node, ast.Raise):
        return "NotImplementedError" in ast.dump(node)[:99]
    return isinstance(node, ast.Pass) or (
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    )


# --- what is kept ---

# at module level these are examples, scripts and tests
_EXAMPLE = re.compile(
    r"\b(?:print|input|open|exit|quit|_exit|stdin|stdout|argv|assert|unittest|doctest|__name__)\b"
)
_COMPOUND = re.compile(r"(?:for|while|if|with|try|match)\b")
_SETUP = frozenset({"sys", "decimal", "getcontext", "random", "threading", "warnings"})
_BY_NAME = frozenset({"eval", "exec", "globals"})


def _needed(
    answer: Statement, pieces: Sequence[Statement], others: Sequence[Statement], entry_point: str
) -> list[str]:
    """The texts of the statements that the answer needs, in order. `others` give the names that
    `pieces` do not bind."""
    pieces = _without_rebinding(pieces, answer)
    bound, elsewhere = _by_name(pieces), _by_name([p for p in others if not p.stubs])
    effects = _by_name([p for p in pieces if _is_effect(p, entry_point)], "uses")
    first = (_SETUP | {entry_point}) & bound.keys()
    needed = {answer, *(p for name in first for p in effects.get(name, []))}
    resolved, waiting = {entry_point}, [*needed]
    while waiting:
        names = waiting.pop().uses - resolved
        resolved |= names
        more = {p for name in names for p in bound.get(name) or elsewhere.get(name, [])[:1]}
        more.update(p for name in names & bound.keys() for p in effects.get(name, []))
        if names & _BY_NAME:
            more.update(p for p in pieces if p.text.startswith(("def ", "class ")))
        waiting += more - needed
        needed |= more
    order = [p for p in (*others, *pieces) if p in needed]
    order.sort(key=lambda p: not p.text.startswith("from __future__"))
    return [p.text for p in order]


def _is_effect(piece: Statement, entry_point: str) -> bool:
    """Whether it may change what other statements have bound, and is no example."""
    if piece.text.startswith(f"{entry_point}."):  # an attribute of the function
        return " = " in piece.text
    if _EXAMPLE.search(piece.text) or entry_point in piece.uses:
        return False
    return not piece.binds or bool(_COMPOUND.match(piece.text))


def _without_rebinding(pieces: Sequence[Statement], answer: Statement) -> list[Statement]:
    """Without what comes after the answer and binds a name anew."""
    place = list(pieces).index(answer) + 1
    bound = {name for p in pieces[:place] for name in p.binds}
    return [*pieces[:place], *(p for p in pieces[place:] if not p.binds & bound)]


def _by_name(pieces: Sequence[Statement], role: str = "binds") -> dict[str, list[Statement]]:
    named: dict[str, list[Statement]] = {}
    for piece in pieces:
        for name in getattr(piece, role):
            named.setdefault(name, []).append(piece)
    return named
