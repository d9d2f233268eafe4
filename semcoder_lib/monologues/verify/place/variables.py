"""What value a variable has at a place: there, in the iteration, or from there on."""

from __future__ import annotations

from bisect import bisect_left, bisect_right

from semcoder_lib.monologues.verify.evaluate import Raises, equals, literal
from semcoder_lib.monologues.verify.history import Frame, Pass, State
from semcoder_lib.monologues.verify.place.place import Place
from semcoder_lib.monologues.verify.place.states import comprehension_domain
from semcoder_lib.monologues.verify.scene import MISSING, value_of
from semcoder_lib.monologues.verify.stated import same_text


def claim_value(place: Place, name: str, text: str, *, after: bool) -> None:
    """`name` is `text` here; `after` when the text says that it becomes so."""
    if name in place.bound:
        if _bound_is(place, name, text) is not False:
            place.record("value", name, text, _bound_is(place, name, text), "")
        else:  # on to another of the comprehension's items
            _unknown_name(place, name, text)
        return
    frames = _frames(place, name)
    if not frames:
        _unknown_name(place, name, text)
        return
    verdict: bool | None = None
    evidence = ""
    for frame in frames[:4]:
        verdict, evidence = value_in(place, frame, name, text, after)
        if verdict:
            break
    place.record("value", name, text, verdict, evidence)


def _frames(place: Place, name: str) -> list[Frame]:
    here = place.frame()
    out = [here] if here is not None and name in here.changes else []
    out += [f for f in place.history.frames.values() if name in f.changes and f is not here]
    return out


def _bound_is(place: Place, name: str, text: str) -> bool | None:
    found = literal(text)
    return None if found is None else equals(found[0], place.bound[name], text)


def _unknown_name(place: Place, name: str, text: str) -> None:
    found = literal(text)
    domain = comprehension_domain(place, name)
    if found is not None and domain is not None:
        ok = any(equals(found[0], v) for v in domain)
        if ok:
            place.bound[name] = found[0]
        place.record("value", name, text, ok, repr(domain)[:120])
        return
    actual = value_of(name, State(place.history, frame, 0)) if (frame := place.frame()) else MISSING
    if actual is not MISSING and not isinstance(actual, Raises) and found is not None:
        place.record("value", name, text, equals(found[0], actual, text), repr(actual)[:200])
        return
    place.record("value", name, text, None, "no such variable")


def value_in(
    place: Place, frame: Frame, name: str, text: str, after: bool
) -> tuple[bool | None, str]:
    """Whether a frame's variable is `text` here, with what it was."""
    indices, texts = frame.changes[name]
    if place.anytime:
        return _among([t for t in texts if t is not None], text)
    if place.visit is not None and place.history.steps[place.visit].frame == frame.number:
        done = State(place.history, frame, place.history.settled(place.visit)).text(name)
        if same_text(text, done):
            place.at = max(place.at, place.visit)
            return True, done or ""
        if not after:
            first = State(place.history, frame, place.visit - 1).text(name)
            if same_text(text, first):
                return True, first or ""
    window = place.window
    if window is not None and place.stack[-1][1].frame == frame.number:
        return _value_in_pass(place, frame, name, text, after, window)
    return _value_onward(place, indices, texts, text)


def _value_in_pass(
    place: Place, frame: Frame, name: str, text: str, after: bool, window: Pass
) -> tuple[bool | None, str]:
    indices, texts = frame.changes[name]
    low = bisect_left(indices, window.start)
    high = bisect_right(indices, window.end)
    inside = list(zip(indices[low:high], texts[low:high], strict=True))
    entry = texts[low - 1] if low else None
    for index, recorded in sorted(inside, key=lambda c: c[0] < place.at):
        if same_text(text, recorded):
            place.at = max(place.at, index)
            return True, recorded or ""
    if name in place.stack[-1][0].targets:
        entry = State(place.history, frame, window.start).text(name)
    fresh = after and any(i > window.start or len(inside) == 1 for i, _ in inside)
    if not fresh and same_text(text, entry):
        return True, entry or ""
    known = [t for t in ([entry] if not fresh else []) + [t for _, t in inside] if t is not None]
    return _among(known, text)


def _value_onward(
    place: Place, indices: list[int], texts: list[str | None], text: str
) -> tuple[bool | None, str]:
    """Without an iteration: the value now, or the next one that the variable takes."""
    if place.final and texts and same_text(text, texts[-1]):
        return True, texts[-1] or ""
    here = bisect_right(indices, place.at)
    now = texts[here - 1] if here else None
    if same_text(text, now):
        return True, now or ""
    for step, number in enumerate(range(here, len(indices))):
        if same_text(text, texts[number]):
            place.at = indices[number]
            soon = step <= 1 or not _looping(place, indices[number])
            return True, (texts[number] or "") if soon else f"later: {texts[number]}"
    for number in range(here - 1, -1, -1):
        if same_text(text, texts[number]):
            return (
                True if not _looping(place, indices[number]) else None
            ), f"before: {texts[number]}"
    return _among([t for t in texts if t is not None], text)


def _looping(place: Place, index: int) -> bool:
    line = place.history.line(index)
    return any(loop.header <= line <= loop.last for loop in place.loops)


def _among(known: list[str], text: str) -> tuple[bool | None, str]:
    verdicts = [same_text(text, t) for t in known]
    if any(verdicts):
        return True, ""
    shown = ", ".join(known[-3:])[:200]
    if not verdicts or any(v is None for v in verdicts):
        return None, shown
    return False, shown
