"""The hub's PyX format (`id`, `nl`, `fwd_mnl`, `bwd_mnl`, `response`): written, read, and executed
again. Rows are foreign: each is either read or refused with a reason."""

from __future__ import annotations

import ast
import collections
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from semcoder_lib.core import foreign, values
from semcoder_lib.core.foreign import Refused
from semcoder_lib.core.records import Entry, Program, Provenance
from semcoder_lib.corpus.duplicates import exact_key, split_families
from semcoder_lib.corpus.inputs import join_types, type_of
from semcoder_lib.corpus.prospect import Prospect, alive, run_inputs
from semcoder_lib.corpus.seeds.packages import description
from semcoder_lib.models import prompts
from semcoder_lib.sandbox import Sandbox

COLUMNS = ("id", "nl", "fwd_mnl", "bwd_mnl", "response")
_ID = re.compile(r"^(?:nl|fwd_mnl|bwd_mnl)_(.*?)(?:_ipt\d+)?$")


@dataclass(frozen=True, slots=True)
class Row:
    """A row that was read. A row of kind `nl` is a description and a script without an entry point;
    the others are one call of a program, with the asserted output."""

    id: str
    kind: str
    source: str
    entry_point: str = ""
    arguments: tuple[Any, ...] = ()
    output: Any = None
    description: str = ""


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


def read_row(row: dict[str, Any], number: int = 0) -> Row:
    """A row of the hub's format. Raises Refused with the reason where it is none, or where its code
    or its answer cannot be read."""
    filled = [c for c in COLUMNS[1:4] if row.get(c)]
    if len(filled) != 1 or "response" not in row:
        raise Refused("expected exactly one of nl, fwd_mnl, bwd_mnl and a response")
    name, kind = identity(row, number), filled[0]
    prompt, response = (_text(row, column) for column in (kind, "response"))
    if kind == "nl":
        source = "\n\n".join(_fenced(response)) or response
        foreign.parse(source)
        return Row(name, kind, source, description=_described(prompt))
    source = _program(prompt)
    tree = foreign.parse(source)
    entry_point, arguments, named, output = _asserted(response)
    if named:
        source, entry_point, arguments = _positional(tree, source, entry_point, arguments, named)
    return Row(name, kind, source, entry_point, arguments, output)


def identity(row: dict[str, Any], number: int) -> str:
    """A row's id as text; its number where it has none."""
    name = row.get("id", number)
    return name if isinstance(name, str) else foreign.show(name)


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
    kept = (line for line in lines if not (line.startswith("assert ") and "??" in line))
    return "\n".join(kept).rstrip() + "\n"


def _unlabelled(line: str) -> str:
    head, mark, label = line.rpartition("# [L")
    label = label.rstrip()
    return head.rstrip() if mark and label.endswith("]") and label[:-1].isdigit() else line


def _asserted(response: str) -> tuple[str, tuple[Any, ...], dict[str, Any], Any]:
    """(function, arguments, named arguments, output) of the answer's assertion."""
    end = response.rfind("[/ANSWER]")
    start = response.rfind("[ANSWER]", 0, max(end, 0))
    if start < 0:
        raise Refused("no [ANSWER] block")
    answer = response[start + len("[ANSWER]") : end].strip()
    match foreign.parse(answer).body:
        case [ast.Assert(test=ast.Compare(left, [ast.Eq()], [right])), *_]:
            sides = [ast.get_source_segment(answer, side) or "" for side in (left, right)]
        case _:
            raise Refused("the answer is not of the form assert f(...) == ...")
    try:
        name, arguments, named = values.parse_call(sides[0])
        values.encode((arguments, list(named.values())))
        return name, arguments, named, values.decode(sides[1])
    except (values.NotALiteral, values.Unserializable) as error:
        raise Refused(f"the answer holds no plain values: {error}") from None


def _positional(
    tree: ast.Module, source: str, name: str, given: tuple[Any, ...], named: dict[str, Any]
) -> tuple[str, str, tuple[Any, ...]]:
    """(source, function, arguments) of the same call by position: named arguments take their places
    where they follow without a gap, else a second function hands them on."""
    function = _function(tree, name)
    spec = function.args if function else None
    parameters = [a.arg for a in (*spec.posonlyargs, *spec.args)] if spec else []
    filled, rest = list(given), dict(named)
    for place in range(len(given), len(parameters)):
        if parameters[place] not in rest or place < len(spec.posonlyargs if spec else ()):
            break
        filled.append(rest.pop(parameters[place]))
    if not rest:
        return source, name, tuple(filled)
    places = [*parameters, *(f"argument_{n}" for n in range(len(filled)))][: len(filled)]
    handed = ", ".join([*places, *(f"{key}={key}" for key in rest)])
    helper = f"{name.replace('.', '_')}_named"
    source += f"\n\ndef {helper}({', '.join([*places, *rest])}):\n    return {name}({handed})\n"
    return source, helper, (*filled, *rest.values())


