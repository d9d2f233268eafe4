"""Code of installed packages and of the standard library: functions as candidates for programs of
the corpus, and snippets."""

from __future__ import annotations

import ast
import collections
import functools
import importlib.metadata
import platform
import random
import re
import sysconfig
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from semcoder_lib.core.records import Program, Provenance
from semcoder_lib.corpus import hints
from semcoder_lib.corpus.files import table
from semcoder_lib.corpus.prospect import Prospect
from semcoder_lib.corpus.seeds.closing import Module, NotClosable, close, is_generator, words

MIN_WEIGHT = 14  # syntax nodes
MAX_PARAMETERS = 5


@dataclass(frozen=True, slots=True)
class Source:
    """A row of `packages.txt`: one distribution to read functions from."""

    distribution: str
    package: str
    share: float
    only: tuple[str, ...]


SOURCES = tuple(
    Source(distribution.strip("-"), package, float(share), tuple(" ".join(only).split()))
    for distribution, package, share, *only in table(Path(__file__).with_suffix(".txt"), "source")
)
_PERMISSIVE = ("MIT", "BSD", "APACHE", "PSF", "PYTHON SOFTWARE", "ISC", "UNLICENSE", "ZERO-CLAUSE")
_COPYLEFT = ("GPL", "MPL", "EUPL", "CDDL", "PROPRIETARY")
_SKIPPED_FOLDERS, _CALLABLE_PARAMETERS = words("skipped"), words("parameter")
_LARGEST_FILE = 400_000


@dataclass(frozen=True, slots=True)
class File:
    """A source file, with its package, version and licence; its name there is relative to the
    folder that holds the package."""

    path: Path
    provenance: Provenance


def permissive(licence: str) -> bool:
    """Whether a licence text or expression allows redistribution with attribution only."""
    upper = licence.upper()
    return any(w in upper for w in _PERMISSIVE) and not any(w in upper for w in _COPYLEFT)


@functools.cache
def licence_of(distribution: str) -> tuple[str, str]:
    """(version, licence) of an installed distribution from its metadata; the standard library when
    the name is empty; ("", "") when it is not installed."""
    if not distribution:
        return platform.python_version(), "PSF-2.0"
    try:
        data: Any = importlib.metadata.metadata(distribution)
    except importlib.metadata.PackageNotFoundError:
        return "", ""
    licence = data.get("License-Expression") or ""
    if not licence:
        marks = [c for c in data.get_all("Classifier") or [] if c.startswith("License ::")]
        licence = marks[0].rpartition(":: ")[2] if marks else (data.get("License") or "")
    return data["Version"], licence.split("\n")[0].strip()


def files_of(source: Source) -> list[File]:
    """The Python files of one source, sorted by name; empty when it is not installed or its
    licence does not allow it."""
    version, licence = licence_of(source.distribution)
    if not permissive(licence):
        return []
    if source.distribution:
        distribution = importlib.metadata.distribution(source.distribution)
        base = Path(str(distribution.locate_file(source.package)))
        top, roots = base.parent, [base / part for part in source.only] or [base]
    else:
        top = Path(sysconfig.get_path("stdlib"))
        roots = [top]
    files = []
    for root in roots:
        for path in sorted([root] if root.is_file() else root.rglob("*.py")):
            name = path.relative_to(top)
            if _SKIPPED_FOLDERS.isdisjoint(name.parts[:-1]) and not name.name.startswith("test_"):
                provenance = Provenance(source.package, version, licence, name.as_posix())
                files.append(File(path, provenance))
    return files


def files(seed: int) -> Iterator[File]:
    """All files of all sources, in an order that depends on the seed and on the installed versions
    alone; packages are interleaved by their share, so that a short prefix holds every package."""
    piles = {s.package: files_of(s) for s in SOURCES}
    shares = {s.package: s.share for s in SOURCES}
    for package, pile in piles.items():
        random.Random(f"{seed}:files:{package}").shuffle(pile)
    draw = random.Random(f"{seed}:packages")
    while names := [n for n, pile in piles.items() if pile]:
        file = piles[draw.choices(names, [shares[n] for n in names])[0]].pop()
        if file.path.stat().st_size <= _LARGEST_FILE:
            yield file


def packages(*, seed: int = 0, scan: collections.Counter[str] | None = None) -> Iterator[Prospect]:
    """Every self-contained or closable function of the installed packages once, lazily.

    The order depends on the seed and the installed versions only, and interleaves the packages, so
    a short prefix is a fair sample. Nothing is imported or run. Each program carries package,
    version, licence, file and line; its family is its module, so that functions that share inlined
    helpers stay together in a split. `scan` counts what was read and why functions were left out.
    """
    scan = scan if scan is not None else collections.Counter()
    known: set[str] = set()
    for file in files(seed):
        scan["files"] += 1
        try:
            module = Module.of(file.path.read_text(encoding="utf-8"), file.path)
        except (SyntaxError, ValueError, OSError, RecursionError):
            scan["unparsable"] += 1
            continue
        for name, function in module.functions().items():
            scan["functions"] += 1
            try:
                prospect = _prospect(module, name, function, file.provenance)
            except NotClosable as error:
                scan[f"left out: {error}"] += 1
            except RecursionError:
                scan["left out: nested too deep"] += 1
            else:
                if prospect.program.id not in known:
                    known.add(prospect.program.id)
                    yield prospect


