"""Rejection sampling against a server that fails, over interruptions; monologues by a teacher."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fault_server import FAULTS, FaultServer, asked
from tiny_engine import engine_of

from semcoder_lib import models, monologues, tracing
from semcoder_lib.core import workspace
from semcoder_lib.core.errors import InfrastructureError, UserError
from semcoder_lib.core.records import Case, Program
from semcoder_lib.models import teachers
from semcoder_lib.models.teachers import Task, Teacher, Usage, ask
from semcoder_lib.sandbox import Sandbox


@pytest.fixture(autouse=True)
def _quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openai._base_client.INITIAL_RETRY_DELAY", 0.001)


def tasks(count: int) -> list[Task]:
    return [Task(f"t{n}", ({"role": "user", "content": f"say {n}"},), n) for n in range(count)]


def echo(task: Task, text: str) -> tuple[bool, str]:
    """Accepts exactly the answer to this task's own question."""
    return text == f"say {task.data}", f"wrong text: {text[:20]}"


def teacher_at(server: FaultServer, **options: Any) -> Teacher:
    given = {"timeout": 0.5, "parallel": 6, **options}
    return Teacher(models.load("tiny", backend="openai", base_url=server.url, **given))


def test_a_storm_of_faults_loses_nothing_and_counts_nothing_twice(tmp_path: Path) -> None:
    chance = random.Random(3)
    fates = {f"say {n}": [chance.choice(FAULTS) for _ in range(n % 4)] for n in range(30)}

    def plan(body: dict[str, Any], number: int) -> str:
        fate = fates[asked(body)]
        return fate[number] if number < len(fate) else "ok"

    usage = Usage()
    with FaultServer(plan) as server, workspace.ItemCache(tmp_path / "replies.jsonl") as cache:
        out = list(ask(tasks(30), teacher_at(server), echo, cache=cache, usage=usage))
        assert server.most_at_once <= 6
        assert all(count == 1 for count in server.served.values())
        assert len(server.served) == 30
    assert [t.task.id for t in out] == [f"t{n}" for n in range(30)]
    assert [(t.status, t.text) for t in out] == [("accepted", f"say {n}") for n in range(30)]
    assert (usage.asked, usage.cached) == (30, 0)
    assert (usage.prompt_tokens, usage.completion_tokens) == (300, 150)


def test_rejected_replies_are_asked_for_again_up_to_the_limit() -> None:
    def answer(body: dict[str, Any]) -> str:
        return asked(body) if body["seed"] >= int(asked(body).split()[1]) else "nonsense"

    usage = Usage()
    with FaultServer(answer=answer) as server:
        out = list(ask(tasks(5), teacher_at(server), echo, tries=3, usage=usage))
    assert [t.status for t in out] == ["accepted"] * 3 + ["rejected"] * 2
    assert [t.tries for t in out] == [1, 2, 3, 3, 3]
    assert out[2].reasons == ("wrong text: nonsense",) * 2
    assert usage.asked == 12
    assert usage.reasons == {"wrong text": 9}


def test_an_interrupted_run_goes_on_where_it_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(teachers, "_ROUND", 7)
    path = tmp_path / "replies.jsonl"
    with FaultServer(lambda body, number: "slow") as server:
        with workspace.ItemCache(path) as cache:
            stream = ask(tasks(30), teacher_at(server), echo, cache=cache)
            first = [next(stream) for _ in range(9)]
            stream.close()  # type: ignore[attr-defined]
        paid = sum(server.served.values())
        assert paid == 14
        usage = Usage()
        with workspace.ItemCache(path) as cache:
            out = list(ask(tasks(30), teacher_at(server), echo, cache=cache, usage=usage))
        assert all(count == 1 for count in server.served.values())
    assert out[:9] == first
    assert [t.status for t in out] == ["accepted"] * 30
    assert (usage.cached, usage.asked) == (paid, 30 - paid)
    assert usage.prompt_tokens + usage.completion_tokens == 30 * 15  # each once, whoever asked


def test_a_teacher_that_fails_on_one_task_does_not_stop_the_others(tmp_path: Path) -> None:
    def plan(body: dict[str, Any], number: int) -> str:
        return "500" if asked(body) == "say 2" and number < 2 else "ok"

    with FaultServer(plan) as server, workspace.ItemCache(tmp_path / "c.jsonl") as cache:
        teacher = teacher_at(server, retries=1)
        usage = Usage()
        out = list(ask(tasks(4), teacher, echo, cache=cache, usage=usage))
        assert [t.status for t in out] == ["accepted", "accepted", "failed", "accepted"]
        assert "status 500" in out[2].reasons[0]
        assert usage.failures == 1
        again = list(ask(tasks(4), teacher, echo, cache=cache))
        assert [t.status for t in again] == ["accepted"] * 4
        assert server.seen['["say 0", 0]'] == 1


