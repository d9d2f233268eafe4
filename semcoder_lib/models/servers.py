"""The engine behind an OpenAI-compatible server: vLLM, Ollama, llama.cpp, a cloud."""

from __future__ import annotations

import json
import os
import threading
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from semcoder_lib.core import workspace
from semcoder_lib.core.errors import InfrastructureError, UserError
from semcoder_lib.models import tokens
from semcoder_lib.models.engine import Deliver, Engine, Job, Output, Request
from semcoder_lib.models.tokens import reason

SILENCES = 16  # requests in a row without an answer, after which nobody is there


class OpenAIEngine(Engine):
    """Asks the model `model` at `base_url` (like `http://localhost:8000/v1`), `parallel` requests
    at a time. A prompt goes to `/completions` as it is, without a chat template, so that texts can
    be compared with the local engines'; a chat goes to `/chat/completions`.

    The key is read from the environment variable OPENAI_API_KEY (a server of one's own needs none).
    `openai`'s client asks again, `retries` times, after a rate limit (as long as `Retry-After`
    says), a server error, a timeout (`timeout` seconds without a byte) and a broken connection; an
    answer that is not what the protocol promises is asked for again, too. Whether texts are
    repeatable is up to the server. What it refuses is a UserError."""

    def __init__(
        self,
        model: str,
        *,
        base_url: str,
        parallel: int = 8,
        timeout: float = 300.0,
        retries: int = 5,
        cache: Path | str | None = None,
    ) -> None:
        import openai

        if not base_url.startswith(("http://", "https://")):
            raise UserError(f"base_url {base_url!r}: expected http:// or https://")
        super().__init__(cache=cache)
        self.name = model
        self.url = base_url.rstrip("/")
        self.identity = workspace.content_key("openai", f"{self.url}/completions", model)
        self.parallel, self.retries = parallel, retries
        key = os.environ.get("OPENAI_API_KEY") or "none"
        self._client = openai.OpenAI(
            base_url=base_url, api_key=key, timeout=timeout, max_retries=retries
        )

    def _produce(self, jobs: list[Job], deliver: Deliver) -> None:
        """Replies are delivered as they arrive, so that each is kept; also those that are under
        way when something fails. With so many failures in a row that nobody is there, the last one
        is raised."""
        one_by_one, silent = threading.Lock(), 0

        def answer(key: str, request: Request, index: int) -> None:
            nonlocal silent
            output = self._ask(request, index)
            with one_by_one:
                silent = silent + 1 if output.finish == "failed" else 0
                if silent >= max(SILENCES, 2 * self.parallel):
                    raise InfrastructureError(
                        f"nobody answers: {output.text}; start again when the server is there, "
                        "nothing is asked twice"
                    )
                deliver(key, output)

        pool = ThreadPoolExecutor(self.parallel)
        try:
            for future in as_completed([pool.submit(answer, *job) for job in jobs]):
                future.result()
        finally:
            pool.shutdown(cancel_futures=True)

    def _ask(self, request: Request, index: int) -> Output:
        import openai

        body: dict[str, Any] = {"prompt": request.prompt}
        create: Any = self._client.completions.with_raw_response.create
        if request.chat:
            body = {"messages": list(request.chat)}
            create = self._client.chat.completions.with_raw_response.create
        if request.stop:
            body["stop"] = list(request.stop)
        why = ""
        for _ in range(self.retries + 1):
            try:
                answer = create(
                    model=self.name,
                    max_tokens=request.max_new_tokens,
                    temperature=request.temperature,
                    top_p=request.top_p,
                    seed=request.seed + index,
                    **body,
                )
                return _output(json.loads(answer.text), request)
            except openai.APIStatusError as error:
                why = f"status {error.status_code}"
                if error.status_code < 500 and error.status_code not in (408, 409, 429):
                    why = f"{error.status_code}: {reason(error)}"
                    raise UserError(f"{self.url}: refused the request ({why})") from None
                break
            except openai.APIConnectionError as error:
                why = f"connection: {reason(error.__cause__ or error)}"
                break
            except (openai.APIError, ValueError, LookupError, TypeError, AttributeError) as error:
                why = f"the answer is not a completion: {reason(error)}"
        asked = f"{self.url}: no answer after {self.retries + 1} attempts"
        return Output(f"{asked} ({why}); is the server up?", "failed")

    def close(self) -> None:
        super().close()
        self._client.close()


def _output(answer: dict[str, Any], request: Request) -> Output:
    """Raises ValueError, LookupError or TypeError for what is no answer."""
    choice, usage = answer["choices"][0], answer.get("usage") or {}
    text = choice["message"]["content"] if request.chat else choice["text"]
    if not isinstance(text, str):
        raise ValueError("no text in it")
    text, cut = tokens.cut(text, request.stop)  # some servers leave the stop string in
    # servers say "stop" for a stop string and for the end token alike
    full = choice.get("finish_reason") == "length" and not cut
    finish = "length" if full else "stop" if request.stop else "end"
    written, prompt_tokens = (
        int(usage.get(f"{way}_tokens") or 0) for way in ("completion", "prompt")
    )
    return Output(text, finish, written, prompt_tokens)
