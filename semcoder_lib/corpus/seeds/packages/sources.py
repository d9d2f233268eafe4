"""The pinned packages that code is taken from, their licences, their files in a seeded order."""

from __future__ import annotations

import functools
import importlib.metadata
import platform
import random
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semcoder_lib.corpus.seeds.packages.purity import words


@dataclass(frozen=True, slots=True)
class Source:
    """One distribution to read functions from.

    `share` is how many of its files come up, relative to the others, while many are still unread;
    `only` limits a large package to the folders whose functions work on plain values.
    """

    distribution: str
    package: str
    share: float = 1.0
    only: tuple[str, ...] = ()


# Pinned in constraints.txt; all pure Python under a permissive licence.
SOURCES = (
    Source("algorithms", "algorithms", 4.0),
    Source("more-itertools", "more_itertools"),
    Source("toolz", "toolz"),
    Source("boltons", "boltons"),
    Source("funcy", "funcy"),
    Source("pydash", "pydash"),
    Source("networkx", "networkx", 1.0, ("utils", "algorithms", "generators", "classes")),
    Source("sympy", "sympy", 1.0, (
        "ntheory", "utilities", "combinatorics", "discrete", "core/intfunc.py",
        "external/ntheory.py", "functions/combinatorial", "polys/galoistools.py", "crypto",
        "printing",
    )),
    Source("mpmath", "mpmath", 0.7),
    Source("fonttools", "fontTools", 0.7),
    Source("setuptools", "setuptools", 0.5, ("_distutils", "command", "config")),
    Source("numpy", "numpy", 0.4, ("lib", "f2py", "ma", "polynomial", "_core", "_utils")),
    Source("Pygments", "pygments", 0.5, (
        "util.py", "filters", "formatters", "lexer.py", "scanner.py",
    )),
    Source("packaging", "packaging", 0.5),
    Source("mistune", "mistune", 0.5),
    Source("", "stdlib", 2.0),
)  # fmt: skip

_PERMISSIVE = ("MIT", "BSD", "APACHE", "PSF", "PYTHON SOFTWARE", "ISC", "UNLICENSE", "ZERO-CLAUSE")
_COPYLEFT = ("GPL", "MPL", "EUPL", "CDDL", "PROPRIETARY")
_SKIPPED_FOLDERS = words(
    """test tests idlelib lib2to3 turtledemo ensurepip site-packages msilib pydoc_data distutils
    __pycache__ tkinter lib-dynload curses dbm _pyrepl multiprocessing asyncio concurrent sqlite3
    xmlrpc venv wsgiref"""
)
_LARGEST_FILE = 400_000


@dataclass(frozen=True, slots=True)
class Found:
    """A source file: which package, version and licence it came with."""

    path: Path
    name: str  # relative to the folder that holds the package
    package: str
    version: str
    licence: str


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


def files_of(source: Source) -> list[Found]:
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
    found = []
    for root in roots:
        for path in sorted([root] if root.is_file() else root.rglob("*.py")):
            inside = path.relative_to(top).parts
            if _SKIPPED_FOLDERS.isdisjoint(inside[:-1]) and not inside[-1].startswith("test_"):
                found.append(Found(path, "/".join(inside), source.package, version, licence))
    return found


def files(seed: int, sources: tuple[Source, ...] = SOURCES) -> Iterator[Found]:
    """All files of all sources, in an order that depends on the seed and on the installed versions
    alone; packages are interleaved by their share, so that a short prefix holds every package."""
    piles = {s.package: files_of(s) for s in sources}
    shares = {s.package: s.share for s in sources}
    for package, pile in piles.items():
        random.Random(f"{seed}:files:{package}").shuffle(pile)
    draw = random.Random(f"{seed}:packages")
    while names := [n for n, pile in piles.items() if pile]:
        found = piles[draw.choices(names, [shares[n] for n in names])[0]].pop()
        if found.path.stat().st_size <= _LARGEST_FILE:
            yield found
