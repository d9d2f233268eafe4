"""A teacher's programs: a snippet becomes a problem and a solution, and what fails is sent back
with its error. Prompts in our own words, with the paper's rules (section 3.1)."""

from __future__ import annotations

import ast
import collections
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from semcoder_lib.core import foreign, values, workspace
from semcoder_lib.core.records import Program, Status
from semcoder_lib.corpus.seeds.packages.hints import join_types, type_of
from semcoder_lib.corpus.seeds.snippets import Seed
from semcoder_lib.models.teachers import Task, Teacher, Usage, ask
from semcoder_lib.sandbox import Job, Outcome, Sandbox

Message = dict[str, str]
Calls = tuple[tuple[Any, ...], ...]

RULES = (
    "You write programming exercises. Be inspired by the snippet, not bound to it. "
    "Rules: state the problem in at most five sentences; it must not be trivial; it must stand "
    "alone, without the snippet; no keyboard, files, databases, network, clock or randomness; the "
    "standard library of Python only. First lay out your plan step by step, then give one Python "
    "code block with the solution as a function, followed by two or three example calls of it with "
    "literal arguments, each in a print."
)
LAYOUT = "Answer with the two headings [Problem] and [Solution]."
NO_CALL = "no example call with literal arguments"
_FENCE = re.compile(r"```(?:python)?[ \t]*\n(.*?)```", re.DOTALL)
_PROBLEM = re.compile(r"\[Problem\](.*?)\[Solution\]", re.DOTALL | re.IGNORECASE)


@dataclass(slots=True)
class Proposed:
    """Programs with the argument tuples of their own example calls, and the fate of every seed.
    `errors` counts what the first solutions failed with (the paper's table 7), `by_round` how many
    ran after how many repairs."""

    programs: list[tuple[Program, Calls]] = field(default_factory=list)
    fates: list[dict[str, str]] = field(default_factory=list)
    errors: collections.Counter[str] = field(default_factory=collections.Counter)
    by_round: collections.Counter[int] = field(default_factory=collections.Counter)


@dataclass(slots=True)
class _Attempt:
    """A seed on its way: what was asked last, the reply, and in the end its fate."""

    seed: Seed
    messages: tuple[Message, ...]
    reply: str = ""
    fate: dict[str, str] = field(default_factory=dict)
    program: tuple[Program, Calls] | None = None


def propose(
    seeds: Sequence[Seed],
    teacher: Teacher,
    box: Sandbox,
    *,
    rounds: int = 3,
    seed: int = 0,
    cache: workspace.ItemCache | None = None,
    usage: Usage | None = None,
) -> Proposed:
    """Asks for a problem and a solution for every seed, runs the solutions as scripts, and sends
    what fails back with its error, up to `rounds` times. With a `cache` an interrupted run asks
    only for what is missing. The fates come in the order of the seeds."""
    proposed = Proposed()
    attempts = [_Attempt(s, problem_chat(s.snippet)) for s in seeds]
    for number in range(rounds + 1):
        open_ = [a for a in attempts if not a.fate]
        tasks = [Task(f"{a.seed.id}#{number}", a.messages, a) for a in open_]
        answered = []
        for reply in ask(tasks, teacher, _has_code, tries=2, seed=seed, cache=cache, usage=usage):
            attempt: _Attempt = reply.task.data
            if reply.status == "accepted":
                attempt.reply = reply.text
                answered.append(attempt)
            else:
                attempt.fate = {"fate": f"teacher: {reply.status}"}
        outcomes = box.map(Job(code_of(a.reply), "") for a in answered)
        for attempt, (outcome,) in zip(answered, outcomes, strict=True):
            error = _error(outcome)
            if not error:
                fate, attempt.program = _program(attempt)
                attempt.fate = {"fate": fate, "rounds": str(number)}
                proposed.by_round[number] += attempt.program is not None
                continue
            if number == 0:
                proposed.errors[error.partition(":")[0]] += 1
            if number == rounds:
                attempt.fate = {"fate": f"never ran: {error}"}
            attempt.messages = repair_chat(attempt.messages[:2], attempt.reply, error)
    proposed.by_round = +proposed.by_round
    proposed.fates = [{"id": a.seed.id, **a.fate} for a in attempts]
    proposed.programs = [a.program for a in attempts if a.program]
    return proposed


