"""What is pasted: read, bounded, never run here."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from semcoder_lib.core import values
from semcoder_lib.core.errors import UserError
from semcoder_lib.core.records import Claim, Program, Status
from semcoder_lib.models import prompts
from semcoder_lib.sandbox import Limits


class Engine(Protocol):
    """What is needed of `generation.Engine`."""

    name: str

    def generate(self, requests: Sequence[Any]) -> list[list[Any]]: ...


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one request may use; the page says so."""

    source_characters: int = 8_000
    call_characters: int = 1_000
    tests: int = 20
    text_characters: int = 20_000
    request_bytes: int = 256_000
    cpu_seconds: float = 2.0
    wall_seconds: float = 10.0
    memory_mb: int = 512
    output_bytes: int = 20_000
    steps: int = 500
    new_tokens: int = 400
    repairs: int = 80

    def limits(self) -> Limits:
        """For the sandbox."""
        return Limits(
            cpu_seconds=self.cpu_seconds,
            wall_seconds=self.wall_seconds,
            memory_mb=self.memory_mb,
            output_bytes=self.output_bytes,
        )

    def say(self) -> str:
        """In one sentence."""
        return (
            f"Limits: {self.source_characters:,} characters of code, {self.tests} tests; for each "
            f"run {self.cpu_seconds:g} s of processor time, {self.wall_seconds:g} s in all, "
            f"{self.memory_mb} MB, {self.output_bytes // 1000} kB printed, {self.steps} steps of a "
            f"trace; {self.repairs} candidates for a fix; {self.new_tokens} tokens of the model."
        )


DEFAULT = Bounds()


@dataclass(frozen=True, slots=True)
class Told:
    """A text with its claims, each with its place and what became of it. `note` says what is
    missing, where something is."""

    text: str
    claims: tuple[Claim, ...] = ()
    note: str = ""

    @property
    def counts(self) -> dict[str, int]:
        """How many claims are supported, contradicted, unverifiable."""
        found = dict.fromkeys(("supported", "contradicted", "unverifiable"), 0)
        for claim in self.claims:
            found[claim.status] = found.get(claim.status, 0) + 1
        return found


def program_of(source: str, bounds: Bounds) -> Program:
    """The pasted code, without an entry point yet. Raises UserError."""
    if not source.strip():
        raise UserError("paste a function first")
    if len(source) > bounds.source_characters:
        raise UserError(f"the code is longer than {bounds.source_characters:,} characters")
    try:
        ast.parse(source)
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        line = getattr(error, "lineno", None)
        where = f"line {line}: " if line else ""
        why = getattr(error, "msg", error)
        raise UserError(f"{where}the code does not parse ({why})") from None
    return Program(source, "", id="paste")


def call_of(call: str, bounds: Bounds) -> tuple[str, tuple[Any, ...]]:
    """Name and positional values of `f(1)`. Raises UserError."""
    if len(call) > bounds.call_characters:
        raise UserError(f"the call is longer than {bounds.call_characters:,} characters")
    try:
        name, arguments, named = values.parse_call(call)
        values.encode(arguments)
    except (values.NotALiteral, values.Unserializable) as error:
        raise UserError(f"write a call with literal arguments, f(1, 'a'): {error}") from None
    if named:
        raise UserError("give the arguments by position, f(1, 'a')")
    return name, arguments


def with_entry(program: Program, name: str) -> Program:
    """The program with that function as its entry point. Raises UserError."""
    tree = ast.parse(program.source)
    defined = [n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)]
    if name not in defined:
        known = ", ".join(dict.fromkeys(defined)) or "no function"
        raise UserError(f"the code does not define {name!r}; it has {known}")
    return replace(program, entry_point=name)


def stopped(status: Status, bounds: Bounds) -> str:
    """What became of a run that has neither a value nor an exception."""
    words = {
        Status.TIMEOUT: f"was stopped: more than {bounds.cpu_seconds:g} s of processor time, or "
        f"{bounds.wall_seconds:g} s in all",
        Status.MEMORY: f"was stopped: more than {bounds.memory_mb} MB of memory",
        Status.OUTPUT_LIMIT: f"was stopped: it printed more than {bounds.output_bytes // 1000} kB",
        Status.CRASHED: "crashed its process",
        Status.EARLY_EXIT: "ended its process without returning",
        Status.UNSERIALIZABLE: "returns a value that cannot be written as a literal, or too large",
        Status.LOAD_ERROR: "cannot be called: the code fails while it is loaded",
    }
    return words.get(status, f"ended as {status.value}")


def completed(prompt: prompts.Prompt, engine: Engine, bounds: Bounds) -> str:
    """What the model writes after the prompt, greedily."""
    from semcoder_lib.models import Request

    request = Request("demo", prompt.text, prompt.stop, max_new_tokens=bounds.new_tokens)
    return str(engine.generate([request])[0][0].text)
