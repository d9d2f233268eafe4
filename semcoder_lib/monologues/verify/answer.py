"""The completed assertion of a monologue: its call and its value."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import Any

from semcoder_lib.core import values


@dataclass(frozen=True, slots=True)
class Answer:
    """`assert name(arguments) == value`; `value_text` as written. `problem` says what is wrong
    with the text, and then the other fields mean nothing."""

    name: str = ""
    arguments: tuple[Any, ...] | None = None
    value: Any = None
    value_text: str = ""
    problem: str = ""


def read(text: str) -> Answer:
    """Parse the answer block. Never raises and never evaluates."""
    if not text.strip():
        return Answer(problem="no answer")
    body = re.sub(r"^```\w*|```$", "", text.strip(), flags=re.M).strip()
    if not body.startswith("assert"):
        body = "assert " + body
    try:
        statement = ast.parse(body.split("\n")[0] if "\n" in body else body).body[0]
    except (SyntaxError, ValueError, IndexError, MemoryError, RecursionError):
        try:
            statement = ast.parse(body).body[0]
        except (SyntaxError, ValueError, IndexError, MemoryError, RecursionError):
            return Answer(problem="the answer does not parse")
    test = statement.test if isinstance(statement, ast.Assert) else None
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        test = ast.Compare(test.operand, [ast.Eq()], [ast.Constant(False)])
    if isinstance(test, ast.Call):
        test = ast.Compare(test, [ast.Eq()], [ast.Constant(True)])
    if not isinstance(test, ast.Compare) or len(test.ops) != 1:
        return Answer(problem="the answer is not an equation")
    if not isinstance(test.ops[0], ast.Eq | ast.Is) or not isinstance(test.left, ast.Call):
        return Answer(problem="the answer is not an equation")
    value_text = ast.unparse(test.comparators[0])
    try:
        value = values.decode(value_text)
    except values.NotALiteral:
        return Answer(problem="the answer's value is not a literal")
    try:
        name, arguments, named = values.parse_call(ast.unparse(test.left))
    except values.NotALiteral:
        return Answer(problem="the answer's call is not a call with literals")
    if named:
        return Answer(name, None, value, value_text, problem="named arguments")
    return Answer(name, arguments, value, value_text)
