"""Programs of a file that are right and odd go through every room that reads programs or a model's
texts; the good ones beside them have what they have alone."""

from __future__ import annotations

from typing import Any

import pytest

from semcoder_lib import corpus, faults, monologues
from semcoder_lib.core import values
from semcoder_lib.core.errors import UserError
from semcoder_lib.core.records import Completion
from semcoder_lib.evaluation import get
from semcoder_lib.evaluation.base import Answer, Sample
from semcoder_lib.sandbox import Sandbox
from semcoder_lib.training import examples

GOOD = ("def f(x):\n    y = x + 1\n    return y", "f(1)", "2")
ODD = {
    "a sum": ("def f(x):\n    return " + " + ".join(["x"] * 600), "f(1)", "600"),
    "attributes": ("def f(x):\n    return x" + ".real" * 600, "f(1)", "1"),
    "nan": ("def f(x):\n    return float('nan') * x", "f(1)", "nan"),
    "complex": ("def f(x):\n    return complex(float('nan'), x)", "f(1)", "complex(nan, 1.0)"),
    "surrogate": ("def f(x):\n    return chr(0xd800 + x)", "f(61)", "'\\ud83d'"),
    "digits": ("def f(x):\n    return (1 << 5000) - x", "f(1)", f"{(1 << 5_000) - 1:#x}"),
    "signaling": (
        "from decimal import Decimal\ndef f(x):\n    return Decimal('sNaN')",
        "f(1)", "Decimal('sNaN')",
    ),
    "deep value": (
        "def f(n):\n    v = []\n    for _ in range(n):\n        v = [v]\n    return v",
        "f(60)", "[" * 61 + "]" * 61,
    ),
    "deep code": (
        "def f(x):\n" + "".join(f"{'    ' * n}if x:\n" for n in range(1, 19))
        + "    " * 19 + "return x\n    return 0", "f(1)", "1",
    ),
    "end token": ("def f(x):\n    return '<|im_end|>' * x", "f(1)", "'<|im_end|>'"),
    "format": ("def f(x):\n    return '{0} %s {call}' * x", "f(1)", "'{0} %s {call}'"),
    "state": ("T = []\ndef f(x):\n    T.append(x)\n    return len(T)", "f(1)", "1"),
    "named": ("def f(x, k=1):\n    return x + k", "f(1, k=2)", "3"),
}  # fmt: skip
TEXTS = (
    "x = 1" + " + 1" * 5_000, "def f(x):\n    return x" + " + x" * 700, "\ud83d", "(" * 90_000,
    "def f(x):\n    return " + "[" * 300, "def f(x):\n    return '\\ud83d'", "\0", "",
    "def f(x):\n    return 9**99999", "def f(x):\n    raise ValueError('\\ud83d')",
)  # fmt: skip


def row(name: str, source: str, call: str, output: str) -> dict[str, str]:
    prompt = f"[PYTHON]\n{source}\nassert {call} == ??\n[/PYTHON]\n"
    response = f"[ANSWER]\nassert {call} == {output}\n[/ANSWER]"
    return {"id": name, "fwd_mnl": prompt, "response": response}


@pytest.fixture(scope="module")
def read(box: Sandbox) -> corpus.hub.Corpus:
    rows = [row("good", *GOOD)]
    for name, program in ODD.items():
        last = GOOD[0].replace("1", str(len(rows) + 5))
        rows += [row(name, *program), row(f"good {name}", last, "f(1)", str(len(rows) + 6))]
    return corpus.from_hub(rows, box=box, held_out=0.0)


@pytest.fixture(scope="module")
def told(read: corpus.hub.Corpus, box: Sandbox) -> list[Any]:
    return monologues.derive_many(read.entries, box)[0]


def test_the_good_ones_are_told_both_ways(read: corpus.hub.Corpus, told: list[Any]) -> None:
    names = [e.program.id for e in read.entries]
    assert {n for n in names if not n.startswith("good")} == set(ODD)
    assert len(names) == 2 * len(ODD) + 1
    for direction in ("forward", "backward"):
        have = {m.program_id for m in told if m.direction == direction}
        assert have >= {n for n in names if n.startswith("good")}


def test_rows_go_out_and_come_back(read: corpus.hub.Corpus, told: list[Any], box: Sandbox) -> None:
    programs = {e.program.id: e.program for e in read.entries}
    rows = list(monologues.to_hub(told, programs))
    for written, monologue in zip(rows, told, strict=True):
        program, case = corpus.hub.read_row(written)
        assert program.source.strip() == programs[monologue.program_id].source.strip()
        assert values.equal(case.arguments, monologue.case.arguments)
        assert written["response"] == monologue.text
    assert len({r["id"] for r in rows}) == len(rows)
    assert all(
        r["reproduces"] for r in corpus.validate_rows([*corpus.to_hub(read.entries), *rows], box)
    )
    with pytest.raises(UserError, match="no program with this id"):
        list(monologues.to_hub(told, {}))
    assert all(map(corpus.category, programs.values()))
    assert len(examples.monologue_examples(programs, told, style="clean")) == len(told)
    examples.direct_examples(read.entries, seed=1, style="clean")


def test_they_are_broken_explained_and_read_again(read: corpus.hub.Corpus, box: Sandbox) -> None:
    made, funnel = faults.build(read.entries, box, limit=20)
    assert funnel["accepted"] == len(made) == 20
    odd: list[Any] = [5, None, [], {}, {"fault": "x", "response": "y"}, {"fault": 1}]
    back, counts = faults.read_hub([*map(faults.to_hub, made), *odd], box)
    assert counts == {"accepted": 20, "rows": 26, "unreadable": 6, "does not hold": 0}
    assert [(f.buggy, f.actual) for f in back] == [(f.buggy, f.actual) for f in made]


def test_right_answers_about_them_are_right(read: corpus.hub.Corpus, box: Sandbox) -> None:
    for name, field in (("pyx-o", "output"), ("pyx-i", "call")):
        tasks = get(name).from_entries(read.entries)
        samples = [Sample(t.task_id, 0, Answer(t.data[field])) for t in tasks]
        verdicts = get(name).judge(tasks, samples, box=box)
        assert [v.task_id for v in verdicts if not v.passed] == []


def test_what_a_model_wrote_instead_is_counted(read: corpus.hub.Corpus, box: Sandbox) -> None:
    completions = [Completion(e.program.id, t) for e in read.entries[:6] for t in TEXTS]
    made, funnel = faults.from_completions(read.entries, completions, box)
    assert funnel["accepted"] == len(made)
    assert sum(v for k, v in funnel.items() if k not in ("completions", "repaired")) == len(
        completions
    )
