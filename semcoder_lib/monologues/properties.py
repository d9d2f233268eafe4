"""Placeholder ordering: see below."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Property:
    """One statement that held on every input tried."""

    kind: str
    text: str
    support: int
