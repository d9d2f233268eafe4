"""The table of forms: every row has a decider, occurs, and each of its slots is decided."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

import pytest

from semcoder_lib.core import values
from semcoder_lib.core.records import Case, Program, Trace
from semcoder_lib.monologues import STYLES, Question, Style, backward_many, forward, infer, verify
from semcoder_lib.monologues.evaluator import Given, evaluate, parse_expression
from semcoder_lib.monologues.forms import GROUPS, mask
from semcoder_lib.monologues.rules import RULES, Facts
from semcoder_lib.monologues.verify import steps, whole, workings
from semcoder_lib.monologues.verify.fresh import Trials
from semcoder_lib.sandbox import Sandbox

DECIDERS = {
    "lines": steps.DECIDERS, "pieces": workings.DECIDERS, "deduction": whole.DECIDERS,
    "bounds": whole.DECIDERS, "properties": whole.DECIDERS,
    "summary": whole.DECIDERS, "conclusion": whole.DECIDERS,
}  # fmt: skip
FORMS = {name: form for group in GROUPS.values() for name, form in group.items()}
DIALS = {
    **STYLES,
    "elided": STYLES["full"].but(iterations=1, rows=0, calls=1),
    "rows": STYLES["dense"].but(iterations=2, rows=1, calls=3),
}
# rows that stand inside another row's slot, and are told by reading that one
INSIDE = {"clauses", "bounds"}
PROPERTIES = GROUPS["properties"]

Told = tuple[Program, Case, Trace, str, Style, str]  # …, text, style, direction


def test_names_are_unique() -> None:
    assert len(FORMS) == sum(map(len, GROUPS.values()))


@pytest.mark.parametrize("group", DECIDERS)
def test_every_row_has_a_decider(group: str) -> None:
    assert set(GROUPS[group]) <= set(DECIDERS[group])


@pytest.mark.parametrize("name", FORMS)
def test_every_example_is_read_as_its_own_row(name: str) -> None:
    form = FORMS[name]
    slots = form.match(form.example, mask(form.example) or "")
    assert slots is not None, form.example
    assert form.say(**{k: s.text for k, s in slots.items()}) == form.example


@pytest.fixture(scope="module")
def told(runs: list, form_runs: list, box: Sandbox) -> list[Told]:
    """Derived texts of every style, both directions."""
    found: list[Told] = []
    for style in DIALS.values():
        for run in [*form_runs, *runs[::3]]:
            if run.trace.result is not None and not run.trace.cut:
                text = forward(run.program, run.trace, style=style, case=run.case).text
                found.append((run.program, run.case, run.trace, text, style, "forward"))
    questions = {}
    for run in [*runs, *form_runs]:
        if run.trace.result is not None:
            key = (run.program.id, run.trace.result)
            questions.setdefault(key, Question(run.program, values.decode(run.trace.result)))
    own = {run.program.id for run in form_runs}
    of_forms = [q for q in questions.values() if q.program.id in own]
    for style, asked in ((STYLES["full"], [*questions.values()]), (STYLES["dense"], of_forms)):
        for question, m in zip(asked, backward_many(asked, box, style=style), strict=True):
            if m is not None:
                case = Case((), question.output)
                found.append((question.program, case, Trace(()), m.text, style, "backward"))
    return found


def report(one: Told, text: str, box: Sandbox):
    program, case, trace, _, style, direction = one
    back = direction == "backward"
    return verify(
        text, program, case, box if back else None, direction=direction,
        trace=None if back else trace, line_offset=style.line_offset,
    )  # fmt: skip


def test_every_row_occurs_in_a_derived_text(told: list[Told], box: Sandbox) -> None:
    seen = {name for one in told for name, _ in report(one, one[3], box).forms}
    texts = "\n".join(one[3] for one in told)
    inside = {n for group in INSIDE for n, form in GROUPS[group].items() if form.anchor in texts}
    assert set(FORMS) - seen - inside - set(PROPERTIES) == set()


SKIPPED = ("plural", "work", "rest", "parts", "clauses", "bounds")  # no meaning; read by other rows
_NUMBER = re.compile(r"\d+")


def altered(kind: str, text: str) -> str | None:
    """A slot's text with another meaning, of the same type; None where there is none."""
    if kind in SKIPPED:
        return None
    swaps = {"truth": ("True", "False"), "jump": ("break", "continue")}
    if kind in swaps:
        a, b = swaps[kind]
        return b if text == a else a
    if kind in ("name", "names", "kind"):
        return "zzz"
    if kind == "places":
        return f"{text}, 97"
    if kind == "next" and text.endswith(" ends"):
        return "zzz ends"
    if kind == "calls":
        return f"zzz{text}"
    if kind == "table":
        at = max(i for i, c in enumerate(text) if c.isalnum())
        return f"{text[:at]}{'z' if text[at] != 'z' else 'y'}{text[at + 1 :]}"
    numbers = list(_NUMBER.finditer(text))
    if numbers and kind not in ("value", "values"):
        number = numbers[0 if kind in ("label", "labels", "next") else -1]
        return text[: number.start()] + str(int(number[0]) + 41) + text[number.end() :]
    if kind in ("value", "values"):
        return "0.5"
    if "'" in text:
        at = text.rindex("'")
        return f"{text[:at]}q{text[at:]}"
    if kind == "expr":
        return f"{text} + 1"
    if kind == "spelled":
        return f"{text} z"
    if text.endswith(" is gone"):
        return "zzz is gone"
    head, equals, _ = text.rpartition(" = ")
    return f"{head} = 0.5" if equals else None


