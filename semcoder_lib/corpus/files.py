"""The corpus's files: tables beside the code, results that are believed only when they are whole,
the corpus itself, its programs' texts, and what kinds of programs it holds."""

from __future__ import annotations

import ast
import functools
import gzip
import hashlib
import io
import json
import re
import tokenize
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from semcoder_lib.core import foreign, records, workspace
from semcoder_lib.core.errors import UserError
from semcoder_lib.core.records import Entry, Program


def table(file: Path, kind: str) -> list[list[str]]:
    """The cells of those rows of a table that begin with `kind`, without it: `kind | cell | cell`.
    Lines that begin otherwise say nothing here."""
    lines = file.read_text(encoding="utf-8").splitlines()
    return [line.split(" | ")[1:] for line in lines if line.startswith(f"{kind} | ")]


def keep(path: Path, data: Any) -> None:
    """Keeps JSON data that were slow to make, compressed, with their checksum. Raises
    InfrastructureError when the disk is full."""
    text = workspace.dumps(data).encode()
    whole = workspace.content_key(text).encode() + b"\n" + text
    workspace.write_bytes(path, gzip.compress(whole, 4, mtime=0))


def kept(path: Path) -> Any | None:
    """What `keep` wrote; None where there is nothing that is whole: a damaged, altered or
    half-written file is never used."""
    try:
        digest, _, text = gzip.decompress(path.read_bytes()).partition(b"\n")
        return json.loads(text) if digest.decode() == workspace.content_key(text) else None
    except (OSError, EOFError, zlib.error, ValueError):
        return None


def load(path: Path | str) -> list[Entry]:
    """The entries of a `pyx.jsonl` (or of the folder that holds one). Raises UserError with file
    and line for a row that is not an entry."""
    path = Path(path)
    if path.is_dir():
        path = path / "pyx.jsonl"
    entries = []
    for number, row in enumerate(workspace.read_jsonl(path), 1):
        try:
            entries.append(records.from_row(Entry, row))
        except (ValueError, TypeError, LookupError, AttributeError) as error:
            raise UserError(f"{path}:{number}: not a row of PyX ({error})") from None
    return entries


# ---- texts of programs


@functools.lru_cache(maxsize=512)  # several checks of a batch ask for the same programs
def normalised(source: str) -> str:
    """A source with its layout, comments and docstrings out of the way. Raises foreign.Refused for
    one that does not parse."""
    tree = foreign.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return foreign.attempt(ast.unparse, tree)


def tokens(source: str) -> list[str]:
    """The code tokens of a source that parses, layout left out."""
    code = (tokenize.NAME, tokenize.NUMBER, tokenize.STRING, tokenize.OP)
    every = tokenize.generate_tokens(io.StringIO(source).readline)
    return [token.string for token in every if token.type in code]


def exact_key(source: str) -> str:
    """Equal for sources that differ in layout, comments and docstrings only."""
    return hashlib.blake2b(normalised(source).encode(), digest_size=12).hexdigest()


# ---- what a corpus holds

CATEGORIES = table(Path(__file__).with_name("categories.txt"), "category")
_TYPE_WORDS = {
    "str": "string", "dict": "dictionary", "set": "set", "list": "list", "int": "numbers",
    "float": "numbers", "tuple": "pair",
}  # fmt: skip
PARTS = {
    "package": "real functions",
    "synthesised": "synthesised",
    "method": "method-seeded",
    "teacher": "teacher",
}
"""Origin of a program: the name of that part of the corpus in tables and figures."""


def by_origin(entries: Iterable[Entry]) -> dict[str, list[Entry]]:
    """The entries by where their programs come from; those of a file are taken for real ones."""
    parts: dict[str, list[Entry]] = {name: [] for name in PARTS.values()}
    for entry in entries:
        parts[PARTS.get(entry.program.origin, "real functions")].append(entry)
    return {name: part for name, part in parts.items() if part}


def category(program: Program) -> str:
    """The program's category. Synthesised and method-seeded programs, whose descriptions mention
    every step, are judged by their name, first parameter's type and imports alone."""
    words = program.entry_point.replace("_", " ").lower()
    if program.origin in ("synthesised", "method"):
        outer = [t.partition("[")[0] for t in program.argument_types[:1]]
        words += " " + "".join(_TYPE_WORDS.get(name, "") for name in outer)
    else:
        words += " " + program.description.lower()
    imported: set[str] = set()
    for node in ast.walk(ast.parse(program.source)):
        if isinstance(node, ast.Import):
            imported.update(a.name for a in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            imported.add(node.module)
    for name, pattern, *modules in CATEGORIES:
        if not imported.isdisjoint(" ".join(modules).split()) or re.search(pattern, words):
            return name
    return "other"
