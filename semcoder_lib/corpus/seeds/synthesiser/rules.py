"""The typed expressions that programs are made of: the lines of `table` as data."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

from semcoder_lib.corpus.seeds.synthesiser.table import TABLE

ELEMENTS = ("int", "str")
LITERALS = frozenset({"k", "p", "m", "ch", "sep", "w", "chs", "fl", "width", "fillch"})


@dataclass(frozen=True, slots=True)
class Rule:
    """One production: `code` and `english` have `{0}`, `{1}`, … for the operands. `key` names its
    weight, `features` are the constructs that it adds to a program."""

    result: str
    operands: tuple[str, ...]
    code: str
    english: str
    key: str
    features: tuple[str, ...]


def _rules() -> tuple[Rule, ...]:
    made = []
    for line in TABLE.strip().splitlines():
        result, operands, code, english = _fields(line)
        kinds = split_types(operands)
        concrete = [(result, kinds)]
        if "E" in re.findall(r"\w+", result + " " + operands):
            concrete = [
                (re.sub(r"\bE\b", e, result), tuple(re.sub(r"\bE\b", e, k) for k in kinds))
                for e in ELEMENTS
            ]
        features = features_of(code.format(*"abcd"[: len(kinds)]))
        made += [Rule(r, ks, code, english, code, features) for r, ks in concrete]
    return tuple(made)


def split_types(text: str) -> tuple[str, ...]:
    """`"dict[str, int], int"` as `("dict[str, int]", "int")`."""
    parts, depth, start = [], 0, 0
    for place, sign in enumerate(text):
        depth += (sign == "[") - (sign == "]")
        if sign == "," and depth == 0:
            parts.append(text[start:place].strip())
            start = place + 1
    return (*parts, text[start:].strip())


def _fields(line: str) -> tuple[str, str, str, str]:
    """The four fields; `|` may occur in the code, with one space at each side, as an operator."""
    parts = line.split(" | ")
    return parts[0], parts[1], " | ".join(parts[2:-1]), parts[-1]


_OPERATORS = {
    ast.Mod: "%", ast.FloorDiv: "//", ast.Div: "/", ast.Pow: "**", ast.Mult: "*", ast.Add: "+",
    ast.Sub: "-", ast.BitAnd: "&", ast.BitOr: "|", ast.BitXor: "^", ast.LShift: "<<",
    ast.RShift: ">>",
}  # fmt: skip
_CONSTRUCTS = (
    ast.ListComp, ast.GeneratorExp, ast.DictComp, ast.SetComp, ast.Lambda, ast.IfExp,
    ast.JoinedStr, ast.Slice, ast.For, ast.While, ast.If, ast.Return, ast.Try, ast.Break,
    ast.Continue, ast.AugAssign, ast.BoolOp, ast.Dict, ast.List, ast.Set, ast.Tuple, ast.Raise,
    ast.Assert, ast.Delete, ast.Starred, ast.NamedExpr, ast.Subscript,
)  # fmt: skip


def features_of(source: str | ast.AST) -> tuple[str, ...]:
    """The constructs in a piece of code, with repetition: `.lower` for a method, `len()` for a
    call of a name, an operator's sign, or a node's name such as `ListComp`."""
    tree = ast.parse(source) if isinstance(source, str) else source
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Attribute):
                found.append(f".{node.func.attr}")
            elif isinstance(node.func, ast.Name):
                found.append(f"{node.func.id}()")
        elif isinstance(node, ast.BinOp):
            found.append(_OPERATORS.get(type(node.op), "@"))
        elif isinstance(node, _CONSTRUCTS):
            found.append(type(node).__name__)
    return tuple(sorted(found))


RULES = _rules()