def changes(one: Told, box: Sandbox) -> Iterator[tuple[str, str, str]]:
    """(row, slot, altered text) for the slots of every row that a text holds."""
    text = one[3]
    for name, slots in report(one, text, box).forms:
        for slot, stated in slots.items():
            other = altered(FORMS[name].slots[slot], stated.text)
            if other is not None:
                yield name, slot, text[: stated.start] + other + text[stated.end :]


def test_altering_any_slot_of_any_row_is_contradicted(told: list[Told], box: Sandbox) -> None:
    tried: Counter[tuple[str, str]] = Counter()
    passed = []
    for one in told:
        for name, slot, text in changes(one, box):
            if tried[name, slot] >= (6 if one[5] == "forward" else 3):
                continue
            tried[name, slot] += 1
            if report(one, text, box).accepted:
                passed.append((name, slot, one[0].id, one[5]))
    assert passed == []
    untold = {n for g in (*INSIDE, "properties") for n in GROUPS[g]}
    expected = {
        (name, slot)
        for name, form in FORMS.items()
        for slot, kind in form.slots.items()
        if kind not in SKIPPED and name not in untold
    }
    assert expected - set(tried) == set()


# an expression, what its names are, and what must stand in the slots of a row about it
RULED = {
    "division": ("-7 % 2", {}, {"a": "-7", "q": "2 * (-4) + 1"}),
    "sum": ("sum(xs)", {"xs": [1, -2, 4]}, {"c": "1 + (-2) = -1, -1 + 4 = 3"}),
    "last": ("xs[1]", {"xs": [3, 7]}, {"v": "7"}),
    "table": ("s[1]", {"s": "h-l"}, {"t": ("0:h 1:'-' 2:l", "0h1'-'2l", "0:h 1:'-'", "0h1'-'")}),
    "places": ("s.find('a')", {"s": "aba"}, {"t": ("0:a 1:b 2:a", "0a1b2a"), "p": "'a'",
                                              "n": "0, 2"}),
    "nowhere": ("s.find('x')", {"s": "ab"}, {"t": ("0:a 1:b", "0a1b"), "p": "'x'"}),
    "counted.at": ("s.count('aa')", {"s": "aaaa"}, {"p": "0, 2"}),
    "backwards": ("xs[::-1]", {"xs": [4, 7]}, {"a": "4, 7", "b": "7, 4"}),
    "becomes": ("s.upper()", {"s": "a b"}, {"a": "a ' ' b", "b": "A ' ' B"}),
    "trims": ("s.rstrip()", {"s": " ab  "}, {"n": "0", "k": "2"}),
    "pads": ("s.zfill(4)", {"s": "7"}, {"n": "1", "s": "", "k": "3"}),
    "all.are": ("s.isdigit()", {"s": "12"}, {"a": "1 2"}),
    "not.all": ("s.isdigit()", {"s": "1a2b"}, {"x": "'a'", "n": "1"}),
    "cased": ("s.istitle()", {"s": "aB"}, {"a": "a B", "b": "A b"}),
    "ends.with": ("s.endswith('lo')", {"s": "hello"}, {"x": "'lo'"}),
    "cut.there": ("s.removeprefix('he')", {"s": "hello"}, {"x": "'he'"}),
    "joined": ("'-'.join(xs)", {"xs": ["a", "b"]}, {"q": "'a' + '-' + 'b'"}),
    "keyed": ("sorted(xs, key=len)", {"xs": ["bb", "a"]}, {"k": "2, 1", "a": "'bb', 'a'"}),
    "has.keys": ("d", {"d": {2: 1, 7: 0}}, {"x": "d", "ks": "2, 7"}),
    "has.items": ("d", {"d": {"a": 1}}, {"x": "d", "ks": "('a', 1)"}),
    "has.none": ("d", {"d": {}}, {"x": "d"}),
    "has.last": ("xs", {"xs": [4, 5]}, {"x": "xs", "v": "5"}),
}  # fmt: skip


