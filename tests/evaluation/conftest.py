from __future__ import annotations

from pathlib import Path

import helpers
import pytest


@pytest.fixture
def crux(tmp_path: Path) -> Path:
    return helpers.cruxeval(tmp_path / "cruxeval.jsonl")
