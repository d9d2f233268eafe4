"""The teller of one expression: what it has said so far, over which values."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any, ClassVar

from semcoder_lib.monologues.evaluate import Env, Once, Unknown, closure, evaluate
from semcoder_lib.monologues.show import NotShown, show

SPELL_UP_TO = 20
UNROLL_UP_TO = 8


class Working:
    """Sub-steps over one environment. `detail` 0 keeps only the last sub-step of an expression."""

    tellers: ClassVar[dict[type, Callable[[Working, Any], str]]] = {}  # by kind of node

    def __init__(self, env: Env, detail: int = 1, limit: int = 100) -> None:
        self.env = env
        self.detail = detail
        self.limit = limit
        self.steps: list[str] = []
        self.depth = 0
        self.lefts: dict[int, str] = {}  # subscripts with their keys' values put in

    def tell(self, node: ast.expr) -> tuple[list[str], Any]:
        """Sub-steps and value of `node`. Raises `Unknown`."""
        self.steps = []
        self.depth = 0
        value = evaluate(node, self.env)
        try:
            self.atom(node)
            if self.steps and self.detail < 2 and isinstance(node, ast.Subscript | ast.Call):
                self.steps[-1] = without_result(self.steps[-1], value)
        except (Unknown, NotShown):
            self.steps = []
        except Exception as error:
            raise Unknown(type(error).__name__) from None
        return self.steps, value

    def show(self, value: Any) -> str:
        if isinstance(value, Once):
            raise NotShown("an iterator")
        return show(value, self.limit)

    def say(self, text: str) -> None:
        self.steps.append(text)

    def value(self, node: ast.expr) -> Any:
        return closure(node)(self.env)

    def atom(self, node: ast.expr) -> str:
        """Says how `node` comes about, and returns the text of its value."""
        teller = self.tellers.get(type(node))
        if teller is None:
            return self.show(self.value(node))
        self.depth += 1
        told = teller(self, node)
        self.depth -= 1
        return told


def without_result(step: str, value: Any) -> str:
    """The last sub-step without its result, which the sentence around it states anyway; numbers
    and truth values stay, being short."""
    if isinstance(value, int | float) or value is None:
        return step
    head, found, _ = step.rpartition(", so ")
    return (
        head
        if found and (" backwards is " in head or " becomes " in head or head[:2] == "0:")
        else step
    )


def is_plain(node: ast.expr) -> bool:
    return isinstance(node, ast.Name | ast.Constant) or (
        isinstance(node, ast.UnaryOp) and isinstance(node.operand, ast.Constant)
    )


def wrapped(text: str) -> str:
    return f"({text})" if text.startswith("-") else text


def source_of(node: ast.AST) -> str:
    made: str | None = getattr(node, "source_of", None)
    if made is None:
        made = ast.unparse(node)
        node.source_of = made  # type: ignore[attr-defined]
    return made
