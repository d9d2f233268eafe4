"""Foreign text and values raise nothing but `Refused`, within bounds of time and memory."""

from __future__ import annotations

import ast
import contextlib
import decimal
import sys
import threading
import time
import warnings
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semcoder_lib.core import foreign, values

SUM = "x = 1" + " + 1" * 400
# text: a word of the reason
REFUSED = {
    "x = = 1": "line 1", "def f(:\n pass": "line 1", "\0": "null",
    "'\ud800'": "surrogates", "x = " + "1" * 5_000: "digits", "(" * 5_000: "parenthes",
    "x = " + "-" * 50_000 + "1": "deep", "x = 1" + "+1" * 50_000: "deep",
    "x = a" + ".a" * 50_000: "deep", "x = 1" + "+1" * 1_500: "deeper",
    "\n".join(" " * n + "if x:" for n in range(150)): "line",
    "x" * 200_001: "longer", "f'" + "{a}" * 60_000 + "'": "fields",
}  # fmt: skip


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: ascii(text[:12]))
def test_what_cannot_be_parsed_is_refused_with_the_reason(text: str) -> None:
    with pytest.raises(foreign.Refused, match=REFUSED[text]):
        foreign.parse(text)


@pytest.mark.parametrize("thing", [None, 5, b"x = 1", ["x"], {}])
def test_what_is_no_text_is_refused(thing: Any) -> None:
    for read in (foreign.parse, foreign.parse_expression, values.decode, values.parse_call):
        with pytest.raises(ValueError, match="in place of text"):
            read(thing)


@settings(max_examples=200, deadline=None)
@given(st.text() | st.text("()[]{}:=,.'\"\\#\n fdirbx01-+*@", max_size=80))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    try:
        tree = foreign.parse(text)
    except foreign.Refused:
        return
    assert ast.dump(foreign.parse(foreign.attempt(ast.unparse, tree))) == ast.dump(tree)


def test_deep_trees_are_walked_with_room() -> None:
    tree = foreign.parse(SUM)
    before = sys.getrecursionlimit()
    assert foreign.attempt(ast.unparse, tree) == SUM
    assert foreign.attempt(ast.dump, tree).count("Constant") == 401
    deepest = foreign.parse("x = 1" + "+1" * 990)
    assert len(foreign.attempt(ast.unparse, deepest)) > 3_000
    assert isinstance(
        foreign.attempt(compile, deepest, "<foreign>", "exec"), type(foreign.parse.__code__)
    )
    assert sys.getrecursionlimit() == before
    found: list[str] = []
    thread = threading.Thread(target=lambda: found.append(foreign.attempt(ast.unparse, deepest)))
    thread.start()
    thread.join()
    assert len(found) == 1


def test_whatever_an_attempt_raises_is_refused() -> None:
    def endless(n: int = 0) -> int:
        return endless(n + 1)

    for function, why in ((endless, "deep"), (lambda: 1 // 0, "ZeroDivision"), ({}.popitem, "Key")):
        with pytest.raises(foreign.Refused, match=why):
            foreign.attempt(function)
    with pytest.raises(foreign.Refused):
        foreign.attempt(ast.unparse, ast.Constant(1 << 20_000))
    with pytest.raises(KeyboardInterrupt):
        foreign.attempt(lambda: (_ for _ in ()).throw(KeyboardInterrupt()))


def test_nothing_warns(capfd: pytest.CaptureFixture[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        foreign.parse("'\\d'\n1 is 1\n" * 5_000)
        assert values.decode("'\\d'") == "\\d"
    assert capfd.readouterr().err == ""


P = (1 << 61) - 1  # hashes of ints are taken modulo this
LONG = {
    "a quote and a backslash, over and over": "'\\" * 500_000,
    "open quotes": "'a' '\\" + "\\'" * 500_000,
    "triple quotes": "'''" + "\\''" * 300_000,
    "comparisons": "1" + "==1" * 600_000,
    "or": "1" + " or 1" * 400_000,
    "hidden by a comment": "[ #'\n" + "1==1," * 400_000 + "]",
    "hidden by a formatted string": "f'{'' or [" + "1==1," * 400_000 + "]}'",
    "empty lists": "[" + "[]," * 600_000 + "]",
    "constructors": "[" + "deque([])," * 200_000 + "]",
    "keys of one hash": "{" + ",".join(str(P * n) for n in range(60_000)) + "}",
    "tuples of one hash": "{" + ",".join(f"({P * n},)" for n in range(60_000)) + "}",
    "floats and ints of one hash": "{" + ",".join(f"{P * n}: 0" for n in range(60_000)) + "}",
    "ordered": "OrderedDict([" + ",".join(f"({P * n}, 0)" for n in range(60_000)) + "])",
    "a Counter's keys": "Counter([" + ",".join(str(P * n) for n in range(60_000)) + "])",
    "long integers": "[" + ",".join(["0x" + "f" * 200_000] * 9) + "]",
    "fractions": "[" + "Fraction(0x" + "f" * 65_000 + ", 0x" + "7" * 65_000 + ")," * 12 + "]",
    "digits": "[" + ("1" * 4_300 + ",") * 450 + "]",
    "brackets": "[" * 1_900_000,
    "minus signs": "-" * 1_900_000 + "1",
    "blanks": " " * 1_900_000,
    "backslashes and newlines": "\\\n" * 900_000,
}  # fmt: skip


@pytest.mark.parametrize("name", LONG)
def test_reading_two_megabytes_takes_moderate_time(name: str) -> None:
    """As a forged record of a child holds them; before, some took minutes and gigabytes."""
    start = time.process_time()
    with contextlib.suppress(values.NotALiteral):
        values.decode(LONG[name], max_bytes=2_000_000, max_nodes=200_000)
    assert time.process_time() - start < 3.0


def test_a_decimal_beside_a_long_integer_is_compared_in_moderate_time() -> None:
    numbers = [decimal.Decimal(text) for text in ("1" * 60_000, "1e999999")]
    numbers += [(1 << values.MAX_BITS) - 1, 0.5]
    start = time.process_time()
    for a in numbers:
        for b in numbers:
            assert values.equal(a, b) is (a is b)
    assert time.process_time() - start < 3.0
