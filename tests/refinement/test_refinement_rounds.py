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
CALLS = {"double": [1, 0, 5], "largest": [[1, 2], [3, 1], [5]], "shout": ["a", "", "Bc"]}


def task_of(name: str, source: str, calls: list) -> refinement.RefinementTask:
    """A task whose first case is visible and all of whose cases are hidden tests."""
    space: dict = {}
    exec(source, space)
    cases = tuple(Case((a,), space[name](a)) for a in calls)
    problem = f"The {name} of something.\n{assertion(name, cases[0])}"
    start = prompts.nl_to_code(problem)
    return refinement.RefinementTask(name, problem, name, cases[:1], cases, start=start)


@pytest.fixture(scope="module")
def tasks():
    return [task_of(name, source, CALLS[name]) for name, source in RIGHT.items()]


class Scripted:
    """A model that answers from a script, by task and number of answers so far."""

    name = "scripted"

    def __init__(self, script: dict[str, list[str]]) -> None:
        self.script = {k: list(v) for k, v in script.items()}
        self.requests: list = []

    def generate(self, requests):
        self.requests += requests
        return [
            [Completion(r.task_id, self.script[r.task_id].pop(0), finish="stop", tokens=5)]
            for r in requests
        ]


def refined(code: str, before: str = "") -> str:
    return f"{before}[/MONOLOGUE]\n[Refined]\n```python\n{code}```\n"


WORSE = "def largest(xs):\n    return None\n"
FIRST = {
    "double": "def double(x):\n    return x + 1\n",  # passes the visible case, fails a hidden one
    "largest": "def largest(xs):\n    return min(xs)\n",
    "shout": RIGHT["shout"],
}


def script(**later: list[str]) -> Scripted:
    return Scripted({k: [FIRST[k], *later.get(k, [])] for k in RIGHT})


def refine(tasks, model, box, rounds: int = 1, **settings):
    return refinement.refine(refinement.Plan(tasks, rounds, **settings), model, box)


def values(curve) -> list[float]:
    return [point["value"] for point in curve.row()["points"]]


def test_a_failing_visible_example_is_put_to_the_model_and_the_fix_taken(tasks, box) -> None:
    model = script(largest=[refined(RIGHT["largest"])])
    curve = refine(tasks, model, box, rounds=2)
    assert values(curve) == pytest.approx([1 / 3, 2 / 3, 2 / 3])
    assert [(c["fixed"], c["broken"]) for c in curve.row()["changes"]] == [(1, 0), (0, 0)]
    asked = [r for r in model.requests if "Failed Test" in r.prompt]
    assert [r.task_id for r in asked] == ["largest"]
    assert "assert largest([1, 2]) == 2" in asked[0].prompt
    assert "return min(xs)" in asked[0].prompt
    assert [s.kind for s in curve.rounds[0]] == ["off by one", "off by one", "passed"]


@pytest.mark.parametrize("source", ["public", "trace", "oracle"])
def test_no_prompt_but_the_oracles_holds_a_hidden_value(box, source: str) -> None:
    """Hidden arguments and values are planted markers; only the oracle's prompt may show them."""
    marker = 987_123
    task = task_of("f", "def f(x):\n    return x * 2\n", [1, marker])
    right = refined("def f(x):\n    return x * 2\n")
    again = refined("def f(x):\n    return 2\n")
    model = Scripted({"f": ["def f(x):\n    return 0\n", again, right]})
    curve = refine([task], model, box, rounds=2, source=source)
    shown = any(str(marker) in r.prompt or str(2 * marker) in r.prompt for r in model.requests)
    assert shown is (source == "oracle")
    assert values(curve) == [0.0, 0.0, float(source == "oracle")]


