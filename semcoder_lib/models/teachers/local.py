"""Any engine of `generation` as a teacher."""

from __future__ import annotations

import threading
from typing import Any

from semcoder_lib.core import workspace
from semcoder_lib.models.teachers.replies import Message, Reply


class Local:
    """Wraps an engine (transformers, vLLM, …) that is already loaded. A chat is rendered with the
    tokenizer's own chat template where the engine has one, else as plain paragraphs. One request
    at a time: batches are the engine's own business."""

    parallel = 1

    def __init__(
        self,
        engine: Any,
        *,
        temperature: float = 0.7,
        top_p: float = 0.95,
        max_new_tokens: int = 1024,
        stop: tuple[str, ...] = (),
    ) -> None:
        self.engine = engine
        self.name = str(engine.name)
        self.options: dict[str, Any] = {
            "temperature": temperature, "top_p": top_p,
            "max_new_tokens": max_new_tokens, "stop": list(stop),
        }  # fmt: skip
        self.identity = workspace.content_key(
            "local", str(getattr(engine, "identity", self.name)), self.options
        )
        self._one = threading.Lock()

    def sample(self, messages: list[Message], *, seed: int) -> Reply:
        """One completion of the rendered chat."""
        from semcoder_lib.models import Request

        prompt = self.render(messages)
        request = Request(
            task_id=workspace.content_key(prompt)[:16],
            prompt=prompt,
            stop=tuple(self.options["stop"]),
            max_new_tokens=self.options["max_new_tokens"],
            temperature=self.options["temperature"],
            top_p=self.options["top_p"],
            seed=seed,
        )
        with self._one:
            completion = self.engine.generate([request])[0][0]
        return Reply(completion.text, 0, completion.tokens, completion.finish)

    def render(self, messages: list[Message]) -> str:
        """The chat as one prompt."""
        tokenizer = getattr(self.engine, "tokenizer", None)
        if tokenizer is not None and getattr(tokenizer, "chat_template", None):
            shown = tokenizer.apply_chat_template(
                messages, tokenize=False, add_generation_prompt=True
            )
            return str(shown)
        return "\n\n".join(m["content"] for m in messages) + "\n"
