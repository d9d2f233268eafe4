"""Where code comes from."""

import ast
import itertools
import random

import pytest

from semcoder_lib.core.errors import UserError
from semcoder_lib.corpus.seeds import code_contests, evol_codealpaca, packages, subtrees, synthesise
from semcoder_lib.corpus.seeds.packages import Module, NotClosable, close, sources
from semcoder_lib.corpus.seeds.packages import hints as hints_of
from semcoder_lib.corpus.seeds.synthesiser import program
from semcoder_lib.corpus.seeds.synthesiser.calibrate import distance, shares
from semcoder_lib.corpus.seeds.synthesiser.rules import RULES, features_of
from semcoder_lib.sandbox import Sandbox

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
    closed = close(Module.of(TEXT), "main")
    assert closed.inlined == ("helper",)
    assert closed.constants == ("LIMIT",)
    space: dict = {}
    exec(closed.source, space)  # our own text
    assert space["main"]([1, 2], 3) == 27
    assert "Doc" not in closed.source
    assert "list[int]" not in closed.source
    with pytest.raises(NotClosable, match="os"):
        close(Module.of(TEXT), "bad")


def test_hints():
    function = Module.of(TEXT).functions["main"]
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
        assert sources.permissive(candidate.program.provenance.licence)
        assert candidate.program.entry_point in candidate.program.source
    assert not sources.permissive("GPL-3.0")
    assert not sources.permissive("MPL-2.0 AND MIT")


def test_subtrees_parse_and_hold_runs_of_siblings():
    found = list(subtrees(TEXT + "a = [1, 2, 3]\nb = [x * 2 for x in a]\n", random.Random(0), 50))
    assert len(found) > 3
    for text in found:
        ast.parse(text)
    assert any(len(ast.parse(t).body) > 1 for t in found)
    assert list(subtrees("def (:", random.Random(0))) == []


def test_synthesised_programs_are_distinct_stable_and_use_their_parameters():
    made = list(synthesise(400, seed=2))
    assert len({p.source for p in made}) == 400
    assert program(2, 7) == program(2, 7)
    for p in made:
        tree = ast.parse(p.source)
        function = next(
            n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == p.entry_point
        )
        read = {
            n.id
            for n in ast.walk(function)
            if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)
        }
        stored = {
            n.id
            for n in ast.walk(function)
            if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
        }
        names = {a.arg for a in function.args.args}
        assert names <= read, p.source
        assert len(p.argument_types) == len(names)
        loops = {n.id for x in ast.walk(function) if isinstance(x, ast.For | ast.comprehension)
                 for n in ast.walk(x.target) if isinstance(n, ast.Name)}  # fmt: skip
        assert stored - read - loops <= {"_", "quotient", "remainder", "head", "tail"}, p.source
        assert p.description.startswith("Take ")


def test_every_rule_has_a_type_that_its_code_gives():
    samples = {"int": 6, "str": "abc", "float": 1.5, "bool": True, "char": "e"}
    assert len(RULES) > 400
    for rule in RULES:
        shown = rule.code.format(*(f"a{i}" for i in range(len(rule.operands))))
        ast.parse(shown, mode="eval")
        assert rule.english.count("{") >= 1
    assert set(samples) <= {r.operands[0] for r in RULES}


def test_mixture_of_constructs_follows_real_code():
    from semcoder_lib.corpus.seeds.synthesiser.usage import _load

    measured = _load("usage.json")
    actual = shares(p.source for p in synthesise(500, seed=77))
    assert measured
    assert distance(measured, actual) < 0.25
    assert distance(measured, measured) == 0
    assert ".append" in features_of("a.append(1)")


def test_evol_codealpaca():
    rows = [
        {"instruction": "a", "output": "b"},
        {"instruction": "a ", "output": "b"},
        {"instruction": "has_close_elements", "output": "x"},
        {"instruction": "", "output": "x"},
    ]
    kept = list(evol_codealpaca(rows, lambda t: "is HumanEval/0" if "has_close" in t else ""))
    assert [p.id for p in kept] == ["evol:0"]
    with pytest.raises(UserError, match="output"):
        list(evol_codealpaca([{"instruction": "a"}], lambda t: ""))


def test_code_contests_keeps_what_passes():
    row = {
        "name": "double",
        "description": "Print twice the number.",
        "solutions": {
            "language": [2, 3, 3, 3],
            "solution": ["int main", "print(int(input()) + 2)", "print(2 * int(input()))", "x("],
        },
        "public_tests": {"input": ["2\n"], "output": ["4\n"]},
        "private_tests": {"input": ["5\n"], "output": ["10"]},
    }
    with Sandbox(workers=1) as box:
        (pair,) = code_contests([row], box)
    assert "2 * int" in pair.response
