"""A teacher behind an OpenAI-compatible endpoint: vLLM, Ollama, transformers serve, a cloud."""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Callable
from typing import Any

from semcoder_lib.core import workspace
from semcoder_lib.core.errors import UserError
from semcoder_lib.models.teachers.replies import Message, Reply, Unanswered

_REFUSED = {400, 401, 403, 404, 413, 422}


class Endpoint:
    """Chat completions of `model` at `base_url` (like `http://localhost:8000/v1`).

    The key is read from the environment variable `key_variable` (a server of one's own needs
    none). A rate limit, a server error, a broken or hanging connection and an answer that is not
    what the protocol promises are tried again, `attempts` times in all, with a pause that doubles
    from `pause` seconds up to `longest_pause`, jittered from the request's seed, and at least what
    the server's `Retry-After` asks for. `timeout` bounds one request, in seconds, reading
    included. Promises no repeatability: a server may ignore the seed.
    """

    def __init__(
        self,
        model: str,
        *,
        base_url: str,
        temperature: float = 0.7,
        top_p: float = 0.95,
        max_tokens: int = 2048,
        stop: tuple[str, ...] = (),
        attempts: int = 6,
        timeout: float = 120.0,
        pause: float = 1.0,
        longest_pause: float = 60.0,
        parallel: int = 8,
        key_variable: str = "OPENAI_API_KEY",
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        import openai

        if not base_url.startswith(("http://", "https://")):
            raise UserError(f"base_url {base_url!r}: expected http:// or https://")
        if attempts < 1 or parallel < 1:
            raise UserError("attempts and parallel must be at least 1")
        self.name = model
        self.parallel = parallel
        self.options: dict[str, Any] = {
            "temperature": temperature, "top_p": top_p, "max_tokens": max_tokens,
        }  # fmt: skip
        if stop:
            self.options["stop"] = list(stop)
        self.identity = workspace.content_key("endpoint", base_url, model, self.options)
        self.attempts, self.timeout = attempts, timeout
        self.pause, self.longest_pause = pause, longest_pause
        self._sleep = sleep
        self._client = openai.OpenAI(
            base_url=base_url,
            api_key=os.environ.get(key_variable) or "none",
            timeout=timeout,
            max_retries=0,  # retries are ours, so that they can be counted
        )

    def sample(self, messages: list[Message], *, seed: int) -> Reply:
        """One reply; see the class for what is tried again. Raises `Unanswered` after the last
        attempt and `UserError` for a request that the server refuses."""
        chance = random.Random(f"{seed}:teacher back-off")
        reason = ""
        for attempt in range(self.attempts):
            if attempt:
                self._sleep(self._wait(attempt, reason, chance))
            try:
                return self._once(messages, seed, attempt)
            except _Again as again:
                reason = str(again)
        raise Unanswered(f"{self.name}: no answer after {self.attempts} attempts ({reason})")

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def _once(self, messages: list[Message], seed: int, retries: int) -> Reply:
        import openai

        deadline = time.monotonic() + self.timeout
        try:
            raw = self._client.chat.completions.with_raw_response.create(
                model=self.name,
                messages=messages,  # type: ignore[arg-type]
                seed=seed,
                **self.options,
            )
            body = json.loads(raw.text)
        except openai.APIStatusError as error:
            if error.status_code in _REFUSED:
                raise UserError(
                    f"{self.name}: the server refused the request "
                    f"({error.status_code}: {_short(error.message)})"
                ) from None
            after = error.response.headers.get("retry-after", "")
            raise _Again(f"status {error.status_code}", after) from None
        except (openai.APITimeoutError, TimeoutError):
            raise _Again("timed out") from None
        except openai.APIConnectionError as error:
            raise _Again(f"connection: {_short(error.__cause__ or error)}") from None
        except (openai.APIError, ValueError, OSError) as error:
            raise _Again(f"unusable answer: {_short(error)}") from None
        except Exception as error:  # a body cut off in the middle surfaces as the transport's own
            if type(error).__module__.split(".")[0] in ("httpx", "httpx2", "httpcore", "h11"):
                raise _Again(f"connection: {_short(error)}") from None
            raise
        if time.monotonic() > deadline:
            raise _Again("timed out")
        return _reply(body, retries)

    def _wait(self, attempt: int, reason: str, chance: random.Random) -> float:
        wait = min(self.longest_pause, self.pause * 2 ** (attempt - 1))
        wait *= 0.5 + chance.random()
        asked = reason.partition("; retry after ")[2]
        return max(wait, min(float(asked), self.longest_pause)) if asked else wait


class _Again(Exception):
    """This attempt failed in a way that may pass."""

    def __init__(self, reason: str, after: str = "") -> None:
        try:
            shown = f"; retry after {max(0.0, float(after))}" if after else ""
        except ValueError:  # an HTTP date: the doubling pause will do
            shown = ""
        super().__init__(reason + shown)


def _reply(body: Any, retries: int) -> Reply:
    try:
        choice = body["choices"][0]
        text = choice["message"]["content"]
    except (KeyError, IndexError, TypeError):
        raise _Again("unusable answer: no choices") from None
    if not isinstance(text, str):
        raise _Again("unusable answer: no text")
    usage = body.get("usage") or {}
    return Reply(
        text,
        _count(usage.get("prompt_tokens")),
        _count(usage.get("completion_tokens")),
        str(choice.get("finish_reason") or ""),
        retries,
    )


def _count(value: Any) -> int:
    return value if isinstance(value, int) and value >= 0 else 0


def _short(error: object) -> str:
    return (str(error).split("\n")[0] or type(error).__name__)[:160]
