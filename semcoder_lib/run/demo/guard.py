"""What stands in front of Gradio: only this page's own requests, of a bounded size, get through.

Gradio has many doors that this page does not use (files, uploads, a proxy, recordings, an API).
They are closed by listing the ones it does use. A website that has its name resolved to 127.0.0.1
is told apart by the Host header that the browser then sends.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

DOORS = {
    "GET": ("/", "/config", "/theme.css", "/favicon.ico", "/manifest.json", "/robots.txt",
            "/gradio_api/info", "/gradio_api/queue/data", "/gradio_api/startup-events"),
    "POST": ("/gradio_api/queue/join", "/gradio_api/cancel"),
}  # fmt: skip
FOLDERS = ("/assets/", "/static/", "/gradio_api/heartbeat/")
HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; "
        "style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; "
        "connect-src 'self'; frame-src 'self'; base-uri 'self'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
}


class TooLarge(Exception):
    """The body is longer than the limit."""


class Guard:
    """An ASGI application that passes on what belongs to the page at `port`, and answers the rest
    with a status and one line: 403 for another site, 404 for a closed door, 413 for a body of more
    than `largest` bytes."""

    def __init__(self, app: App, port: int, largest: int) -> None:
        self.app = app
        self.largest = largest
        self.hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}
        if port == 80:
            self.hosts |= {"127.0.0.1", "localhost"}
        self.origins = {f"http://{host}" for host in self.hosts}

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """One connection."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            return
        refused = self.refusal(scope)
        if refused is not None:
            await _answer(send, *refused)
            return
        begun = False

        async def careful(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                own = [(k.encode(), v.encode()) for k, v in HEADERS.items()]
                message = {**message, "headers": [*message.get("headers", ()), *own]}
            await send(message)

        try:
            body = await self._body(receive)
        except TooLarge:
            await _answer(send, 413, f"a request may have {self.largest:,} bytes")
            return
        await self.app(scope, _again(body, receive), careful)

    def refusal(self, scope: MutableMapping[str, Any]) -> tuple[int, str] | None:
        """Status and reason, for what must not get through."""
        headers: dict[str, list[str]] = {}
        for key, value in scope["headers"]:
            headers.setdefault(key.decode("latin-1").lower(), []).append(value.decode("latin-1"))
        if len(headers.get("host", ())) != 1 or headers["host"][0].lower() not in self.hosts:
            return 403, "this page answers on its own address only"
        if any(origin.lower() not in self.origins for origin in headers.get("origin", ())):
            return 403, "this page takes no requests from other sites"
        site = headers.get("sec-fetch-site", ["none"])[0]
        visit = headers.get("sec-fetch-mode", [""])[0] == "navigate" and scope["path"] == "/"
        if site in ("cross-site", "same-site") and not visit:
            return 403, "this page takes no requests from other sites"
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        path = scope["path"]
        inside = method == "GET" and path.startswith(FOLDERS) and ".." not in path
        if path not in DOORS.get(method, ()) and not inside:
            return 404, "not found"
        if method == "POST" and _json(headers) is False:
            return 415, "send JSON"
        return None

    async def _body(self, receive: Receive) -> bytes:
        """All of it, so that a request is refused before anything reads it."""
        parts: list[bytes] = []
        size = 0
        while True:
            message = await receive()
            if message["type"] != "http.request":
                return b"".join(parts)
            size += len(message.get("body", b""))
            if size > self.largest:
                raise TooLarge
            parts.append(message.get("body", b""))
            if not message.get("more_body"):
                return b"".join(parts)


def _json(headers: dict[str, list[str]]) -> bool:
    kinds = headers.get("content-type", [])
    return len(kinds) == 1 and kinds[0].split(";")[0].strip().lower() == "application/json"


def _again(body: bytes, receive: Receive) -> Receive:
    """The body once more, then whatever comes after it (the client's leaving)."""
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


async def _answer(send: Send, status: int, line: str) -> None:
    body = json.dumps({"error": line}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
