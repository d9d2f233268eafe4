"""A trace as a tree: the iterations of its loops, which a reader can fold."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, field

from semcoder_lib.core.records import Step


@dataclass
class Loop:
    """The visits of one loop, from its first header to its end. Each iteration holds indices of
    steps and inner loops; the last one is the header's final visit, if the loop came to its end."""

    line: int
    iterations: list[list[Node]] = field(default_factory=list)


Node = int | Loop


def loop_lines(source: str) -> dict[int, int]:
    """Header line to last line, of every `for` and `while` in `source`."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {}
    return {
        node.lineno: _last_line(node)
        for node in ast.walk(tree)
        if isinstance(node, ast.For | ast.AsyncFor | ast.While) and _last_line(node) > node.lineno
    }


def _last_line(node: ast.For | ast.AsyncFor | ast.While) -> int:
    """The last line of the body: an `else` branch is no part of an iteration."""
    return node.body[-1].end_lineno or node.lineno


def grouped(steps: Sequence[Step], loops: dict[int, int]) -> list[Node]:
    """All steps, in order, with those of loops in `Loop` nodes."""
    nodes, _ = _until(steps, loops, 0, len(steps), None)
    return nodes


def _until(
    steps: Sequence[Step], loops: dict[int, int], start: int, end: int, inside: int | None
) -> tuple[list[Node], int]:
    """The nodes of `steps[start:end]`; `inside` is the index of a header that opens no loop."""
    nodes: list[Node] = []
    at = start
    while at < end:
        step = steps[at]
        if step.event == "line" and step.line in loops and at != inside:
            loop, at = _loop(steps, loops, at, end)
            nodes.append(loop)
        else:
            nodes.append(at)
            at += 1
    return nodes, at


def _loop(steps: Sequence[Step], loops: dict[int, int], start: int, end: int) -> tuple[Loop, int]:
    first = steps[start]
    last_line = loops[first.line]
    headers = [start]
    at = start + 1
    while at < end:
        step = steps[at]
        if step.frame == first.frame:
            if step.event == "line" and step.line == first.line:
                headers.append(at)
            elif step.event == "return" or not first.line <= step.line <= last_line:
                break
        elif step.depth < first.depth:
            break
        at += 1
    loop = Loop(first.line)
    for begin, finish in zip(headers, [*headers[1:], at], strict=True):
        body, _ = _until(steps, loops, begin, finish, begin)
        loop.iterations.append(body)
    return loop, at
