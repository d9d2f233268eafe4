"""Texts written on request by a language model: few-shot, rejection sampling, resume.

Sections 4.2.3 (monologues by a teacher) and 3.3 (rationales) of the paper. A teacher is any engine:
an OpenAI-compatible server, or a model in this process.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from semcoder_lib.core import records
from semcoder_lib.models import prompts, tokens
from semcoder_lib.models.engine import Engine, Request
from semcoder_lib.models.prompts import Message

_ROUND = 512  # chats asked at once, so that a slow reply does not hold up many others


@dataclass(frozen=True, slots=True)
class Task:
    """A chat to be answered. `data` is the caller's own and travels along."""

    id: str
    messages: tuple[Message, ...]
    data: Any = None


@dataclass(slots=True)
class Teacher:
    """An engine, how it is asked for texts, and totals over its replies. With the engine's cache
    each is counted once, however often the work was interrupted; `reasons` counts why replies were
    not accepted."""

    engine: Engine
    temperature: float = 0.7
    top_p: float = 0.95
    max_new_tokens: int = 1024
    replies: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    def row(self) -> dict[str, Any]:
        """Who taught and what was asked: the same as in an undisturbed run."""
        return {
            "teacher": self.engine.name,
            "replies": self.replies,
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "rejected_for": dict(sorted(self.reasons.items())),
        }

    def ask(
        self,
        tasks: Iterable[Task],
        accept: Callable[[Task, str], tuple[bool, str]] = lambda task, text: (True, ""),
        *,
        tries: int = 1,
        seed: int = 0,
    ) -> Iterator[tuple[Task, str | None]]:
        """Each task, in order, with the first reply that `accept` takes, out of at most `tries`;
        None where it takes none, or every one was cut off.

        `accept(task, text)` gives (accepted, reason). The engine's cache keeps every reply when it
        arrives: run again after an interruption, the same tasks, seed and tries ask only for what
        is missing. Raises InfrastructureError when the server is gone. Section 3.3 of the
        paper (rejection sampling).
        """
        queue = iter(tasks)
        while part := list(itertools.islice(queue, _ROUND)):
            texts: dict[int, str] = {}
            for attempt in range(tries):
                left = [place for place in range(len(part)) if place not in texts]
                requests = [
                    Request(
                        part[n].id, "", (), self.max_new_tokens, self.temperature, self.top_p,
                        seed=seed + attempt, chat=part[n].messages,
                    )
                    for n in left
                ]  # fmt: skip
                for place, (output,) in zip(left, self.engine.outputs(requests), strict=True):
                    self.replies += 1
                    self.prompt_tokens += output.prompt_tokens
                    self.completion_tokens += output.tokens
                    accepted, reason = False, "cut off by the token limit"
                    if output.finish == "failed":
                        reason = "no usable answer"
                    elif output.finish not in ("length", "too_long"):
                        accepted, reason = accept(part[place], output.text)
                    if accepted:
                        texts[place] = output.text
                    else:
                        self.reasons[reason.split(":")[0][:60]] += 1
            yield from ((task, texts.get(place)) for place, task in enumerate(part))

    def generate(self, requests: Sequence[Request]) -> list[list[records.Completion]]:
        """The samples of each request, in order, as an engine gives them: each prompt is one user
        message, each of its `n` samples one request. One that was cut off gives no sample."""
        groups: list[list[records.Completion]] = [[] for _ in requests]
        for attempt in range(max((r.n for r in requests), default=0)):
            tasks = (
                Task(r.task_id, ({"role": "user", "content": r.prompt},), (place, r.stop))
                for place, r in enumerate(requests)
                if attempt < r.n
            )
            for task, text in self.ask(tasks, seed=1_000 * attempt):
                if text is not None:
                    place, stop = task.data
                    text = tokens.cut(text, stop)[0]
                    groups[place].append(records.Completion(task.id, text))
        return groups


# --- chats about monologues ---

RULES: dict[str, str] = yaml.safe_load(
    Path(__file__).with_name("rules.yaml").read_text(encoding="utf-8")
)


Shot = tuple[Message, Message]  # an example: what is asked, and the answer


def shot(program: records.Program, monologue: records.Monologue) -> Shot:
    """An example from one of our own monologues."""
    asked = prompts.of_case(monologue.direction, program, monologue.case)
    answer = {"role": "assistant", "content": monologue.text}
    return {"role": "user", "content": asked.text}, answer


def chat(
    direction: str,
    program: records.Program,
    case: records.Case,
    shots: Sequence[Shot] = (),
) -> tuple[Message, ...]:
    """A chat that asks for a monologue, after examples of such. A forward one is told the call (the
    program's description is withheld, as in section 4.2.3 of the paper), a backward one the output
    and no input."""
    rules = {"role": "system", "content": RULES[direction]}
    asked = {"role": "user", "content": prompts.of_case(direction, program, case).text}
    return rules, *itertools.chain.from_iterable(shots), asked
