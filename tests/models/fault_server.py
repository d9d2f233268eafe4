"""An OpenAI-compatible server on the loopback interface that can misbehave on purpose."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

REPLIES = {  # by fault: a status, and what is sent in place of an answer
    **{f: (int(f), b'{"error": {"message": "no"}}')
       for f in ("400", "401", "429", "500", "503")},
    "junk": (200, b'{"choices": [{"mess'),
    "html": (200, b"<html>gateway</html>"),
    "empty": (200, b""),
    "shape": (200, b'{"choices": []}'),
    "half": (200, b'{"choices"'),  # promises more bytes than it sends
}  # fmt: skip
PASSING = ("429", "500", "503", "half", "reset", "hang")  # faults after which it is asked again


def asked(body: dict[str, Any]) -> str:
    """The prompt, or the last message of a chat."""
    return str(body["prompt"] if "prompt" in body else body["messages"][-1]["content"])


class FaultServer:
    """Serves `/v1/completions` and `/v1/chat/completions`. `plan(body, number)` says how request
    `number` (from 0, by arrival, of that same body) goes: "ok", "slow", or a fault; `answer(body)`
    gives the text of a good one. `seen` counts requests, `served` good answers."""

    def __init__(
        self,
        plan: Callable[[dict[str, Any], int], str] = lambda body, number: "ok",
        answer: Callable[[dict[str, Any]], str] = asked,
    ) -> None:
        self.plan, self.answer = plan, answer
        self.seen: Counter[str] = Counter()
        self.served: Counter[str] = Counter()
        self.bodies: list[dict[str, Any]] = []
        self.listing = 404  # what is said of the list of models
        self._lock = threading.Lock()
        self._stop = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *arguments: object) -> None:
                pass

            def do_GET(self) -> None:
                self.send_error(outer.listing)

            def do_POST(self) -> None:
                outer.handle(self)

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.thread = threading.Thread(target=self.http.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http.server_address[1]}/v1"

    def __enter__(self) -> FaultServer:
        self.thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stop.set()
        self.http.shutdown()
        self.http.server_close()

    def handle(self, request: BaseHTTPRequestHandler) -> None:
        body = json.loads(request.rfile.read(int(request.headers["Content-Length"])))
        key = json.dumps([asked(body), body.get("seed")])
        with self._lock:
            number = self.seen[key]
            self.seen[key] += 1
            self.bodies.append({**body, "key": request.headers.get("Authorization")})
        fault = self.plan(body, number)
        with contextlib.suppress(OSError):  # the client hung up
            self.respond(request, body, key, fault)

    def respond(
        self, request: BaseHTTPRequestHandler, body: dict[str, Any], key: str, fault: str
    ) -> None:
        if fault in ("reset", "hang"):
            self._stop.wait(30 if fault == "hang" else 0)
            request.close_connection = True
            return
        if fault not in REPLIES:
            time.sleep(0.05 if fault == "slow" else 0)
            with self._lock:
                self.served[key] += 1
        status, reply = REPLIES[fault] if fault in REPLIES else (200, self.good(body))
        request.send_response(status)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", "1000" if fault == "half" else str(len(reply)))
        request.end_headers()
        request.wfile.write(reply)
        request.close_connection |= fault == "half"

    def good(self, body: dict[str, Any]) -> bytes:
        text = self.answer(body)
        words = text.split(" ")
        full = "prompt" in body and len(words) > body["max_tokens"]
        if full:
            text = " ".join(words[: body["max_tokens"]])
        choice = {"index": 0, "finish_reason": "length" if full else "stop"}
        choice |= {"text": text} if "prompt" in body else {"message": {"content": text}}
        tokens = body["max_tokens"] if full else 5
        usage = {"prompt_tokens": 10, "completion_tokens": tokens}
        return json.dumps({"choices": [choice], "usage": usage}).encode()
