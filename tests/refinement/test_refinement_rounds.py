"""Rounds with a scripted model: what is asked, what is kept, what comes of it."""

from __future__ import annotations

import itertools
import random

import pytest

from semcoder_lib import refinement
from semcoder_lib.core.errors import UserError
from semcoder_lib.core.records import Case, Completion, Entry, Fault, Program
from semcoder_lib.faults import assertion
from semcoder_lib.models import prompts
from semcoder_lib.refinement import offered

RIGHT = {
    "double": "def double(x):\n    return x * 2\n",
    "largest": "def largest(xs):\n    return max(xs)\n",
    "shout": "def shout(s):\n    return s.upper() + '!'\n",
}
FIRST = {
    "double": "def double(x):\n    return x + 1\n",  # passes the visible case, fails a hidden one
    "largest": "def largest(xs):\n    return min(xs)\n",
    "shout": RIGHT["shout"],
}
CALLS = {"double": [1, 0, 5], "largest": [[1, 2], [3, 1], [5]], "shout": ["a", "", "Bc"]}


def task_of(name: str, source: str, calls: list) -> refinement.RefinementTask:
    """A task whose first case is visible and all of whose cases are hidden tests."""
    space: dict = {}
    exec(source, space)
    cases = tuple(Case((a,), space[name](a)) for a in calls)
    problem = f"The {name} of something.\n{assertion(name, cases[0])}"
    start = prompts.nl_to_code(problem)
    return refinement.RefinementTask(name, problem, name, cases[:1], cases, start=start)


TASKS = [task_of(name, source, CALLS[name]) for name, source in RIGHT.items()]


def refined(code: str) -> str:
    return f"[/MONOLOGUE]\n[Refined]\n```python\n{code}```\n"


class Model:
    """Answers each task with a first solution and then from a script, or as `answer` says; counts
    its calls."""

    name = "scripted"
    calls = 0

    def __init__(self, first=FIRST, answer=None, **later: list[str]) -> None:
        self.script = {k: [code, *later.get(k, [])] for k, code in first.items()}
        self.answer = answer or (lambda request: self.script[request.task_id].pop(0))
        self.requests: list = []

    def generate(self, requests):
        self.calls += 1
        self.requests += requests
        return [[Completion(r.task_id, self.answer(r), finish="stop", tokens=5)] for r in requests]

    @property
    def asked(self) -> dict[str, str]:
        """The last prompt for a repair of each task."""
        return {r.task_id: r.prompt for r in self.requests if "Failed Test" in r.prompt}


def refine(model, box, tasks=TASKS, rounds: int = 1, **settings):
    return refinement.refine(refinement.Plan(tasks, rounds, **settings), model, box)


def values(curve) -> list[float]:
    return [point["value"] for point in curve.row()["points"]]


def test_a_failing_visible_example_is_put_to_the_model_and_the_fix_taken(box) -> None:
    model = Model(largest=[refined(RIGHT["largest"])])
    curve = refine(model, box, rounds=2)
    row = curve.row()
    assert values(curve) == pytest.approx([1 / 3, 2 / 3, 2 / 3])
    assert row["changes"] == [
        {"round": 1, "fixed": 1, "broken": 0, "asked": 1, "changed": 1},
        {"round": 2, "fixed": 0, "broken": 0, "asked": 0, "changed": 0},
    ]
    assert row["gain"]["value"] == pytest.approx(1 / 3)
    assert all(p["low"] <= p["value"] <= p["high"] for p in row["points"])
    assert [*model.asked] == ["largest"]
    assert "assert largest([1, 2]) == 2" in model.asked["largest"]
    assert "return min(xs)" in model.asked["largest"]
    assert [s.kind for s in curve.rounds[0]] == ["off by one", "off by one", "passed"]
    atlas = [(r["round"], r["kind"], r["count"], r["mended"]) for r in refinement.atlas(curve)]
    assert atlas == [(0, "off by one", 2, 1), (1, "off by one", 1, 0), (2, "off by one", 1, 0)]
    rows = [{**curve.names, "tasks": "t", **state} for state in curve.state_rows()]
    ((key, again),) = refinement.curves_of(rows).items()
    assert (key, again.row()) == (("t", "scripted", "public", "replace", 0.0), row)
    assert refinement.atlas(refine(Model(), box, [])) == []


@pytest.mark.parametrize("source", ["public", "trace", "oracle"])
def test_no_prompt_but_the_oracles_holds_a_hidden_value(box, source: str) -> None:
    """Hidden arguments and values are planted markers; only the oracle's prompt may show them."""
    marker = 987_123
    task = task_of("f", "def f(x):\n    return x * 2\n", [1, marker])
    later = [refined("def f(x):\n    return 2\n"), refined("def f(x):\n    return x * 2\n")]
    model = Model({"f": "def f(x):\n    return 0\n"}, f=later)
    curve = refine(model, box, [task], rounds=2, source=source)
    shown = any(str(marker) in r.prompt or str(2 * marker) in r.prompt for r in model.requests)
    assert shown is (source == "oracle")
    assert values(curve) == [0.0, 0.0, float(source == "oracle")]


def test_what_replace_and_keep_better_take(box) -> None:
    worse = "def double(x):\n    return 'no'\n"
    for accept, taken in (("replace", worse), ("keep_better", FIRST["double"])):
        model = Model(double=[refined(worse)], largest=[refined(RIGHT["largest"])])
        double, largest, _ = refine(model, box, source="oracle", accept=accept).rounds[1]
        assert (double.solution, largest.changed) == (taken, True)
    (_, largest, _) = refine(Model(largest=["I do not know."]), box).rounds[1]
    assert (largest.solution, largest.asked, largest.changed) == (FIRST["largest"], True, False)