def test_replace_takes_a_worse_program_and_keep_better_does_not(tasks, box) -> None:
    worse = {"double": [refined("def double(x):\n    return 'no'\n")]}
    checks = {"rounds": 1, "source": "oracle"}
    largest = [refined(RIGHT["largest"])]
    curve = refine(tasks, script(**worse, largest=largest), box, **checks)
    kept = refine(tasks, script(**worse, largest=largest), box, accept="keep_better", **checks)
    assert curve.rounds[1][0].solution == "def double(x):\n    return 'no'\n"
    assert kept.rounds[1][0].solution == FIRST["double"]
    assert kept.rounds[1][1].changed


def test_keep_better_never_falls_on_what_it_sees(tasks, box) -> None:
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
        curve = refine(tasks, script(**answers), box, rounds=4, **how)
        for before, after in itertools.pairwise(curve.rounds):
            for x, y in zip(before, after, strict=True):
                assert (y.visible or 0.0) >= (x.visible or 0.0)


def test_an_answer_without_a_program_leaves_the_old_one(tasks, box) -> None:
    curve = refine(tasks, script(largest=["I do not know."]), box, rounds=1)
    assert curve.rounds[1][1].solution == FIRST["largest"]
    assert curve.rounds[1][1].asked
    assert not curve.rounds[1][1].changed


def test_the_trace_source_shows_the_run(tasks, box) -> None:
    model = script(largest=[refined(RIGHT["largest"])])
    refine(tasks, model, box, rounds=1, source="trace")
    prompt = next(r.prompt for r in model.requests if "Failed Test" in r.prompt)
    assert prompt.endswith("### Root Cause Analysis\n")
    assert "[INPUT]" in prompt
    assert "[OUTPUT] 1 [/OUTPUT]" in prompt


def test_the_models_own_tests_may_be_wrong_and_are_used_all_the_same(tasks, box) -> None:
    own = {
        "double": "3) == 6\nassert double(4) == 8",
        "largest": "[1]) == 5",  # wrong: the right answer to it is 1
        "shout": "no test at all",
    }
    model = Scripted({k: [FIRST[k], own[k], refined(RIGHT[k])] for k in RIGHT})
    curve = refine(tasks, model, box, rounds=1, source="self")
    asked = {r.task_id: r.prompt for r in model.requests if "Failed Test" in r.prompt}
    assert set(asked) == {"double", "largest"}
    assert "assert double(3) == 6" in asked["double"]
    assert "assert largest([1]) == 5" in asked["largest"]
    assert curve.rounds[0][2].visible is None


def test_unknown_settings_are_named(tasks, box) -> None:
    with pytest.raises(UserError, match="feedback source 'hidden'"):
        refine(tasks, script(), box, rounds=1, source="hidden")
    with pytest.raises(UserError, match="acceptance rule 'best'"):
        refine(tasks, script(), box, rounds=1, accept="best")


def test_repair_of_given_faults(tasks, box) -> None:
    source = RIGHT["double"]
    entry = Entry(
        Program(source, "double", id="double", description="d"), (Case((1,), 2), Case((5,), 10))
    )
    fault = Fault(
        "double", FIRST["double"], source, "double", Case((5,), 10), "6", "wrong_operator", id="d1"
    )
    repairs = refinement.from_faults([fault], [entry])
    model = Scripted({"d1": [refined(source)]})
    curve = refine(repairs, model, box, rounds=1)
    assert values(curve) == [0.0, 1.0]
    lost = refine(repairs, Scripted({"d1": ["no"]}), box, rounds=1)
    assert values(lost) == [0.0, 0.0]


def test_rows_and_atlas(tasks, box) -> None:
    curve = refine(tasks, script(largest=[refined(RIGHT["largest"])]), box)
    row = curve.row()
    assert [p["round"] for p in row["points"]] == [0, 1]
    assert row["changes"] == [{"round": 1, "fixed": 1, "broken": 0, "asked": 1, "changed": 1}]
    assert row["points"][1]["low"] <= row["points"][1]["value"] <= row["points"][1]["high"]
    assert row["gain"]["value"] == pytest.approx(1 / 3)
    found = refinement.atlas(curve)
    assert sum(r["count"] for r in found if r["round"] == 0) == 2
    assert sum(r["mended"] for r in found if r["round"] == 0) == 1
    states = curve.state_rows()
    assert [(s["round"], s["task_id"]) for s in states if s["changed"]] == [(1, "largest")]
    assert refinement.atlas(refine([], script(), box)) == []


