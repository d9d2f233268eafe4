# ruff: noqa: E501  (tables)
"""Rows of the hub's format and payloads of programs: read, executed again, or refused."""

import json
from pathlib import Path

import pytest
import yaml

from semcoder_lib import corpus as pyx
from semcoder_lib.__main__ import main
from semcoder_lib.core import records, workspace
from semcoder_lib.core.records import Case, Entry, Program
from semcoder_lib.corpus import hub
from semcoder_lib.corpus.prospect import Map, Ran, death, run


def forward(answer, code="def f(x):\n    return x + 1", **more):
    """A forward row whose response asserts `answer`."""
    prompt = f"[PYTHON]\n{code}\nassert f(1) == ??\n[/PYTHON]\n"
    response = f"[MONOLOGUE]\nIt runs.\n[/MONOLOGUE]\n[ANSWER]\nassert {answer}\n[/ANSWER]"
    return {"id": "r", "nl": "", "fwd_mnl": prompt, "bwd_mnl": "", "response": response, **more}


def script(response):
    return {"id": "r", "nl": "Write it", "fwd_mnl": "", "bwd_mnl": "", "response": response}


def kept(reason, response="", **row):
    return (script(response) if response else forward(**row), reason)


GOOD = forward("f(1) == 2")
SNAN = "from decimal import Decimal\ndef f(x):\n    return Decimal('sNaN')"
BIG = "def f(x):\n    return (1 << 20000) - x"
UNREAD = "the answer cannot be read"

KEPT = yaml.safe_load((Path(__file__).parent / "hub_rows.yaml").read_text(encoding="utf-8"))

# (row, or a line of its own; the reason why it does not reproduce: its beginning; "" where it does)
ROWS = {
    **{name: kept(**row) for name, row in KEPT.items()},
    "huge integer": (forward(f"f(1) == {(1 << 20000) - 1:#x}", BIG), ""),
    "huge integer, other": (forward(f"f(1) == {(1 << 20000) - 2:#x}", BIG), "call 0 gives 0xf"),
    "huge argument": (forward(f"f(0x{'f' * 5000}) == 2"), "call 0 gives 0x1"),
    "signaling nan": (forward("f(1) == Decimal('sNaN')", SNAN), ""),
    "nan in a list": (forward("f(1) == [nan]", "def f(x):\n    return [float('nan')]"), ""),
    "nan for a number": (forward("f(1) == nan"), "call 0 gives 2"),
    "named argument": (forward("f(1, k=2) == 3", "def f(x, k=1):\n    return x + k"), ""),
    "named, out of order": (forward("f(k=2, x=1) == -1", "def f(x, k=1):\n    return x - k"), ""),
    "named, with a gap": (forward("f(1, b=2) == 12", "def f(x, a=9, b=1):\n    return x + a + b"), ""),
    "named only": (forward("f(1, k=2) == 3", "def f(x, *, k):\n    return x + k"), UNREAD),
    "named, by position only": (forward("f(x=1) == 1", "def f(x, /):\n    return x"), UNREAD),
    "named, unknown": (forward("f(1, z=2) == 3"), UNREAD),
    "labels": (forward("f(1) == 2", "def f(x):  # [L1]\n    return x + 1  # [L2]"), ""),
    "CRLF in a prompt": ({k: v.replace("\n", "\r\n") for k, v in GOOD.items()}, ""),
    "two blocks": (script("```python\nx = 1\n```\nthen\n```\nassert x == 1\n```"), ""),
    "another language": (script("```json\n{]\n```\n```python\nx = 1\n```"), ""),
    "a failing script": (script("```python\nassert 1 == 2\n```"), "call 0: AssertionError"),
    "no code": (script("I cannot."), "line 1"),
    "exit": (forward("f(1) == 2", "import os\ndef f(x):\n    os._exit(0)"), "call 0: early_exit"),
    "attributes": (forward(f"f(a{'.a' * 5000}) == 2"), "nested too deep"),
    "signs": (forward(f"f(1) == {'-' * 50000}1"), "nested too deep"),
    "brackets": (forward(f"f({'[' * 120}{']' * 120}) == 2"), UNREAD),
    "a name": (forward("f(x) == 2"), UNREAD),
    "another form": (forward("f(1) > 2"), "the answer is not of the form"),
    "a surrogate in the code": (forward("f(1) == 1", "def f(x):\n    return '\ud83d'"), "UnicodeEncodeError"),
    "a surrogate in the answer": (forward("f('\ud83d') == 1"), "UnicodeEncodeError"),
    "a NUL": (forward("f(1) == 1", "def f(x):\n    return '\0'"), "source code string cannot"),
    "open brackets": (forward("f(1) == 2", "[ANSWER]" * 40_000), "longer than"),
    "answers without end": ({**GOOD, "response": "[ANSWER]" * 40_000}, "no [ANSWER] block"),
    "fences without end": (script("```x" * 50_000), "line 1"),
    "spaces": (forward("f(1) == 2" + " " * 300_000), ""),
    "its own columns alone": ({k: GOOD[k] for k in ("fwd_mnl", "response")}, ""),
    "no block": ({**GOOD, "fwd_mnl": "f"}, "no [PYTHON] block"),
    "two prompts": ({**GOOD, "nl": "a"}, "expected exactly one"),
    "no prompt": ({"id": "x"}, "expected exactly one"),
    "a number for a prompt": ({**GOOD, "fwd_mnl": 5}, "fwd_mnl is of type int"),
    "no response": ({**GOOD, "response": None}, "response is of type NoneType"),
    "a list for a program": ({"program": [], "cases": []}, "not a row of PyX"),
    "a number for a source": ({"program": {"source": 5, "entry_point": "f"}, "cases": []}, "not a row of PyX: Entry.program: Program.source"),
    "no row": ("[1]", "expected exactly one"),
    "a long number": (f'{{"id": {"9" * 5000}}}', "expected exactly one"),
    "a deep row": (f'{{"id": {"[" * 90_000}{"]" * 90_000}}}', "expected exactly one"),
}  # fmt: skip


