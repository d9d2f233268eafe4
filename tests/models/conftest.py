"""Tiny random models of both architectures, in fp32 on one thread; clients ask again at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from tiny_model import engine_of, save_tiny

from semcoder_lib.models import Engine


@pytest.fixture(autouse=True)
def _quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openai._base_client.INITIAL_RETRY_DELAY", 0.001)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """The folder of a tiny model of a kind."""
    place = tmp_path_factory.mktemp("tiny")
    kinds = {kind: str(save_tiny(place / kind, kind=kind)) for kind in ("llama", "qwen2")}
    return kinds.__getitem__


@pytest.fixture(scope="session")
def engine(tiny: Callable[[str], str]) -> Iterator[Engine]:
    with engine_of(tiny("llama")) as loaded:
        yield loaded