def _prospect(
    module: Module, name: str, function: ast.FunctionDef, provenance: Provenance
) -> Prospect:
    """The function as a program. Raises NotClosable with the reason where it cannot be one."""
    if why := _reason_against(function):
        raise NotClosable(why)
    source, pieces = close(module, name)
    signature = hints.read(function, name)
    doc = ast.get_docstring(function) or ""
    stem = provenance.file.removesuffix(".py").replace("/", ".")
    method = "function" if len(pieces) == 1 else "inlined"
    program = Program(
        source=source,
        entry_point=name,
        description=description(doc, name),
        origin="package",
        family=stem,
        provenance=replace(provenance, line=function.lineno, method=method),
    )
    prospect = Prospect(program, signature)
    if is_generator(source, name):
        prospect.make_list("generator as list")
    prospect.revise(id=f"{provenance.package}:{stem}.{prospect.program.entry_point}")
    return prospect


def _reason_against(function: ast.FunctionDef) -> str:
    """Why a function cannot be a corpus program, whatever it calls, or an empty string."""
    arguments = function.args
    names = [a.arg for a in arguments.posonlyargs + arguments.args]
    required = len(names) - len(arguments.defaults)
    if not names and not arguments.vararg:
        return "no parameters"
    if not _CALLABLE_PARAMETERS.isdisjoint(names[:required]):
        return "takes a function, a class or an object"
    if None in arguments.kw_defaults:
        return "required keyword-only parameter"
    documented = ast.get_docstring(function, clean=False) is not None
    body = function.body[documented:]
    if sum(1 for statement in body for _ in ast.walk(statement)) < MIN_WEIGHT:
        return "trivial"
    if function.name.startswith(("test", "__")):
        return "a test or a special method"
    return "too many parameters" if required > MAX_PARAMETERS else ""


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


# ---- snippets, for a teacher to be inspired by (paper section 3.1): subtrees, so that all parse

MIN_NODES = 12
MAX_LINES = 25
MAX_SIBLINGS = 4


@dataclass(frozen=True, slots=True)
class Seed:
    """A snippet that a teacher starts from, and where it stands."""

    id: str
    snippet: str
    provenance: Provenance = field(default_factory=Provenance)


def snippets(*, seed: int = 0) -> Iterator[Seed]:
    """Subtrees of the files that `packages` reads, up to two of each, lazily. The order
    depends on the seed and the installed versions only; every snippet parses."""
    for file in files(seed):
        try:
            source = file.path.read_text(encoding="utf-8")
        except (OSError, ValueError):
            continue
        package, name = file.provenance.package, file.provenance.file
        chance = random.Random(f"{seed}:snippets:{package}:{name}")
        provenance = replace(file.provenance, method="snippet")
        for number, text in enumerate(subtrees(source, chance, 2)):
            yield Seed(f"{package}:{name}#{number}", text, provenance)


def subtrees(source: str, rng: random.Random, count: int = 1) -> Iterator[str]:
    """Up to `count` different snippets of a file: single statements and runs of sibling statements
    at any depth, of at least 12 syntax nodes and at most 25 lines, dedented. Yields nothing for a
    file that does not parse."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return
    lines = source.splitlines()
    runs: list[tuple[int, int]] = []
    for node in ast.walk(tree):
        for name in ("body", "orelse", "finalbody"):
            block = getattr(node, name, None)
            if isinstance(block, list) and block and isinstance(block[0], ast.stmt):
                runs.extend(_runs(block))
    rng.shuffle(runs)
    given: set[str] = set()
    for first, last in runs:
        if len(given) >= count:
            return
        text = textwrap.dedent("\n".join(lines[first - 1 : last])).strip("\n") + "\n"
        if text.strip() and text not in given and _parses(text):
            given.add(text)
            yield text


def _runs(block: list[ast.stmt]) -> Iterator[tuple[int, int]]:
    for start, opening in enumerate(block):
        decorators = getattr(opening, "decorator_list", [])
        first = min([opening.lineno, *(d.lineno for d in decorators)])
        nodes = 0
        for statement in block[start : start + MAX_SIBLINGS]:
            nodes += sum(1 for _ in ast.walk(statement))
            last = statement.end_lineno or 0
            if last - first + 1 > MAX_LINES:
                break
            if nodes >= MIN_NODES:
                yield first, last


def _parses(text: str) -> bool:
    """`return` and `yield` outside a function parse as trees, which is all that is promised."""
    try:
        ast.parse(text)
    except (SyntaxError, ValueError):
        return False
    return True
