"""The benchmark guard as a file that every worker reads."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING

from semcoder_lib.core import workspace
from semcoder_lib.corpus import decontaminate
from semcoder_lib.corpus.decontaminate import References
from semcoder_lib.corpus.pipeline import Guard

if TYPE_CHECKING:
    from semcoder_lib.sandbox import Sandbox


def prepare(out: Path, box: Sandbox) -> tuple[str, str, dict[str, str]]:
    """(file, key, report): runs the benchmark functions once and keeps what they give. The file is
    reused from the user's cache when the items and the code are the same; the report says for each
    benchmark where it was found, or that it is missing."""
    items, report = decontaminate.load()
    if not items:
        return "", "", report
    rows = [[i.id, i.source, i.entry_point, [repr(c) for c in i.calls]] for i in items]
    key = workspace.content_key(rows, workspace.code_hash("corpus", "core/values"))
    path = workspace.home() / "references" / f"{key[:24]}.json"
    if not path.exists():
        made = decontaminate.references(items, box)
        workspace.write_json(path, made.to_row())
    undecided = len(workspace.read_json(path)["undecidable"])
    report["told by text alone"] = f"{undecided} of {len(items)} items"
    return str(path), key, report


@functools.lru_cache(maxsize=2)
def load(path: str) -> Guard:
    """The guard of this process; the items themselves are read again from their homes."""
    items, _ = decontaminate.load()
    return Guard(decontaminate.Index.of(items), References.from_row(workspace.read_json(path)))
