# ruff: noqa: E501
"""Benchmark items in disguise do not get into the corpus; honest programs do."""

import ast
import gzip
import json
import random

import pytest

from semcoder_lib import evaluation as benchmarks
from semcoder_lib.core.records import Program
from semcoder_lib.corpus import decontaminate, execute
from semcoder_lib.corpus.decontaminate.behaviour import Reference
from semcoder_lib.corpus.decontaminate.items import Item
from semcoder_lib.corpus.seeds import synthesise
from semcoder_lib.corpus.seeds.packages import type_of
from semcoder_lib.sandbox import Sandbox


@pytest.fixture(scope="module")
def box():
    with Sandbox(workers=2) as box:
        yield box


class _Renamed(ast.NodeTransformer):
    """Other names for all variables and for the function, other layout, commuted sums."""

    def __init__(self, names):
        self.names = names

    def visit_Name(self, node):
        node.id = self.names.get(node.id, node.id)
        return node

    def visit_arg(self, node):
        node.arg = self.names.get(node.arg, node.arg)
        return node

    def visit_FunctionDef(self, node):
        node.name = self.names.get(node.name, node.name)
        if ast.get_docstring(node) is not None:
            node.body = node.body[1:]
        self.generic_visit(node)
        return node

    def visit_Assign(self, node):
        self.generic_visit(node)
        return node


def _bound(tree):
    names = {
        n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    }
    names |= {n.arg for n in ast.walk(tree) if isinstance(n, ast.arg)}
    return names | {n.name for n in tree.body if isinstance(n, ast.FunctionDef)}


def disguised(item):
    """The item with other names, without docstring, and with the first two independent plain
    assignments of a block exchanged."""
    tree = ast.parse(item.source)
    names = {n: f"v{i}_{n[::-1]}" for i, n in enumerate(sorted(_bound(tree)))}
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if not isinstance(body, list) or len(body) < 2:
            continue
        for i in range(len(body) - 1):
            one, two = body[i], body[i + 1]
            constant = all(
                isinstance(s, ast.Assign) and isinstance(s.value, ast.Constant) for s in (one, two)
            )
            if constant and ast.unparse(one.targets[0]) != ast.unparse(two.targets[0]):
                body[i], body[i + 1] = two, one
                break
    tree = _Renamed(names).visit(tree)
    types = tuple(type_of(a) for a in item.calls[0])
    return Program(
        ast.unparse(ast.fix_missing_locations(tree)), names[item.entry_point], argument_types=types
    )


ITEMS = [
    Item("one", "def f(s):\n    return ''.join(sorted(s.lower())) + str(len(s))\n", "f", "",
         (("Hello",), ("abc cab",), ("xyz",))),
    Item("two", "def g(xs, k):\n    total = 0\n    count = 0\n    for x in xs:\n        if x > k:\n"
         "            total += x\n            count += 1\n    return total - count\n", "g", "",
         (([1, 5, 9, 3], 2), ([4, 4, 12], 3))),
]  # fmt: skip


def test_disguised_items_are_found_and_others_are_not(box):
    known = decontaminate.references(ITEMS, box)
    assert known.undecidable == []
    same = [disguised(item) for item in ITEMS]
    other = [
        Program("def f(s):\n    return ''.join(sorted(s)) + str(len(s))\n", "f", argument_types=("str",)),
        Program("def h(xs, k):\n    return sum(x for x in xs if x >= k)\n", "h",
                argument_types=("list[int]", "int")),
    ]  # fmt: skip
    kinds = [frozenset({"str"}), frozenset({"int"})]
    asked = list(zip(same + other, kinds + kinds, strict=True))
    assert list(decontaminate.matches(asked, known, box)) == ["one", "two", "", ""]
    again = decontaminate.References.from_row(known.to_row())
    assert list(decontaminate.matches(asked, again, box)) == ["one", "two", "", ""]


HANGS = "def f(s):\n    if s == 'hang':\n        return sum(iter(int, 1))\n"


def test_one_call_that_hangs_costs_no_other_its_value(box):
    program = Program(HANGS + "    return s * 2\n", "f")
    (failed,) = execute.run(box, [execute.Request(program, [("a",), ("hang",), ("b",)])])
    assert isinstance(failed, execute.Failed)
    quick = execute.Request(Program("def f(s):\n    return s\n", "f"), [("c",)])
    asked = [quick, execute.Request(program, [("a",), ("hang",), ("b",)]), quick]
    first, ran, last = execute.run_apart(box, asked)
    assert [(r.status, r.text) for r in ran if r.ok] == [("ok", "'aa'"), ("ok", "'bb'")]
    assert [r.status for r in ran] == ["ok", "timeout", "ok"]
    assert first == last
    assert [r.text for r in first] == ["'c'"]


def test_a_program_that_hangs_on_another_items_input_is_still_found(box):
    known = decontaminate.references(ITEMS, box)
    calls = ("('hang',)", "('a',)")
    trap = Reference("trap", ("str",), calls, ("'x'", "'y'"), frozenset({"str"}))
    known.by_shape[("str",)].insert(0, trap)
    body = ITEMS[0].source.partition("\n")[2]
    copy = Program(HANGS + body, "f", argument_types=("str",))
    assert list(decontaminate.matches([(copy, frozenset({"str"}))], known, box)) == ["one"]


def test_text_index():
    index = decontaminate.Index.of(ITEMS)
    copy = Program(ITEMS[1].source.replace("def g", "def   g"), "g")
    assert index.reason(copy)
    assert index.reason(next(synthesise(1, 9))) == ""


@pytest.mark.data
@pytest.mark.slow
def test_planted_items_of_the_benchmarks(box):
    """Issue: 20 items of each benchmark in disguise, all 60 removed."""
    items, report = decontaminate.load()
    if any("missing" in line for line in report.values()):
        pytest.skip("SEMCODER_DATA has no benchmark files")
    known = decontaminate.references(items, box)
    told = {r.id: r for group in known.by_shape.values() for r in group}
    rng = random.Random(60)
    planted = []
    for start in ("HumanEval/", "Mbpp/", "sample_"):
        fitting = [i for i in items if i.id.startswith(start) and i.id in told]
        planted += rng.sample(fitting, 20)
    asked = [(disguised(i), told[i.id].kinds) for i in planted]
    found = list(decontaminate.matches(asked, known, box))
    assert [i.id for i, name in zip(planted, found, strict=True) if not name] == []


def test_either_release_of_mbpp_is_kept_out(tmp_path, monkeypatch):
    monkeypatch.setenv("SEMCODER_DATA", str(tmp_path))
    monkeypatch.setenv("SEMCODER_HOME", str(tmp_path / "home"))
    _, report = decontaminate.load()
    assert "data fetch" in report["mbpp"]
    row = {
        "task_id": "Mbpp/793", "prompt": "Find it.", "entry_point": "last", "atol": 0,
        "canonical_solution": "def last(xs, x):\n    return len(xs) - xs[::-1].index(x) - 1\n",
        "base_input": [[[1, 2, 1], 1]], "plus_input": {},
    }  # fmt: skip
    path = tmp_path / "MbppPlus-v0.2.0.jsonl.gz"
    path.write_bytes(gzip.compress(json.dumps(row).encode()))
    items, report = decontaminate.load()
    assert report["mbpp"] == "MbppPlus-v0.2.0.jsonl.gz, 1 items"
    assert [i.calls for i in items if i.id == "Mbpp/793"] == [(([1, 2, 1], 1),)]
    assert [t.data["plus_input"] for t in benchmarks.get("mbpp+").load()] == [[]]
