"""The engine behind an OpenAI-compatible server: vLLM, Ollama, llama.cpp, a cloud."""

from __future__ import annotations

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


class OpenAIEngine(Engine):
    """Asks the model `model` at `base_url` (like `http://localhost:8000/v1`), `parallel` requests
    at a time. A prompt goes to `/completions` as it is, without a chat template, so that texts can
    be compared with the local engines'; a chat goes to `/chat/completions`.

    The key is read from the environment variable OPENAI_API_KEY (a server of one's own needs none).
    `openai`'s client asks again, `retries` times, after a rate limit (as long as `Retry-After`
    says), a server error, a timeout (`timeout` seconds without a byte) and a broken connection.
    Whether texts are repeatable is up to the server. What it refuses is a UserError. A server that
    is gone is an InfrastructureError, and what has arrived is kept; one that is there and gives
    this one request no usable answer makes a `failed` output, whose text says why."""

    def __init__(
        self,
        model: str,
        *,
        base_url: str,
        parallel: int = 8,
        timeout: float = 300.0,
        retries: int = 8,
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
        way when something fails."""
        one_by_one, unanswered = threading.Lock(), 0

        def answer(key: str, request: Request, index: int) -> None:
            nonlocal unanswered
            try:
                output = self._ask(request, index)
            except InfrastructureError as error:
                unanswered += 1  # in a row: perhaps these alone
                if unanswered >= 2 * self.parallel or not self._is_there():
                    raise
                output = Output(str(error), "failed")
            else:
                unanswered = 0
            with one_by_one:
                deliver(key, output)

        pool = ThreadPoolExecutor(self.parallel)
        try:
            for future in as_completed([pool.submit(answer, *job) for job in jobs]):
                future.result()
        finally:
            pool.shutdown(cancel_futures=True)

    def _is_there(self) -> bool:
        """Whether the server answers anything at all."""
        import openai

        try:
            self._client.models.list()
        except openai.APIStatusError as error:
            return error.status_code < 500
        except (openai.APIError, ValueError):
            return False
        return True

    def _ask(self, request: Request, index: int) -> Output:
        import openai

        how: dict[str, Any] = {"stop": list(request.stop)} if request.stop else {}
        how |= {"model": self.name, "max_tokens": request.max_new_tokens}
        how |= {"temperature": request.temperature, "top_p": request.top_p}
        how["seed"] = request.seed + index
        why = ""
        for _ in range(3):  # what is no completion is asked for again
            try:
                if request.chat:
                    chat: Any = list(request.chat)
                    reply: Any = self._client.chat.completions.create(messages=chat, **how)
                else:
                    reply = self._client.completions.create(prompt=request.prompt, **how)
                return _output(reply, request)
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
                why = f"no completion: {reason(error)}"
        raise InfrastructureError(
            f"{self.url}: no usable answer ({why}); is the server up? Start again when it is, "
            "nothing is asked twice"
        )

    def close(self) -> None:
        super().close()
        self._client.close()


def _output(reply: Any, request: Request) -> Output:
    """Raises LookupError, TypeError or AttributeError for what is no answer."""
    choice, usage = reply.choices[0], reply.usage
    text = choice.message.content if request.chat else choice.text
    if not isinstance(text, str):
        raise TypeError("no text in it")
    text, cut = tokens.cut(text, request.stop)  # some servers leave the stop string in
    # servers say "stop" for a stop string and for the end token alike
    full = choice.finish_reason == "length" and not cut
    finish = "length" if full else "stop" if request.stop else "end"
    written, read = (usage.completion_tokens, usage.prompt_tokens) if usage else (0, 0)
    return Output(text, finish, written or 0, read or 0)
