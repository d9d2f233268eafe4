"""Functions of installed packages."""

import ast
import importlib.metadata
import itertools

import pytest

from semcoder_lib.corpus import hints as hints_of
from semcoder_lib.corpus.seeds import SOURCES, Module, NotClosable, close, packages

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
def writes(x):
    print(x)
'''


def test_closing_carries_what_is_needed():
    source, pieces = close(Module.of(TEXT), "main")
    assert pieces == ("LIMIT", "helper", "main")
    space: dict = {}
    exec(source, space)  # our own text
    assert space["main"]([1, 2], 3) == 27
    assert "Doc" not in source
    assert "list[int]" not in source
    for name, why in (("bad", "has effects"), ("writes", "has effects")):
        with pytest.raises(NotClosable, match=why):
            close(Module.of(TEXT), name)


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
    first = list(itertools.islice(packages(seed=1), 120))
    again = list(itertools.islice(packages(seed=1), 120))
    assert [c.program for c in first] == [c.program for c in again]
    assert len({c.program.provenance.package for c in first}) >= 2
    for candidate in first:
        assert candidate.program.provenance.licence
        assert candidate.program.entry_point in candidate.program.source


def test_licences_are_permissive_and_those_of_the_distributions():
    permissive = {"MIT", "BSD", "Apache", "PSF", "0BSD", "Zlib", "CC0"}
    for distribution, _, _, licence, *_ in SOURCES:
        terms = licence.replace(" License", "").replace(" OR ", " AND ").split(" AND ")
        assert {t.partition("-")[0] for t in terms} <= permissive, distribution
        if distribution != "-":
            data = importlib.metadata.metadata(distribution)
            marks = " ".join(data.get_all("Classifier") or [])
            assert licence in f"{data.get('License-Expression')} {data.get('License')} {marks}"
