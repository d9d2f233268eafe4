"""The hub's PyX format (`id`, `nl`, `fwd_mnl`, `bwd_mnl`, `response`): written, read, and executed
again. Rows are foreign: each is either read or refused with a reason."""

from __future__ import annotations

import ast
import collections
import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from semcoder_lib.core import foreign, records, values
from semcoder_lib.core.errors import UserError
from semcoder_lib.core.foreign import Refused
from semcoder_lib.core.records import Case, Entry, Program, Provenance, Status
from semcoder_lib.corpus.build import split_families
from semcoder_lib.corpus.files import exact_key
from semcoder_lib.corpus.inputs import join_types, type_of
from semcoder_lib.corpus.prospect import Prospect, alive, run_inputs
from semcoder_lib.corpus.seeds import description
from semcoder_lib.models import prompts
from semcoder_lib.sandbox import Job, Outcome, Sandbox
from semcoder_lib.tracing import program_and_case

COLUMNS = ("id", "nl", "fwd_mnl", "bwd_mnl", "response")
_ID = re.compile(r"^(?:nl|fwd_mnl|bwd_mnl)_(.*?)(?:_ipt\d+)?$")


def to_hub(entries: Iterable[Entry]) -> Iterator[dict[str, str]]:
    """Rows of the natural-language task in the hub's columns, one a program (those of its
    monologues: `monologues.to_hub`)."""
    for entry in entries:
        program = entry.program
        yield {
            **dict.fromkeys(COLUMNS, ""),
            "id": f"nl_{program.id}",
            "nl": prompts.nl_to_code(program.description).text,
            "response": f"```python\n{program.source.rstrip()}\n```",
        }


def read_row(row: dict[str, Any], number: int = 0) -> tuple[Program, Case | None]:
    """A program and the case that a monologue row of the hub asserts; of an `nl` row a script with
    its description, without an entry point and a case. Raises Refused with the reason where it is
    no such row, or where its code or its answer cannot be read."""
    filled = [c for c in COLUMNS[1:4] if row.get(c)]
    if len(filled) != 1 or "response" not in row:
        raise Refused("expected exactly one of nl, fwd_mnl, bwd_mnl and a response")
    prompt, response = (_text(row, column) for column in (filled[0], "response"))
    name, case, text = "", None, ""
    if filled[0] == "nl":
        source, text = "\n\n".join(_fenced(response)) or response, _described(prompt)
    else:
        source = _program(prompt)
        name, case = _asserted(response, source)
    program = Program(
        source,
        name,
        id=_identity(row, number),
        description=text,
        origin="hub",
        family=f"hub:{exact_key(source)}",
        types_from="hub",
        provenance=Provenance(package="semcoder/PyX", licence="MIT", method="hub"),
    )
    return program, case


def _identity(row: dict[str, Any], number: int) -> str:
    """A row's id as text; its number where it has none."""
    name = row.get("id", number)
    return name if isinstance(name, str) else records.shown(name)


def _text(row: dict[str, Any], column: str) -> str:
    text = row[column]
    if not isinstance(text, str):
        raise Refused(f"{column} is of type {type(text).__name__}")
    return text.replace("\r\n", "\n").replace("\r", "\n")  # as Python reads a file


def _fenced(text: str) -> list[str]:
    """The fenced blocks of a text that are Python or name no language."""
    blocks = [part.partition("\n") for part in text.split("```")[1::2]]
    return [code for language, _, code in blocks if language.strip() in ("", "python", "py")]


def _described(prompt: str) -> str:
    """The description in a prompt of ours or of the authors, or the whole text."""
    for style in prompts.STYLES if prompts.authors_prompts() else prompts.STYLES[:1]:
        before, _, after = prompts.nl_to_code("\0", style=style).text.partition("\0")
        if prompt.startswith(before) and prompt.endswith(after):
            return prompt[len(before) : len(prompt) - len(after)].strip()
    return prompt.strip()


def _program(prompt: str) -> str:
    """The program of a monologue's prompt, without labels of lines and the question."""
    _, opened, rest = prompt.partition("PYTHON]")  # the authors' backward prompt lacks the bracket
    block, closed, _ = rest.partition("[/PYTHON]")
    if not (opened and closed):
        raise Refused("no [PYTHON] block")
    lines = (_unlabelled(line) for line in block.strip("\n").split("\n"))
    code = (line for line in lines if not (line.startswith("assert ") and "??" in line))
    return "\n".join(code).rstrip() + "\n"


def _unlabelled(line: str) -> str:
    head, mark, label = line.rpartition("# [L")
    label = label.rstrip()
    return head.rstrip() if mark and label.endswith("]") and label[:-1].isdigit() else line


def _asserted(response: str, source: str) -> tuple[str, Case]:
    """The function and the case of the answer's assertion. Named arguments take the places that the
    function of the source gives them."""
    end = response.rfind("[/ANSWER]")
    start = response.rfind("[ANSWER]", 0, max(end, 0))
    if start < 0:
        raise Refused("no [ANSWER] block")
    answer = response[start + len("[ANSWER]") : end].strip()
    match foreign.parse(answer).body:
        case [ast.Assert(test=ast.Compare(left, [ast.Eq()], [right])), *_]:
            call, output = (ast.get_source_segment(answer, side) or "" for side in (left, right))
        case _:
            raise Refused("the answer is not of the form assert f(...) == ...")
    try:
        program, case = program_and_case(source, call)
        values.encode(case.arguments)
        return program.entry_point, Case(case.arguments, values.decode(output))
    except (UserError, values.NotALiteral, values.Unserializable) as error:
        raise Refused(f"the answer cannot be read: {str(error)[:200]}") from None


