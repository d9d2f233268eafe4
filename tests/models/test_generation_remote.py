"""The engines that are not ours share these tests: a loopback server stands for any server."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from semcoder_lib import models as generation
from semcoder_lib.core import scale, workspace
from semcoder_lib.core.errors import InfrastructureError, UserError
from semcoder_lib.models import Engine, Request, hardware
from semcoder_lib.run import stages
from semcoder_lib.run.stages import models


class Server(http.server.ThreadingHTTPServer):
    """Answers with the prompt's words in turn; `fail` many requests get a 503 first."""

    fail = 0
    seen: list[dict[str, Any]]


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.seen.append({**body, "key": self.headers.get("Authorization")})
        if self.server.fail:
            self.server.fail -= 1
            return self.answer(503, {"error": "busy"})
        if body["prompt"] == "refuse":
            return self.answer(400, {"error": "no such model"})
        if body["prompt"] == "junk":
            return self.answer(200, {"nothing": 1})
        words = (body["prompt"] + " [/ANSWER] more").split(" ")
        whole = len(words) <= body["max_tokens"]
        choice = {
            "text": " ".join(words[: body["max_tokens"]]),
            "finish_reason": "stop" if whole else "length",
        }
        usage = {"completion_tokens": min(len(words), body["max_tokens"])}
        return self.answer(200, {"choices": [choice], "usage": usage})

    def answer(self, status: int, data: Any) -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(data).encode())

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server(("127.0.0.1", 0), Handler)
    made.seen = []
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield made
    made.shutdown()


def connect(server: Server, **options: Any) -> Engine:
    return generation.load(
        "some-model",
        backend="openai",
        base_url=f"http://127.0.0.1:{server.server_port}/v1",
        retry_seconds=0.01,
        **options,
    )


@pytest.fixture(params=["openai", "vllm"])
def engine(request: pytest.FixtureRequest, server: Server) -> Iterator[Engine]:
    if request.param == "vllm":
        pytest.importorskip("vllm", reason="vLLM is not installed: its engine was not run here")
        made = generation.load(backend="vllm")
    else:
        made = connect(server)
    with made:
        yield made


def test_stop_length_and_order(engine: Engine) -> None:
    asked = [
        Request("a", "one two", stop=("[/ANSWER]",), max_new_tokens=50),
        Request("b", "a b c d e f", max_new_tokens=3),
    ]
    first = engine.generate(asked)
    assert [row[0].task_id for row in first] == ["a", "b"]
    assert "[/ANSWER]" not in first[0][0].text
    assert first[1][0].finish == "length"
    assert first[1][0].tokens == 3
    assert engine.generate(asked[::-1]) == first[::-1]


def test_stop_string_left_in_by_the_server_is_cut(server: Server) -> None:
    with connect(server) as engine:
        got = engine.generate([Request("a", "one two", stop=("[/ANSWER]",))])[0][0]
    assert (got.text, got.finish) == ("one two ", "stop")
    assert server.seen[0]["stop"] == ["[/ANSWER]"]


def test_busy_server_is_asked_again(server: Server) -> None:
    server.fail = 2
    with connect(server) as engine:
        assert engine.generate([Request("a", "x")])[0][0].text.startswith("x")
    assert len(server.seen) == 3


def test_errors_are_one_line(server: Server) -> None:
    with connect(server) as engine:
        with pytest.raises(UserError, match="400"):
            engine.generate([Request("a", "refuse")])
        with pytest.raises(InfrastructureError, match="not a completion"):
            engine.generate([Request("a", "junk")])
        server.fail = 99
        with pytest.raises(InfrastructureError, match="after 5 tries"):
            engine.generate([Request("a", "x")])


def test_key_and_cache(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_KEY", "secret")
    cache = tmp_path / "cache.jsonl"
    for _ in range(2):
        with connect(server, cache=cache, key_variable="SOME_KEY") as engine:
            engine.generate([Request("a", "x", n=2, temperature=1.0)])
    assert [s["key"] for s in server.seen] == ["Bearer secret"] * 2
    assert {s["seed"] for s in server.seen} == {0, 1}
    assert "secret" not in cache.read_text()


def test_vllm_missing_is_one_line() -> None:
    try:
        import vllm  # noqa: F401
    except ImportError:
        with pytest.raises(UserError, match="install vllm"):
            generation.load(backend="vllm")
    else:
        pytest.skip("vLLM is installed")


def test_threads_follow_statement_and_load(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert hardware.cores() == hardware.free_cores() == 1
    monkeypatch.delenv("OMP_NUM_THREADS")
    monkeypatch.setattr(scale, "cores", lambda: 8)
    monkeypatch.setattr(scale, "_idle_seconds", lambda: 0.0)
    assert hardware.free_cores(0.01) == 1
    ticks = iter([0.0, 0.0, 0.0, 1e9])  # busy at first, as where a notebook has just ended
    monkeypatch.setattr(scale, "_idle_seconds", lambda: next(ticks))
    assert hardware.free_cores(0.01) == 8


def test_a_stage_evaluates_a_model_behind_a_server(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEMCODER_RUNS", str(tmp_path))
    address = f"http://127.0.0.1:{server.server_port}/v1"
    settings = (
        f"model=some-model backend={address} adapter=none "
        "codegen_benchmarks=humaneval codegen_tasks=3 codegen_tokens=40"
    )
    card = stages.run_alone(5, "smoke", "served", settings)
    assert card["configuration"]["backend"] == address
    folder = tmp_path / "served" / "05_codegen"
    scores = workspace.read_json(folder / "results.json")["scores"]
    assert [(s["model"], s["setting"]) for s in scores] == [
        ("base", "completion"), ("base", "instruction")
    ]  # fmt: skip
    assert {s["value"] for s in scores} == {0.0}, "it repeats the prompt's words"
    asked = [r for r in server.seen if "prompt" in r]
    assert len(asked) == 6
    assert sum(r["prompt"].startswith("Write the Python code") for r in asked) == 3
    assert all(r["model"] == "some-model" and r["temperature"] == 0 for r in asked)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ("backend=openai", "the address of an OpenAI"),
        ("server=http://h/v1", "unknown key 'server'"),
        ("backend=localhost:80", "the address of an OpenAI"),
    ],
)
def test_half_a_server_is_refused_before_anything_starts(settings: str, told: str) -> None:
    with pytest.raises(UserError, match=told):
        stages.configured("smoke", settings)


def test_a_server_holds_one_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEMCODER_RUNS", str(tmp_path))
    effective = stages.configured("smoke", "backend=http://h/v1")
    session = stages.Session(stages.STAGES[5], effective, workspace.Run("served"))
    try:
        with pytest.raises(UserError, match="adapter=none"):
            models.chosen(session)
    finally:
        session.close()
