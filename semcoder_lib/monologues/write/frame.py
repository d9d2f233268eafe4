"""The recorded state of one activation, as names that expressions are evaluated over."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from semcoder_lib.core import values
from semcoder_lib.core.records import Change
from semcoder_lib.monologues.evaluator import Cannot, equal
from semcoder_lib.monologues.show import decoded
from semcoder_lib.monologues.syntax import Syntax
from semcoder_lib.monologues.write.plan import Activation

DECODE_UP_TO = 4_000  # characters of a value's text


class Frame:
    """Names to recorded texts (`texts`), decoded when an expression asks. `outer` holds what the
    whole execution shares: the module's data."""

    def __init__(self, syntax: Syntax, function: str, outer: dict[str, Change]) -> None:
        self.syntax = syntax
        self.function = function
        self.texts: dict[str, Change] = {}
        self.outer = outer
        self.calls: list[Activation] = []  # made by the statement that is being told

    def apply(self, changes: Iterable[Change]) -> None:
        for change in changes:
            known = self.outer if change.scope == "global" else self.texts
            if change.text is None:
                known.pop(change.name, None)
            else:
                known[change.name] = change

    def text(self, name: str) -> Change | None:
        return self.texts.get(name) or self.outer.get(name)

    def lookup(self, name: str) -> Any:
        """The value of a name or of a recorded attribute (`self.total`)."""
        change = self.text(name)
        if change is None:
            if name in self.syntax.constants:
                return self.syntax.constants[name]
            raise Cannot(f"no value of {name}")
        if not change.exact or change.text is None or len(change.text) > DECODE_UP_TO:
            raise Cannot(f"{name} has no exact text")
        return _value(change.text)

    def defines(self, name: str) -> bool:
        return bool(self.text(name)) or name in self.syntax.constants or name in self.syntax.defined

    def call(self, name: str, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        """What the statement's own call of `name` with these arguments returned. Raises Cannot
        where it made none, or several that returned different values."""
        results: list[Any] = []
        for activation in self.calls:
            result = activation.result
            if activation.call.function != name or activation.generator:
                continue
            if _is_called_with(activation, arguments, keywords):
                if result is None or not result.exact:
                    raise Cannot(f"no result of {name}")
                results.append(_value(result.value or "None"))
        if not results or not all(equal(results[0], r) for r in results[1:]):
            raise Cannot(f"no single result of {name}")
        return results[0]


def _is_called_with(
    activation: Activation, arguments: tuple[Any, ...], keywords: dict[str, Any]
) -> bool:
    given = [c for c in activation.call.changes if c.scope == "local"]
    if len(given) < len(arguments):
        return False
    pairs = [*zip(given, arguments, strict=False)]
    by_name = {c.name: c for c in given}
    pairs += [(by_name[k], v) for k, v in keywords.items() if k in by_name]
    return all(c.exact and c.text is not None and equal(_value(c.text), v) for c, v in pairs)


def _value(text: str) -> Any:
    try:
        return decoded(text)
    except values.NotALiteral:
        raise Cannot("a value without an exact text") from None
