# ruff: noqa: E501
"""Coverage, duplicates, formats, the teacher path, validation."""

import json

import pytest

from semcoder_lib import corpus as pyx
from semcoder_lib.core import records
from semcoder_lib.core.errors import UserError
from semcoder_lib.core.records import Case, Entry, Monologue, Program
from semcoder_lib.core.workspace import ItemCache
from semcoder_lib.corpus import branches, child, duplicates, execute, hub
from semcoder_lib.corpus.alternate import read_calls
from semcoder_lib.corpus.execute import Request
from semcoder_lib.corpus.propose import Seed
from semcoder_lib.models import Engine, Output
from semcoder_lib.models.teachers import Teacher
from semcoder_lib.sandbox import Sandbox

SOURCE = """def f(n):
    total = 0
    for i in range(n):
        if any(i == k for k in (1, 2)):
            total += i
    while total > 10:
        total -= 3
    return total
"""


@pytest.fixture(scope="module")
def box():
    with Sandbox(workers=1) as box:
        yield box


def covered(box, calls):
    (ran,) = execute.run(box, [Request(Program(SOURCE, "f"), calls)])
    arcs = {a for r in ran for a in r.arcs}
    survey = branches.survey(SOURCE)
    return survey.line_coverage(arcs), survey.branch_coverage(arcs)


def test_branch_coverage_by_hand(box):
    assert covered(box, [(0,)]) == (4 / 7, 2 / 6)  # no element; neither if nor while entered
    assert covered(box, [(1,)]) == (5 / 7, 4 / 6)
    assert covered(box, [(5,)]) == (6 / 7, 5 / 6)


def test_statuses_of_calls(box):
    source = "def f(x):\n    if x == 1:\n        return 1 / 0\n    if x == 2:\n        while True:\n            x += 1\n    return object() if x == 3 else x\n"
    (ran,) = execute.run(box, [Request(Program(source, "f"), [(0,), (1,), (2,), (3,)])])
    assert [r.status for r in ran] == ["ok", "exception", "timeout", "unserializable"]


def test_duplicates():
    seen = duplicates.Seen()

    def reason(source, behaviour=""):
        return seen.reason(
            duplicates.exact_key(source), duplicates.signature(source), source, behaviour
        )

    assert reason(SOURCE, "b") == ""
    assert reason(SOURCE.replace("    total = 0", "    total = 0  # nothing")) == "exact duplicate"
    assert reason(SOURCE.replace("(1, 2)", "(1, 3)")) == "near duplicate"
    assert reason("def g(s):\n    return s.upper()[::-1]\n", "b") == "semantic duplicate"
    assert reason("def g(s):\n    return s.upper()[::-1]\n", "c") == ""


def entry():
    program = Program("def f(x):\n    return x + 1\n", "f", id="p1", description="Add one.")
    return Entry(program, (Case((1,), 2), Case((5,), 6)))


def test_hub_rows_there_and_back(box):
    text = "\n[ANSWER]\nassert f(1) == 2\n[/ANSWER]"
    rows = list(pyx.to_hub([entry()], [Monologue(text, "forward", program_id="p1", call="f(1)")]))
    assert [sorted(k for k in ("nl", "fwd_mnl", "bwd_mnl") if r[k]) for r in rows] == [
        ["nl"],
        ["fwd_mnl"],
    ]
    entries, funnel = pyx.from_hub(rows, box=box)
    assert funnel["kept"] == 1
    assert entries[0].cases[0].arguments == (1,)
    wrong = {**rows[1], "response": text.replace("== 2", "== 3")}
    report = list(pyx.validate_rows([*rows, wrong, {"id": "x"}, records.to_row(entry())], box))
    assert [r["reproduces"] for r in report] == [True, True, False, False, True]
    assert report[2]["reason"] == "call 0 gives 2"
    with pytest.raises(UserError, match="exactly one"):
        hub.kind_of({"id": "x", "nl": "a", "fwd_mnl": "b", "response": ""})


def test_parquet_there_and_back(tmp_path):
    manifest = pyx.parquet.write([entry()] * 5, tmp_path, rows=2)
    assert [p["rows"] for p in manifest["parts"]] == [2, 2, 1]
    assert list(pyx.parquet.read(tmp_path)) == [entry()] * 5
    (tmp_path / "part-00001.parquet").write_bytes(b"")
    with pytest.raises(UserError, match="altered"):
        list(pyx.parquet.read(tmp_path))


