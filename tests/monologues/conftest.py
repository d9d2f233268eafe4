"""Traced programs that the tests of this room share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import monologue_programs
import pytest

from semcoder_lib import tracing
from semcoder_lib.core.records import Case, Program, Trace
from semcoder_lib.sandbox import Sandbox


@dataclass(frozen=True)
class Run:
    """One recorded call of one program."""

    program: Program
    case: Case
    trace: Trace


def _pairs(file: str) -> list[tuple[Program, Case]]:
    return [(p, Case(a)) for p, inputs in monologue_programs.load(file) for a in inputs]


def _traced(pairs: list[tuple[Program, Case]], box: Sandbox) -> list[Run]:
    traces = tracing.trace_many(pairs, box, share=True)
    return [Run(p, c, t) for (p, c), t in zip(pairs, traces, strict=True)]


@pytest.fixture(scope="session")
def box() -> Iterator[Sandbox]:
    with Sandbox(workers=1) as box:
        yield box


@pytest.fixture(scope="session")
def runs(box: Sandbox) -> list[Run]:
    """Small programs of many kinds."""
    return _traced(_pairs("monologue_programs"), box)


@pytest.fixture(scope="session")
def form_runs(box: Sandbox) -> list[Run]:
    """Programs that together need every row of the table of forms."""
    return _traced(_pairs("form_programs"), box)
