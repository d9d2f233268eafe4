"""How sentences move the place: labels, iteration headings, values of a loop's variable."""

from __future__ import annotations

import re

from semcoder_lib.monologues.verify.history import Pass
from semcoder_lib.monologues.verify.prose import patterns
from semcoder_lib.monologues.verify.prose.moments import claim_value, comprehension_domain
from semcoder_lib.monologues.verify.prose.place import Iteration, Place, names_of_loop
from semcoder_lib.monologues.verify.prose.tokens import EQUATION, LABEL, Sentence
from semcoder_lib.monologues.verify.stated import same_text

Found = tuple[Iteration | None, Iteration | None]  # the next one, and the latest one up to here


def read_anchors(place: Place, s: Sentence) -> None:
    """Move the place as the sentence says, and claim that the execution can be there."""
    if patterns.AFTER_LOOP.search(s.text):
        place.leave()
    equations = [i for i, t in s.at.items() if t.mark == EQUATION]
    bound = [i for i in equations if s.at[i].left in place.loop_names]
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
    else:
        for at in equations:  # `For c = 'l'`, of a comprehension
            if comprehension_domain(place, s.at[at].left) is not None:
                _claim_equation(place, s, at)
        _nth_item(place, s)
    _label(place, s)


def _claim_equation(place: Place, s: Sentence, at: int) -> None:
    s.used.add(at)
    place.mark(s, at, at + 1)
    claim_value(place, s.at[at].left, s.at[at].right)


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


def _nth_item(place: Place, s: Sentence) -> None:
    """`Second character: 'b'`, where there is just one loop that it can be of."""
    match = patterns.NTH_ITEM.match(s.text)
    single = [loop.targets[0] for loop in place.loops if len(loop.targets) == 1]
    if match and len(single) == 1:
        text = s.at[match.start("v")].text
        found = _with_number(place, _number_of(match["word"]), single)
        if found and same_text(text, _text_at(place, single[0], found)):
            place.enter(found)
            s.used.add(match.start("v"))


# --- iterations -----------------------------------------------------------------------------------


def _find(
    place: Place, names: list[str], after: int, *, number: int | None = None, text: str = ""
) -> Found:
    """The iterations next to a step with that number (from 1; -1 is the last) or that text of the
    one name, of the loops that bind one of the names (or of any loop). The test that ends a `while`
    is one more: many tell it so."""
    loops = [loop for loop in place.loops if not names or {*names} & {*names_of_loop(loop)}]
    found = []
    for loop in [loop for loop in loops if {*names} & {*loop.targets}] or loops:
        for run in place.history.runs(loop):
            last = [] if run.exit is None or loop.is_for else [Pass(run.exit, run.exit)]
            numbered = list(enumerate([*run.passes, *last], 1))
            if number is not None:
                at = len(run.passes) if number < 0 else number
                numbered = numbered[at - 1 : at] if at else []
            found += [Iteration(n, loop, run, steps) for n, steps in numbered]
    found.sort(key=lambda i: i.steps.start)
    fitting = (
        i for i in found if number is not None or same_text(text, _text_at(place, names[0], i))
    )
    passed: Iteration | None = None
    for iteration in fitting:
        if iteration.steps.start > after:
            return iteration, passed
        passed = iteration
    return None, passed


def _with_number(place: Place, number: int, names: list[str]) -> Iteration | None:
    """The next iteration with that number, or the latest."""
    after = place.window.start if place.window else place.at - 1
    ahead, passed = _find(place, names, after, number=number)
    return ahead or passed


def _text_at(place: Place, name: str, iteration: Iteration) -> str | None:
    return place.history.state(iteration.steps.start).text(name)


def _enter_with(place: Place, name: str, text: str) -> bool | None:
    """Go to the next iteration where the loop's variable has the value. True when there is one (or
    this is it), False when it never has the value, None when only earlier."""
    window = place.window
    after = window.start if window and place.at != window.start else place.at - 1
    ahead, passed = _find(place, [name], after, text=text)
    if ahead is not None:
        place.enter(ahead)
        return True
    if passed is not None:
        return None if window else True
    return False if any(name in loop.targets for loop in place.loops) else None


def _number_of(word: str) -> int:
    """`first` or `1st` as 1; -1 is the last."""
    return patterns.ORDINALS.get(word.lower()) or int(re.sub(r"\D", "", word))


def _heading(place: Place, s: Sentence, heading: re.Match[str], bound: list[int]) -> None:
    """`Second iteration (n = 3)`: go there, and claim that it is so."""
    at = heading.start("number")
    s.used.update(bound, [at])
    if heading["word"]:
        number = _number_of(heading["word"])
    elif s.at[at].text.isdigit():
        number = int(s.at[at].text)
        place.zero_based = number == 0 if place.zero_based is None else place.zero_based
        number += place.zero_based
    else:
        return
    # `Step 2:` may count anything
    certain = bool(bound) or (heading["kind"] or "").lower() not in ("step", "round")
    _enter_number(place, number, [(s.at[i].left, s.at[i].right) for i in bound], certain)
    inside = patterns.AT_START.match(s.text, heading.end())
    for at in range(*inside.span(1)) if inside else ():
        # `(left = 2)`, of a variable that the loop does not bind: its value then
        if at in s.at and s.at[at].mark == EQUATION and at not in s.used:
            _claim_equation(place, s, at)


def _enter_number(place: Place, number: int, bound: list[tuple[str, str]], certain: bool) -> None:
    place.visit = None
    subject = f"iteration {number}"
    found = _with_number(place, number, [name for name, _ in bound])
    if found is None:
        if certain and any(place.history.runs(loop) for loop in place.loops):
            place.ledger.add("iterations", subject, "", False, "there are fewer iterations")
            place.stack = [entry for entry in place.stack if entry[1] < place.indent]
        for name, text in bound:
            _enter_with(place, name, text)
        return
    place.enter(found)
    wrong = False
    for name, text in bound:
        recorded = _text_at(place, name, found)
        verdict = same_text(text, recorded)
        place.record("value", name, text, verdict, f"{subject}: {recorded}")
        later = _find(place, [name], found.steps.start, text=text)[0] if verdict is False else None
        if later is not None:
            place.enter(later)
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
    history, line = place.history, place.cursor.line(s.at[at].text)
    leading = _begins(patterns.LEADING_LABEL, s.text, at)
    if leading:
        place.leave(line)
    told = place.visit is not None and history.line(place.visit) == line
    start = place.at - 1 if place.at != place.visit else place.at
    until = place.window.end if place.window else None
    visit = place.visit if told else history.next_visit(line, start, until)
    earlier = history.last_visit(line, place.at)
    verdict, words = True, "runs"
    if visit is not None:
        place.visit = visit
        place.at = max(place.at, visit) if leading else place.at
    elif patterns.IDLE.search(s.text):
        words = "does not run"
    elif leading:
        place.visit = earlier
        looped = any(loop.header <= line <= loop.last for loop in place.loops)
        verdict = False
        told = (
            looped if earlier is not None else not history.syntax or not history.syntax.text(line)
        )
    if visit is not None or (earlier is not None and words == "runs"):
        place.ledger.covered.add(line)
    if leading and not told:
        label = place.cursor.label(line)
        place.ledger.add("order", label, words, verdict, "", line=line, visit=visit or earlier)
