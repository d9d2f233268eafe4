"""The forms of rationales: every row has a decider, occurs, and each of its slots is decided; blind
alterations of whole rationales do not pass."""

from __future__ import annotations

import random
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from blind import alterations

from semcoder_lib import faults as pyx_r
from semcoder_lib.core.records import Program
from semcoder_lib.faults.mutate import PHRASES
from semcoder_lib.faults.rationale import STYLE
from semcoder_lib.faults.rows import FORMS
from semcoder_lib.monologues.forms import GROUPS, mask

# What the corpus of the folder does not give: a function without a return.
EXTRA = [("def f(n):\n    k = n\n    k += 1\n", [(1,)])]
GENERATOR = (
    "def g(xs):\n    for x in xs:\n        yield x * 2\n\ndef f(xs):\n    return list(g(xs))\n"
)
BY_HAND = yaml.safe_load(Path(__file__).with_name("by_hand.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def evidence(entries, entry_of, box) -> list[pyx_r.Evidence]:
    """At least one failing mutant of every operator, and the programs by hand."""
    more = [entry_of(Program(s, "f", id=f"extra{n}"), calls) for n, (s, calls) in enumerate(EXTRA)]
    tried: Counter[str] = Counter()
    bugs = []
    for mutant in (m for e in [*more, *entries] for m in pyx_r.mutate(e, seed=5)):
        tried[mutant.operator] += 1
        if tried[mutant.operator] <= 9:
            bugs.append(mutant)
    for row in BY_HAND:
        buggy, fixed = row["buggy"], row["fixed"]
        entry = entry_of(Program(fixed, "f", id="hand"), [tuple(row["arguments"])])
        cause = pyx_r.line_cause(buggy, fixed)
        bugs.append(pyx_r.Bug(entry.program, buggy, fixed, entry.cases, "hand", cause))
    return pyx_r.gather(pyx_r.failing(bugs, box)[0], box)[0]


@pytest.fixture(scope="module")
def written(evidence) -> list[tuple[pyx_r.Evidence, str]]:
    texts = []
    for e in evidence:
        try:
            texts.append((e, pyx_r.write(e, max_characters=4_000)))
        except pyx_r.TooLong:
            continue
    return texts


@pytest.mark.parametrize("name", FORMS)
def test_every_example_is_read_as_its_own_row(name: str) -> None:
    form = FORMS[name]
    slots = form.match(form.example, mask(form.example) or "")
    assert slots is not None, form.example
    assert form.say(**{k: s.text for k, s in slots.items()}) == form.example


def test_forms_and_phrases_are_read_apart() -> None:
    assert not set(FORMS) & {name for group in GROUPS.values() for name in group}
    assert len(PHRASES) >= 60
    assert not [p for p in PHRASES if ";" in p or "`" in p or p != p.strip()]


def test_everything_derived_is_supported_and_every_row_occurs(written) -> None:
    assert len(written) >= 150
    seen = set()
    for e, text in written:
        found = pyx_r.check(text, e)
        assert found.accepted, (text, found)
        assert {c.status for c in found.claims} == {"supported"}, (text, found.claims)
        seen |= {name for name, _ in found.forms}
    assert set(FORMS) - seen == set()


def test_a_run_that_does_not_fit_is_elided_and_still_read(evidence) -> None:
    style = STYLE.but(iterations=1, rows=0, calls=1)
    short = [(e, pyx_r.write(e, style=style)) for e in evidence[::4]]
    assert any(" go through " in text or " goes through " in text for _, text in short)
    for e, text in short:
        assert pyx_r.check(text, e).accepted, text


def test_a_generator_has_no_rationale(entry_of, box) -> None:
    entry = entry_of(Program(GENERATOR, "f", id="generator"), [([1, 3],)])
    bugs = list(pyx_r.mutate(entry, seed=5))
    gathered, _ = pyx_r.gather(pyx_r.failing(bugs, box)[0], box)
    yielding = [e for e in gathered if any(s.event == "yield" for s in e.trace.steps)]
    assert yielding
    for e in yielding:
        with pytest.raises(pyx_r.TooLong, match="generator"):
            pyx_r.write(e)


_NUMBER = re.compile(r"\d+")


def altered(kind: str, words: str) -> str:
    """A slot's text with another meaning, of the same type."""
    if kind in ("label", "int", "clauses") and _NUMBER.search(words):
        return _NUMBER.sub(lambda n: str(int(n[0]) + 41), words, count=1)
    if kind in ("name", "kind"):
        return "zzz"
    if kind == "clauses":
        return "the number is one too large" if words in PHRASES else "calls zzz"
    if kind == "value":
        return "0.5"
    if kind == "rest":
        return words + "\n    zzz = 1"
    return f"zzz{words}" if kind == "calls" else f"{words} + 1"


def test_altering_any_slot_of_any_row_is_contradicted(written) -> None:
    tried: Counter[tuple[str, str]] = Counter()
    passed = []
    for e, text in written:
        for name, slots in pyx_r.check(text, e).forms:
            form = FORMS.get(name)
            for slot, stated in slots.items() if form else ():
                words = stated.text
                other = altered(form.slots[slot], words)
                if other == words or tried[name, slot] >= 3:
                    continue
                tried[name, slot] += 1
                found = pyx_r.check(text[: stated.start] + other + text[stated.end :], e)
                if not found.contradicted:
                    passed.append((name, slot, words, other))
    assert passed == []
    assert {(n, s) for n, form in FORMS.items() for s in form.slots} == set(tried)


def test_blind_alterations_do_not_pass(written) -> None:
    """At most 0.5 % pass unnoticed: accepted, and nothing counted as unverifiable."""
    rng, count, passed = random.Random(3), 0, []
    for e, text in written:
        for a in alterations(text, rng, 6):
            count += 1
            found = pyx_r.check(a.text, e)
            if found.accepted and not found.unverifiable:
                passed.append((a.how, a.old, a.new, a.line))
    assert count >= 1_000
    assert len(passed) <= 0.005 * count, passed


def test_another_right_output_is_contradicted(written) -> None:
    for e, text in written[::10]:
        assert not pyx_r.check(text, replace(e, case=replace(e.case, output=0.5))).accepted


def test_foreign_words_are_unverifiable_with_their_place(written) -> None:
    e, text = written[0]
    for words in ("It's plain to see.", "The cause is [L2]: somebody slept."):
        place = text.index("### Bug Fixing")
        found = pyx_r.check(text[:place] + words + "\n" + text[place:], e)
        claims = [c for c in found.claims if c.status == "unverifiable"]
        assert len(claims) == 1
        assert any(place <= c.place[0] < c.place[1] <= place + len(words) for c in claims)
