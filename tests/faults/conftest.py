"""A small corpus of right programs with cases, and one sandbox for the folder."""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from semcoder_lib.core.records import Case, Entry, Program

sys.path.append(str(Path(__file__).parents[1] / "monologues"))  # its programs, its alterations


def _entry(program: Program, calls: list[tuple]) -> Entry:
    """The program with its outputs, which are computed here: these programs are the tests' own."""
    space: dict = {}
    exec(compile(program.source, program.id, "exec"), space)
    function = space[program.entry_point]
    cases = [Case(call, function(*copy.deepcopy(call)), program.id) for call in calls]
    return Entry(program, tuple(cases))


@pytest.fixture(scope="session")
def entry_of() -> Callable[[Program, list[tuple]], Entry]:
    return _entry


@pytest.fixture(scope="session")
def entries() -> list[Entry]:
    import monologue_programs

    return [_entry(program, calls) for program, calls in monologue_programs.load()]
