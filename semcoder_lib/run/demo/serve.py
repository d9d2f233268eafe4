"""Starts the page on 127.0.0.1. No other address can be chosen, and no public link is made."""

from __future__ import annotations

import errno
import os
import signal
import socket
import threading
import time
from types import FrameType
from typing import Any

from semcoder_lib.core.errors import InfrastructureError, UserError
from semcoder_lib.run.demo.desk import Desk
from semcoder_lib.run.demo.guard import Guard

LOOPBACK = "127.0.0.1"
CONNECTIONS = 100


def need_gradio() -> None:
    """Raises UserError that says what to install, where the page's packages are missing."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # nothing leaves the machine
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    try:
        import gradio  # noqa: F401
    except ImportError:
        raise UserError('the page needs Gradio: pip install "semcoder-lib[demo]"') from None


def listen(port: int) -> socket.socket:
    """A listening socket on loopback; port 0 takes a free one. Raises InfrastructureError."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((LOOPBACK, port))
        listening.listen(CONNECTIONS)
    except OSError as error:
        listening.close()
        used = error.errno == errno.EADDRINUSE
        why = "is in use" if used else f"cannot be used ({error.strerror})"
        raise InfrastructureError(
            f"port {port} of {LOOPBACK} {why}; choose another with --port, or --port 0 for any"
        ) from None
    return listening


class Served:
    """A page that is being served; `address` is where."""

    def __init__(self, desk: Desk, listening: socket.socket) -> None:
        import fastapi
        import gradio
        import uvicorn

        from semcoder_lib.run.demo.page import build, dressed

        self.listening = listening
        port = listening.getsockname()[1]
        self.address = f"http://{LOOPBACK}:{port}"
        outer = fastapi.FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
        app = gradio.mount_gradio_app(
            outer,
            build(desk),
            path="/",
            server_name=LOOPBACK,
            server_port=port,
            footer_links=[],
            run_history=False,  # it would keep what was pasted in the browser
            show_error=False,
            ssr_mode=False,
            enable_monitoring=False,
            pwa=False,
            mcp_server=False,
            **dressed(),
        )
        guarded: Any = Guard(app, port, desk.bounds.request_bytes)
        self.server = uvicorn.Server(
            uvicorn.Config(
                guarded,
                log_level="warning",
                ws="none",
                server_header=False,
                proxy_headers=False,
                limit_concurrency=CONNECTIONS,
                timeout_graceful_shutdown=1,  # open tabs keep a connection for ever
            )
        )
        self._thread: threading.Thread | None = None

    def run(self) -> None:
        """Serves until SIGINT or SIGTERM, then returns."""
        before = signal.signal(signal.SIGTERM, _interrupt)
        try:
            self.server.run(sockets=[self.listening])
        except KeyboardInterrupt:
            pass
        finally:
            signal.signal(signal.SIGTERM, before)
            self.listening.close()

    def start(self) -> Served:
        """Serves from a thread; `close` ends it."""
        self._thread = threading.Thread(
            target=self.server.run, args=([self.listening],), daemon=True
        )
        self._thread.start()
        until = time.monotonic() + 60
        while not self.server.started:
            if time.monotonic() > until or not self._thread.is_alive():
                raise InfrastructureError("the page did not start")
            time.sleep(0.02)
        return self

    def close(self) -> None:
        """Ends a page that `start` began."""
        self.server.should_exit = True
        if self._thread is not None:
            self._thread.join(10)
        self.listening.close()


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