def _function(tree: ast.Module, name: str) -> ast.FunctionDef | None:
    functions = (n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == name)
    return next(functions, None)


@dataclass(slots=True)
class Read:
    """The entries of a file, what was left out with the reason, and counts of both."""

    entries: list[Entry] = field(default_factory=list)
    dropped: list[dict[str, Any]] = field(default_factory=list)
    funnel: collections.Counter[str] = field(default_factory=collections.Counter)


def from_hub(
    rows: Iterable[dict[str, Any]], *, box: Sandbox, seed: int = 0, held_out: float = 0.1
) -> Read:
    """A corpus from rows in the hub's format: the monologue rows of one program become its cases
    where running it gives the recorded output, the `nl` row with the same code describes it. Rows
    and programs that are left out are named with the reason."""
    read = Read()
    prospects: dict[tuple[str, str], Prospect] = {}
    outputs: dict[tuple[Prospect, str], Any] = {}
    descriptions: dict[str, str] = {}
    for number, raw in enumerate(rows, 1):
        try:
            row = read_row(raw, number)
            if row.kind == "nl":
                descriptions[_family(row.source)] = row.description
            else:
                known = (row.source, row.entry_point)
                prospect = prospects.get(known) or prospects.setdefault(known, _prospect(row))
                prospect.add([row.arguments], "hub")
                outputs[prospect, values.encode(row.arguments)] = row.output
            read.funnel[row.kind] += 1
        except Refused as error:
            read.funnel["unreadable"] += 1
            why = {"reason": "unreadable", "detail": str(error)}
            read.dropped.append({"id": identity(raw, number), **why})
    for prospect, failed in run_inputs(list(prospects.values()), box):
        if failed:
            prospect.drop(f"program: {failed.status.value}", failed.detail)
            continue
        for tried in prospect.inputs:
            if tried.ran.ok and _gives(tried.ran.text, outputs[prospect, tried.text]):
                prospect.chosen.append(tried)
            else:
                read.funnel["case differs"] += 1
        if not prospect.chosen:
            prospect.drop("no case reproduces")
    names: collections.Counter[str] = collections.Counter()
    for prospect in split_families(alive(prospects.values()), seed=seed, held_out=held_out):
        name = prospect.program.id
        names[name] += 1
        try:
            prospect.revise(id=name if names[name] == 1 else f"{name}#{names[name]}")
            _describe(prospect, descriptions)
            read.entries.append(foreign.attempt(prospect.entry))
        except Refused as error:
            prospect.drop("unreadable", str(error))
    out = [p for p in prospects.values() if p.reason]
    read.dropped += [p.dropped() for p in out]
    read.funnel.update(p.reason for p in out)
    read.funnel["kept"] = len(read.entries)
    return read


def _prospect(row: Row) -> Prospect:
    program = Program(
        row.source,
        row.entry_point,
        id=_ID.sub(r"\1", row.id),
        origin="hub",
        family=_family(row.source),
        types_from="hub",
        provenance=Provenance(package="semcoder/PyX", licence="MIT", method="hub"),
    )
    return Prospect(program)


def _family(source: str) -> str:
    return f"hub:{exact_key(source)}"


def _describe(prospect: Prospect, descriptions: dict[str, str]) -> None:
    """Gives a program its description and the types of its arguments."""
    program, calls = prospect.program, [i.arguments for i in prospect.chosen]
    columns = zip(*(c for c in calls if len(c) == len(calls[0])), strict=True)
    function = _function(foreign.parse(program.source), program.entry_point)
    doc = ast.get_docstring(function) if function else ""
    own = description(doc or "", program.entry_point)
    prospect.revise(
        description=descriptions.get(program.family, own),
        argument_types=tuple(join_types([type_of(v) for v in column]) for column in columns),
    )


def _gives(text: str, output: Any) -> bool:
    try:
        return values.equal(values.decode(text), output)
    except values.NotALiteral:  # a program may write in the place of what we record
        return False