class Scripted(Engine):
    """A teacher whose first solution is wrong and whose second is right."""

    name = identity = "scripted"

    def __init__(self):
        super().__init__()
        self.asked = 0

    def _produce(self, jobs, deliver):
        for key, request, _ in jobs:
            self.asked += 1
            deliver(key, Output(self.reply(request.chat), "stop"))

    def reply(self, messages):
        repaired = "fails when it is run" in messages[-1]["content"]
        body = "return sorted(xs)[:k]" if repaired else "return sorted(xs)[:limit]"
        code = f"def smallest(xs, k):\n    {body}\n\n\nprint(smallest([3, 1, 2], 2))\n"
        return f"[Problem] Give the k smallest.\n[Solution] Sort.\n```python\n{code}```"


def test_teacher_repairs_and_resumes(box, tmp_path):
    seeds = [Seed("s1", "x = sorted(y)"), Seed("s2", "for a in b:\n    print(a)")]
    engine = Scripted()
    teacher = Teacher(engine)
    with ItemCache(tmp_path / "cache.jsonl") as cache:
        made = pyx.propose(seeds, teacher, box, rounds=2, cache=cache)
    assert made.errors == {"NameError": 2}
    assert made.by_round == {1: 2}
    program, examples = made.programs[0]
    assert program.entry_point == "smallest"
    assert program.argument_types == ("list[int]", "int")
    assert examples == (([3, 1, 2], 2),)
    assert "print" not in program.source
    asked = engine.asked
    with ItemCache(tmp_path / "cache.jsonl") as cache:
        again = pyx.propose(seeds, teacher, box, rounds=2, cache=cache)
    assert engine.asked == asked, "a known reply was asked for again"
    assert again.fates == made.fates


class Proposing(Scripted):
    """A teacher that proposes the next branch of a ladder each time, and then nothing more."""

    name = identity = "proposing"

    def __init__(self, last):
        super().__init__()
        self.last, self.seen = last, []

    def reply(self, messages):
        shown = read_calls(messages[-1]["content"].partition("Known calls:")[2], "f")
        self.seen.append(shown)
        step = len(self.seen)
        if step > self.last:
            return "I know of no others."
        return f"- f({1000 * step}, 'x')\nf(open('y'), 1)\nf(None, None)\n"


LADDER = """def f(n, s):
    for k in range(1, 4):
        if n == 1000 * k:
            return s + str(k)
    return n + len(s)
"""


def test_teacher_and_mutation_take_turns(box):
    program = Program(LADDER, "f", id="ladder", origin="teacher", argument_types=("int", "str"))
    engine = Proposing(last=3)
    (calls,) = pyx.alternate([(program, ((1, "a"),))], Teacher(engine), box, wanted=500)
    assert len(engine.seen) == 4, "asked until it has nothing more"
    assert sorted(n for n, _ in calls) == [1, 1000, 2000, 3000], (
        "only the teacher's, and only what runs"
    )
    assert engine.seen[0] == [(1, "a")]
    mutated = [c for shown in engine.seen for c in shown if c not in calls]
    assert mutated, "mutations are shown to the teacher"
    assert any((1000, "x") in shown for shown in engine.seen[1:]), "its best calls come back to it"

    patient = Proposing(last=50)
    pyx.alternate([(program, ((1, "a"),))], Teacher(patient), box, wanted=12)
    assert len(patient.seen) == 1, "enough inputs run after one turn of each"


def test_a_teachers_program_that_dies_ends_its_own_turns_alone(box):
    good = Program(LADDER, "f", id="good", origin="teacher", argument_types=("int", "str"))
    bad = Program("import os\ndef f(n, s):\n    os._exit(3)\n", "f", id="bad", origin="teacher",
                  argument_types=("int", "str"))  # fmt: skip
    teacher = Teacher(Proposing(last=2))
    dead, alive = pyx.alternate([(bad, ((1, "a"),)), (good, ((1, "a"),))], teacher, box, wanted=40)
    assert dead == ()
    assert len(alive) == 3


def test_proposed_inputs():
    text = "`smallest([1], 0)`\n- smallest([], 1)\nsmallest(x, 1)\nother(1)\n"
    assert read_calls(text, "smallest") == [([1], 0), ([], 1)]


def test_the_zygote_warms_up_on_what_calls_do():
    ((source, entry, options),) = child.WARM
    made: dict = {}
    exec(compile(source, child.FILENAME, "exec"), made)
    emitted: list[str] = []
    assert child.call(made[entry], (), options, emitted.append) == len(options["inputs"])
    told = [status for status, *_ in json.loads(emitted[0])]
    assert told == ["ok"] * 4 + ["exception"], "the last one is there to raise"
