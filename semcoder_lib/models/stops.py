"""Where a text ends: stop strings, cut exactly."""

from __future__ import annotations


def cut(text: str, stop: tuple[str, ...]) -> tuple[str, bool]:
    """The text before the first stop string in it, and whether there was one."""
    places = [place for s in stop if s and (place := text.find(s)) >= 0]
    return (text[: min(places)], True) if places else (text, False)


def tail_tokens(stop: tuple[str, ...]) -> int:
    """How many last tokens must be looked at to see a stop string that ends in the newest: every
    token holds at least one byte, plus room for a character split over tokens."""
    return max((len(s.encode()) for s in stop), default=0) + 4
