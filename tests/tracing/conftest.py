from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from semcoder_lib.sandbox import Sandbox

sys.path.insert(0, str(Path(__file__).parent))  # golden_programs is shared with a script


@pytest.fixture(scope="session")
def tracing_box() -> Iterator[Sandbox]:
    with Sandbox(workers=1) as made:
        yield made
