"""Generated programs: what the tracer says of a frame is what the frame held."""

from __future__ import annotations

import math
from itertools import chain
from typing import Any

from examples import load, record
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from semcoder_lib.core import values
from semcoder_lib.core.records import Step
from semcoder_lib.tracing.describe import CONSTANT, Describer, is_unchanged

SIMPLE = [
    *map("x = {}".format, ("0", "x + 1", "y * 2", "len(l)", "-x", "None", "x > y", "10**30")),
    *map("y = {}".format, ("0", "x", "y + 1", "len(m)")),
    *map("s = {}".format, ("'q'", "s + 'z'", "s[1:]")),
    *map("l.append({})".format, ("x", "s", "[x]", "m", "(x, y)", "{x: y}")),
    *map("d[x] = {}".format, "xyslm"),
    "l = m", "m = l", "m = [l, l]", "l = list(m)", "l[:] = m[:2]", "l.reverse()", "l.clear()",
    "m.append(d)", "d = {}", "d = dict(d)", "d.pop(x, None)", "x, y = y, x", "del t", "t = l",
    "t = {x, y}", "t.add(s)", "helper(l)", "x = helper(m)", "m += [x]", "d.update({s: l})",
    "q = [x for x in l]", "q = {y: x for y in range(2)}", "l[0] = x", "m[0].append(y)",
    "l.sort(key=str)", "d.setdefault(x, []).append(y)", "l = l + [1, 'b', None]",
]  # fmt: skip
AROUND = [
    ("for i in range(2):", ""), ("w = 2\nwhile w:\n    w -= 1", ""),
    ("if x < y:", "else:\n    y = 3"), ("try:", "except Exception as e:\n    x = 9"),
]  # fmt: skip


def indented(lines: list[str]) -> list[str]:
    return ["    " + line for line in lines]


def compound(inner: st.SearchStrategy[list[str]]) -> st.SearchStrategy[list[str]]:
    bodies = st.lists(inner, min_size=1, max_size=3).map(lambda parts: [*chain(*parts)])
    return st.builds(
        lambda around, body: [*around[0].splitlines(), *indented(body), *around[1].splitlines()],
        st.sampled_from(AROUND),
        bodies,
    )


@st.composite
def programs(draw: st.DrawFn) -> str:
    """A function that shows its locals to `probe` before every statement of its body."""
    statement = st.recursive(st.sampled_from(SIMPLE).map(lambda line: [line]), compound)
    drawn = chain(*draw(st.lists(statement, min_size=1, max_size=4)))
    body = ["x = y = 0", "s = 'a'", "l = [1, 2]", "m = [l]", "d = {}", "t = 0", *drawn]
    probed = []
    for line in body:
        indent = line[: len(line) - len(line.lstrip())]
        if not line.strip().startswith(("else", "except")):
            probed.append(f"{indent}probe(locals())")
        probed.append(line)
    lines = ["def f(a, b=2):", *indented([*probed, "probe(locals())", "return x"])]
    lines += ["", "", "def helper(xs):", "    xs.append(len(xs))", "    return 7"]
    return "\n".join(lines) + "\n"


def states(steps: tuple[Step, ...], frame: int) -> list[dict[str, str | None]]:
    """The locals of a frame before each of its steps, by replaying the changes."""
    known: dict[str, str | None] = {}
    found = []
    for step in steps:
        if step.frame != frame:
            continue
        found.append(dict(known))
        for change in step.changes:
            if change.text is None:
                del known[change.name]
            else:
                known[change.name] = change.text
    found.append(known)
    return found


@settings(max_examples=40, deadline=None)
@given(programs())
def test_replaying_the_changes_gives_every_state(source: str) -> None:
    function = load(source)
    seen: list[dict[str, str]] = []
    describe = Describer(512, 4_096).describe

    def probe(found: dict[str, Any]) -> None:
        seen.append({name: describe(value)[0] for name, value in found.items()})

    function.__globals__["probe"] = probe
    trace = record(source, 5, function=function)
    assert not trace.cut
    lines = source.split("\n")
    replayed = states(trace.steps, 0)
    own = [step for step in trace.steps if step.frame == 0]
    probes = [
        replayed[place]
        for place, step in enumerate(own)
        if step.event == "line" and lines[step.line - 1].strip() == "probe(locals())"
    ]
    # how a cycle is abbreviated depends on where it is entered, so such states are not compared
    assume(not any("..." in text or "<…>" in text for state in seen for text in state.values()))
    assert probes == seen
    if trace.exception is None:
        assert replayed[-1] == seen[-1]


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: (
        st.lists(inner)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text() | st.integers(), inner)
        | st.sets(st.integers() | st.text())
        | st.frozensets(st.integers())
    ),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(PLAIN, st.integers(1, 40), st.integers(40, 400))
def test_an_exact_text_is_that_of_values_and_keeps_to_its_bounds(
    value: Any, nodes: int, size: int
) -> None:
    text, exact, flat = Describer(2_000, 50_000).describe(value)
    assert exact
    assert text == values.encode(value)
    assert flat is None or flat is CONSTANT or is_unchanged(value, flat)
    text, exact, _ = Describer(nodes, size).describe(value)
    if exact:
        assert len(text) <= size
        assert text == values.encode(value)
    else:
        assert len(text) <= 4 * size + 120
        assert text.startswith("<")


@settings(max_examples=60, deadline=None)
@given(st.lists(PLAIN, max_size=6), st.lists(PLAIN, max_size=3), st.data())
def test_a_change_in_place_is_seen(held: list[Any], more: list[Any], data: st.DataObject) -> None:
    describer = Describer(2_000, 50_000)
    text, _, flat = describer.describe(held)
    for item in more:
        place = data.draw(st.integers(0, len(held)))
        held[place : place + data.draw(st.integers(0, 2))] = [item]
        if flat is not None and is_unchanged(held, flat):
            assert values.encode(held) == text
        text, exact, flat = describer.describe(held)
        assert exact
        assert text == values.encode(held)


def test_nan_is_no_change_and_a_type_is_one() -> None:
    source = (
        "def f(x):\n    y = x\n    x = float('nan')\n    y = 1\n    y = True\n    y = 1.0\n"
        "    xs = [1]\n    xs[0] = True\n    xs[0] = 1.0\n"
    )
    steps = record(source, math.nan).steps
    told = [[(c.name, c.text) for c in step.changes] for step in steps]
    assert told[2] == []
    assert told[3:9] == [
        [("y", "1")], [("y", "True")], [("y", "1.0")],
        [("xs", "[1]")], [("xs", "[True]")], [("xs", "[1.0]")],
    ]  # fmt: skip
