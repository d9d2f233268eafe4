"""Marks: `slow` runs only with --slow; `data` is skipped by name without SEMCODER_DATA. And a
sandbox for tests that need no other."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from semcoder_lib.sandbox import Sandbox


@pytest.fixture(scope="session")
def box() -> Iterator[Sandbox]:
    """One sandbox for all tests that do not ask for one of their own."""
    with Sandbox(workers=2) as sandbox:
        yield sandbox


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slow", action="store_true", help="run the minutes-long tests, too")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    data = os.environ.get("SEMCODER_DATA")
    for item in items:  # by mark: the keywords hold the names of the folders above, too
        if item.get_closest_marker("slow") and not config.getoption("--slow"):
            item.add_marker(pytest.mark.skip(reason="slow: run with --slow"))
        if item.get_closest_marker("data") and not (data and Path(data).is_dir()):
            item.add_marker(pytest.mark.skip(reason="needs the files of SEMCODER_DATA"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = terminalreporter.stats.get("skipped", [])
    data = [r.nodeid for r in skipped if "SEMCODER_DATA" in str(r.longrepr)]
    if data:
        terminalreporter.write_line(f"skipped for want of SEMCODER_DATA: {len(data)}")
        for name in data:
            terminalreporter.write_line(f"  {name}")
