"""Engines of tiny models, in fp32 on one thread unless a test says otherwise."""

from __future__ import annotations

from typing import Any

from semcoder_lib import models
from semcoder_lib.models import Engine


def engine_of(folder: str, **options: Any) -> Engine:
    return models.load(folder, **{"dtype": "float32", "threads": 1, "batch": 5, **options})