def problem_chat(snippet: str) -> tuple[Message, ...]:
    """The first request for a seed."""
    return (
        {"role": "system", "content": f"{RULES} {LAYOUT}"},
        {"role": "user", "content": f"Snippet:\n```python\n{snippet.rstrip()}\n```"},
    )


def repair_chat(before: Sequence[Message], reply: str, error: str) -> tuple[Message, ...]:
    """The request after a solution failed, with its error."""
    request = (
        f"The solution fails when it is run:\n{error}\n"
        "Give the corrected answer in full, in the same layout."
    )
    return (
        *before,
        {"role": "assistant", "content": reply},
        {"role": "user", "content": request},
    )


def _has_code(task: Task, text: str) -> tuple[bool, str]:
    return (True, "") if code_of(text) else (False, "no code block")


def code_of(text: str) -> str:
    """The last code block of a reply, or an empty string."""
    blocks = _FENCE.findall(text)
    return blocks[-1].strip() + "\n" if blocks else ""


def _error(outcome: Outcome) -> str:
    """How a run failed, as `Type: message`, or an empty string."""
    if outcome.status is Status.OK:
        return ""
    raised = outcome.exception
    return f"{raised.type}: {raised.message[:300]}" if raised else str(outcome.status.value)


def _program(attempt: _Attempt) -> tuple[str, tuple[Program, Calls] | None]:
    """(fate, program with its example calls) of a solution that runs."""
    code = code_of(attempt.reply)
    try:
        tree = foreign.parse(code)
        functions = {n.name for n in tree.body if isinstance(n, ast.FunctionDef)}
        source = "\n\n\n".join(foreign.unparse(n) for n in tree.body if _is_kept(n, functions))
    except foreign.Refused as error:
        return f"unreadable: {error}", None
    calls = _example_calls(tree, code, functions)
    if not calls:
        return NO_CALL, None
    entry, size = (
        collections.Counter(name for name, _ in calls).most_common(1)[0][0],
        len(calls[0][1]),
    )
    examples = tuple(a for name, a in calls if name == entry and a and len(a) == size)
    if not examples:
        return NO_CALL, None
    problem = _PROBLEM.search(attempt.reply)
    program = Program(
        source=source + "\n",
        entry_point=entry,
        id=f"teacher:{attempt.seed.id}",
        description=" ".join(problem.group(1).split())[:600] if problem else "",
        origin="teacher",
        family=f"teacher:{attempt.seed.id}",
        argument_types=tuple(
            join_types([type_of(v) for v in c]) for c in zip(*examples, strict=True)
        ),
        types_from="doctest",
        provenance=replace(attempt.seed.provenance, method="teacher"),
    )
    return "kept", (program, examples)


def _is_kept(node: ast.stmt, functions: set[str]) -> bool:
    """Whether a statement belongs to the program; an assignment that calls it is an example."""
    if isinstance(node, ast.Assign):
        return not any(isinstance(n, ast.Name) and n.id in functions for n in ast.walk(node))
    return isinstance(node, ast.FunctionDef | ast.Import | ast.ImportFrom | ast.ClassDef)


def _example_calls(
    tree: ast.Module, code: str, functions: set[str]
) -> list[tuple[str, tuple[Any, ...]]]:
    """The calls with literal arguments that stand outside the functions."""
    calls = []
    for node in (n for n in tree.body if not isinstance(n, ast.FunctionDef)):
        for call in ast.walk(node):
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") in functions:
                try:
                    name, arguments, named = values.parse_call(
                        ast.get_source_segment(code, call) or ""
                    )
                except values.NotALiteral:
                    continue
                if not named:
                    calls.append((name, arguments))
    return calls