@dataclass(slots=True)
class Corpus:
    """The entries of a file, what was left out with the reason, and counts of both."""

    entries: list[Entry] = field(default_factory=list)
    dropped: list[dict[str, Any]] = field(default_factory=list)
    funnel: collections.Counter[str] = field(default_factory=collections.Counter)


def from_hub(
    rows: Iterable[dict[str, Any]], *, box: Sandbox, seed: int = 0, held_out: float = 0.1
) -> Corpus:
    """A corpus from rows in the hub's format: the monologue rows of one program become its cases
    where running it gives the recorded output, the `nl` row with the same code describes it. Rows
    and programs that are left out are named with the reason."""
    corpus = Corpus()
    prospects: dict[tuple[str, str], Prospect] = {}
    outputs: dict[tuple[Prospect, str], str] = {}
    descriptions: dict[str, str] = {}
    for number, row in enumerate(rows, 1):
        try:
            program, case = read_row(row, number)
        except Refused as error:
            corpus.funnel["unreadable"] += 1
            why = {"reason": "unreadable", "detail": str(error)}
            corpus.dropped.append({"id": _identity(row, number), **why})
            continue
        corpus.funnel[next(column for column in COLUMNS[1:] if row.get(column))] += 1
        if case is None:
            descriptions[program.family] = program.description
            continue
        prospect = prospects.setdefault((program.source, program.entry_point), Prospect(program))
        prospect.add([case.arguments], "hub")
        outputs[prospect, values.encode(case.arguments)] = values.encode(case.output)
    for prospect in run_inputs(list(prospects.values()), box):
        for tried in prospect.inputs:
            if tried.ran.gives(outputs[prospect, tried.text]):
                prospect.chosen.append(tried)
        corpus.funnel["case differs"] += len(prospect.inputs) - len(prospect.chosen)
        if not prospect.chosen:
            prospect.drop("no case reproduces")
    names: collections.Counter[str] = collections.Counter()
    for prospect in split_families(alive(prospects.values()), seed=seed, held_out=held_out):
        name = _ID.sub(r"\1", prospect.program.id)
        names[name] += 1
        try:
            prospect.revise(id=name if names[name] == 1 else f"{name}#{names[name]}")
            _describe(prospect, descriptions)
            corpus.entries.append(foreign.attempt(prospect.entry))
        except Refused as error:
            prospect.drop("unreadable", str(error))
    out = [p for p in prospects.values() if p.reason]
    corpus.dropped += [p.dropped() for p in out]
    corpus.funnel.update(p.reason for p in out)
    corpus.funnel["kept"] = len(corpus.entries)
    return corpus


def _describe(prospect: Prospect, descriptions: dict[str, str]) -> None:
    """Gives a program its description and the types of its arguments."""
    program, calls = prospect.program, [i.arguments for i in prospect.chosen]
    columns = zip(*(c for c in calls if len(c) == len(calls[0])), strict=True)
    body = foreign.parse(program.source).body
    functions = {n.name: n for n in body if isinstance(n, ast.FunctionDef)}
    function = functions.get(program.entry_point)
    doc = ast.get_docstring(function) if function else ""
    own = description(doc or "", program.entry_point)
    prospect.revise(
        description=descriptions.get(program.family, own),
        argument_types=tuple(join_types([type_of(v) for v in column]) for column in columns),
    )


def validate_rows(rows: Iterable[dict[str, Any]], box: Sandbox) -> Iterator[dict[str, Any]]:
    """For every row `{"id", "reproduces", "reason"}`, in order, streaming.

    Takes rows of the hub's format and rows of `records.Entry`. A monologue row reproduces when the
    call in its answer, made on its code, returns the asserted value; an `nl` row when the code of
    its response runs as a script without an error; an entry when every case comes out with the
    recorded value. A row that is neither, or cannot be read, does not, with the reason.
    """
    plans, asked = itertools.tee(_plan(row, number) for number, row in enumerate(rows))
    outcomes = box.map(job for _, job, _ in asked if job)
    for name, job, wanted in plans:
        reason = _difference(next(outcomes), wanted) if job else wanted
        yield {"id": name, "reproduces": not reason, "reason": reason}


def _plan(row: dict[str, Any], number: int) -> tuple[str, Job | None, Any]:
    """(id, what to run, the outputs that it should give) of a row; (id, None, reason) where nothing
    can be run."""
    name = _identity(row, number)
    try:
        if "program" in row and "cases" in row:
            entry = records.from_row(Entry, row)
        else:
            program, case = read_row(row, number)
            entry = Entry(program, (case or Case(()),))
        calls = [c.arguments for c in entry.cases]
        values.encode(calls)
    except Refused as error:
        return name, None, str(error)
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        return name, None, f"not a row of PyX: {error}"
    job = Job(entry.program.source, entry.program.entry_point, calls, share=True)
    return entry.program.id or name, job, [c.output for c in entry.cases]


def _difference(outcomes: list[Outcome], wanted: list[Any]) -> str:
    """Where the outcomes of some calls are not what is wanted, or an empty string."""
    for place, (outcome, output) in enumerate(zip(outcomes, wanted, strict=True)):
        if outcome.status is not Status.OK:
            raised = outcome.exception
            fault = f"{raised.type}: {raised.message[:80]}" if raised else outcome.status.value
            return f"call {place}: {fault}"
        if not values.equal(outcome.value, output):
            return f"call {place} gives {(outcome.text or '')[:60]}"
    return ""
