"""Programs that a teacher wrote, with scripted teachers."""

import json

from semcoder_lib.core.records import Program
from semcoder_lib.core.workspace import ItemCache
from semcoder_lib.corpus import child
from semcoder_lib.corpus.prospect import Prospect
from semcoder_lib.corpus.seeds import Seed
from semcoder_lib.corpus.taught import alternate, propose, read_calls, taught, teachers_calls
from semcoder_lib.models import Engine, Output
from semcoder_lib.models.teachers import Teacher


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
        made = propose(seeds, teacher, box, rounds=2, cache=cache)
    assert made.errors == {"NameError": 2}
    assert made.by_round == {1: 2}
    program, first = made.prospects[0].program, made.prospects[0].inputs
    assert program.entry_point == "smallest"
    assert program.argument_types == ("list[int]", "int")
    assert [i.arguments for i in first] == [([3, 1, 2], 2)]
    assert "print" not in program.source
    asked = engine.asked
    with ItemCache(tmp_path / "cache.jsonl") as cache:
        again = propose(seeds, teacher, box, rounds=2, cache=cache)
    assert engine.asked == asked, "a known reply was asked for again"
    assert again.fates == made.fates
    whole = taught(2, Teacher(Scripted()), box, repairs=2, wanted=5, sources=seeds)
    assert whole.row() == {
        "snippets": 2,
        "fates": {"kept": 2},
        "first_errors": {"NameError": 2},
        "ran_after_repairs": {"1": 2},
    }
    hint = whole.candidates[0].signature.hints[0]
    assert (hint.types[0], hint.source) == ("list[int]", "doctest")


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


def taught_calls(program, teacher, box, wanted):
    prospect = Prospect(program)
    prospect.add([(1, "a")], "teacher")
    alternate([prospect], Teacher(teacher), box, wanted=wanted)
    return teachers_calls(prospect)


def test_teacher_and_mutation_take_turns(box):
    program = Program(LADDER, "f", id="ladder", origin="teacher", argument_types=("int", "str"))
    teacher = Proposing(last=3)
    calls = taught_calls(program, teacher, box, wanted=500)
    assert len(teacher.seen) == 4, "asked until it has nothing more"
    assert sorted(n for n, _ in calls) == [1, 1000, 2000, 3000], (
        "only the teacher's, and only what runs"
    )
    assert teacher.seen[0] == [(1, "a")]
    mutated = [c for shown in teacher.seen for c in shown if c not in calls]
    assert mutated, "mutations are shown to the teacher"
    assert any((1000, "x") in shown for shown in teacher.seen[1:]), "its best calls come back to it"

    patient = Proposing(last=50)
    taught_calls(program, patient, box, wanted=12)
    assert len(patient.seen) == 1, "enough inputs run after one turn of each"


def test_a_teachers_program_that_dies_ends_its_own_turns_alone(box):
    good = Program(LADDER, "f", id="good", origin="teacher", argument_types=("int", "str"))
    bad = Program("import os\ndef f(n, s):\n    os._exit(3)\n", "f", id="bad", origin="teacher",
                  argument_types=("int", "str"))  # fmt: skip
    teacher = Proposing(last=2)
    dead, alive = (Prospect(program) for program in (bad, good))
    for prospect in (dead, alive):
        prospect.add([(1, "a")], "teacher")
    alternate([dead, alive], Teacher(teacher), box, wanted=40)
    assert teachers_calls(dead) == ()
    assert len(teachers_calls(alive)) == 3


def test_the_zygote_warms_up_on_what_calls_do():
    ((source, entry, options),) = child.WARM
    made: dict = {}
    exec(compile(source, child.FILENAME, "exec"), made)
    emitted: list[str] = []
    assert child.call(made[entry], (), options, emitted.append) == len(options["inputs"])
    told = [status for status, *_ in json.loads(emitted[0])]
    assert told == ["ok"] * 4 + ["exception"], "the last one is there to raise"
