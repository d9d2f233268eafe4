"""Engines behind a server: a loopback server that fails in every way stands for any other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fault_server import PASSING, FaultServer

from semcoder_lib import models
from semcoder_lib.core import workspace
from semcoder_lib.core.errors import InfrastructureError, UserError
from semcoder_lib.models import Engine, Request
from semcoder_lib.run import notebook, runner

CHAT = ({"role": "user", "content": "hello"},)


def connect(server: FaultServer, **options: Any) -> Engine:
    given = {"timeout": 0.5, **options}
    return models.load("some-model", backend="openai", base_url=server.url, **given)


def test_stop_length_and_order() -> None:
    requests = [
        Request("a", "one two [/ANSWER] more", stop=("[/ANSWER]",), max_new_tokens=50),
        Request("b", "a b c d e f", max_new_tokens=3),
    ]
    with FaultServer() as server, connect(server) as engine:
        first = engine.generate(requests)
        assert engine.generate(requests[::-1]) == first[::-1]
        assert ["[/ANSWER]"] in [body.get("stop") for body in server.bodies]
    assert [(c.task_id, c.text, c.finish) for (c,) in first] == [
        ("a", "one two ", "stop"), ("b", "a b c", "length"),  # the server leaves a stop string in
    ]  # fmt: skip
    assert first[1][0].tokens == 3


@pytest.mark.parametrize("fault", [*PASSING, "junk"])
def test_each_fault_is_tried_again(fault: str) -> None:
    chat: Any = CHAT if len(fault) % 2 else ()
    with FaultServer(lambda body, number: fault if number < 2 else "ok") as server:
        with connect(server) as engine:
            output = engine.outputs([Request("x", "hello", chat=chat)])[0][0]
        assert (output.text, output.tokens, output.prompt_tokens) == ("hello", 5, 10)
        assert sum(server.seen.values()) == 3


@pytest.mark.parametrize(
    ("fault", "error", "word", "seen"),
    [
        ("500", InfrastructureError, r"no usable answer \(status 500\)", 3),
        ("reset", InfrastructureError, r"no usable answer \(connection: ", 3),
        *((f, InfrastructureError, "no completion", 3) for f in ("junk", "html", "empty", "shape")),
        ("400", UserError, r"refused the request \(400", 1),
        ("401", UserError, r"refused the request \(401", 1),
    ],
)
def test_giving_up_says_why_in_one_line(
    fault: str, error: type[Exception], word: str, seen: int
) -> None:
    with FaultServer(lambda body, number: fault) as server:
        with connect(server, retries=2) as engine, pytest.raises(error, match=word) as caught:
            engine.generate([Request("a", "x")])
        assert "\n" not in str(caught.value)
        assert sum(server.seen.values()) == seen


def test_what_has_arrived_is_kept_when_another_request_fails(tmp_path: Path) -> None:
    def plan(body: dict[str, Any], number: int) -> str:
        return "400" if body["prompt"] == "p5" else "slow"

    requests = [Request(f"t{n}", f"p{n}") for n in range(12)]
    cache = tmp_path / "c.jsonl"
    with FaultServer(plan) as server:
        refused = pytest.raises(UserError, match="400")
        with connect(server, parallel=4, cache=cache) as engine, refused:
            engine.outputs(requests)
        assert sum(server.served.values()) < 12
        server.plan = lambda body, number: "ok"
        with connect(server, cache=cache) as engine:
            engine.outputs(requests)
        assert all(count == 1 for count in server.served.values())


def test_key_and_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    cache = tmp_path / "cache.jsonl"
    with FaultServer() as server:
        for _ in range(2):
            with connect(server, cache=cache) as engine:
                engine.generate([Request("a", "x", n=2, temperature=1.0)])
        assert [body["key"] for body in server.bodies] == ["Bearer secret"] * 2
        assert {body["seed"] for body in server.bodies} == {0, 1}
    assert "secret" not in cache.read_text()


def test_wrong_settings_are_said_plainly() -> None:
    for options, word in (
        ({"base_url": "localhost:8000"}, "expected http"),
        ({"base_url": "http://localhost:1/v1", "adapter": "x"}, "the server chooses the adapter"),
    ):
        with pytest.raises(UserError, match=word):
            models.load("m", backend="openai", **options)


def test_a_stage_evaluates_a_model_behind_a_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEMCODER_RUNS", str(tmp_path))
    with FaultServer() as server:
        settings = (
            f"model=some-model backend={server.url} adapter=none "
            "codegen_benchmarks=humaneval codegen_tasks=3 codegen_tokens=40"
        )
        notebook.execute("05_codegen", "smoke", "served", settings)
        folder = tmp_path / "served" / "05_codegen"
        card = workspace.read_json(folder / "card.json")
        assert card["configuration"]["backend"] == server.url
        scores = workspace.read_json(folder / "results.json")["scores"]
        assert [(s["model"], s["setting"], s["value"]) for s in scores] == [
            ("base", "completion", 0.0), ("base", "instruction", 0.0)
        ]  # fmt: skip
        assert len(server.bodies) == 8  # two by hand
        instructed = [b for b in server.bodies if b["prompt"].startswith("Write the Python code")]
        assert len(instructed) == 4
        assert all(b["model"] == "some-model" and b["temperature"] == 0 for b in server.bodies)


def test_a_run_asks_whether_the_server_is_there() -> None:
    with FaultServer() as server:
        runner.ask("backend", server.url)
        server.listing = 401
        with pytest.raises(InfrastructureError, match="refuses the key in OPENAI_API_KEY"):
            runner.ask("backend", server.url)
    with pytest.raises(InfrastructureError, match=f"backend={server.url}: no server answers"):
        runner.ask("backend", server.url)
