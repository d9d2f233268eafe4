"""Mutation operators: named, deterministic, one edit each, with the altered line known."""

from __future__ import annotations

import ast

import pytest

from semcoder_lib import faults as pyx_r
from semcoder_lib.core.records import Program


def test_operators_are_many_and_every_one_finds_a_place_in_the_corpus(entries) -> None:
    assert len(pyx_r.OPERATORS) >= 30
    used = {m.operator for e in entries for m in pyx_r.mutate(e, seed=0)}
    assert set(pyx_r.OPERATORS) - used == set()


def test_mutants_are_programs_that_differ_only_in_the_named_block(entries) -> None:
    for entry in entries:
        fixed = pyx_r.normal_form(entry.program.source).splitlines()
        kinds = []
        for m in pyx_r.mutate(entry, seed=3, limit=12):
            ast.parse(m.buggy)
            line, old, new = pyx_r.altered(m.buggy, m.fixed)
            assert m.buggy.splitlines() == [*fixed[: line - 1], *old, *fixed[line - 1 + len(new) :]]
            assert m.buggy != m.fixed
            assert m.cause
            kinds.append(m.operator)
        first = kinds[: len(set(kinds))]
        assert len(set(first)) == len(first)  # each operator has its turn


def test_the_same_seed_gives_the_same_mutants_and_another_seed_others(entries) -> None:
    first = list(pyx_r.mutate(entries[3], seed=1, limit=20))
    assert first == list(pyx_r.mutate(entries[3], seed=1, limit=20))
    assert first != list(pyx_r.mutate(entries[3], seed=2, limit=20))
    assert len({m.buggy for m in first}) == len(first)


@pytest.mark.parametrize("name", pyx_r.OPERATORS)
def test_every_operator_makes_what_its_row_shows(name: str) -> None:
    example = pyx_r.OPERATORS[name]

    def program(part: str) -> str:
        if isinstance(ast.parse(example[0]).body[0], ast.Expr) and "." not in part:
            part = f"return {part}"
        body = "".join(f"    {line}\n" for line in part.split("\n"))
        return pyx_r.normal_form(f"def f(x, y):\n{body}    return x\n")

    before, after = map(program, example)
    mutants = list(pyx_r.mutate(Program(before, "f"), operators=(name,)))
    assert after in [m.buggy for m in mutants]
    assert {m.operator for m in mutants} == {name}


def test_normal_form_drops_comments_and_docstrings_and_means_the_same() -> None:
    source = '"""Module."""\ndef f(x):\n    """Doc."""\n    # note\n    return (x\n        + 1)\n'
    assert pyx_r.normal_form(source) == "def f(x):\n    return x + 1\n"
    assert pyx_r.normal_form("def f():\n    '''only'''") == "def f():\n    pass\n"
