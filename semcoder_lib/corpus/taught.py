"""Programs that a teacher wrote (paper section 3.1): a snippet becomes a problem and a solution,
what fails is sent back with its error, and the teacher adds inputs that the corpus's own growth
begins with. Prompts are in our own words, with the paper's rules."""

from __future__ import annotations

import ast
import collections
import itertools
import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from semcoder_lib.core import foreign, values
from semcoder_lib.core.records import Program, Status
from semcoder_lib.corpus import hints
from semcoder_lib.corpus.prospect import Prospect
from semcoder_lib.corpus.seeds import packages
from semcoder_lib.models.teachers import Task, Teacher
from semcoder_lib.sandbox import Job, Outcome, Sandbox

Message = dict[str, str]

RULES = (
    "You write programming exercises. Be inspired by the snippet, not bound to it. "
    "Rules: state the problem in at most five sentences; it must not be trivial; it must stand "
    "alone, without the snippet; no keyboard, files, databases, network, clock or randomness; the "
    "standard library of Python only. First lay out your plan step by step, then give one Python "
    "code block with the solution as a function, followed by two or three example calls of it with "
    "literal arguments, each in a print. "
    "Answer with the two headings [Problem] and [Solution]."
)
_FENCE = re.compile(r"```(?:python)?[ \t]*\n(.*?)```", re.DOTALL)
_PROBLEM = re.compile(r"\[Problem\](.*?)\[Solution\]", re.DOTALL | re.IGNORECASE)


def taught(
    count: int,
    teacher: Teacher,
    box: Sandbox,
    *,
    seed: int = 0,
    repairs: int = 3,
    seeds: Iterable[Program] | None = None,
) -> tuple[list[tuple[str, str, Prospect | None]], dict[str, Any]]:
    """What the teacher makes of `count` functions of installed packages (or of `seeds`): of each
    its id, its fate, and the candidate for the corpus where that is "kept"; and the counts for a
    funnel: fates, what the first solutions failed with (the paper's table 7), and how many ran
    after how many repairs.

    Solutions run as scripts; one that fails goes back with its error up to `repairs` times. Then
    the teacher is asked for more calls of each program. Resumable through the cache of the
    teacher's engine.
    """
    real = (p.program for p in packages(seed=seed)) if seeds is None else seeds
    seeds = list(itertools.islice(real, count))
    chats = {s.id: _problem_chat(s.source) for s in seeds}
    fates: dict[str, str] = {}
    candidates: dict[str, Prospect] = {}
    errors: collections.Counter[str] = collections.Counter()
    by_round: collections.Counter[str] = collections.Counter()
    for number in range(repairs + 1):
        going = [s for s in seeds if s.id not in fates]
        tasks = [Task(f"{s.id}#{number}", tuple(chats[s.id]), s) for s in going]
        replies: list[tuple[Program, str]] = []
        for task, text in teacher.ask(tasks, _has_code, tries=2, seed=seed):
            if text is None:
                fates[task.data.id] = "teacher: rejected"
            else:
                replies.append((task.data, text))
        outcomes = box.map(Job(_code_of(reply), "") for _, reply in replies)
        for (origin, reply), (outcome,) in zip(replies, outcomes, strict=True):
            if error := _error(outcome):
                errors.update([error.partition(":")[0]] * (number == 0))
                chats[origin.id][2:] = _repair_chat(reply, error)
                if number == repairs:
                    fates[origin.id] = f"never ran: {error}"
                continue
            try:
                candidates[origin.id] = _candidate(origin, reply)
                fates[origin.id] = "kept"
                by_round[str(number)] += 1
            except foreign.Refused as reason:
                fates[origin.id] = str(reason)
    tasks = [Task(f"{name}#inputs", _inputs_chat(p), p) for name, p in candidates.items()]
    for task, text in teacher.ask(tasks, seed=seed):
        _add_calls(task.data, text or "")
    general = collections.Counter(fate.partition(":")[0] for fate in fates.values())
    return [(s.id, fates[s.id], candidates.get(s.id)) for s in seeds], {
        "snippets": len(seeds),
        "fates": dict(sorted(general.items())),
        "first_errors": dict(errors.most_common()),
        "ran_after_repairs": dict(by_round),
    }


