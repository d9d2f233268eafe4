"""MBPP+'s inputs as Python has them: JSON knows no tuples, sets or complex numbers, so the release
stores lists and text, and the shapes of some tasks have to be restored (as EvalPlus does)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Shape = Callable[[Any], Any]


def _each(shape: Shape) -> Shape:
    """Every argument gets the shape."""
    return lambda arguments: [shape(x) for x in arguments]


def _at(place: int, shape: Shape) -> Shape:
    """One argument gets it."""
    return lambda arguments: [shape(x) if i == place else x for i, x in enumerate(arguments)]


def _tuples(items: Any) -> list[Any]:
    return [tuple(item) for item in items]


def _deep(item: Any) -> Any:
    return tuple(map(_deep, item)) if isinstance(item, list) else item


def _sets(items: Any) -> list[Any]:
    """A list of sets; an empty one is a dict, as the task's author wrote `{}`."""
    return [set(x) if isinstance(x, list) and x else {} for x in items]


_SHAPES: tuple[tuple[str, Shape], ...] = (
    (
        "2 116 132 143 222 261 273 394 399 421 424 429 470 560 579 596 616 630 726 740 744 809",
        _each(tuple),
    ),
    ("63 64 70 94 120 237 272 299 400 409 417 438 473 614 780", _each(_tuples)),
    ("259 401 445", _each(lambda x: tuple(_tuples(x)))),
    ("75 413 444 753", _at(0, _tuples)),
    ("106 750", _at(1, tuple)),
    ("250 307 405 446 617 720 763 808", _at(0, tuple)),
    ("115", _at(0, _sets)),
    ("124", lambda arguments: [float(arguments[0]), complex(arguments[1])]),
    ("252", _at(0, complex)),
    ("278", _at(0, lambda x: tuple(tuple(y) if isinstance(y, list) else y for y in x))),
    ("722", _at(0, lambda x: {key: tuple(value) for key, value in x.items()})),
    ("580 615 791", _deep),
)
_BY_TASK = {f"Mbpp/{number}": shape for numbers, shape in _SHAPES for number in numbers.split()}


def restored(task_id: str, inputs: list[list[Any]]) -> list[tuple[Any, ...]]:
    """The inputs of a task as tuples of positional arguments."""
    shape = _BY_TASK.get(task_id, tuple)
    return [tuple(shape(arguments)) for arguments in inputs]
