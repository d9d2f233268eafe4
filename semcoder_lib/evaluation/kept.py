"""Results that are slow to compute, kept between commands in `home()`.

What a damaged, altered or half-written file holds is never used: it is computed anew.
"""

from __future__ import annotations

import gzip
import json
import zlib
from typing import Any

from semcoder_lib.core import workspace


def read(folder: str, key: str) -> Any | None:
    """What `write` was given under that key; None where there is nothing that is whole."""
    path = workspace.home() / folder / f"{key}.json.gz"
    try:
        digest, _, text = gzip.decompress(path.read_bytes()).partition(b"\n")
        return json.loads(text) if digest.decode() == workspace.content_key(text) else None
    except (OSError, EOFError, zlib.error, ValueError):
        return None


def write(folder: str, key: str, data: Any) -> None:
    """Keep JSON data. Raises InfrastructureError when the disk is full."""
    text = workspace.dumps(data).encode()
    whole = workspace.content_key(text).encode() + b"\n" + text
    path = workspace.home() / folder / f"{key}.json.gz"
    workspace.write_bytes(path, gzip.compress(whole, 4, mtime=0))
