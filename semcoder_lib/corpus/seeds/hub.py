"""Rows of the hub as seeds: what SemCoder-S adds to PyX (paper section 3.5)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from semcoder_lib.core.errors import UserError
from semcoder_lib.core.records import Status

if TYPE_CHECKING:
    from semcoder_lib.sandbox import Sandbox

PYTHON3 = 3  # the language code of `deepmind/code_contests`


@dataclass(frozen=True, slots=True)
class Pair:
    """An instruction and its response, for NL-to-code training."""

    id: str
    instruction: str
    response: str
    source: str  # "evol-codealpaca-v1" or "code_contests"


def evol_codealpaca(
    rows: Iterable[dict[str, Any]],
    repeats: Callable[[str], str],
    funnel: Counter[str] | None = None,
) -> Iterator[Pair]:
    """Pairs of `theblackcat102/evol-codealpaca-v1` (columns `instruction`, `output`) that repeat no
    benchmark item. `repeats(text)` says how a text does, or "". Raises UserError for a row without
    these columns."""
    funnel = funnel if funnel is not None else Counter()
    seen: set[str] = set()
    for number, row in enumerate(rows):
        try:
            instruction, response = str(row["instruction"]), str(row["output"])
        except KeyError as missing:
            raise UserError(f"evol-codealpaca row {number}: column {missing} is missing") from None
        funnel["rows"] += 1
        key = re.sub(r"\s+", "", instruction + response).lower()
        if not instruction.strip() or not response.strip():
            funnel["empty"] += 1
        elif key in seen:
            funnel["duplicate"] += 1
        elif why := repeats(instruction + "\n" + response):
            funnel[f"benchmark: {why.split(' ')[0]}"] += 1
        else:
            seen.add(key)
            funnel["kept"] += 1
            yield Pair(f"evol:{number}", instruction, response, "evol-codealpaca-v1")


def code_contests(
    rows: Iterable[dict[str, Any]],
    box: Sandbox,
    *,
    per_problem: int = 2,
    tests: int = 10,
    funnel: Counter[str] | None = None,
) -> Iterator[Pair]:
    """Problems of `deepmind/code_contests` with up to `per_problem` Python solutions that pass the
    problem's public and private tests (the first `tests` of them) when they are run on their
    input; white space at line ends does not count. Rows as the hub gives them: `name`,
    `description`, `solutions` with `language` and `solution`, `public_tests` and `private_tests`
    with `input` and `output`. Raises UserError for a row without these."""
    funnel = funnel if funnel is not None else Counter()
    for row in rows:
        funnel["problems"] += 1
        try:
            cases = [
                case
                for part in ("public_tests", "private_tests")
                for case in zip(row[part]["input"], row[part]["output"], strict=True)
            ][:tests]
            solutions = zip(row["solutions"]["language"], row["solutions"]["solution"], strict=True)
            python = [s for language, s in solutions if language == PYTHON3]
        except (KeyError, TypeError, ValueError):
            raise UserError(
                f"code_contests row {row.get('name', '?')}: expected the hub's columns"
            ) from None
        if not cases or not python:
            funnel["no tests or no Python solution"] += 1
            continue
        kept = 0
        for source in python[: 4 * per_problem]:
            if kept < per_problem and _passes(source, cases, box):
                kept += 1
                response = f"```python\n{source.strip()}\n```"
                name = f"cc:{row['name']}:{kept}"
                yield Pair(name, row["description"], response, "code_contests")
        funnel["with a passing solution" if kept else "no solution passes"] += 1


def _passes(source: str, cases: list[tuple[str, str]], box: Sandbox) -> bool:
    from semcoder_lib.sandbox import Job

    jobs = (Job(source, "", stdin=given) for given, _ in cases)
    return all(
        outcomes[0].status is Status.OK and _lines(outcomes[0].stdout) == _lines(wanted)
        for (_, wanted), outcomes in zip(cases, box.map(jobs), strict=True)
    )


def _lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.strip().splitlines()]