@pytest.mark.parametrize("name", RULES)
def test_what_stands_in_a_row_is_what_a_person_would_write(name: str) -> None:
    """Writer and reader share these rules, so that neither finds the other's mistake in them."""
    text, names, expected = RULED[name.removesuffix(".bare")]
    node = parse_expression(text)
    assert node is not None
    given = RULES[name](Facts(lambda part: evaluate(part, Given(names)), node, text))
    assert given == expected


# a body of `def f(xs)` or `def f(xs, k)`, inputs, and a sentence that is true of it
HOLD = {
    "identity": ("return xs", ([1, 2], [3], [5, 4], [], [9]), "The result always equals xs."),
    "permutation": ("return xs[::-1]", ([1, 2], [3, 4, 5], [5, 4], [1], [9, 2]),
                    "The result is always a permutation of xs."),
    "sorted": ("return sorted(xs)", ([2, 1], [3, 4, 2], [5, 4], [1], [9, 2, 4]),
               "The result is always sorted in ascending order."),
    "distinct": ("return list(dict.fromkeys(xs))", ([1, 1], [2, 2, 3], [4, 4], [1], [9, 9, 9]),
                 "The result never repeats an item."),
    "length.same": ("return [x + 1 for x in xs]", ([1, 2], [3], [5, 4], [], [9]),
                    "The result always has as many items as xs."),
    "length.most": ("return [x for x in xs if x > 2]", ([1, 2], [3], [5, 1], [], [9]),
                    "The result never has more items than xs."),
    "length.least": ("return xs + [1]", ([1, 2], [3], [5, 4], [], [9]),
                     "The result always has at least as many items as xs."),
    "subset": ("return [x for x in xs if x > 2]", ([1, 2], [3], [5, 1], [4, 7], [9], [8]),
               "The result always holds only items of xs."),
    "range.of": ("return 1 if sum(xs) > 4 else 0", ([1, 2], [3], [5, 1], [4, 7], [9], [8]),
                 "The result is always one of 0, 1."),
    "range.least": ("return abs(sum(xs))", ([1, -2], [-3], [5, 1], [4, 7], [-9], [8]),
                    "The result is always at least 0."),
    "type": ("return len(xs)", ([1, 2], [3], [5, 1], [], [9]), "The result is always an int."),
    "items": ("return [str(x) for x in xs]", ([1, 2], [3], [5, 1], [4, 7], [9]),
              "Every item of the result is a str."),
}  # fmt: skip


@pytest.mark.parametrize("name", PROPERTIES)
def test_properties_are_inferred_decided_and_every_slot_of_them(name: str, box: Sandbox) -> None:
    body, inputs, sentence = HOLD[name]
    given = [i if isinstance(i, tuple) else (i,) for i in inputs]
    head = "def f(xs, k):" if len(given[0]) == 2 else "def f(xs):"
    program = Program(f"{head}\n    {body}\n", "f", id=name)
    cases = [Case(a, box.call(program.source, "f", a).value) for a in given]
    assert sentence in {p.text for p in infer(program, cases, box)}

    def status(text: str) -> set[str]:
        section = f"### Key Properties and Constraints\n- {text}\n"
        trials = Trials(program, box, given)
        claims = verify(section, program, cases[0], box, trials=trials, trace=Trace(())).claims
        return {c.status for c in claims if c.kind == "property"}

    assert status(sentence) == {"supported"}
    form = PROPERTIES[name]
    slots = form.match(sentence, mask(sentence) or "")
    for slot, kind in form.slots.items():
        words = {
            "order": "descending", "types": "a dict", "values": "0", "value": "4",
        }.get(kind, "zzz")  # fmt: skip
        texts = {k: s.text for k, s in slots.items()}
        found = status(form.say(**{**texts, slot: words}))
        assert found == {"contradicted"}, slot
