"""Values survive the way to text and back, exactly; what cannot is refused with a reason."""

from __future__ import annotations

import ast
import collections
import datetime
import math
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semcoder_lib.core import values

INTS = st.integers() | st.integers(-(1 << 20_000), 1 << 20_000)
ATOMS = (
    st.none()
    | st.booleans()
    | INTS
    | st.floats()
    | st.complex_numbers()
    | st.text(st.characters(exclude_categories=()))
    | st.binary()
    | st.decimals()
    | st.fractions()
    | st.datetimes()
    | st.dates()
    | st.times()
    | st.timedeltas()
    | st.builds(range, st.integers(-5, 1 << 70), INTS, st.integers(1, 9))
    | st.just(...)
)
KEYS = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary()
KEYS = KEYS | st.tuples(KEYS, KEYS) | st.frozensets(KEYS, max_size=3)


def _containers(inside: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    small = st.lists(inside, max_size=4)
    pairs = st.dictionaries(KEYS, inside, max_size=4)
    return (
        small
        | small.map(tuple)
        | pairs
        | pairs.map(collections.OrderedDict)
        | pairs.map(lambda d: collections.defaultdict(list, d))
        | pairs.map(collections.Counter)
        | st.sets(KEYS, max_size=5)
        | st.frozensets(KEYS, max_size=5)
        | st.builds(collections.deque, small, st.none() | st.integers(0, 9))
        | st.binary().map(bytearray)
    )


TEXT = Path(__file__).with_name("values.txt").read_text()
LISTS = {title: rows for title, *rows in (b.splitlines() for b in TEXT.split("### ")[1:])}
VALUES = st.recursive(ATOMS, _containers, max_leaves=25)


def _types(value: Any) -> Any:
    """The types of a value all the way down, written without the room's own code."""
    if isinstance(value, dict):
        extra = getattr(value, "default_factory", None)
        return (type(value), extra, [(_types(k), _types(v)) for k, v in value.items()])
    if isinstance(value, set | frozenset):
        return (type(value), sorted(map(str, map(_types, value))))
    if isinstance(value, list | tuple | collections.deque):
        return (type(value), getattr(value, "maxlen", None), [_types(v) for v in value])
    return type(value)


@settings(max_examples=200, deadline=None)
@given(VALUES)
def test_round_trip(value: Any) -> None:
    text = values.encode(value)
    back = values.decode(text)
    assert values.encode(back) == text
    assert _types(back) == _types(value)
    assert text.isprintable()
    assert values.equal(back, values.decode(text))
    assert values.equal(value, back)


@settings(max_examples=150, deadline=None)
@given(
    st.recursive(
        st.integers() | st.text() | st.booleans() | st.none() | st.binary(),
        lambda x: st.lists(x) | st.tuples(x, x) | st.dictionaries(st.text(), x),
    )
)
def test_plain_values_read_as_python_reads_them(value: Any) -> None:
    text = values.encode(value)
    assert ast.literal_eval(text) == value == values.decode(repr(value))


@pytest.mark.parametrize(
    ("text", "value"),
    [("{1, 2 }", {1, 2}), (" { 1 }\n", {1}), ("set( )", set()), ("frozenset({1 })", frozenset({1})),
     ("{ }", {}), ("{1:2 ,}", {1: 2}), ("[1 ,]", [1]), ("( 1, )", (1,)), ("'a' # b", "a"),
     ("('a'\n 'b')", "ab"), ('"""a\nb"""', "a\nb"), ("-0x1F", -31), ("1_000", 1000)],
)  # fmt: skip
def test_blanks_and_notations_that_people_use_are_read(text: str, value: Any) -> None:
    assert values.decode(text) == value
    assert values.decode(text + " " * 99, max_nodes=50) == value  # counts the elements first


@settings(max_examples=150, deadline=None)
@given(st.sets(st.integers() | st.floats(allow_nan=False) | st.text()), st.randoms())
def test_the_text_of_a_set_does_not_depend_on_how_it_was_made(value: set[Any], chance: Any) -> None:
    parts = list(value)
    chance.shuffle(parts)
    assert values.encode(set(parts)) == values.encode(value)


@settings(max_examples=250, deadline=None)
@given(st.text() | st.text("[](){}:,'\"\\0123456789.-+eEjx _aflntsuryodecqC\n", max_size=60))
def test_any_text_is_a_value_or_not_a_literal(text: str) -> None:
    try:
        value = values.decode(text)
    except values.NotALiteral:
        return
    assert values.encode(values.decode(values.encode(value))) == values.encode(value)


@pytest.mark.parametrize("text", [*LISTS["not literals"], "(" * 300, "1" * 5000, "\0", ""])
def test_what_is_not_a_literal_is_refused_unevaluated(text: str) -> None:
    with pytest.raises(values.NotALiteral):
        values.decode(text)


class Sub(int):
    pass


def _loop() -> Any:
    loop: list[Any] = []
    loop.append({"again": loop})
    return loop


def _nested(levels: int) -> Any:
    nest: Any = 1
    for _ in range(levels):
        nest = [nest]
    return nest


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (Sub(1), "Sub"),
        (collections.namedtuple("Point", "x")(1), "Point"),
        (object(), "object"),
        (print, "builtin_function"),
        (_loop(), "contains itself"),
        (_nested(81), "too deep"),
        (list(range(200_000)), "too many"),
        ("x" * 3_000_000, "too long"),
        (1 << 20_000_000, "too long"),
        (["x" * 1_000_000] * 3, "too long"),
        (1 << values.MAX_BITS, "too long"),
        (datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC), "time zone"),
        (memoryview(b"x"), "memoryview"),
    ],
    ids=lambda part: part if isinstance(part, str) and len(part) < 20 else type(part).__name__,
)
def test_what_has_no_exact_text_is_refused_with_the_reason(value: Any, why: str) -> None:
    with pytest.raises(values.Unserializable, match=why):
        values.encode(value)


