"""An engine behind a server that speaks OpenAI's completions protocol (vLLM, llama.cpp, …).

Uses the standard library only. The server sees the bare prompt (`/v1/completions`), never a chat
template, so its completions can be compared with the local engines'.
"""

from __future__ import annotations

import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from semcoder_lib.core import workspace
from semcoder_lib.core.errors import InfrastructureError, UserError
from semcoder_lib.models import stops
from semcoder_lib.models.engine import Engine, Request, Written

_TRIES = 5


class OpenAIEngine(Engine):
    """Asks the model `model` at `base_url` (like `http://localhost:8000/v1`), `parallel` requests
    at a time. The key is read from the environment variable named by `key_variable`. Whether
    greedy completions are repeatable is up to the server. Raises InfrastructureError when the
    server cannot be reached or keeps failing, UserError when it refuses a request."""

    def __init__(
        self,
        model: str,
        *,
        base_url: str,
        parallel: int = 8,
        timeout: float = 300.0,
        retry_seconds: float = 1.0,
        key_variable: str = "OPENAI_API_KEY",
        cache: Path | str | None = None,
    ) -> None:
        super().__init__(cache=cache)
        if not base_url.startswith(("http://", "https://")):
            raise UserError(f"base_url {base_url!r}: expected http:// or https://")
        self.name = model
        self.url = base_url.rstrip("/") + "/completions"
        self.identity = workspace.content_key("openai", self.url, model)
        self.parallel, self.timeout, self.retry_seconds = parallel, timeout, retry_seconds
        self._key_variable = key_variable

    def _produce(
        self, jobs: list[tuple[str, Request, int]], deliver: Callable[[str, Written], None]
    ) -> None:
        with ThreadPoolExecutor(self.parallel) as pool:
            futures = [(key, pool.submit(self._ask, request, i)) for key, request, i in jobs]
            try:
                for key, future in futures:
                    deliver(key, future.result())
            except BaseException:
                for _, future in futures:
                    future.cancel()
                raise

    def _ask(self, request: Request, index: int) -> Written:
        body = {
            "model": self.name,
            "prompt": request.prompt,
            "max_tokens": request.max_new_tokens,
            "temperature": request.temperature,
            "top_p": request.top_p,
            "seed": request.seed + index,
        }
        if request.stop:
            body["stop"] = list(request.stop)
        answer = self._post(body)
        try:
            choice = answer["choices"][0]
            text, reason = str(choice["text"]), choice.get("finish_reason")
            count = int((answer.get("usage") or {}).get("completion_tokens", 0))
        except (KeyError, IndexError, TypeError, ValueError):
            raise InfrastructureError(
                f"{self.url}: the answer is not a completion: {json.dumps(answer)[:200]}"
            ) from None
        text, cut = stops.cut(text, request.stop)  # some servers leave the stop string in
        # servers say "stop" for a stop string and for the end token alike
        finish = "length" if reason == "length" and not cut else "stop" if request.stop else "end"
        return Written(text, finish, count)

    def _post(self, body: dict[str, Any]) -> Any:
        headers = {"Content-Type": "application/json"}
        if key := os.environ.get(self._key_variable):
            headers["Authorization"] = f"Bearer {key}"
        asked = urllib.request.Request(self.url, json.dumps(body).encode(), headers)
        reason = ""
        for attempt in range(_TRIES):
            if attempt:
                time.sleep(self.retry_seconds * 2 ** (attempt - 1))
            try:
                with urllib.request.urlopen(asked, timeout=self.timeout) as reply:
                    return json.loads(reply.read())
            except urllib.error.HTTPError as error:
                said = error.read(300).decode("utf-8", "replace").strip()
                reason = f"{error.code} {said}"
                if error.code < 500 and error.code != 429:
                    raise UserError(f"{self.url}: refused the request: {reason}") from None
            except (OSError, ValueError) as error:
                reason = str(error)
        raise InfrastructureError(
            f"{self.url}: no answer after {_TRIES} tries ({reason}); is the server up?"
        )
