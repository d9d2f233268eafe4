"""Functions of installed packages and of the standard library as candidates for corpus programs."""

from __future__ import annotations

import ast
import collections
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from semcoder_lib.core.records import Program, Provenance
from semcoder_lib.corpus.seeds.packages import hints, purity, sources
from semcoder_lib.corpus.seeds.packages.closing import Closed, Module, NotClosable, close
from semcoder_lib.corpus.seeds.packages.hints import Hint, Signature, type_of
from semcoder_lib.corpus.seeds.packages.sources import SOURCES, Source, licence_of

__all__ = [
    "SOURCES",
    "Candidate",
    "Closed",
    "Hint",
    "Module",
    "NotClosable",
    "Scan",
    "Signature",
    "Source",
    "close",
    "in_list",
    "licence_of",
    "packages",
    "type_of",
]

MIN_WEIGHT = 14
MAX_PARAMETERS = 5


@dataclass(frozen=True, slots=True)
class Candidate:
    """A program that might enter the corpus, and what its text says about its arguments."""

    program: Program
    signature: Signature
    generator: bool = False


@dataclass(slots=True)
class Scan:
    """Counts of what was read and why functions were left out; filled while scanning."""

    files: int = 0
    unparsable: int = 0
    functions: int = 0
    dropped: collections.Counter[str] = field(default_factory=collections.Counter)


def packages(
    *, seed: int = 0, sources: tuple[Source, ...] = SOURCES, scan: Scan | None = None
) -> Iterator[Candidate]:
    """Every self-contained or closable function of the installed packages, lazily.

    The order depends on the seed and the installed versions only, and interleaves the packages, so
    a short prefix is a fair sample. Nothing is imported or run. Each candidate's program carries
    package, version, licence, file and line; its family is its module, so that functions that
    share inlined helpers stay together in a split.
    """
    scan = scan if scan is not None else Scan()
    for found in _files(seed, sources):
        scan.files += 1
        try:
            text = found.path.read_text(encoding="utf-8")
            module = Module.of(text, found.path)
        except (SyntaxError, ValueError, OSError, RecursionError):
            scan.unparsable += 1
            continue
        for name, function in module.functions.items():
            scan.functions += 1
            made = _candidate(module, name, function, found)
            if isinstance(made, str):
                scan.dropped[_general(made)] += 1
            else:
                yield made


_files = sources.files


def _candidate(
    module: Module, name: str, function: ast.FunctionDef, found: sources.Found
) -> Candidate | str:
    why = purity.reason_against(function)
    if why:
        return why
    if purity.weight(function) < MIN_WEIGHT:
        return "trivial"
    if name.startswith(("test", "__")):
        return "a test or a special method"
    if len(function.args.args) - len(function.args.defaults) > MAX_PARAMETERS:
        return "too many parameters"
    try:
        closed = close(module, name)
    except NotClosable as error:
        return str(error)
    except RecursionError:
        return "nested too deep"
    signature = hints.read(function, name)
    generator = purity.is_generator(function)
    source, entry = closed.source, name
    method = "inlined" if closed.inlined or closed.constants else "function"
    if generator:
        source, entry = in_list(closed.source, name, signature)
        signature = signature.only_required()
        method = "generator as list"
    stem = re.sub(r"\.py$", "", found.name).replace("/", ".")
    program = Program(
        source=source,
        entry_point=entry,
        description=description(ast.get_docstring(function) or "", name),
        origin="package",
        family=stem,
        provenance=Provenance(
            package=found.package,
            version=found.version,
            licence=found.licence,
            file=found.name,
            line=function.lineno,
            method=method,
        ),
    )
    return Candidate(program, signature, generator)


def in_list(source: str, name: str, signature: Signature) -> tuple[str, str]:
    """The source with a second function that makes a list of what the first one yields, and that
    function's name. Optional parameters are left at their defaults."""
    entry = f"{name}_list"
    names = ", ".join(signature.names[: signature.required])
    return f"{source}\n\ndef {entry}({names}):\n    return list({name}({names}))\n", entry


def description(doc: str, name: str) -> str:
    """The first paragraph of a docstring as one line of plain text; words made from the function's
    name when there is none."""
    paragraph = doc.strip().split("\n\n")[0]
    lines = [line.strip() for line in paragraph.splitlines()]
    kept = []
    for line in lines:
        if line.startswith(
            (">>>", ":param", ":return", "Args:", "Parameters", "Returns", "@", "..")
        ):
            break
        kept.append(line)
    text = " ".join(kept)
    text = re.sub(r":\w+:`~?([^`]*)`", r"`\1`", text).replace("``", "`")
    text = re.sub(r"\s+", " ", text).strip()
    if len(text) >= 12:
        return text[:600]
    words = name.strip("_").replace("_", " ")
    return f"{words[:1].upper()}{words[1:]}."


def _general(reason: str) -> str:
    """A reason without the names in it, so that counts add up."""
    for start, label in (
        ("uses", "forbidden name or attribute"),
        ("constant", "constant that cannot be carried"),
        ("decorated", "decorated"),
        ("needs too many", "needs too many functions"),
        ("needs", "impure or third-party import"),
        ("contains", "forbidden construct"),
    ):
        if reason.startswith(start):
            return label
    for end in ("is not defined in the module", "is bound more than once"):
        if reason.endswith(end):
            return end
    return reason if len(reason) < 45 and " uses " not in reason else "callee has effects"
