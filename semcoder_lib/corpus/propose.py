"""A teacher's programs: a snippet becomes a problem and a solution, and what fails is sent back
with its error. Prompts in our own words, with the paper's rules (section 3.1)."""

from __future__ import annotations

import ast
import collections
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from semcoder_lib.core import foreign, values
from semcoder_lib.core.records import Program, Status
from semcoder_lib.corpus.prospect import Prospect
from semcoder_lib.corpus.seeds.packages import Candidate
from semcoder_lib.corpus.seeds.packages.hints import join_types, type_of
from semcoder_lib.corpus.seeds.snippets import Seed
from semcoder_lib.models.teachers import Task, Teacher, ask
from semcoder_lib.sandbox import Job, Outcome, Sandbox

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
class Taught:
    """What a teacher made of some seeds: the programs that run, with their example calls as inputs;
    candidates for the corpus, once they are made; the fate of every seed, in order. `errors` counts
    what the first solutions failed with (the paper's table 7), `by_round` how many ran after how
    many repairs."""

    prospects: list[Prospect] = field(default_factory=list)
    candidates: list[Candidate] = field(default_factory=list)
    fates: list[dict[str, str]] = field(default_factory=list)
    errors: collections.Counter[str] = field(default_factory=collections.Counter)
    by_round: collections.Counter[int] = field(default_factory=collections.Counter)

    def row(self) -> dict[str, Any]:
        """The counts, for a funnel."""
        general = collections.Counter(f["fate"].partition(":")[0] for f in self.fates)
        return {
            "snippets": len(self.fates),
            "fates": dict(sorted(general.items())),
            "first_errors": dict(self.errors.most_common()),
            "ran_after_repairs": {str(k): n for k, n in sorted(self.by_round.items())},
        }


@dataclass(slots=True)
class _Attempt:
    """A seed on its way: what is asked next, the last reply, and in the end its fate."""

    seed: Seed
    messages: tuple[Message, ...]
    reply: str = ""
    fate: dict[str, str] = field(default_factory=dict)
    prospect: Prospect | None = None


def propose(
    seeds: Sequence[Seed], teacher: Teacher, box: Sandbox, *, rounds: int = 3, **asking: Any
) -> Taught:
    """Asks for a problem and a solution for every seed, runs the solutions as scripts, and sends
    what fails back with its error, up to `rounds` times. `asking` goes to `teachers.ask`: with a
    `cache` an interrupted run asks only for what is missing."""
    taught = Taught()
    attempts = [_Attempt(s, problem_chat(s.snippet)) for s in seeds]
    for number in range(rounds + 1):
        going = [a for a in attempts if not a.fate]
        tasks = [Task(f"{a.seed.id}#{number}", a.messages, a) for a in going]
        for answer in ask(tasks, teacher, _has_code, tries=2, **asking):
            answer.task.data.reply = answer.text
            if answer.status != "accepted":
                answer.task.data.fate = {"fate": f"teacher: {answer.status}"}
        going = [a for a in going if not a.fate]
        outcomes = box.map(Job(code_of(a.reply), "") for a in going)
        for attempt, (outcome,) in zip(going, outcomes, strict=True):
            error = _error(outcome)
            if error:
                if number == 0:
                    taught.errors[error.partition(":")[0]] += 1
                if number == rounds:
                    attempt.fate = {"fate": f"never ran: {error}"}
                attempt.messages = repair_chat(attempt.messages[:2], attempt.reply, error)
                continue
            try:
                attempt.prospect = _prospect(attempt)
                attempt.fate = {"fate": "kept", "rounds": str(number)}
                taught.by_round[number] += 1
            except foreign.Refused as reason:
                attempt.fate = {"fate": str(reason), "rounds": str(number)}
    taught.prospects = [a.prospect for a in attempts if a.prospect]
    taught.fates = [{"id": a.seed.id, **a.fate} for a in attempts]
    return taught


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


def _prospect(attempt: _Attempt) -> Prospect:
    """The program of a solution that runs, with its example calls. Raises Refused."""
    code = code_of(attempt.reply)
    tree = foreign.parse(code)
    functions = {n.name for n in tree.body if isinstance(n, ast.FunctionDef)}
    kept = [foreign.unparse(n) for n in tree.body if _is_kept(n, functions)]
    calls = _example_calls(tree, code, functions)
    entry = collections.Counter(name for name, _ in calls).most_common(1)[0][0] if calls else ""
    examples = [a for name, a in calls if name == entry and a and len(a) == len(calls[0][1])]
    if not examples:
        raise foreign.Refused("no example call with literal arguments")
    columns = zip(*examples, strict=True)
    problem = _PROBLEM.search(attempt.reply)
    program = Program(
        source="\n\n\n".join(kept) + "\n",
        entry_point=entry,
        id=f"teacher:{attempt.seed.id}",
        description=" ".join(problem.group(1).split())[:600] if problem else "",
        origin="teacher",
        family=f"teacher:{attempt.seed.id}",
        argument_types=tuple(join_types([type_of(v) for v in column]) for column in columns),
        types_from="doctest",
        provenance=replace(attempt.seed.provenance, method="teacher"),
    )
    prospect = Prospect(program)
    prospect.add(examples, "teacher", len(examples))
    return prospect


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
