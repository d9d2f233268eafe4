from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import helpers
import pytest

from semcoder_lib.sandbox import Sandbox


@pytest.fixture(scope="session")
def box() -> Iterator[Sandbox]:
    with Sandbox(workers=1) as sandbox:
        yield sandbox


@pytest.fixture
def crux(tmp_path: Path) -> Path:
    return helpers.cruxeval(tmp_path / "cruxeval.jsonl")
