"""A tiny random model to train."""

from __future__ import annotations

import pytest
from tiny_model import save_tiny


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(save_tiny(tmp_path_factory.mktemp("tiny") / "tiny-llama"))
