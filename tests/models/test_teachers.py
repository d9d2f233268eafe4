"""Rejection sampling against a server that fails, over interruptions and within a budget."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fault_server import FAULTS, FaultServer, asked
from tiny_engine import engine_of

from semcoder_lib import models
from semcoder_lib.core import workspace
from semcoder_lib.core.errors import InfrastructureError, UserError
from semcoder_lib.models import teachers
from semcoder_lib.models.teachers import Task, Teacher, Usage, ask


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
    fates = {f"say {n}": [chance.choice(FAULTS) for _ in range(n % 4)] for n in range(60)}

    def plan(body: dict[str, Any], number: int) -> str:
        fate = fates[asked(body)]
        return fate[number] if number < len(fate) else "ok"

    usage = Usage()
    with (
        FaultServer(plan) as server,
        workspace.ItemCache(tmp_path / "replies.jsonl") as cache,
    ):
        out = list(ask(tasks(60), teacher_at(server), echo, cache=cache, usage=usage))
        assert server.most_at_once <= 6
        assert all(count == 1 for count in server.served.values())
        assert len(server.served) == 60
    assert [t.task.id for t in out] == [f"t{n}" for n in range(60)]
    assert [(t.status, t.text) for t in out] == [("accepted", f"say {n}") for n in range(60)]
    assert (usage.asked, usage.cached) == (60, 0)
    assert (usage.prompt_tokens, usage.completion_tokens) == (600, 300)


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
        return "500" if gone and int(asked(body).split()[1]) >= 30 else "ok"

    gone = [True]
    with FaultServer(plan) as server, workspace.ItemCache(tmp_path / "c.jsonl") as cache:
        teacher = teacher_at(server, retries=1, parallel=4)
        with pytest.raises(InfrastructureError, match=r"nobody answers: .*status 500"):
            list(ask(tasks(400), teacher, echo, cache=cache))
        assert sum(server.seen.values()) < 200
        assert len(cache) == sum(server.served.values())
        gone.clear()
        assert len(list(ask(tasks(400), teacher, echo, cache=cache))) == 400
        assert sum(server.served.values()) == 400


def test_a_model_in_this_process_can_teach(tiny: Callable[[str], str]) -> None:
    with engine_of(tiny("qwen2")) as engine:
        teacher = Teacher(engine, temperature=1.0, max_new_tokens=4, stop=("zzz",))
        assert teacher.name == "qwen2"
        out = list(ask(tasks(6), teacher, lambda task, text: (True, ""), tries=2))
    assert {t.status for t in out} == {"rejected"}
    assert out[0].reasons == ("cut off by the token limit",) * 2
    with pytest.raises(UserError, match="tries"):
        list(ask(tasks(1), teacher, echo, tries=0))
