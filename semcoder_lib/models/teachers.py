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

from semcoder_lib.core import records, values, workspace
from semcoder_lib.core.errors import UserError
from semcoder_lib.models import prompts
from semcoder_lib.models.engine import Engine, Output, Request
from semcoder_lib.models.prompts import Message

_ROUND = 512  # chats asked at once, so that a slow reply does not hold up many others


@dataclass(frozen=True, slots=True)
class Teacher:
    """An engine, and how it is asked for texts."""

    engine: Engine
    temperature: float = 0.7
    top_p: float = 0.95
    max_new_tokens: int = 1024

    @property
    def name(self) -> str:
        return self.engine.name


@dataclass(slots=True)
class Usage:
    """Totals over replies, each counted once however often the work was interrupted: `asked` are
    those of this process, `cached` those that an earlier one had paid for; tokens are over both.
    `failures` got no answer; `reasons` counts why replies were not accepted."""

    asked: int = 0
    cached: int = 0
    failures: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    def add(self, output: Output) -> None:
        """Count one reply."""
        if output.finish == "failed":
            self.failures += 1
            return
        self.cached += output.cached
        self.asked += not output.cached
        self.prompt_tokens += output.prompt_tokens
        self.completion_tokens += output.tokens


@dataclass(frozen=True, slots=True)
class Task:
    """A chat to be answered. `data` is the caller's own and travels along."""

    id: str
    messages: tuple[Message, ...]
    data: Any = None


@dataclass(frozen=True, slots=True)
class Taught:
    """What became of a task. `status` is `accepted`, `rejected` (every try was) or `failed` (the
    teacher did not answer). `text` is the accepted text, `reasons` why each earlier try was not."""

    task: Task
    status: str
    text: str = ""
    tries: int = 0
    reasons: tuple[str, ...] = ()


def ask(
    tasks: Iterable[Task],
    teacher: Teacher,
    accept: Callable[[Task, str], tuple[bool, str]],
    *,
    tries: int = 4,
    seed: int = 0,
    cache: workspace.ItemCache | None = None,
    usage: Usage | None = None,
) -> Iterator[Taught]:
    """For each task, in order, the first reply that `accept` takes, out of at most `tries`.

    `accept(task, text)` gives (accepted, reason). Every reply goes to `cache` when it arrives and
    is counted in `usage` once: run again after an interruption, the same tasks, teacher, seed and
    tries ask only for what is missing. A teacher that does not answer costs the task a `failed`; it
    is asked again the next time. Raises InfrastructureError when so many in a row get no answer
    that the teacher is gone; what it said before is kept. Section 3.3 of the paper (rejection
    sampling).
    """
    if tries < 1:
        raise UserError("tries must be at least 1")
    usage = usage if usage is not None else Usage()
    queue = iter(tasks)
    while part := list(itertools.islice(queue, _ROUND)):
        reasons: list[list[str]] = [[] for _ in part]
        results: dict[int, Taught] = {}
        for attempt in range(tries):
            left = [place for place in range(len(part)) if place not in results]
            requests = [
                Request(
                    part[n].id, "", (), teacher.max_new_tokens, teacher.temperature, teacher.top_p,
                    seed=seed + attempt, chat=part[n].messages,
                )
                for n in left
            ]  # fmt: skip
            rows = teacher.engine.outputs(requests, cache=cache, strict=False)
            for place, (output,) in zip(left, rows, strict=True):
                usage.add(output)
                task, accepted, reason = part[place], False, "cut off by the token limit"
                if output.finish not in ("failed", "length", "too_long"):
                    accepted, reason = accept(task, output.text)
                if accepted:
                    earlier = tuple(reasons[place])
                    results[place] = Taught(task, "accepted", output.text, attempt + 1, earlier)
                elif output.finish == "failed":
                    why = (*reasons[place], output.text)
                    results[place] = Taught(task, "failed", "", attempt + 1, why)
                else:
                    reasons[place].append(reason)
                    usage.reasons[reason.split(":")[0][:60]] += 1
        for place, task in enumerate(part):
            rejected = Taught(task, "rejected", "", tries, tuple(reasons[place]))
            yield results.get(place, rejected)


# --- chats about monologues ---

RULES: dict[str, str] = yaml.safe_load(
    Path(__file__).with_name("rules.yaml").read_text(encoding="utf-8")
)


Shot = tuple[Message, Message]  # an example: what is asked, and the answer


def shot(program: records.Program, monologue: records.Monologue) -> Shot:
    """An example from one of our own monologues."""
    asked = _question(monologue.direction, program, monologue.case)
    return asked, {"role": "assistant", "content": monologue.text}


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
    return rules, *itertools.chain.from_iterable(shots), _question(direction, program, case)


def _question(direction: str, program: records.Program, case: records.Case) -> Message:
    name = program.entry_point
    if direction == "backward":
        asked = prompts.backward(program.source, name, values.encode(case.output))
    else:
        asked = prompts.forward(program.source, values.show_call(name, case.arguments))
    return {"role": "user", "content": asked.text}
