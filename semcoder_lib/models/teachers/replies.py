"""What a teacher answers with, and what that cost."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

Message = dict[str, str]  # {"role": "system" | "user" | "assistant", "content": …}


@dataclass(frozen=True, slots=True)
class Reply:
    """One text with its token counts. `retries` counts the failed requests before it; tokens of a
    failed request are unknown and not counted."""

    text: str
    prompt_tokens: int = 0
    completion_tokens: int = 0
    finish: str = ""
    retries: int = 0

    def row(self) -> dict[str, Any]:
        """The reply as JSON data."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars for a million tokens, in and out. Zero for a model of one's own."""

    prompt: float = 0.0
    completion: float = 0.0

    def of(self, reply: Reply) -> float:
        """What a reply cost, in US dollars."""
        return (
            reply.prompt_tokens * self.prompt + reply.completion_tokens * self.completion
        ) / 1_000_000


@dataclass(slots=True)
class Usage:
    """Totals over replies, each counted once however often the work was interrupted.

    `asked` counts replies of this process, `cached` those that an earlier one had paid for; tokens
    and `cost` (US dollars) are over both.
    """

    asked: int = 0
    cached: int = 0
    retries: int = 0
    failures: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float = 0.0
    reasons: dict[str, int] = field(default_factory=dict)

    def add(self, reply: Reply, price: Price, *, cached: bool) -> None:
        """Count one reply."""
        if cached:
            self.cached += 1
        else:
            self.asked += 1
        self.retries += reply.retries
        self.prompt_tokens += reply.prompt_tokens
        self.completion_tokens += reply.completion_tokens
        self.cost += price.of(reply)

    @property
    def tokens(self) -> int:
        """Tokens in and out."""
        return self.prompt_tokens + self.completion_tokens


class Teacher(Protocol):
    """Whatever writes a text for a chat. `identity` changes with anything that changes its texts;
    `sample` may be called from several threads at once, at most `parallel` of them."""

    name: str
    identity: str
    parallel: int

    def sample(self, messages: list[Message], *, seed: int) -> Reply:
        """One reply. Raises `Unanswered` when none can be had now, `UserError` when the request
        itself is refused."""


class Unanswered(Exception):
    """The teacher could not be made to answer this request; asking later may help."""
