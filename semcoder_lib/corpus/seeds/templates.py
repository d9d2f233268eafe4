"""Reads the tables of templates, a grammar that writes code and English side by side;
`expressions.txt` explains its language."""

from __future__ import annotations

import ast
import functools
import itertools
import math
import re
import string
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

_OWN = re.compile(r"\b(?:for|lambda) ([a-z]\w*(?:, [a-z_]\w*)*)(?= in |:)")
_METHOD = re.compile(r"([\w)}'])\.([a-z_]+)\(")
METHODS = {
    kind.__name__: tuple(m for m in dir(kind) if m[0] != "_") for kind in (str, list, dict)
}  # all public methods: 47, 11 and 11
_HEADERS = ("@for", "@items", "@lambda", "@over")
_TYPE = re.compile(r"int|str|char|float|bool|(list|dict|set|tuple)\[.*")


@dataclass(frozen=True, slots=True)
class Slot:
    """A place in a text. In code, `indent` is the column of a slot that begins its line, and `bare`
    forbids all but names (inside an f-string)."""

    name: str
    indent: int = 0
    bare: bool = False


Text = tuple[str | Slot, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """One way to write a symbol. `headers` are its slots that bind names; `local` says that the
    names drawn for it are free again after it; `own` are names that its code binds itself; `level`
    says how its English nests: 1 for a phrase of words that ends with its subject, 2 for any other.
    `methods` are the methods of `METHODS` that it calls, such as `str.split`; `row` is the template
    as it stands in the table."""

    symbol: str
    kind: str
    subject: str
    weight: float
    code: Text
    english: Text
    specs: dict[str, str]
    lets: dict[str, Template]
    gives: list[tuple[Text, str]]
    headers: list[str]
    local: bool
    own: set[str]
    methods: set[str]
    atomic: bool
    level: int
    row: str


class Grammar:
    """Templates by symbol and subject; `results` has the types that can be said about a type."""

    def __init__(self, templates: Iterable[Template], literals: dict[str, list[object]]) -> None:
        self.templates = list(templates)
        self.literals = literals
        self.results: dict[str, list[str]] = {}
        self._by: dict[tuple[str, str], list[Template]] = {}
        for t in self.templates:
            self._by.setdefault((t.symbol, t.subject), []).append(t)
            if is_type(t.symbol):
                self._by.setdefault(("", t.subject), []).append(t)
                results = self.results.setdefault(t.subject, [])
                results += [t.symbol] * (t.symbol not in results)

    def fitting(self, symbol: str, subject: str) -> list[Template]:
        """The templates of a symbol that fit a subject; an empty symbol means any expression."""
        own = self._by.get((symbol, subject), [])
        return own + self._by.get((symbol, ""), []) if symbol else own


def is_type(text: str) -> bool:
    """Whether a symbol is a type, and so stands for expressions."""
    return _TYPE.fullmatch(text) is not None


@functools.cache
def names() -> dict[str, tuple[str, ...]]:
    """Pools of names by kind and key, such as `local int` or `verb str`."""
    pools = {}
    for line in _lines("names"):
        key, _, words = line.partition(" = ")
        pools[key] = tuple(words.split()) if not key.startswith("spoken") else (words,)
    return pools


@functools.cache
def grammar(*tables: str) -> Grammar:
    """The grammar of some tables beside this file, by their names. Raises ValueError for a line
    that cannot be read."""
    literals: dict[str, list[object]] = {}
    return Grammar([t for table in tables for t in _read(table, literals)], literals)


def _read(table: str, literals: dict[str, list[object]]) -> Iterator[Template]:
    """The templates of one table; its literals are put into `literals`."""
    types: dict[str, list[str]] = {}
    head = ""
    block: list[str] = []
    for line in [*_lines(table), ""]:
        if block and not line.startswith("        "):
            yield from _expanded(head, block, types)
            block = []
        kind, _, rest = line.partition(" ")
        name, _, values = rest.partition(" = ")
        if kind == "types":
            parts = [v.strip() for v in values.split(";")]
            types[name] = [t for p in parts for t in (types[p[1:]] if p[0] == "$" else [p])]
        elif kind == "literals":
            literals[name] = ast.literal_eval(values)
        elif line.startswith("    "):
            block.append(line)
        elif line:
            head = line


def _lines(table: str) -> list[str]:
    lines = Path(__file__).with_name(f"{table}.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def _expanded(head: str, block: list[str], types: dict[str, list[str]]) -> Iterator[Template]:
    """The templates of one row, one for every choice of its type variables; those about the same
    subject share its weight."""
    row = "\n".join([head, *block])
    rest, _, gives = head.partition(" -> ")
    symbol, _, subjects = rest.partition(" < ")
    text = "\n".join([symbol, gives, *block])
    for subject in map(str.strip, subjects.split(";")):
        own = [v for v in types if f"${v}" in subject]
        other = [v for v in types if f"${v}" in text and v not in own]
        share = math.prod(len(types[v]) for v in other)
        for values in itertools.product(*(types[v] for v in own + other)):
            about, bound = subject, text
            for variable, kind in zip(own + other, values, strict=True):
                about, bound = (t.replace(f"${variable}", kind) for t in (about, bound))
            try:
                yield _template(about, bound.split("\n"), share, row)
            except (ValueError, IndexError) as error:
                raise ValueError(f"this template cannot be read ({error}):\n{row}") from None


def _template(subject: str, text: list[str], share: int, row: str) -> Template:
    """A template from the lines with its symbol, with what it leaves behind, and of its block."""
    symbol, gives, *lines = text
    weight, _, first = lines[0].strip().partition(" |")
    code, english, lets = "", "", {}
    if first:
        code, _, english = first[1:].rpartition(" | ")
    for line in (line[8:] for line in lines[1:]):
        if line.startswith("let "):
            name, part, words = line[4:].split(" | ")
            name, _, kind = name.partition(":")
            lets[name] = _template("", [f"let:{kind}", "", f"1 | {part} | {words}"], 1, row)
        elif line.startswith("= "):
            english = line[2:]
        else:
            code += "\n" * bool(code) + line
    symbol, _, kind = symbol.partition(":")
    kind = kind or (symbol if is_type(symbol) else "")
    specs: dict[str, str] = {}
    filled, spoken = _text(code, specs), _text(english, specs)
    flat = "".join(part if isinstance(part, str) else "q" for part in filled)
    left = [part.partition(":") for part in gives.split("; ") if part]
    ends = len(spoken) > 1 and isinstance(spoken[0], str) and spoken[-1] == Slot("x")
    return Template(
        symbol=symbol,
        kind=kind,
        subject=subject,
        weight=float(weight) / share,
        code=filled,
        english=spoken,
        specs=specs,
        lets=lets,
        gives=[(_text(name, {}), given) for name, _, given in left],
        headers=[name for name, spec in specs.items() if spec.startswith(_HEADERS)],
        local=bool(kind) and any(spec[0] in "~@" for spec in specs.values()),
        own={n for names in _OWN.findall(flat) for n in names.split(", ")},
        methods=set(_methods("".join(lines), subject.partition("[")[0])),
        atomic=" " not in _outside_brackets(flat) and flat[:1] != "-",
        level=1 if ends and "," not in english else 2,
        row=row,
    )


def _text(text: str, specs: dict[str, str]) -> Text:
    """A text as pieces and slots; what fills a slot is put into `specs`."""
    parts: list[str | Slot] = []
    plain = ""
    for literal, name, spec, _ in string.Formatter().parse("" if text == "-" else text):
        plain += literal
        if name is None:
            continue
        if spec:
            specs.setdefault(name, spec)
        line = plain.rpartition("\n")[2]
        lone = not line.strip() and ("\n" in plain or not parts)
        bare = "f'" in text and plain.endswith("{")
        parts += [plain] * bool(plain) + [Slot(name, len(line) if lone else 0, bare)]
        plain = ""
    return (*parts, plain) if plain else tuple(parts)


def _methods(code: str, subject: str) -> Iterator[str]:
    """Typed names of the methods called. Where two types have a method of the name, one of a slot
    or of a call's result is the subject's type's, and a bare name is a string's."""
    for receiver, name in _METHOD.findall(code):
        owners = [kind for kind, every in METHODS.items() if name in every]
        typed = subject if receiver in "})" and subject in owners else "str"
        if owners:
            yield f"{typed if len(owners) > 1 and typed in owners else owners[0]}.{name}"


def _outside_brackets(code: str) -> str:
    """The part of a code text that no bracket or quote encloses."""
    code = re.sub(r"'(?:[^'\\]|\\.)*'", "q", code)
    while code != (shorter := re.sub(r"[(\[{][^()\[\]{}]*[)\]}]", "", code)):
        code = shorter
    return code