def _problem_chat(snippet: str) -> list[Message]:
    return [
        {"role": "system", "content": RULES},
        {"role": "user", "content": f"Snippet:\n```python\n{snippet.rstrip()}\n```"},
    ]


def _repair_chat(reply: str, error: str) -> list[Message]:
    request = (
        f"The solution fails when it is run:\n{error}\n"
        "Give the corrected answer in full, in the same layout."
    )
    return [{"role": "assistant", "content": reply}, {"role": "user", "content": request}]


def _inputs_chat(prospect: Prospect) -> tuple[Message, ...]:
    """The request for more inputs of a program, beside those of its examples."""
    program, signature = prospect.program, prospect.signature
    examples = signature.examples if signature else ()
    calls = "\n".join(values.show_call(program.entry_point, arguments) for arguments in examples)
    text = (
        f"```python\n{program.source.rstrip()}\n```\nKnown calls:\n{calls}\n"
        f"Give up to ten more calls of `{program.entry_point}` with short literal arguments that "
        f"take other branches, one a line, nothing else."
    )
    return ({"role": "user", "content": text},)


def _has_code(task: Task, text: str) -> tuple[bool, str]:
    return bool(_code_of(text)), "no code block"


def _code_of(text: str) -> str:
    """The last code block of a reply, or an empty string."""
    blocks = _FENCE.findall(text)
    return blocks[-1].strip() + "\n" if blocks else ""


def _error(outcome: Outcome) -> str:
    """How a run failed, as `Type: message`, or an empty string."""
    if outcome.status is Status.OK:
        return ""
    raised = outcome.exception
    return f"{raised.type}: {raised.message[:300]}" if raised else str(outcome.status.value)


def _candidate(origin: Program, reply: str) -> Prospect:
    """The program of a solution that runs, with its example calls where a real function has its
    doctests. Raises Refused."""
    tree = foreign.parse(_code_of(reply))
    functions = {n.name: n for n in tree.body if isinstance(n, ast.FunctionDef)}
    outside = [n for n in tree.body if not isinstance(n, ast.FunctionDef)]
    every = (c for statement in outside for c in hints.literal_calls(statement))
    calls = [(name, arguments) for name, arguments in every if arguments and name in functions]
    if not calls:
        raise foreign.Refused("no example call with literal arguments")
    ((entry, _),) = collections.Counter(name for name, _ in calls).most_common(1)
    examples = [arguments for name, arguments in calls if name == entry]
    kept = [foreign.attempt(ast.unparse, n) for n in tree.body if _belongs(n, functions)]
    problem = _PROBLEM.search(reply)
    program = Program(
        source="\n\n\n".join(kept) + "\n",
        entry_point=entry,
        id=f"teacher:{origin.id}",
        description=" ".join(problem.group(1).split())[:600] if problem else "",
        origin="teacher",
        family=f"teacher:{origin.id}",
        provenance=replace(origin.provenance, method="teacher"),
    )
    return Prospect(program, hints.read(functions[entry], entry, examples))


def _belongs(node: ast.stmt, functions: Iterable[str]) -> bool:
    """Whether a statement belongs to the program; an assignment that calls it is an example."""
    if isinstance(node, ast.Assign):
        return not any(isinstance(n, ast.Name) and n.id in functions for n in ast.walk(node))
    return isinstance(node, ast.FunctionDef | ast.Import | ast.ImportFrom | ast.ClassDef)


def _add_calls(prospect: Prospect, reply: str) -> None:
    """Adds the calls of the program that a reply holds, one a line, to its examples."""
    assert prospect.signature is not None
    calls = list(prospect.signature.examples)
    for line in reply.splitlines():
        try:
            tree = foreign.parse(line.strip().strip("`- ").rstrip(";,"))
        except foreign.Refused:
            continue
        named = hints.literal_calls(tree)
        calls += [given for name, given in named if given and name == prospect.program.entry_point]
    prospect.signature = replace(prospect.signature, examples=tuple(calls))
