"""Moving to an iteration: by its number, by the value of the loop's variable, or out of the loop."""

from __future__ import annotations

from semcoder_lib.monologues.verify.history import Pass, Run
from semcoder_lib.monologues.verify.place.place import Place, test_names_of
from semcoder_lib.monologues.verify.source import Loop
from semcoder_lib.monologues.verify.stated import same_text


def enter_iteration(
    place: Place, number: int, bound: list[tuple[str, str]], *, certain: bool
) -> None:
    """`Second iteration (n = 3)`: go there, and claim that it is so."""
    place.visit = None
    found = _find_pass(place, number, [name for name, _ in bound])
    if found is None:
        if _told_end(place, number, bound):
            return
        if certain and place.loops and any(place.history.runs(loop) for loop in place.loops):
            place.ledger.add(
                "iterations", f"iteration {number}", "", False, "there are fewer iterations"
            )
            place.stack = [e for e in place.stack if e[3] < place.indent]
        for name, text in bound:
            enter_by_value(place, name, text)
        return
    loop, run, one = found
    good = True
    for name, text in bound:
        recorded = place.history.state(one.start).text(name)
        verdict = same_text(text, recorded)
        if verdict is False:
            good = False
        place.ledger.add(
            "value",
            name,
            text,
            verdict,
            f"iteration {number}: {recorded}"[:200],
            line=loop.header,
            visit=one.start,
        )
    if (bound and good) or (not bound and certain):
        place.ledger.add(
            "iterations", f"iteration {number}", "", True, "", line=loop.header, visit=one.start
        )
    place.enter(loop, run, one)
    if not good:
        for name, text in bound:
            later = _pass_with(place, name, text, one.start - 1)
            if later is not None:
                place.enter(*later)


def _told_end(place: Place, number: int, bound: list[tuple[str, str]]) -> bool:
    """Whether "fourth iteration (i = 3)" can be the test that ends a loop after three of them: many
    count it. That it is an iteration stays open; what is said of it is decided there."""
    for loop in place.loops:
        for run in place.history.runs(loop):
            if run.exit is None or run.exit < place.at or len(run.passes) != number - 1:
                continue
            state = place.history.state(run.exit)
            if not all(same_text(t, state.text(n)) for n, t in bound):
                continue
            for name, text in bound:
                place.ledger.add("value", name, text, True, "the loop ends", visit=run.exit)
            subject = f"iteration {number}"
            place.ledger.add("iterations", subject, "", None, "the loop ends", visit=run.exit)
            place.stack = [e for e in place.stack if e[0] is not loop]
            place.at, place.visit = run.exit, None
            return True
    return False


def _find_pass(place: Place, number: int, names: list[str]) -> tuple[Loop, Run, Pass] | None:
    """The next iteration with that number (from 1; -1 is the last), of a loop that binds the
    names; one that was passed already when none follows."""
    loops = [
        loop
        for loop in place.loops
        if not names or set(names) & {*loop.targets, *test_names_of(loop)}
    ]
    exact = [loop for loop in loops if set(names) & set(loop.targets)]
    choices: list[tuple[int, Loop, Run, Pass]] = []
    for loop in exact or loops:
        for run in place.history.runs(loop):
            ordinal = len(run.passes) if number == -1 else number
            if 1 <= ordinal <= len(run.passes):
                one = run.passes[ordinal - 1]
                choices.append((one.start, loop, run, one))
    if not choices:
        return None
    choices.sort(key=lambda c: c[0])
    floor = place.window.start + 1 if place.window else place.at
    for start, loop, run, one in choices:
        if start >= floor:
            return loop, run, one
    for start, loop, run, one in reversed(choices):
        if start <= place.at:
            return loop, run, one
    return None


def enter_by_value(place: Place, name: str, text: str) -> bool | None:
    """Go to the next iteration where the loop's variable has the value. True when there is
    one (or this is it), False when it never has the value, None when only earlier."""
    window = place.window
    if (
        window is not None
        and name in (place.stack[-1][0].targets or ())
        and same_text(text, place.history.state(window.start).text(name))
        and place.entered == window.start
        and place.at == window.start
    ):
        return True
    found = _pass_with(place, name, text, window.start if window else place.at - 1)
    if found is not None:
        place.enter(*found)
        return True
    if _pass_with(place, name, text, -1) is not None:
        return True if window is None else None
    return False if any(name in loop.targets for loop in place.loops) else None


def _pass_with(place: Place, name: str, text: str, after: int) -> tuple[Loop, Run, Pass] | None:
    best: tuple[Loop, Run, Pass] | None = None
    for loop in place.loops:
        if name not in loop.targets and name not in test_names_of(loop):
            continue
        for run in place.history.runs(loop):
            for one in run.passes:
                if one.start > after and same_text(text, place.history.state(one.start).text(name)):
                    if best is None or one.start < best[2].start:
                        best = (loop, run, one)
                    break
    return best


def item_name(place: Place) -> str | None:
    """The variable of the `for` that a heading like `'a':` would be about."""
    singles = [loop for loop in place.loops if len(loop.targets) == 1]
    return singles[-1].targets[0] if len(singles) == 1 else None


def enter_nth(place: Place, number: int, name: str, text: str) -> bool:
    """Go to the iteration with that number of the loop over `name`, if it has the value there."""
    found = _find_pass(place, number, [name])
    if found is None or not same_text(text, place.history.state(found[2].start).text(name)):
        return False
    place.enter(*found)
    return True


def leave_loop(place: Place) -> None:
    """The loop that is being told is over."""
    place.visit = None
    if place.stack:
        _, run, _, _ = place.stack.pop()
        place.at = max(place.at, run.exit if run.exit is not None else run.end)
        return
    best: Run | None = None
    for loop in place.loops:
        for run in place.history.runs(loop):
            if run.start <= place.at <= run.end and (best is None or run.start > best.start):
                best = run
    if best is None:
        later = [r for loop in place.loops for r in place.history.runs(loop) if r.start >= place.at]
        best = min(later, key=lambda r: r.start, default=None)
    if best is not None:
        place.at = max(place.at, best.exit if best.exit is not None else best.end)
