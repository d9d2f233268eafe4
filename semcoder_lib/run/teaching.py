"""The teacher of a run: an OpenAI-compatible server, or an engine in this process."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from semcoder_lib import models as generation
from semcoder_lib.core import workspace
from semcoder_lib.core.errors import InfrastructureError
from semcoder_lib.models import Request, teachers, tokens
from semcoder_lib.models.teachers import Task, Teacher, Usage
from semcoder_lib.run.stages.session import Session

TEMPERATURE = 0.7
TOKENS = 1024  # of the longest reply


@dataclasses.dataclass(slots=True)
class Teaching:
    """A teacher with the replies that it already gave to this stage, and the count of all."""

    teacher: Teacher
    cache: workspace.ItemCache
    usage: Usage

    def row(self) -> dict[str, Any]:
        """Who taught and what was asked. Replies are counted once, however often the stage was
        started: the row is the same as that of an undisturbed run."""
        used = self.usage
        return {
            "teacher": self.teacher.name,
            "replies": used.asked + used.cached,
            "prompt_tokens": used.prompt_tokens,
            "completion_tokens": used.completion_tokens,
            "rejected_for": dict(sorted(used.reasons.items())),
        }


@contextmanager
def teaching(session: Session) -> Iterator[Teaching]:
    """The profile's teacher, with its replies kept in the stage's folder. Raises UserError for an
    address that is none, and InfrastructureError in the end when no request at all was answered."""
    p = session.profile
    if p.teacher == "local":
        engine = generation.load(p.teacher_model, backend="auto" if p.server else p.backend)
    else:
        engine = generation.load(p.teacher_model, backend="openai", base_url=p.teacher, parallel=8)
    teacher = Teacher(engine, temperature=TEMPERATURE, max_new_tokens=TOKENS)
    with engine, workspace.ItemCache(session.path("cache_teacher.jsonl")) as cache:
        asked = Teaching(teacher, cache, Usage())
        yield asked
        used = asked.usage
        if used.failures and not used.asked + used.cached:
            raise InfrastructureError(
                f"the teacher at {p.teacher} answered none of {used.failures} requests; "
                "start it and run the same command again"
            )


@dataclasses.dataclass(frozen=True, slots=True)
class _Text:
    text: str


class Writer:
    """A teacher where completions are asked for: each prompt is one user message, each of its `n`
    samples one request. A request that gets no answer gives fewer samples."""

    def __init__(self, asked: Teaching) -> None:
        self._asked = asked

    def generate(self, requests: Sequence[Request]) -> list[list[Any]]:
        """The samples of each request, in order."""
        groups: list[list[Any]] = [[] for _ in requests]
        asked = self._asked
        for attempt in range(max((r.n for r in requests), default=0)):
            tasks = (
                Task(r.task_id, ({"role": "user", "content": r.prompt},), (place, r.stop))
                for place, r in enumerate(requests)
                if attempt < r.n
            )
            for taught in teachers.ask(
                tasks, asked.teacher, lambda task, text: (True, ""),
                tries=1, seed=1_000 * attempt, cache=asked.cache, usage=asked.usage,
            ):  # fmt: skip
                if taught.status == "accepted":
                    place, stop = taught.task.data
                    groups[place].append(_Text(tokens.cut(taught.text, stop)[0]))
        return groups