def test_one_odd_row_between_two_good_ones_has_a_reason_and_they_their_results(
    box, tmp_path, capsys
):
    lines, good = [json.dumps(GOOD)], json.dumps({**GOOD, "id": "good"})
    for name, (row, _) in ROWS.items():
        if not isinstance(row, str):
            row = json.dumps(row if "program" in row else {**row, "id": name})
        lines += [row, good]
    file, out = tmp_path / "rows.jsonl", tmp_path / "out.jsonl"
    file.write_text("\n".join(lines))
    assert main(["validate-pyx", str(file), "--out", str(out)]) == 0
    said = capsys.readouterr()
    report, rows = list(workspace.read_jsonl(out)), list(workspace.read_jsonl(file, foreign=True))
    right = sum(r["reproduces"] for r in report)
    assert (json.loads(said.out), said.err) == ({"rows": len(rows), "reproduces": right}, "")
    assert all(r == {"id": r["id"], "reproduces": True, "reason": ""} for r in report[::2])
    for (name, (_, reason)), row in zip(ROWS.items(), report[1::2], strict=True):
        assert row["reproduces"] == (not reason), (name, row)
        assert row["reason"].startswith(reason), (name, row)
    assert [r["id"] for r in report[1::2]][:-5] == list(ROWS)[:-5]

    read = pyx.from_hub(rows, box=box)
    assert [d["id"] for d in read.dropped if d["id"] == "good"] == []
    assert all(d["reason"] for d in read.dropped)
    calls = {(e.program.source, c.arguments): c.output for e in read.entries for c in e.cases}
    assert calls["def f(x):\n    return x + 1\n", (1,)] == 2
    assert calls["def f(x, a=9, b=1):\n    return x + a + b\n", (1, 9, 2)] == 12
    assert len({e.program.id for e in read.entries}) == len(read.entries)
    assert read.funnel["kept"] == len(read.entries) == len({source for source, _ in calls})


def entry():
    program = Program(
        "def f(x):\n    if x:\n        x += 1\n    return x\n", "f", id="p1", description="Add one."
    )
    return Entry(program, (Case((1,), 2), Case((5,), 6)))


