"""Forward monologues, a trace told in execution order (paper section 4.2.1), and backward ones,
from an output to an input that gives it (section 4.2.2).

The backward functions take a program and an output, never the input that made it. They walk back
from each `return`, undo what can be undone, say what is asked where the earlier state is not
determined, search where undoing does not lead to an input, and run every candidate."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from semcoder_lib import tracing
from semcoder_lib.core import values
from semcoder_lib.core.errors import UserError
from semcoder_lib.core.records import Case, Monologue, Program, Trace
from semcoder_lib.monologues.evaluator import equal
from semcoder_lib.monologues.forms import heading, say
from semcoder_lib.monologues.properties import properties_section
from semcoder_lib.monologues.search import Question, Search
from semcoder_lib.monologues.simulation import simulation
from semcoder_lib.monologues.style import DEFAULT, Style
from semcoder_lib.monologues.syntax import Syntax, readable, summary
from semcoder_lib.monologues.undo import Note
from semcoder_lib.sandbox import Job, Limits, Sandbox


def forward(
    program: Program,
    trace: Trace,
    *,
    style: Style = DEFAULT,
    case: Case | None = None,
) -> Monologue:
    """A natural-language simulation of one execution, in the paper's sections.

    Every value, branch and count in it is taken from the trace, or worked out from values in the
    trace and found to agree with it. `text` is what follows the prompt's `[MONOLOGUE]` line. The
    same arguments give the same text. `case` gives the call as it was written; without it every
    parameter is written out, defaults included.

    Raises `UserError` when the program cannot be read, when the trace is empty or was cut, and when
    it has no returned value that can be written down exactly (an exception has no assertion).
    """
    name = program.id or program.entry_point
    syntax = readable(program.source, program.entry_point)
    if trace.cut or not trace.steps or trace.result is None:
        why = "it raises" if trace.exception else trace.cut or trace.status.value
        raise UserError(f"{name}: no complete execution to tell ({why})")
    arguments = case.arguments if case is not None else _traced(name, trace)
    case = Case(arguments, values.decode(trace.result), trace.program_id)
    call = call_text(program, case)
    conclusion = say("concludes", f=program.entry_point, v=trace.result)
    steps = simulation(syntax, trace, style)
    about = sections(syntax, program.entry_point, style, "simulation", steps, conclusion)
    text = about + answer_block(call, trace.result)
    return Monologue(text, "forward", case, program.id or trace.program_id)


def sections(
    syntax: Syntax, entry_point: str, style: Style, kind: str, lines: list[str], conclusion: str
) -> str:
    """The section of a kind with its lines, and those round it that the style asks for."""
    text = heading(kind) + "\n".join(lines) + "\n"
    if style.brief:
        return text
    slots = summary(syntax.functions.get(entry_point))
    form = "takes" + ("" if "p" in slots else ".none") + (".does" if "c" in slots else "")
    head = heading("function") + say(form, **slots) + "\n"
    end = heading("conclusion") + conclusion + "\n"
    return head + properties_section(style.properties) + text + end


def answer_block(call: str, output: str) -> str:
    """The end of every monologue: the completed assertion."""
    return f"[/MONOLOGUE]\n[ANSWER]\nassert {call} == {output}\n[/ANSWER]"


def call_text(program: Program, case: Case) -> str:
    """The call of a case, as it stands in prompts and answers: `f([1, 2], 'a')`."""
    return values.show_call(program.entry_point, case.arguments)


def _traced(name: str, trace: Trace) -> tuple[object, ...]:
    changes = [c for c in trace.steps[0].changes if c.scope == "local"]
    if not all(c.exact for c in changes):
        raise UserError(f"{name}: an argument has no exact text")
    return tuple(values.decode(c.text or "None") for c in changes)


LIMITS = Limits(cpu_seconds=0.1, wall_seconds=2.0, memory_mb=512)


def backward(
    program: Program,
    output: Any,
    box: Sandbox,
    seeds: Sequence[tuple[Any, ...]] = (),
    *,
    seed: int = 0,
    style: Style = DEFAULT,
) -> Monologue | None:
    """A deduction of one input that gives `output`, in the paper's sections; None when none was
    found within the budget (at most some 300 runs of the program).

    Promises that the input in the answer was run and gave the output exactly. Does not promise the
    simplest input, nor that the sentences name the only way. Raises `UserError` for a program that
    cannot be read and for an output without an exact text.
    """
    readable(program.source, program.entry_point)
    try:
        values.encode(output)
    except values.Unserializable as error:
        raise UserError(f"the output has no exact text: {error}") from None
    question = Question(program, output, tuple(seeds))
    return backward_many([question], box, seed=seed, style=style)[0]


def backward_many(
    questions: Iterable[Question], box: Sandbox, *, seed: int = 0, style: Style = DEFAULT
) -> list[Monologue | None]:
    """`backward` for many questions at once, their runs batched. None also for a question that
    cannot be asked (the program cannot be read, the output has no exact text)."""
    searches: list[Search | None] = []
    for question in questions:
        try:
            syntax = readable(question.program.source, question.program.entry_point)
            searches.append(Search(question, syntax, seed))
        except (UserError, values.Unserializable):
            searches.append(None)
    _run([search for search in searches if search is not None], box)
    answered = [search for search in searches if search is not None and search.witnesses]
    pairs = [(s.question.program, Case(s.witnesses[0].arguments)) for s in answered]
    limits = LIMITS.but(cpu_seconds=1.0)
    traces = tracing.trace_many(pairs, box, share=True, sandbox_limits=limits)
    written: dict[Search | None, Monologue] = {}
    for search, trace in zip(answered, traces, strict=True):
        own = style.but(properties=search.question.properties or style.properties)
        written[search] = _deduction(search, trace, own)
    return [written.get(search) for search in searches]


def _run(searches: list[Search], box: Sandbox) -> None:
    """Brings searches to their ends, round by round, one batch of jobs for each round."""
    rounds = {search: search.rounds() for search in searches}
    while rounds:
        asked = {s: candidates for s, more in rounds.items() if (candidates := next(more, None))}
        rounds = {search: rounds[search] for search in asked}
        jobs = []
        for search, candidates in asked.items():
            program, calls = search.question.program, [c.arguments for c in candidates]
            job = Job(program.source, program.entry_point, calls, LIMITS, share=True, give_up=2)
            jobs.append(job)
        for (search, candidates), outcomes in zip(asked.items(), box.map(jobs), strict=True):
            for candidate, outcome in zip(candidates, outcomes, strict=False):
                search.enter(candidate, outcome)


def _deduction(search: Search, trace: Trace, style: Style) -> Monologue:
    """The text of a finished search. `trace` is that of the witness, for the check at the end."""
    program, syntax, wanted = search.question.program, search.syntax, search.wanted
    f, witness = program.entry_point, search.witnesses[0]
    call = values.show_call(f, witness.arguments)
    lines = []
    for note in _notes(search, trace):
        if note.line not in syntax.groups:
            label = style.label(note.line)
            text = note.text.replace(f"[L{note.line}]", label)
            lines.append(f"{label} {style.quote(syntax.text(note.line))}{text}")
    names = [*search.names, *(f"argument {n + 1}" for n in range(len(witness.arguments)))]
    given = [f"{n} = {values.encode(v)}" for n, v in zip(names, witness.arguments, strict=False)]
    lines.append(say("choose" if given else "choose.none", b=", ".join(given)))
    steps: list[str] = []
    if style.check and trace.steps and not trace.cut and trace.result == wanted:
        with contextlib.suppress(UserError):
            steps = simulation(syntax, trace, style.but(max_chars=100_000))
    if steps and len("\n".join(steps)) <= style.check:
        lines += [say("checking"), *steps]
    else:
        lines.append(say("check", c=call, v=wanted))
    conclusion = say("concludes.call", c=call, v=wanted)
    about = sections(syntax, f, style, "deduction", lines, conclusion)
    case = Case(witness.arguments, search.output, program.id)
    text = about + answer_block(call, wanted)
    return Monologue(text, "backward", case, program.id)


def _notes(search: Search, trace: Trace) -> tuple[Note, ...]:
    """A deduction that comes to the witness, where the witness's run reached every line that it
    speaks of; else only what is asked of the return that was reached."""
    reached = {s.line for s in trace.steps if s.frame == trace.steps[0].frame}
    witness = search.witnesses[0]
    given = dict(zip(search.names, witness.arguments, strict=False))
    for goals in filter(None, (witness.goals, *search.deductions)):
        fits = all(equal(given.get(n), v) for n, v in goals.values.items())
        ran = all(n.reached in reached and n.avoided not in reached for n in goals.notes)
        if goals.values and fits and ran:
            return goals.notes
    for goals in search.deductions:
        for note in goals.notes[:1]:
            text = note.text.partition("; ")[0].rstrip(".") + "."
            names = [n for n in search.names if f" {n} can be " in text or f" {n} must be " in text]
            fits = all(f" {n} must be {values.encode(given.get(n))}." in text for n in names)
            if note.reached in reached and fits:
                return (replace(note, text=text),)
    return ()
