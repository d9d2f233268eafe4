"""An OpenAI-compatible chat server on the loopback interface that can misbehave on purpose."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Fault = str  # "ok" "429" "429-after" "500" "503" "half" "cut" "junk" "empty" "shape" "hang" "reset"


class FaultServer:
    """Serves `/v1/chat/completions`. `plan(body, number)` says how request `number` (from 0, by
    arrival, of that same body) goes; `answer(body)` gives the text of a good one."""

    def __init__(
        self,
        plan: Callable[[dict[str, Any], int], Fault] = lambda body, number: "ok",
        answer: Callable[[dict[str, Any]], str] = lambda body: body["messages"][-1]["content"],
        hang: float = 30.0,
    ) -> None:
        self.plan, self.answer, self.hang = plan, answer, hang
        self.seen: Counter[str] = Counter()
        self.served: Counter[str] = Counter()
        self.most_at_once = 0
        self._now = 0
        self._lock = threading.Lock()
        self._stop = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *arguments: object) -> None:
                pass

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
        key = json.dumps([body["messages"][-1]["content"], body.get("seed")])
        with self._lock:
            number = self.seen[key]
            self.seen[key] += 1
        fault = self.plan(body, number)
        counted = fault != "hang"  # the client gives up on those long before the server does
        with self._lock:
            self._now += counted
            self.most_at_once = max(self.most_at_once, self._now)
        try:
            self.respond(request, body, key, fault)
        except OSError:
            pass  # the client hung up
        finally:
            with self._lock:
                self._now -= counted

    def respond(
        self, request: BaseHTTPRequestHandler, body: dict[str, Any], key: str, fault: Fault
    ) -> None:
        good = json.dumps(
            {
                "id": "x", "object": "chat.completion", "created": 0, "model": body["model"],
                "choices": [{"index": 0, "finish_reason": "stop",
                             "message": {"role": "assistant", "content": self.answer(body)}}],
                "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
            }
        ).encode()  # fmt: skip
        if fault == "ok":
            with self._lock:
                self.served[key] += 1
            self.send(request, 200, good)
        elif fault == "slow":
            time.sleep(0.05)
            with self._lock:
                self.served[key] += 1
            self.send(request, 200, good)
        elif fault in ("400", "401", "429", "500", "503"):
            self.send(request, int(fault), b'{"error": {"message": "no"}}')
        elif fault == "429-after":
            self.send(request, 429, b'{"error": {"message": "slow down"}}', {"Retry-After": "3"})
        elif fault == "junk":
            self.send(request, 200, b'{"choices": [{"mess')
        elif fault == "html":
            self.send(request, 200, b"<html>gateway</html>", {"Content-Type": "text/html"})
        elif fault == "empty":
            self.send(request, 200, b"")
        elif fault == "shape":
            self.send(request, 200, b'{"choices": []}')
        elif fault == "half":  # promises more bytes than it sends
            request.send_response(200)
            request.send_header("Content-Type", "application/json")
            request.send_header("Content-Length", str(len(good)))
            request.end_headers()
            request.wfile.write(good[: len(good) // 2])
            request.wfile.flush()
            request.close_connection = True
        elif fault == "reset":
            request.close_connection = True
        elif fault == "hang":
            self._stop.wait(self.hang)
            request.close_connection = True
        else:
            raise AssertionError(fault)

    def send(
        self,
        request: BaseHTTPRequestHandler,
        status: int,
        body: bytes,
        headers: dict[str, str] | None = None,
    ) -> None:
        request.send_response(status)
        given = {"Content-Type": "application/json", **(headers or {})}
        for name, value in given.items():
            request.send_header(name, value)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)
