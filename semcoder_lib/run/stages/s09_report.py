"""Stage 09: every table and figure of the paper, each present or named with the reason why not."""

from __future__ import annotations

from typing import Any

from semcoder_lib import report as reporting
from semcoder_lib.run.stages.session import Session


def run(session: Session) -> dict[str, Any]:
    """Writes `report.html`, `report.md`, `figures/` and `tables/`; returns the check list."""
    return reporting.write_report(session.run.path, session.folder)