def test_deepest_nesting_of_every_container_is_read_back() -> None:
    makers = [
        lambda v: [v], lambda v: (v,), lambda v: {1: v}, lambda v: collections.deque([v]),
        lambda v: collections.Counter({1: v}), lambda v: collections.OrderedDict([(1, v)]),
        lambda v: collections.defaultdict(None, {1: v}),
    ]  # fmt: skip
    for make in makers:
        nest: Any = -1
        deepest = nest
        while True:
            nest = make(nest)
            try:
                values.encode(nest)
            except values.Unserializable:
                break
            deepest = nest
        text = values.encode(deepest)
        assert text.count("(") + text.count("[") + text.count("{") > 70
        assert values.encode(values.decode(text)) == values.encode(deepest)
        assert values.parse_call(f"f({text})")[1]


def test_no_method_of_a_value_runs() -> None:
    class Loud(list):  # type: ignore[type-arg]
        def __getattribute__(self, name: str) -> Any:
            raise AssertionError(f"{name} was read")

    class Meta(type):
        def __getattribute__(cls, name: str) -> Any:
            raise AssertionError(f"{name} was read")

    class Louder(metaclass=Meta):
        pass

    for value in (Loud(), type.__call__(Louder)):
        with pytest.raises(values.Unserializable, match="Loud"):
            values.encode([value])


def test_bounds_hold_while_writing_and_reading() -> None:
    start = time.process_time()
    with pytest.raises(values.Unserializable):
        values.encode(list(range(3_000_000)))
    with pytest.raises(values.NotALiteral, match="elements"):
        values.decode("[" + "1," * 4_000_000 + "]", max_nodes=100_000)
    assert time.process_time() - start < 5
    commas = "," * 500_000
    assert values.decode(repr(commas), max_nodes=100_000) == commas
    assert len(values.decode(values.encode({float("nan"), float("nan"), 1.0}))) == 3


class Liar:
    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = object.__hash__


class Bomb:
    def __eq__(self, other: object) -> bool:
        raise SystemError("boom")

    __hash__ = object.__hash__


ODD_ONES: list[tuple[Any, Any, bool]] = [
    (collections.defaultdict(lambda: 0, {"a": 1}), {"a": 1}, True),
    (1 << 20_000, 2 << 19_999, True),
    (1 << 20_000, 1e300, False),
    (Bomb, Bomb, True),
    (Liar(), 1, False),
    ([Liar()], [1], False),
    (Bomb(), Bomb(), False),
    ({Bomb(): 1}, {Bomb(): 1}, False),
    (_nested(100_000), _nested(100_000), False),
]


def test_equal() -> None:
    pairs = [
        (*map(values.decode, row.split(" ~ ")), kind == "equal")
        for kind in ("equal", "unequal")
        for row in LISTS[kind]
    ]
    for a, b, expected in [*pairs, *ODD_ONES]:
        for x, y in ((a, b), (b, a), ([a], [b]), ({"k": (a,)}, {"k": (b,)})):
            assert values.equal(x, y) is expected, (a, b)


@pytest.mark.parametrize(
    ("a", "b", "tolerance", "expected"),
    [
        (0.1 + 0.2, 0.3, {"rel_tol": 1e-9}, True),
        ([{"x": 1.0}], [{"x": 1.0000001}], {"abs_tol": 1e-6}, True),
        (collections.deque([1.0]), collections.deque([1.0000001]), {"abs_tol": 1e-6}, True),
        (1, 1.0000001, {"abs_tol": 1e-6}, True),
        ({1.0}, {1.0000001}, {"abs_tol": 1e-6}, False),
        (10**310, 1.0, {"rel_tol": 1e-9}, False),
        (math.inf, math.inf, {"rel_tol": 1e-9}, True),
        (math.nan, 1.0, {"abs_tol": 9.0}, False),
        ("a", "b", {"abs_tol": 9.0}, False),
    ],
)
def test_equal_within_a_tolerance(
    a: Any, b: Any, tolerance: dict[str, float], expected: bool
) -> None:
    assert values.equal(a, b, **tolerance) is expected
    assert values.equal(b, a, **tolerance) is expected


def test_parse_call() -> None:
    call = values.parse_call("a.b.f(1, *[2, 3], key={'x': -1})")
    assert call == ("a.b.f", (1, 2, 3), {"key": {"x": -1}})
    tree = ast.parse("assert f(0x" + "f" * 5_000 + ", [nan]) == -1").body[0]
    assert isinstance(tree, ast.Assert)
    assert isinstance(tree.test, ast.Compare)
    assert values.call_of(tree.test.left)[1][0] == (1 << 20_000) - 1
    assert values.value_of(tree.test.comparators[0]) == -1
    for text in ("f", "f(x)", "f(**{})", "f(*1)", "f(1)(2)", "(lambda: 0)()", "f(1) + 1"):
        with pytest.raises(values.NotALiteral):
            values.parse_call(text)
    assert values.show_call("f", (1, "a", [None])) == "f(1, 'a', [None])"
