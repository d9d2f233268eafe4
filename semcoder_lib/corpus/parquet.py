"""A corpus as Parquet shards with a manifest, and back."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from semcoder_lib.core import records, workspace
from semcoder_lib.core.errors import UserError
from semcoder_lib.core.records import Entry

_COLUMNS = ("id", "split", "origin", "family", "entry_point", "licence", "source", "row")


def write(entries: Iterable[Entry], folder: Path | str, *, rows: int = 5_000) -> dict[str, Any]:
    """Writes `part-00000.parquet`, … and `manifest.json` (rows, columns and SHA-256 of each part);
    returns the manifest. Holds one part in memory. Each row has the plain columns to filter by and
    the whole entry as JSON in `row`. Parts that are already there with the same bytes stay."""
    import io

    import pyarrow as pa
    import pyarrow.parquet as pq

    folder = Path(folder)
    parts: list[dict[str, Any]] = []
    source = iter(entries)
    while batch := list(itertools.islice(source, rows)):
        table = pa.table({c: [_cell(e, c) for e in batch] for c in _COLUMNS})
        data = io.BytesIO()
        pq.write_table(table, data, compression="zstd")
        path = folder / f"part-{len(parts):05d}.parquet"
        workspace.write_bytes(path, data.getvalue())
        parts.append({"file": path.name, "rows": len(batch), "sha256": workspace.file_hash(path)})
    manifest = {
        "schema_version": records.SCHEMA_VERSION,
        "columns": list(_COLUMNS),
        "rows": sum(int(str(p["rows"])) for p in parts),
        "parts": parts,
    }
    workspace.write_json(folder / "manifest.json", manifest)
    return manifest


def read(folder: Path | str) -> Iterator[Entry]:
    """The entries of a folder of shards, streaming. Raises UserError for a missing or altered
    part."""
    import json

    import pyarrow.parquet as pq

    folder = Path(folder)
    for part in workspace.read_json(folder / "manifest.json")["parts"]:
        path = folder / part["file"]
        if not path.is_file() or workspace.file_hash(path) != part["sha256"]:
            raise UserError(f"{path}: missing or altered; build the shards again")
        for batch in pq.ParquetFile(path).iter_batches(batch_size=500, columns=["row"]):
            for text in batch.column("row").to_pylist():
                yield records.from_row(Entry, json.loads(text))


def _cell(entry: Entry, column: str) -> str:
    if column == "row":
        return workspace.dumps(records.to_row(entry))
    if column == "licence":
        return entry.program.provenance.licence
    return str(getattr(entry.program, column))