def test_keep_better_never_falls_on_what_it_sees(box) -> None:
    rng = random.Random(5)
    for _ in range(5):
        answers = {
            name: [
                refined(rng.choice([RIGHT[name], FIRST[name], "x = (\n", "def f(: pass\n"]))
                for _ in range(6)
            ]
            for name in RIGHT
        }
        how = {"source": "oracle", "accept": "keep_better", "temperature": 0.8}
        curve = refine(Model(**answers), box, rounds=4, **how)
        for before, after in itertools.pairwise(curve.rounds):
            for x, y in zip(before, after, strict=True):
                assert (y.visible or 0.0) >= (x.visible or 0.0)


def test_the_trace_source_shows_the_run(box) -> None:
    model = Model(largest=[refined(RIGHT["largest"])])
    refine(model, box, source="trace")
    prompt = model.asked["largest"]
    assert prompt.endswith("### Root Cause Analysis\n")
    assert "[INPUT]" in prompt
    assert "[OUTPUT] 1 [/OUTPUT]" in prompt


def test_the_models_own_tests_may_be_wrong_and_are_used_all_the_same(box) -> None:
    own = {
        "double": "3) == 6\nassert double(4) == 8",
        "largest": "[1]) == 5",  # wrong: the right answer to it is 1
        "shout": "no test at all",
    }
    model = Model(**{k: [own[k], refined(RIGHT[k])] for k in RIGHT})
    curve = refine(model, box, source="self")
    assert set(model.asked) == {"double", "largest"}
    assert "assert double(3) == 6" in model.asked["double"]
    assert "assert largest([1]) == 5" in model.asked["largest"]
    assert curve.rounds[0][2].visible is None


def test_unknown_settings_are_named(box) -> None:
    with pytest.raises(UserError, match="feedback source 'hidden'"):
        refine(Model(), box, source="hidden")
    with pytest.raises(UserError, match="acceptance rule 'best'"):
        refine(Model(), box, accept="best")


def test_repair_of_given_faults(box) -> None:
    source, case = RIGHT["double"], Case((5,), 10)
    program = Program(source, "double", id="double", description="d")
    fault = Fault("double", FIRST["double"], source, "double", case, "6", "wrong_operator", id="d1")
    repairs = refinement.from_faults([fault], [Entry(program, (Case((1,), 2), case))])
    for answer, right in ((refined(source), 1.0), ("no", 0.0)):
        assert values(refine(Model({"d1": answer}), box, repairs)) == [0.0, right]


def test_faithful_prompts_take_the_first_fence() -> None:
    text = "See:\n```python\nx = 1\n```\n[Refined]\n```python\ny = 2\n```"
    assert offered(text, "faithful") == "x = 1\n"
    assert offered(text, "clean") == "y = 2\n"
    assert offered("nothing", "faithful") is offered("nothing", "clean") is None


def repairing(request) -> str:
    """An answer that depends on the prompt alone."""
    if "Failed Test" not in request.prompt:
        return FIRST[request.task_id]
    worse = "def largest(xs):\n    return None\n"
    return refined(RIGHT[request.task_id] if "min(" in request.prompt else worse)


def test_curves_side_by_side_are_the_same_in_fewer_calls(box) -> None:
    sources = {"public": "replace", "oracle": "keep_better", "self": "replace"}
    plans = [refinement.Plan(TASKS, rounds, *how) for how in sources.items() for rounds in (1, 3)]
    model = Model(answer=repairing)
    together = refinement.refine_all(plans, model, box)
    assert model.calls <= 5  # first solutions, tests of `self`, and at most three rounds
    assert values(together[0])[1] > values(together[0])[0]
    for plan, curve in zip(plans, together, strict=True):
        assert curve == refinement.refine(plan, Model(answer=repairing), box)


DEEP = "(" * 90 + "1" + ")" * 90


@pytest.mark.parametrize(
    "text",
    [
        "x" * 300_000, "(" * 5_000, "-" * 5_000 + "1", "assert f(" + "-" * 900 + "1) == 1",
        "9" * 5_000, f"assert double({DEEP}) == {DEEP}", "'\\" * 20_000, "\x00", "\ud800",
        "```python\n" + "def double(x):\n" + " return x" + " + x" * 3_000 + "\n```",
    ],
)  # fmt: skip
def test_no_text_of_a_model_ends_the_rounds(box, text: str) -> None:
    for source in ("public", "self"):
        model = Model(answer=lambda request: refined(text) if "Failed" in request.prompt else text)
        curve = refine(model, box, rounds=2, source=source)
        assert len(curve.rounds) == 3
    assert not any(s.right for s in curve.rounds[-1])


class Chat:
    """A tokenizer with a chat of its own."""

    chat_template = "yes"

    def apply_chat_template(self, messages, **_):
        return f"<user>{messages[0]['content']}</user>"


def test_which_prompts_are_put_into_the_chat(box) -> None:
    for chat, wrapped in (("none", [False] * 2), ("first", [True, False]), ("all", [True] * 2)):
        model = Model({"double": "return x\n```"}, double=[refined(RIGHT["double"])])
        model.tokenizer = Chat()
        curve = refine(model, box, TASKS[:1], chat=chat)
        assert curve.rounds[-1][0].right
        assert [r.prompt.startswith("<user>") for r in model.requests] == wrapped
        # the answer is begun after the user's message, as it is without a chat
        for request, opening in zip(model.requests, ("```python\n", "[MONOLOGUE]\n"), strict=True):
            assert request.prompt.endswith(opening)