def test_a_teacher_that_is_gone_stops_the_run_and_keeps_what_it_said(tmp_path: Path) -> None:
    def plan(body: dict[str, Any], number: int) -> str:
        return "500" if gone and sum(server.served.values()) >= 8 else "ok"

    gone = [True]
    with FaultServer(plan) as server, workspace.ItemCache(tmp_path / "c.jsonl") as cache:
        teacher = teacher_at(server, retries=1, parallel=4)
        with pytest.raises(InfrastructureError, match=r"nobody answers: .*status 500"):
            list(ask(tasks(120), teacher, echo, cache=cache))
        assert sum(server.seen.values()) < 80
        assert len(cache) == sum(server.served.values())
        gone.clear()
        assert len(list(ask(tasks(120), teacher, echo, cache=cache))) == 120
        assert sum(server.served.values()) == 120


def test_a_model_in_this_process_can_teach(tiny: Callable[[str], str]) -> None:
    with engine_of(tiny("qwen2")) as engine:
        teacher = Teacher(engine, temperature=1.0, max_new_tokens=4)
        assert teacher.name == "qwen2"
        out = list(ask(tasks(6), teacher, lambda task, text: (True, ""), tries=2))
    assert {t.status for t in out} == {"rejected"}
    assert out[0].reasons == ("cut off by the token limit",) * 2
    with pytest.raises(UserError, match="tries"):
        list(ask(tasks(1), teacher, echo, tries=0))


PROGRAM = Program(
    "def total(nums):\n    s = 0\n    for n in nums:\n        s += n\n    return s\n",
    "total",
    id="t",
)


def test_of_a_teachers_monologues_only_what_the_verifier_accepts_comes_out(tmp_path: Path) -> None:
    """Wrong steps and missing answers are named and asked for again, faults or not."""
    pairs = [(PROGRAM, Case((nums,))) for nums in ([3, 4], [1], [2, 2, 2])]
    usage = Usage()
    with Sandbox(workers=1) as box:
        traces = list(tracing.trace_many(pairs, box))
        right = {
            f"total({case.arguments[0]})": monologues.forward(PROGRAM, trace)
            for (_, case), trace in zip(pairs, traces, strict=True)
        }

        def answer(body: dict[str, Any]) -> str:
            call = next(c for c in right if f"assert {c} == ??" in asked(body))
            assert len(body["messages"]) == 4  # rules, one example, the question
            text = right[call].text
            if body["seed"] == 0 and call == "total([3, 4])":
                return text.replace("so s = 7", "so s = 8")  # a wrong step, a right answer
            if body["seed"] == 0 and call == "total([1])":
                return text.rpartition("[ANSWER]")[0]
            return text

        shots = (teachers.shot(PROGRAM, right["total([2, 2, 2])"]),)
        fails_once = FaultServer(lambda body, number: "500" if number == 0 else "ok", answer)
        with fails_once as server, workspace.ItemCache(tmp_path / "c.jsonl") as cache:
            teacher = teacher_at(server, timeout=30)
            how: Any = {"shots": shots, "tries": 2, "cache": cache, "usage": usage}
            out = list(monologues.taught(pairs, teacher, box, **how))
    assert [(t.status, t.tries) for t, _ in out] == [("accepted", n) for n in (2, 2, 1)]
    assert out[0][0].reasons[0].startswith("contradicted value")
    assert out[1][0].reasons[0].startswith("wrong answer")
    assert [m.case for _, m in out if m is not None] == [case for _, case in pairs]
    assert usage.asked == 5


def test_a_backward_chat_never_sees_the_input() -> None:
    heard: list[str] = []

    def answer(body: dict[str, Any]) -> str:
        heard.append(asked(body))
        return (
            "### Reverse Deduction\n[L5] return s: total returns 7, so s must be 7.\n"
            "Choose nums = [7].\n### Conclusion\ntotal([7]) returns 7.\n[/MONOLOGUE]\n"
            "[ANSWER]\nassert total([7]) == 7\n[/ANSWER]"
        )

    with Sandbox(workers=1) as box, FaultServer(answer=answer) as server:
        pairs = [(PROGRAM, Case(([3, 4],), 7))]
        ((found, monologue),) = monologues.taught(
            pairs, teacher_at(server), box, direction="backward"
        )
    assert found.status == "accepted"
    assert monologue.case.arguments == ([7],)
    assert "assert total(??) == 7" in heard[0]
    assert "[3, 4]" not in heard[0]
