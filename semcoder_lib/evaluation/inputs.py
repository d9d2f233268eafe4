"""MBPP+'s inputs as Python has them: JSON knows no tuples, sets or complex numbers, so the release
stores lists and text, and the shapes of some tasks have to be restored (as EvalPlus does)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Input = list[Any]


def _each(inp: Input) -> Input:
    """Every argument is a tuple."""
    return [tuple(argument) for argument in inp]


def _lists_of_tuples(inp: Input) -> Input:
    """Every argument is a list of tuples."""
    return [[tuple(item) for item in argument] for argument in inp]


def _tuples_of_tuples(inp: Input) -> Input:
    return [tuple(argument) for argument in _lists_of_tuples(inp)]


def _first_list_of_tuples(inp: Input) -> Input:
    return [[tuple(item) for item in inp[0]], inp[1]]


def _second_tuple(inp: Input) -> Input:
    return [inp[0], tuple(inp[1])]


def _first_tuple(inp: Input) -> Input:
    return [tuple(inp[0]), *inp[1:]]


def _sets(inp: Input) -> Input:
    """A list of sets; an empty one is a dict, as the task's author wrote `{}`."""
    return [[set(x) if isinstance(x, list) and len(x) else {} for x in inp[0]]]


def _float_and_complex(inp: Input) -> Input:
    return [float(inp[0]), complex(inp[1])]


def _complex(inp: Input) -> Input:
    return [complex(inp[0])]


def _mixed_tuple(inp: Input) -> Input:
    """A tuple whose lists are tuples, too."""
    return [tuple(tuple(x) if isinstance(x, list) else x for x in inp[0])]


def _dict_of_tuples(inp: Input) -> Input:
    return [{key: tuple(value) for key, value in inp[0].items()}, *inp[1:]]


def _deep(item: Any) -> Any:
    return tuple(_deep(x) for x in item) if isinstance(item, list) else item


def _all_tuples(inp: Input) -> Any:
    return _deep(inp)


_SHAPES: tuple[tuple[Callable[[Input], Any], str], ...] = (
    (
        _each,
        "2 116 132 143 222 261 273 394 399 421 424 429 470 560 579 596 616 630 726 740 744 809",
    ),
    (_lists_of_tuples, "63 64 70 94 120 237 272 299 400 409 417 438 473 614 780"),
    (_tuples_of_tuples, "259 401 445"),
    (_first_list_of_tuples, "75 413 444 753"),
    (_second_tuple, "106 750"),
    (_first_tuple, "250 307 405 446 617 720 763 808"),
    (_sets, "115"),
    (_float_and_complex, "124"),
    (_complex, "252"),
    (_mixed_tuple, "278"),
    (_dict_of_tuples, "722"),
    (_all_tuples, "580 615 791"),
)
_BY_TASK = {f"Mbpp/{number}": shape for shape, numbers in _SHAPES for number in numbers.split()}


def restored(task_id: str, inputs: list[Input]) -> list[tuple[Any, ...]]:
    """The inputs of a task as tuples of positional arguments."""
    shape = _BY_TASK.get(task_id)
    return [tuple(inp if shape is None else shape(inp)) for inp in inputs]
