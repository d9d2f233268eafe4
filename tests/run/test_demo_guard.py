"""What gets past the guard: this page's own requests, and nothing else. Needs no Gradio."""

from __future__ import annotations

import asyncio

import pytest

from semcoder_lib.run.demo.guard import Guard

OWN = {"host": "127.0.0.1:7860"}
POST = OWN | {"origin": "http://127.0.0.1:7860", "content-type": "application/json"}


def ask(method: str, path: str, headers: dict[str, str], body: bytes = b"") -> tuple[int, str]:
    """The status, and what the application behind the guard was given, or the refusal."""
    seen: list[dict] = []
    parts = [body[i : i + 1000] for i in range(0, len(body), 1000)] or [b""]

    async def behind(_scope, receive, send) -> None:
        message = await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": message["body"]})

    async def receive() -> dict:
        part = parts.pop(0)
        return {"type": "http.request", "body": part, "more_body": bool(parts)}

    async def send(message: dict) -> None:
        seen.append(message)

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "headers": [(k.encode(), v.encode()) for k, v in headers.items()],
    }
    asyncio.run(Guard(behind, 7860, largest=5000)(scope, receive, send))
    return seen[0]["status"], seen[1]["body"].decode()


def test_the_pages_own_requests_pass() -> None:
    assert ask("GET", "/", OWN)[0] == 200
    assert ask("HEAD", "/", OWN)[0] == 200
    assert ask("GET", "/assets/index.js", {"host": "localhost:7860"})[0] == 200
    assert ask("POST", "/gradio_api/queue/join", POST, b"x" * 4321) == (200, "x" * 4321)
    arrived_by_link = OWN | {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    assert ask("GET", "/", arrived_by_link)[0] == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"host": "evil.example:7860"},
        {"host": "evil.example"},
        {"host": "127.0.0.1"},
        {"host": "127.0.0.1:7861"},
        {"host": "127.0.0.1.evil.example:7860"},
        OWN | {"origin": "http://evil.example"},
        OWN | {"origin": "http://127.0.0.1:8888"},
        OWN | {"origin": "null"},
        OWN | {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"},
        OWN | {"sec-fetch-site": "same-site", "sec-fetch-mode": "cors"},
    ],
)
def test_other_sites_cannot_drive_it(headers: dict[str, str]) -> None:
    for method, path in (("GET", "/"), ("POST", "/gradio_api/queue/join"), ("GET", "/config")):
        status, body = ask(method, path, headers | {"content-type": "application/json"})
        assert status == 403
        assert "this page" in body


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/gradio_api/file=/etc/passwd"),
        ("GET", "/gradio_api/file=../../etc/passwd"),
        ("GET", "/file=/etc/passwd"),
        ("GET", "/assets/../../../../etc/passwd"),
        ("GET", "/gradio_api/proxy=http://169.254.169.254/"),
        ("GET", "/gradio_api/stream/a/b/c/playlist.m3u8"),
        ("GET", "/monitoring"),
        ("GET", "/gradio_api/deep_link"),
        ("GET", "/gradio_api/runs"),
        ("GET", "/openapi.json"),
        ("POST", "/gradio_api/upload"),
        ("POST", "/gradio_api/run/predict"),
        ("POST", "/gradio_api/call/examine"),
        ("POST", "/gradio_api/component_server"),
        ("POST", "/gradio_api/process_recording"),
        ("POST", "/gradio_api/vibe-edit"),
        ("POST", "/login"),
        ("DELETE", "/"),
        ("OPTIONS", "/gradio_api/queue/join"),
    ],
)
def test_doors_that_the_page_does_not_use_are_closed(method: str, path: str) -> None:
    assert ask(method, path, POST)[0] == 404


def test_a_form_of_another_site_is_not_json() -> None:
    """What a browser sends without asking first: no Origin to judge by, in old ones."""
    assert ask("POST", "/gradio_api/queue/join", OWN | {"content-type": "text/plain"})[0] == 415
    assert ask("POST", "/gradio_api/queue/join", OWN)[0] == 415


def test_a_large_request_is_refused_before_it_is_read_by_anything() -> None:
    assert ask("POST", "/gradio_api/queue/join", POST, b"x" * 5001)[0] == 413