def test_hub_rows_there_and_back(box):
    (described,) = pyx.to_hub([entry()])
    assert [c for c in hub.COLUMNS if described[c]] == ["id", "nl", "response"]
    calls = [
        forward(f"f({x}) == {x + 1}", entry().program.source, id=f"fwd_mnl_p1_ipt{x}")
        for x in (1, 5)
    ]
    read = pyx.from_hub([*calls, described], box=box, held_out=1.0)
    (back,) = read.entries
    assert [c.arguments for c in back.cases] == [(1,), (5,)]
    assert (back.line_coverage, back.branch_coverage) == (1.0, 0.5)
    program = back.program
    assert (program.id, program.description, program.split) == ("p1", "Add one.", "held_out")
    assert program.argument_types == ("int",)
    assert read.dropped == []
    report = pyx.validate_rows([*calls, described, records.to_row(entry())], box)
    assert [r["reproduces"] for r in report] == [True] * 4


def test_a_program_without_a_description_has_one_from_its_text(box):
    code = 'def add_one(x):\n    """Add one to a number."""\n    return x + 1'
    rows = [
        forward("add_one(1) == 2", code),
        forward("other_name(1) == 1", "def other_name(x):\n    return x"),
    ]
    read = pyx.from_hub(rows, box=box)
    assert [e.program.description for e in read.entries] == ["Add one to a number.", "Other name."]


SOURCE = """def f(n):
    total = 0
    for i in range(n):
        if any(i == k for k in (1, 2)):
            total += i
    while total > 10:
        total -= 3
    return total
"""


@pytest.mark.parametrize(
    ("calls", "covered"),
    [
        (["(0,)"], (4 / 7, 2 / 6)),  # no element; neither if nor while entered
        (["(1,)"], (5 / 7, 4 / 6)),
        (["(5,)"], (6 / 7, 5 / 6)),
        ([], (0.0, 0.0)),
    ],
)
def test_coverage_by_hand(box, calls, covered):
    (ran,) = run(box, [(Program(SOURCE, "f"), calls)])
    assert Map(SOURCE).coverage({a for r in ran for a in r.arcs}) == covered


FORGED = """import os, struct, sys
def f(x):
    runner = sys.modules['semcoder_lib.sandbox.child.runner']
    record = lambda kind, data: struct.pack('<cI', kind, len(data)) + data
    data = record(b'P', PAYLOAD) + record(b'V', struct.pack('<Qdd', 0, 0, 0) + b'1')
    os.write(3, data + record(b'Z', runner.nonce))
    os._exit(0)
"""
PAYLOADS = [
    b'[["ok","1",Infinity,[]]]', b'[["ok","1",true,[]]]', b'[["ok",1,1,[]]]', b'[[5,"1",1,[]]]',
    b'[["ok","1",1,[[1]]]]', b'[["ok","1",1,5]]', b'[["ok","1",1,[["a","b"]]]]', b'[["ok"]]',
    b"[]", b"{", b'{"a":1}', b"7", b'[["ok","1",1,[]],["ok","1",1,[]]]',
]  # fmt: skip
LONG_PAYLOADS = [
    "b'[' * 100000",
    "b'[[\"ok\",\"' + b'1' * 3000 + b'\",1,[]]]'",
    "b'[[\"ok\",\"1\",' + b'1' * 5000 + b',[]]]'",
]


def test_a_program_that_writes_its_own_results_is_out(box):
    forged = [FORGED.replace("PAYLOAD", p) for p in (*map(repr, PAYLOADS), *LONG_PAYLOADS)]
    forged.append(FORGED.replace("PAYLOAD", repr(b'[["ok","((",1,[]]]')))
    good = Program("def f(x):\n    return x\n", "f")
    requests = [r for s in forged for r in ((Program(s, "f"), ["(1,)"]), (good, ["(1,)"]))]
    ran = list(run(box, requests))
    assert all(r == [Ran("ok", "1", 2, ((-1, 2), (2, 0)))] for r in ran[1::2])
    assert [(death(r), r[0].text) for r in ran[::2][:-1]] == [("crashed", "unreadable payload")] * (
        len(forged) - 1
    )
    prospect = pyx.Prospect(Program(forged[-1], "f", argument_types=("int",)))
    prospect.add([(1,)], "hub")
    prospect.inputs[0].ran = ran[::2][-1][0]
    pyx.choose_cases([prospect], cases=1)
    assert prospect.reason == "forged output"
