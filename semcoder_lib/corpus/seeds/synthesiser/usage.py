"""How often constructs and builtin methods occur in real code, and the weights that make the
synthesised programs follow it."""

from __future__ import annotations

import json
from importlib import resources


def _load(name: str) -> dict[str, float]:
    file = resources.files(__package__).joinpath(name)
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}


# Weight of each production; made by `calibrate`, 1.0 where a production is not listed.
WEIGHTS: dict[str, float] = _load("weights.json")
