"""The teacher path: a seed becomes a problem and a solution, what fails is sent back with its
error. Prompts in our own words, with the paper's rules (section 3.1)."""

from __future__ import annotations

import ast
import collections
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from semcoder_lib.core import values, workspace
from semcoder_lib.core.records import Program, Status
from semcoder_lib.corpus.seeds.packages.hints import join_types, type_of
from semcoder_lib.corpus.seeds.snippets import Seed
from semcoder_lib.models.teachers import Task, Teacher, Usage, ask

if TYPE_CHECKING:
    from semcoder_lib.sandbox import Outcome, Sandbox

Message = dict[str, str]

RULES = (
    "You write programming exercises. Be inspired by the snippet, not bound to it. "
    "Rules: state the problem in at most five sentences; it must not be trivial; it must stand "
    "alone, without the snippet; no keyboard, files, databases, network, clock or randomness; the "
    "standard library of Python only. First lay out your plan step by step, then give one Python "
    "code block with the solution as a function, followed by two or three example calls of it with "
    "literal arguments, each in a print."
)
LAYOUT = "Answer with the two headings [Problem] and [Solution]."
_FENCE = re.compile(r"```(?:python)?[ \t]*\n(.*?)```", re.DOTALL)
_PROBLEM = re.compile(r"\[Problem\](.*?)\[Solution\]", re.DOTALL | re.IGNORECASE)


@dataclass(slots=True)
class Proposed:
    """What the teacher path gave: programs with the argument tuples of their own example calls, and
    the fate of every seed. `errors` counts what the first solutions failed with (the paper's
    table 7), `by_round` how many ran after how many repairs."""

    programs: list[tuple[Program, tuple[tuple[Any, ...], ...]]] = field(default_factory=list)
    fates: list[dict[str, str]] = field(default_factory=list)
    errors: collections.Counter[str] = field(default_factory=collections.Counter)
    by_round: collections.Counter[int] = field(default_factory=collections.Counter)


@dataclass(slots=True)
class _Going:
    seed: Seed
    messages: tuple[Message, ...]
    text: str = ""
    code: str = ""
    error: str = ""


def problem_chat(snippet: str) -> tuple[Message, ...]:
    """The first request for a seed."""
    return (
        {"role": "system", "content": f"{RULES} {LAYOUT}"},
        {"role": "user", "content": f"Snippet:\n```python\n{snippet.rstrip()}\n```"},
    )


def repair_chat(before: Sequence[Message], reply: str, error: str) -> tuple[Message, ...]:
    """The request after a solution failed, with its error."""
    return (
        *before,
        {"role": "assistant", "content": reply},
        {
            "role": "user",
            "content": f"The solution fails when it is run:\n{error}\n"
            f"Give the corrected answer in full, in the same layout.",
        },
    )


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
    made = Proposed()
    going = [_Going(s, problem_chat(s.snippet)) for s in seeds]
    fates: dict[str, dict[str, str]] = {}
    programs: dict[str, tuple[Program, tuple[tuple[Any, ...], ...]]] = {}
    for number in range(rounds + 1):
        tasks = [Task(f"{g.seed.id}#{number}", g.messages, g) for g in going]
        answered: list[_Going] = []
        replies = ask(tasks, teacher, _has_code, tries=2, seed=seed, cache=cache, usage=usage)
        for taught in replies:
            state: _Going = taught.task.data
            if taught.status != "accepted":
                fates[state.seed.id] = {"id": state.seed.id, "fate": f"teacher: {taught.status}"}
                continue
            state.text, state.code = taught.text, code_of(taught.text)
            answered.append(state)
        going = []
        for state, outcome in zip(answered, _run(answered, box), strict=True):
            state.error = error_of(outcome)
            if number == 0 and state.error:
                made.errors[state.error.partition(":")[0]] += 1
            if not state.error:
                fate, program = _program(state)
                fates[state.seed.id] = {"id": state.seed.id, "fate": fate, "rounds": str(number)}
                if program is not None:
                    programs[state.seed.id] = program
                    made.by_round[number] += 1
            elif number < rounds:
                state.messages = repair_chat(state.messages[:2], state.text, state.error)
                going.append(state)
            else:
                fates[state.seed.id] = {"id": state.seed.id, "fate": f"never ran: {state.error}"}
        if not going:
            break
    made.fates = [fates[s.id] for s in seeds]
    made.programs = [programs[s.id] for s in seeds if s.id in programs]
    return made


def _has_code(task: Task, text: str) -> tuple[bool, str]:
    return (True, "") if code_of(text) else (False, "no code block")


def code_of(text: str) -> str:
    """The last code block of a reply, or an empty string."""
    blocks = _FENCE.findall(text)
    return blocks[-1].strip() + "\n" if blocks else ""


def _run(going: Sequence[_Going], box: Sandbox) -> Iterable[Outcome]:
    from semcoder_lib.sandbox import Job

    return (outcomes[0] for outcomes in box.map(Job(g.code, "") for g in going))


def error_of(outcome: Outcome) -> str:
    """How a run failed, as `Type: message`, or an empty string."""
    if outcome.status is Status.OK:
        return ""
    if outcome.exception is not None:
        return f"{outcome.exception.type}: {outcome.exception.message[:300]}"
    return str(outcome.status.value)


def _program(state: _Going) -> tuple[str, tuple[Program, tuple[tuple[Any, ...], ...]] | None]:
    """(fate, program with its example calls) of a solution that runs."""
    tree = ast.parse(state.code)
    functions = [n.name for n in tree.body if isinstance(n, ast.FunctionDef)]
    calls: list[tuple[str, tuple[Any, ...]]] = []
    kept: list[ast.stmt] = []
    for node in tree.body:
        if isinstance(
            node, ast.FunctionDef | ast.Import | ast.ImportFrom | ast.Assign | ast.ClassDef
        ):
            kept.append(node)
        for inner in ast.walk(node) if not isinstance(node, ast.FunctionDef) else ():
            if isinstance(inner, ast.Call) and getattr(inner.func, "id", "") in functions:
                try:
                    name, arguments, named = values.parse_call(ast.unparse(inner))
                except values.NotALiteral:
                    continue
                if not named:
                    calls.append((name, arguments))
    if not calls:
        return "no example call with literal arguments", None
    entry = collections.Counter(name for name, _ in calls).most_common(1)[0][0]
    examples = tuple(a for name, a in calls if name == entry and a and len(a) == len(calls[0][1]))
    if not examples:
        return "no example call with literal arguments", None
    types = tuple(join_types([type_of(e[i]) for e in examples]) for i in range(len(examples[0])))
    kept = [k for k in kept if not (isinstance(k, ast.Assign) and _mentions(k, functions))]
    problem = _PROBLEM.search(state.text)
    program = Program(
        source="\n\n\n".join(ast.unparse(k) for k in kept) + "\n",
        entry_point=entry,
        id=f"teacher:{state.seed.id}",
        description=re.sub(r"\s+", " ", problem.group(1) if problem else "").strip()[:600],
        origin="teacher",
        family=f"teacher:{state.seed.id}",
        argument_types=types,
        types_from="doctest",
        provenance=replace(state.seed.provenance, method="teacher"),
    )
    return "kept", (program, examples)


def _mentions(node: ast.AST, names: list[str]) -> bool:
    return any(isinstance(n, ast.Name) and n.id in names for n in ast.walk(node))
