"""Programs that a teacher wrote, with a scripted teacher."""

import json

from semcoder_lib.core.records import Program
from semcoder_lib.corpus import child, grow_inputs, guess_types, taught
from semcoder_lib.models import Engine, Output
from semcoder_lib.models.teachers import Teacher


class Scripted(Engine):
    """A teacher whose first solution is wrong and whose second is right."""

    name = identity = "scripted"

    def __init__(self, cache=None):
        super().__init__(cache=cache)
        self.asked = 0

    def _produce(self, jobs, deliver):
        for key, request, _ in jobs:
            self.asked += 1
            deliver(key, Output(self.reply(request.chat), "stop"))

    def reply(self, messages):
        asked = messages[-1]["content"]
        if "Known calls" in asked:
            assert "smallest([3, 1, 2], 2)" in asked
            return "- smallest([5, 4], 1)\nsmallest(open('y'), 1)\nother([1])\nThat is all."
        body = "return sorted(xs)[:k]" if "fails when" in asked else "return sorted(xs)[:limit]"
        code = f"def smallest(xs, k):\n    {body}\n\n\nprint(smallest([3, 1, 2], 2))\n"
        return f"[Problem] Give the k smallest.\n[Solution] Sort.\n```python\n{code}```"


def test_teacher_repairs_adds_inputs_and_resumes(box, tmp_path):
    seeds = [Program("def f(x):\n    return sorted(x)\n", "f", id=i) for i in ("s1", "s2")]
    with Scripted(tmp_path / "cache.jsonl") as engine:
        snippets, counts = taught(2, Teacher(engine), box, repairs=2, seeds=seeds)
    assert engine.asked == 3
    assert counts == {
        "snippets": 2,
        "fates": {"kept": 2},
        "first_errors": {"NameError": 2},
        "ran_after_repairs": {"1": 2},
    }
    assert [(name, fate) for name, fate, _ in snippets] == [("s1", "kept"), ("s2", "kept")]
    prospect = snippets[0][2]
    assert prospect.program.entry_point == "smallest"
    assert "print" not in prospect.program.source
    assert prospect.signature.examples == (([3, 1, 2], 2), ([5, 4], 1))
    hint = prospect.signature.hints[0]
    assert (hint.types[0], hint.source) == ("list[int]", "doctest")
    with Scripted(tmp_path / "cache.jsonl") as engine:
        assert taught(2, Teacher(engine), box, repairs=2, seeds=seeds)[1] == counts
    assert engine.asked == 0, "a known reply was asked for again"
    _, never = taught(2, Teacher(Scripted()), box, repairs=0, seeds=seeds)
    assert never["fates"] == {"never ran": 2}

    (left,) = grow_inputs(guess_types([prospect], box), box, cases=5)
    assert {i.source for i in left.inputs} == {"generator", "teacher"}
    assert left.program.argument_types == ("list[int]", "int")


def test_the_zygote_warms_up_on_what_calls_do():
    ((source, entry, options),) = child.WARM
    made: dict = {}
    exec(compile(source, child.FILENAME, "exec"), made)
    emitted: list[str] = []
    assert child.call(made[entry], (), options, emitted.append) == len(options["inputs"])
    told = [status for status, *_ in json.loads(emitted[0])]
    assert told == ["ok"] * 4 + ["exception"], "the last one is there to raise"
