"""Where code comes from."""

import ast
import itertools
import random

import pytest

from semcoder_lib.corpus import hints as hints_of
from semcoder_lib.corpus.seeds import packages, subtrees
from semcoder_lib.corpus.seeds.closing import Module, NotClosable, close
from semcoder_lib.corpus.seeds.packages import permissive

TEXT = '''
import math
import os
LIMIT = 3
def helper(x):
    """Doc."""
    return math.floor(x) + LIMIT
def main(values: list[int], k: int = 2):
    """Sum things.

    >>> main([1, 2], 3)
    9
    """
    return sum(helper(v) for v in values) * k
def bad(x):
    return os.getcwd() + x
'''


def test_closing_carries_what_is_needed():
    source, pieces = close(Module.of(TEXT), "main")
    assert pieces == ("LIMIT", "helper", "main")
    space: dict = {}
    exec(source, space)  # our own text
    assert space["main"]([1, 2], 3) == 27
    assert "Doc" not in source
    assert "list[int]" not in source
    with pytest.raises(NotClosable, match="has effects"):
        close(Module.of(TEXT), "bad")


def test_hints():
    function = Module.of(TEXT).functions()["main"]
    signature = hints_of.read(function, "main")
    assert signature.examples == (([1, 2], 3),)
    assert [h.types[0] for h in signature.hints] == ["list[int]", "int"]
    assert signature.hints[0].source == "doctest"
    assert hints_of.from_annotation(ast.parse("dict[str, list[int]]", mode="eval").body) == (
        "dict[str, list[int]]",
    )


def test_candidates_are_complete_licensed_and_in_a_stable_order():
    first = list(itertools.islice(packages(seed=1), 250))
    again = list(itertools.islice(packages(seed=1), 250))
    assert [c.program for c in first] == [c.program for c in again]
    assert len({c.program.provenance.package for c in first}) >= 2
    for candidate in first:
        assert permissive(candidate.program.provenance.licence)
        assert candidate.program.entry_point in candidate.program.source
    assert not permissive("GPL-3.0")
    assert not permissive("MPL-2.0 AND MIT")


def test_subtrees_parse_and_hold_runs_of_siblings():
    found = list(subtrees(TEXT + "a = [1, 2, 3]\nb = [x * 2 for x in a]\n", random.Random(0), 50))
    assert len(found) > 3
    for text in found:
        ast.parse(text)
    assert any(len(ast.parse(t).body) > 1 for t in found)
    assert list(subtrees("def (:", random.Random(0))) == []