def test_faithful_prompts_take_the_first_fence() -> None:
    text = "See:\n```python\nx = 1\n```\n[Refined]\n```python\ny = 2\n```"
    assert offered(text, "faithful") == "x = 1\n"
    assert offered(text, "clean") == "y = 2\n"
    assert offered("nothing", "faithful") is offered("nothing", "clean") is None


class Repairing:
    """A model whose answer depends on the prompt alone; counts its calls."""

    name = "repairing"
    calls = 0

    def generate(self, requests):
        self.calls += 1
        return [[Completion(r.task_id, self.answer(r), finish="stop", tokens=5)] for r in requests]

    def answer(self, request) -> str:
        if "Failed Test" not in request.prompt:
            return FIRST[request.task_id]
        return refined(RIGHT[request.task_id] if "min(" in request.prompt else WORSE)


def test_curves_side_by_side_are_the_same_in_fewer_calls(tasks, box) -> None:
    sources = {"public": "replace", "oracle": "keep_better", "self": "replace"}
    plans = [refinement.Plan(tasks, rounds, *how) for how in sources.items() for rounds in (1, 3)]
    model = Repairing()
    together = refinement.refine_all(plans, model, box)
    assert model.calls <= 5  # first solutions, tests of `self`, and at most three rounds
    assert values(together[0])[1] > values(together[0])[0]
    for plan, curve in zip(plans, together, strict=True):
        assert curve == refinement.refine(plan, Repairing(), box)


DEEP = "(" * 90 + "1" + ")" * 90


@pytest.mark.parametrize(
    "text",
    [
        "x" * 300_000, "(" * 5_000, "-" * 5_000 + "1", "assert f(" + "-" * 900 + "1) == 1",
        "9" * 5_000, f"assert double({DEEP}) == {DEEP}", "'\\" * 20_000, "\x00", "\ud800",
        "```python\n" + "def double(x):\n" + " return x" + " + x" * 3_000 + "\n```",
    ],
)  # fmt: skip
def test_no_text_of_a_model_ends_the_rounds(tasks, box, text: str) -> None:
    for source in ("public", "self"):
        model = Repairing()
        model.answer = lambda request: refined(text) if "Failed" in request.prompt else text
        curve = refine(tasks, model, box, rounds=2, source=source)
        assert len(curve.rounds) == 3
    assert all(not s.right for s in curve.rounds[-1])


class Chat:
    """A tokenizer with a chat of its own."""

    chat_template = "yes"

    def apply_chat_template(self, messages, **_):
        return f"<user>{messages[0]['content']}</user>"


@pytest.mark.parametrize(
    ("chat", "wrapped"), [("none", [False, False]), ("first", [True, False]), ("all", [True, True])]
)
def test_which_prompts_are_put_into_the_chat(tasks, box, chat, wrapped):
    (task,) = (t for t in tasks if t.id == "double")
    model = Scripted({"double": ["return x\n```", refined(RIGHT["double"])]})
    model.tokenizer = Chat()
    plan = refinement.Plan([task], rounds=1, chat=chat)
    curve = refinement.refine(plan, model, box)
    assert curve.rounds[-1][0].right
    assert [r.prompt.startswith("<user>") for r in model.requests] == wrapped
    # the answer is begun after the user's message, as it is without a chat
    openings = ("```python\n", "[MONOLOGUE]\n")
    for request, opening in zip(model.requests, openings, strict=True):
        assert request.prompt.endswith(opening)
