"""How sentences move the place: labels, iteration headings, values of a loop's variable."""

from __future__ import annotations

import re

from semcoder_lib.monologues.verify.history import Pass
from semcoder_lib.monologues.verify.prose import patterns
from semcoder_lib.monologues.verify.prose.place import Iteration, Place, names_of_loop
from semcoder_lib.monologues.verify.prose.tokens import EQUATION, LABEL, Sentence
from semcoder_lib.monologues.verify.text import same_text


def read_anchors(place: Place, s: Sentence) -> None:
    """Move the place as the sentence says, and claim that the execution can be there."""
    if patterns.AFTER_LOOP.search(s.text):
        place.leave()
    names = {name for loop in place.loops for name in names_of_loop(loop)}
    bound = [i for i, t in s.at.items() if t.mark == EQUATION and t.left in names]
    heading = patterns.ITERATION.search(s.text)
    if heading and not patterns.IDLE.search(s.text[: heading.start()]):
        place.mark(s, heading.start(), max([heading.end(), *(i + 1 for i in bound)]))
        _heading(place, s, heading, bound)
    elif bound and _binds(place, s, bound[0]):
        s.used.add(bound[0])
        place.mark(s, bound[0], bound[0] + 1)
        name, text = s.at[bound[0]].left, s.at[bound[0]].right
        verdict = _enter_with(place, name, text)
        if verdict is not None:
            evidence = "" if verdict else "no such iteration follows"
            place.record("value", name, text, verdict, evidence)
    _label(place, s)


def _binds(place: Place, s: Sentence, at: int) -> bool:
    """Whether the sentence begins with the value of a loop's variable, as the head of an iteration.
    A name in the test of a `while` alone needs a word for it: `i = 0` may only set it."""
    word = re.search(r"[a-z]", s.text[:at], re.I) or s.text[at + 1 :].startswith(":")
    target = any(s.at[at].left in loop.targets for loop in place.loops)
    return _begins(patterns.WITH_BINDING, s.text, at) and bool(word or target)


def _begins(pattern: re.Pattern[str], text: str, at: int) -> bool:
    """Whether the mark at `at` ends what the pattern matches at the start."""
    match = pattern.match(text)
    return match is not None and match.end() - 1 == at


# --- iterations -----------------------------------------------------------------------------------


def _iterations(place: Place, names: list[str]) -> list[Iteration]:
    """All iterations of the loops that bind one of the names (or of any loop), in order. The test
    that ends a `while` is one more: many tell it so."""
    loops = [loop for loop in place.loops if not names or {*names} & {*names_of_loop(loop)}]
    found = []
    for loop in [loop for loop in loops if {*names} & {*loop.targets}] or loops:
        for run in place.history.runs(loop):
            last = [] if run.exit is None or loop.is_for else [Pass(run.exit, run.exit)]
            passes = enumerate([*run.passes, *last], 1)
            found += [Iteration(number, loop, run, steps) for number, steps in passes]
    return sorted(found, key=lambda i: i.steps.start)


def _text_at(place: Place, name: str, iteration: Iteration) -> str | None:
    return place.history.state(iteration.steps.start).text(name)


def _enter_with(place: Place, name: str, text: str) -> bool | None:
    """Go to the next iteration where the loop's variable has the value. True when there is one (or
    this is it), False when it never has the value, None when only earlier."""
    window = place.window
    after = window.start if window and place.at != window.start else place.at - 1
    fitting = [i for i in _iterations(place, [name]) if same_text(text, _text_at(place, name, i))]
    ahead = next((i for i in fitting if i.steps.start > after), None)
    if ahead is not None:
        place.enter(ahead)
        return True
    if fitting:
        return None if window else True
    return False if any(name in loop.targets for loop in place.loops) else None


def _heading(place: Place, s: Sentence, heading: re.Match[str], bound: list[int]) -> None:
    """`Second iteration (n = 3)`: go there, and claim that it is so."""
    at, word = heading.start("number"), heading["word"]
    s.used.update(bound, [at])
    if word:
        number = patterns.ORDINALS.get(word.lower()) or int(re.sub(r"\D", "", word))
    elif s.at[at].text.isdigit():
        number = int(s.at[at].text)
        place.zero_based = number == 0 if place.zero_based is None else place.zero_based
        number += place.zero_based
    else:
        return
    # `Step 2:` may count anything
    certain = bool(bound) or (heading["kind"] or "").lower() not in ("step", "round")
    place.visit = None
    subject, after = f"iteration {number}", place.window.start if place.window else place.at - 1
    numbered = [
        i
        for i in _iterations(place, [s.at[i].left for i in bound])
        if i.number == (number if number > 0 else len(i.run.passes))
    ]
    found = next((i for i in numbered if i.steps.start > after), numbered[-1] if numbered else None)
    if found is None:
        if certain and any(place.history.runs(loop) for loop in place.loops):
            place.ledger.add("iterations", subject, "", False, "there are fewer iterations")
            place.stack = []
        return
    place.enter(found)
    wrong = False
    for i in bound:
        name, text = s.at[i].left, s.at[i].right
        recorded = _text_at(place, name, found)
        verdict = same_text(text, recorded)
        place.record("value", name, text, verdict, f"{subject}: {recorded}")
        wrong = wrong or verdict is False
    if certain and not wrong:
        ends = found.number > len(found.run.passes)
        place.record("iterations", subject, "", None if ends else True)


# --- labels ---------------------------------------------------------------------------------------


def _label(place: Place, s: Sentence) -> None:
    """The text names a line; at the start of a sentence that says the line runs now, unless nothing
    is said to be done there."""
    at = min((i for i, t in s.at.items() if t.mark == LABEL), default=None)
    if at is None:
        return
    place.mark(s, at, at + 1)
    history, line = place.history, place.history.labelled(s.at[at].text)
    leading = _begins(patterns.LEADING_LABEL, s.text, at)
    if leading:
        place.leave(line)
    told = place.visit is not None and history.line(place.visit) == line
    start = place.at - 1 if place.at != place.visit else place.at
    until = place.window.end if place.window else None
    visit = place.visit if told else history.next_visit(line, start, until)
    earlier = history.last_visit(line, place.at)
    idle = patterns.IDLE.search(s.text)
    if visit is not None:
        place.visit = visit
        place.at = max(place.at, visit) if leading else place.at
    elif leading and not idle:
        place.visit = earlier
    if visit is not None or (earlier is not None and not idle):
        place.ledger.covered.add(line)
    looped = any(loop.header <= line <= loop.last for loop in place.loops)
    known = not history.syntax.text(line)
    open_ = visit is None and not idle and (looped if earlier is not None else known)
    if leading and not told and not open_:
        runs = visit is not None or idle is not None
        place.ledger.add(
            "order", history.label(line), "runs", runs, "it does not", line=line, visit=visit
        )
