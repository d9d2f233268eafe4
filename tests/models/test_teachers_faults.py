"""The teacher's path against a server that fails in every way it can."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fault_server import FaultServer

from semcoder_lib.core import workspace
from semcoder_lib.core.errors import UserError
from semcoder_lib.models.teachers import (
    Budget,
    Endpoint,
    Price,
    Task,
    Taught,
    Unanswered,
    Usage,
    ask,
)

FAULTS = ("429", "500", "503", "half", "junk", "html", "empty", "shape", "reset", "hang")


def tasks(count: int) -> list[Task]:
    return [Task(f"t{n}", ({"role": "user", "content": f"say {n}"},), n) for n in range(count)]


def echo(task: Task, text: str) -> tuple[bool, str]:
    """Accepts exactly the answer to this task's own question."""
    return text == f"say {task.data}", f"wrong text: {text[:20]}"


def endpoint(server: FaultServer, waits: list[float] | None = None, **options: Any) -> Endpoint:
    given: dict[str, Any] = {"timeout": 0.5, "parallel": 6, "pause": 0.25, **options}
    sleep = (waits if waits is not None else []).append
    return Endpoint("tiny", base_url=server.url, sleep=sleep, **given)


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_tried_again(fault: str) -> None:
    waits: list[float] = []
    with FaultServer(lambda body, number: fault if number < 2 else "ok") as server:
        reply = endpoint(server, waits).sample([{"role": "user", "content": "hello"}], seed=1)
    assert reply.text == "hello"
    assert (reply.prompt_tokens, reply.completion_tokens, reply.retries) == (10, 5, 2)
    assert len(waits) == 2
    assert 0.125 <= waits[0] <= 0.375
    assert waits[1] >= 0.25


def test_retry_after_is_respected() -> None:
    waits: list[float] = []
    with FaultServer(lambda body, number: "429-after" if number == 0 else "ok") as server:
        endpoint(server, waits).sample([{"role": "user", "content": "hello"}], seed=1)
    assert waits == [3.0]


def test_giving_up_says_why_and_a_refusal_is_not_repeated() -> None:
    with FaultServer(lambda body, number: "500") as server:
        with pytest.raises(Unanswered, match=r"no answer after 3 attempts .status 500"):
            endpoint(server, attempts=3).sample([{"role": "user", "content": "x"}], seed=0)
        assert sum(server.seen.values()) == 3
    with FaultServer(lambda body, number: "401") as server:
        with pytest.raises(UserError, match=r"refused the request .401"):
            endpoint(server).sample([{"role": "user", "content": "x"}], seed=0)
        assert sum(server.seen.values()) == 1


def test_no_server_at_all() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    teacher = Endpoint(
        "tiny", base_url=f"http://127.0.0.1:{port}/v1", attempts=2, sleep=lambda s: None
    )
    with pytest.raises(Unanswered, match="connection"):
        teacher.sample([{"role": "user", "content": "x"}], seed=0)


def test_a_storm_of_faults_loses_nothing_and_counts_nothing_twice(tmp_path: Path) -> None:
    chance = random.Random(3)
    fates = {f"say {n}": [chance.choice(FAULTS) for _ in range(n % 4)] for n in range(60)}

    def plan(body: dict[str, Any], number: int) -> str:
        fate = fates[body["messages"][-1]["content"]]
        return fate[number] if number < len(fate) else "ok"

    usage = Usage()
    with (
        FaultServer(plan) as server,
        workspace.ItemCache(tmp_path / "replies.jsonl") as cache,
    ):
        out = list(ask(tasks(60), endpoint(server), echo, cache=cache, usage=usage))
        assert server.most_at_once <= 6
        assert all(count == 1 for count in server.served.values())
        assert len(server.served) == 60
    assert [t.task.id for t in out] == [f"t{n}" for n in range(60)]
    assert {t.status for t in out} == {"accepted"}
    assert [t.text for t in out] == [f"say {n}" for n in range(60)]
    assert (usage.asked, usage.cached) == (60, 0)
    assert usage.retries == sum(len(f) for f in fates.values())
    assert (usage.prompt_tokens, usage.completion_tokens) == (600, 300)


def test_rejected_replies_are_asked_for_again_up_to_the_limit() -> None:
    def answer(body: dict[str, Any]) -> str:
        text = str(body["messages"][-1]["content"])
        return text if body["seed"] >= int(text.split()[1]) else "nonsense"

    usage = Usage()
    with FaultServer(answer=answer) as server:
        out = list(ask(tasks(5), endpoint(server), echo, tries=3, usage=usage))
    assert [t.status for t in out] == ["accepted"] * 3 + ["rejected"] * 2
    assert [t.tries for t in out] == [1, 2, 3, 3, 3]
    assert out[2].reasons == ("wrong text: nonsense",) * 2
    assert usage.asked == 12
    assert usage.reasons == {"wrong text": 9}


def test_an_interrupted_run_goes_on_where_it_stopped(tmp_path: Path) -> None:
    path = tmp_path / "replies.jsonl"
    with FaultServer(lambda body, number: "slow") as server:
        with workspace.ItemCache(path) as cache:
            stream: Iterator[Taught] = ask(tasks(30), endpoint(server), echo, cache=cache)
            first = [next(stream) for _ in range(7)]
            stream.close()  # type: ignore[attr-defined]
        paid = sum(server.served.values())
        usage = Usage()
        with workspace.ItemCache(path) as cache:
            out = list(ask(tasks(30), endpoint(server), echo, cache=cache, usage=usage))
        assert 7 <= paid < 30
        assert all(count == 1 for count in server.served.values())
    assert out[:7] == first
    assert [t.status for t in out] == ["accepted"] * 30
    assert usage.cached == paid
    assert usage.asked == 30 - paid
    assert usage.tokens == 30 * 15  # each reply once, whoever asked for it


def test_a_teacher_that_fails_on_one_task_does_not_stop_the_others(tmp_path: Path) -> None:
    def plan(body: dict[str, Any], number: int) -> str:
        return "500" if body["messages"][-1]["content"] == "say 2" and number < 2 else "ok"

    with FaultServer(plan) as server, workspace.ItemCache(tmp_path / "c.jsonl") as cache:
        teacher = endpoint(server, attempts=2)
        usage = Usage()
        out = list(ask(tasks(4), teacher, echo, cache=cache, usage=usage))
        assert [t.status for t in out] == ["accepted", "accepted", "failed", "accepted"]
        assert "status 500" in out[2].reasons[0]
        assert usage.failures == 1
        again = list(ask(tasks(4), teacher, echo, cache=cache))
        assert [t.status for t in again] == ["accepted"] * 4
        assert server.seen['["say 0", 0]'] == 1


def test_budget_stops_asking() -> None:
    price = Price(prompt=100_000.0, completion=200_000.0)  # 1 + 1 dollars a reply
    usage = Usage()
    with FaultServer() as server:
        budget = Budget(cost=6.0, price=price)
        teacher = endpoint(server, parallel=1)
        out = list(ask(tasks(10), teacher, echo, budget=budget, usage=usage))
        assert sum(server.seen.values()) == 3
    assert [t.status for t in out] == ["accepted"] * 3 + ["budget"] * 7
    assert usage.cost == pytest.approx(6.0)


def test_wrong_settings_are_said_plainly() -> None:
    with pytest.raises(UserError, match="expected http"):
        Endpoint("m", base_url="localhost:8000")
    with pytest.raises(UserError, match="at least 1"):
        Endpoint("m", base_url="http://localhost:1/v1", parallel=0)
