"""Programs that a teacher wrote (paper section 3.1): a snippet becomes a problem and a solution,
what fails is sent back with its error, and inputs come from the teacher and mutation in turns.
Prompts are in our own words, with the paper's rules."""

from __future__ import annotations

import ast
import collections
import itertools
import random
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from semcoder_lib.core import foreign, values
from semcoder_lib.core.records import Program, Status
from semcoder_lib.corpus import hints
from semcoder_lib.corpus.grow import add_mutations, best_inputs
from semcoder_lib.corpus.hints import Hint
from semcoder_lib.corpus.inputs import join_types, type_of
from semcoder_lib.corpus.prospect import Prospect, run_inputs
from semcoder_lib.corpus.seeds.packages import Seed, snippets
from semcoder_lib.models.teachers import Task, Teacher, ask
from semcoder_lib.sandbox import Job, Outcome, Sandbox

A_TURN = 10  # inputs that either side may add at once
SHOWN = 6  # known calls in a request
MOST_TURNS = 8

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
    candidates: list[Prospect] = field(default_factory=list)
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
    messages: list[Message]
    reply: str = ""
    fate: dict[str, str] = field(default_factory=dict)


def propose(
    seeds: Sequence[Seed], teacher: Teacher, box: Sandbox, *, rounds: int = 3, **asking: Any
) -> Taught:
    """Asks for a problem and a solution for every seed, runs the solutions as scripts, and sends
    what fails back with its error, up to `rounds` times. `asking` goes to `teachers.ask`: with a
    `cache` an interrupted run asks only for what is missing."""
    taught = Taught()
    attempts = [_Attempt(s, _problem_chat(s.snippet)) for s in seeds]
    kept: dict[str, Prospect] = {}
    for number in range(rounds + 1):
        going = [a for a in attempts if not a.fate]
        tasks = [Task(f"{a.seed.id}#{number}", tuple(a.messages), a) for a in going]
        for answer in ask(tasks, teacher, _has_code, tries=2, **asking):
            answer.task.data.reply = answer.text
            if answer.status != "accepted":
                answer.task.data.fate = {"fate": f"teacher: {answer.status}"}
        going = [a for a in going if not a.fate]
        outcomes = box.map(Job(_code_of(a.reply), "") for a in going)
        for attempt, (outcome,) in zip(going, outcomes, strict=True):
            if error := _error(outcome):
                taught.errors[error.partition(":")[0]] += number == 0
                if number == rounds:
                    attempt.fate = {"fate": f"never ran: {error}"}
                attempt.messages[2:] = _repair_chat(attempt.reply, error)
                continue
            attempt.fate = {"fate": "kept", "rounds": str(number)}
            try:
                kept[attempt.seed.id] = _prospect(attempt)
                taught.by_round[number] += 1
            except foreign.Refused as reason:
                attempt.fate["fate"] = str(reason)
    taught.prospects = [kept[a.seed.id] for a in attempts if a.seed.id in kept]
    taught.fates = [{"id": a.seed.id, **a.fate} for a in attempts]
    return taught


def _problem_chat(snippet: str) -> list[Message]:
    return [
        {"role": "system", "content": f"{RULES} {LAYOUT}"},
        {"role": "user", "content": f"Snippet:\n```python\n{snippet.rstrip()}\n```"},
    ]


def _repair_chat(reply: str, error: str) -> list[Message]:
    request = (
        f"The solution fails when it is run:\n{error}\n"
        "Give the corrected answer in full, in the same layout."
    )
    return [{"role": "assistant", "content": reply}, {"role": "user", "content": request}]


def _has_code(task: Task, text: str) -> tuple[bool, str]:
    return bool(_code_of(text)), "" if _code_of(text) else "no code block"


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


def _prospect(attempt: _Attempt) -> Prospect:
    """The program of a solution that runs, with its example calls. Raises Refused."""
    code = _code_of(attempt.reply)
    tree = foreign.parse(code)
    functions = {n.name for n in tree.body if isinstance(n, ast.FunctionDef)}
    kept = [foreign.unparse(n) for n in tree.body if _is_kept(n, functions)]
    outside = [n for n in tree.body if not isinstance(n, ast.FunctionDef)]
    nodes = (n for statement in outside for n in ast.walk(statement) if isinstance(n, ast.Call))
    found = [_literal_call(ast.get_source_segment(code, n) or "") for n in nodes]
    calls = [(name, arguments) for name, arguments in found if name in functions]
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


def _literal_call(text: str) -> tuple[str, tuple[Any, ...]]:
    """(function, arguments) of a call with literal arguments by position, or ("", ())."""
    try:
        name, arguments, named = values.parse_call(text)
        values.encode(arguments)
    except (values.NotALiteral, values.Unserializable):
        return "", ()
    return ("", ()) if named else (name, arguments)


