"""Functions of installed packages and of the standard library as candidates for corpus programs."""

from __future__ import annotations

import ast
import collections
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from semcoder_lib.core.records import Program, Provenance
from semcoder_lib.corpus.seeds.packages import hints, purity
from semcoder_lib.corpus.seeds.packages.closing import Closed, Module, NotClosable, close
from semcoder_lib.corpus.seeds.packages.hints import Hint, Signature, type_of
from semcoder_lib.corpus.seeds.packages.sources import SOURCES, Found, Source, files, licence_of

__all__ = [
    "SOURCES", "Candidate", "Closed", "Hint", "Module", "NotClosable", "Scan", "Signature",
    "Source", "close", "in_list", "licence_of", "packages", "type_of",
]  # fmt: skip

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
    for found in files(seed, sources):
        scan.files += 1
        try:
            module = Module.of(found.path.read_text(encoding="utf-8"), found.path)
        except (SyntaxError, ValueError, OSError, RecursionError):
            scan.unparsable += 1
            continue
        for name, function in module.functions.items():
            scan.functions += 1
            try:
                yield _candidate(module, name, function, found)
            except NotClosable as error:
                scan.dropped[_general(str(error))] += 1
            except RecursionError:
                scan.dropped["nested too deep"] += 1


def _candidate(module: Module, name: str, function: ast.FunctionDef, found: Found) -> Candidate:
    """The function as a program. Raises NotClosable with the reason where it cannot be one."""
    if why := purity.reason_against(function):
        raise NotClosable(why)
    if purity.weight(function) < MIN_WEIGHT:
        raise NotClosable("trivial")
    if name.startswith(("test", "__")):
        raise NotClosable("a test or a special method")
    if len(function.args.args) - len(function.args.defaults) > MAX_PARAMETERS:
        raise NotClosable("too many parameters")
    closed = close(module, name)
    signature = hints.read(function, name)
    generator = purity.is_generator(function)
    source, entry = closed.source, name
    method = "inlined" if closed.inlined or closed.constants else "function"
    if generator:
        source, entry = in_list(closed.source, name, signature)
        signature = signature.only_required()
        method = "generator as list"
    program = Program(
        source=source,
        entry_point=entry,
        description=description(ast.get_docstring(function) or "", name),
        origin="package",
        family=found.name.removesuffix(".py").replace("/", "."),
        provenance=Provenance(
            package=found.package, version=found.version, licence=found.licence,
            file=found.name, line=function.lineno, method=method,
        ),
    )  # fmt: skip
    return Candidate(program, signature, generator)


def in_list(source: str, name: str, signature: Signature) -> tuple[str, str]:
    """The source with a second function that makes a list of what the first one yields, and that
    function's name. Optional parameters are left at their defaults."""
    entry = f"{name}_list"
    names = ", ".join(signature.names[: signature.required])
    return f"{source}\n\ndef {entry}({names}):\n    return list({name}({names}))\n", entry


_SECTIONS = (">>>", ":param", ":return", "Args:", "Parameters", "Returns", "@", "..")


def description(doc: str, name: str) -> str:
    """The first paragraph of a docstring as one line of plain text; words made from the function's
    name when there is none."""
    kept = []
    for line in doc.strip().split("\n\n")[0].splitlines():
        if line.strip().startswith(_SECTIONS):
            break
        kept.append(line)
    text = re.sub(r":\w+:`~?([^`]*)`", r"`\1`", " ".join(kept)).replace("``", "`")
    text = " ".join(text.split())
    words = name.strip("_").replace("_", " ")
    return text[:600] if len(text) >= 12 else f"{words[:1].upper()}{words[1:]}."


# A reason without the names in it, so that counts add up: the first pattern that is found in it.
_GENERAL = (
    ("^uses", "forbidden name or attribute"),
    ("^constant", "constant that cannot be carried"),
    ("^decorated", "decorated"),
    ("^needs too many", "needs too many functions"),
    ("^needs", "impure or third-party import"),
    ("^contains", "forbidden construct"),
    ("is not defined in the module$", "is not defined in the module"),
    ("is bound more than once$", "is bound more than once"),
    ("is imported under another name$", "is imported under another name"),
    (" (uses|contains) ", "callee has effects"),
)


def _general(reason: str) -> str:
    return next((label for pattern, label in _GENERAL if re.search(pattern, reason)), reason)
