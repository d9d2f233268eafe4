# ruff: noqa: E501
"""Programs of unusual shape: their monologues are accepted, with nothing left undecided."""

from __future__ import annotations

import pytest

from semcoder_lib import monologues, tracing
from semcoder_lib.core.records import Case, Entry, Program
from semcoder_lib.sandbox import Sandbox

PROGRAMS = {  # a program and its arguments
    "one-line if": ("def f(n):\n    if n < 3: return 0\n    return n - 3\n", (7,)),
    "semicolons": ("def f(n):\n    x = n; y = x * 2\n    return y, x\n", (5,)),
    "tests in parentheses": (
        "def f(n):\n    if (n > 2):\n        n = 7\n    while (n > 5):\n        n -= 1\n    return n\n",
        (4,),
    ),
    "a header that raises": (
        "def f(s):\n    k = 0\n    try:\n        while s[k] != 'z':\n            k += 2\n"
        "    except IndexError:\n        k = -k\n    return k\n",
        ("abcd",),
    ),
    "global state": (
        "count = 0\nseen = []\n\n\ndef f(x):\n    global count\n    count += x\n"
        "    seen.append(count)\n    return count\n",
        (4,),
    ),
    "a backquote": ("def f(s):\n    t = '`' + s.replace('`', '')\n    return t\n", ("x`y",)),
    "threads": (
        "import threading\n\n\ndef f(n):\n    seen = []\n    def job(k):\n        seen.append(k + 1)\n"
        "    t = threading.Thread(target=job, args=(n,))\n    t.start()\n    t.join()\n"
        "    return seen\n",
        (2,),
    ),
    "two callees": (
        "def a(x):\n    return x - 1\n\n\ndef b(x):\n    return x * 3\n\n\n"
        "def f(x):\n    return a(x) + b(x)\n",
        (6,),
    ),
    "trailing comments": (
        "def f(n):\n    n -= 1 # one less\n    if n > 0: # some\n        n = 8\n    return n\n",
        (3,),
    ),
    "statements over lines": (
        "def f(n):\n    xs = [n,\n          n * 2,\n          ]\n    if (n > 0 and\n            n < 7):\n"
        "        xs.append(1)\n    m = n - \\\n        2\n    return xs, m\n",
        (3,),
    ),
    "a decorator": (
        "def twice(fn):\n    def inner(*a):\n        return fn(*a) * 2\n    return inner\n\n\n"
        "@twice\ndef g(x):\n    return x + 5\n\n\ndef f(x):\n    return g(x)\n",
        (1,),
    ),
    "a complex nan": ("def f(x):\n    z = complex(x, float('nan'))\n    return z\n", (2,)),
    "an integer of thousands of digits": (
        "import math\n\n\ndef f(n):\n    r = math.factorial(n)\n    return r\n",
        (1700,),
    ),
}

REFUSED = {  # what stops and goes on later
    "a generator that raises": (
        "def pairs():\n    yield 2\n    raise KeyError('k')\n\n\ndef f(n):\n    t = n\n    try:\n"
        "        for v in pairs():\n            t += v\n    except KeyError:\n        t = -t\n"
        "    return t\n",
        (3,),
    )
}


@pytest.mark.parametrize("style", ["full", "dense"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_unusual_shapes_are_accepted(box: Sandbox, name: str, style: str) -> None:
    source, arguments = PROGRAMS[name]
    program = Program(source, "f", id=name)
    trace = tracing.trace(program, Case(arguments), box)
    written = monologues.forward(program, trace, style=monologues.STYLES[style])
    report = monologues.verify(
        written.text, program, written.case, box, direction="forward", trace=trace
    )
    assert report.accepted, report.reason
    assert report.unverifiable == 0
    assert report.supported > 0


def test_what_a_step_did_is_said_as_it_was(box: Sandbox) -> None:
    def text(name: str) -> str:
        source, arguments = PROGRAMS[name]
        program = Program(source, "f")
        return monologues.forward(program, tracing.trace(program, Case(arguments), box)).text

    assert "returns 0" not in text("one-line if")
    assert "if (n > 2):" in text("tests in parentheses")
    assert "raises IndexError" in text("a header that raises")
    assert "nothing changes" not in text("global state")


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_told_has_a_reason(box: Sandbox, name: str) -> None:
    source, arguments = REFUSED[name]
    program = Program(source, "f", id=name)
    output = box.call(source, "f", arguments).value
    entry = Entry(program, (Case(arguments, output),))
    written, funnel = monologues.derive_many([entry], box, directions=("forward",), bullets=0)
    assert written == []
    assert funnel["forward"]["dropped"] == {"a generator or a thread": 1}


def test_a_program_too_deep_to_read_leaves_the_others_alone(box: Sandbox) -> None:
    deep = Program(f"def f(x):\n    return {' + '.join('x' for _ in range(950))}\n", "f", id="deep")
    plain = Program("def f(x):\n    return x + 1\n", "f", id="plain")
    entries = [Entry(deep, (Case((1,), 950),)), Entry(plain, (Case((1,), 2),))]
    written, funnel = monologues.derive_many(entries, box, directions=("forward",))
    assert [m.program_id for m in written] == ["plain"]
    assert sum(funnel["forward"]["dropped"].values()) == 1