def taught(
    count: int,
    teacher: Teacher,
    box: Sandbox,
    *,
    seed: int = 0,
    repairs: int = 3,
    wanted: int = 30,
    sources: Iterable[Seed] | None = None,
    **asking: Any,
) -> Taught:
    """What the teacher makes of `count` snippets of installed packages (or of `sources`).

    A solution that fails goes back with its error up to `repairs` times; then the teacher's inputs
    and mutations of them `alternate` until `wanted` of them run, and the teacher's become the first
    inputs of the corpus's own growth. `asking` (`cache`, `usage`) goes to `teachers.ask`, which
    makes it resumable and raises InfrastructureError when the teacher is gone.
    """
    asked = itertools.islice(snippets(seed=seed) if sources is None else sources, count)
    result = propose(list(asked), teacher, box, rounds=repairs, seed=seed, **asking)
    alternate(result.prospects, teacher, box, wanted=wanted, seed=seed, **asking)
    result.candidates = [_candidate(prospect) for prospect in result.prospects]
    return result


def alternate(
    prospects: Sequence[Prospect],
    teacher: Teacher,
    box: Sandbox,
    *,
    wanted: int = 30,
    seed: int = 0,
    **asking: Any,
) -> None:
    """Adds inputs to programs that have some: the teacher sees the calls that reach the most so far
    and proposes others; mutations of all that ran follow; and so on until `wanted` inputs run, or
    the teacher has none left that do."""
    going = _surviving(prospects, box)
    for turn in range(MOST_TURNS):
        going = [p for p in going if len(p.good()) < wanted]
        before = {p: len(p.good()) for p in going}
        tasks = [Task(f"{p.program.id}#inputs{turn}", inputs_chat(p), p) for p in going]
        for reply in ask(tasks, teacher, lambda *_: (True, ""), tries=1, seed=seed, **asking):
            prospect = reply.task.data
            calls = read_calls(reply.text, prospect.program.entry_point)
            prospect.add(calls, "teacher", A_TURN)
        going = [p for p in _surviving(going, box) if len(p.good()) > before[p]]
        for prospect in going:
            rng = random.Random(f"{seed}:alternate:{prospect.program.id}:{turn}")
            add_mutations(prospect, rng, A_TURN)
        going = _surviving(going, box)


def _surviving(prospects: Sequence[Prospect], box: Sandbox) -> list[Prospect]:
    """Runs what has not run yet; those whose program survives it."""
    return [prospect for prospect, failed in run_inputs(prospects, box) if not failed]


def teachers_calls(prospect: Prospect) -> tuple[tuple[Any, ...], ...]:
    """The teacher's argument tuples on which a program runs, those that reach the most first."""
    best = best_inputs(prospect, len(prospect.inputs))
    return tuple(i.arguments for i in best if i.source == "teacher")


def _candidate(prospect: Prospect) -> Prospect:
    """A teacher's program with its calls where a real function has its doctests: their types come
    first, what the text says of the arguments after them."""
    program = prospect.program
    functions = (n for n in ast.parse(program.source).body if isinstance(n, ast.FunctionDef))
    function = next(n for n in functions if n.name == program.entry_point)
    signature = hints.read(function, program.entry_point)
    first = list(signature.hints)
    for place, kind in enumerate(program.argument_types[: len(first)]):
        first[place] = Hint((kind, *(t for t in first[place].types if t != kind)), "doctest")
    signature = replace(signature, hints=tuple(first), examples=teachers_calls(prospect))
    return Prospect(replace(program, argument_types=(), types_from=""), signature)


def inputs_chat(prospect: Prospect) -> tuple[Message, ...]:
    """The request for more inputs of a program, beside those that reach the most."""
    program = prospect.program
    known = best_inputs(prospect, SHOWN) or prospect.inputs[:SHOWN]
    calls = "\n".join(values.show_call(program.entry_point, i.arguments) for i in known)
    text = (
        f"```python\n{program.source.rstrip()}\n```\nKnown calls:\n{calls}\n"
        f"Give up to ten more calls of `{program.entry_point}` with short literal arguments that "
        f"take other branches, one a line, nothing else."
    )
    return ({"role": "user", "content": text},)


def read_calls(text: str, entry_point: str) -> list[tuple[Any, ...]]:
    """The argument tuples of the calls in a reply; other lines are passed over."""
    lines = (line.strip().strip("`- ").rstrip(";,") for line in text.splitlines())
    return [arguments for name, arguments in map(_literal_call, lines) if name == entry_point]
