"""What a step changes beyond its frame's variables: globals, cells, attributes."""

from __future__ import annotations

import json

import pytest
from golden_programs import PROGRAMS

from semcoder_lib import tracing
from semcoder_lib.core.records import Case, Program, Trace
from semcoder_lib.sandbox import Sandbox
from semcoder_lib.tracing import load, record
from semcoder_lib.tracing.formats import parse, render

# name: (source, argument of f, what `beyond` says, one line of text for each step that has it)
CASES: dict[str, tuple[str, object, list[str]]] = {
    "a global number and a global list": (
        """\
total = 0
log = []

def f(x):
    global total
    total += x
    log.append(total)
    return total
""",
        3,
        ["call 4 global log=[] global total=0", "line 6 global total=3", "line 7 global log=[3]"],
    ),
    "a memo": (
        """\
memo = {}

def f(n):
    if n in memo:
        return memo[n]
    r = n if n < 2 else f(n - 1) + f(n - 2)
    memo[n] = r
    return r
""",
        2,
        [
            "call 3 global memo={}",
            "line 6 global memo={1: 1, 0: 0}",
            "line 7 global memo={1: 1}",
            "call 3 global memo={1: 1}",
            "line 7 global memo={1: 1, 0: 0}",
            "line 7 global memo={1: 1, 0: 0, 2: 1}",
        ],
    ),
    "a global that a callee changes": (
        """\
count = 0

def tick():
    global count
    count += 1

def f(n):
    tick()
    return n
""",
        1,
        ["call 7 global count=0", "line 8 global count=1", "line 5 global count=1"],
    ),
    "a global that is made and deleted": (
        """\
def f(n):
    global made
    made = n
    del made
    return n
""",
        1,
        ["line 3 global made=1", "line 4 -global made"],
    ),
    "an imported constant, no functions, classes or modules": (
        """\
import math
from math import pi
TABLE = {'a': 1}

class K:
    pass

def g(x):
    return x

def f(x):
    K()
    return math.floor(g(pi)) + TABLE['a']
""",
        1,
        ["call 11 global TABLE={'a': 1} global pi=3.141592653589793"],
    ),
    "attributes of self": (
        """\
class Acc:
    def __init__(self, n):
        self.total = n

    def add(self, k):
        self.total += k

def f(n):
    a = Acc(n)
    a.add(2)
    del a.total
    return n
""",
        1,
        [
            "line 9 attribute a.total=1",
            "line 3 attribute self.total=1",
            "line 10 attribute a.total=3",
            "call 5 attribute self.total=1",
            "line 6 attribute self.total=3",
            "line 11 -attribute a.total",
        ],
    ),
    "attributes of attributes, and a list in one": (
        """\
class Node:
    def __init__(self, value):
        self.value, self.next = value, None

def f(n):
    a = Node([n])
    b = Node(2)
    a.next = b
    b.value = 3
    a.value.append(4)
    return n
""",
        1,
        [
            "line 6 attribute a.value=[1] attribute a.next=None",
            "line 3 attribute self.value=[1] attribute self.next=None",
            "line 7 attribute b.value=2 attribute b.next=None",
            "line 3 attribute self.value=2 attribute self.next=None",
            "line 8 attribute a.next=<Node value=2 next=None> attribute a.next.value=2 "
            "attribute a.next.next=None",
            "line 9 attribute a.next=<Node value=3 next=None> attribute a.next.value=3 "
            "attribute b.value=3",
            "line 10 attribute a.value=[1, 4]",
        ],
    ),
    "slots, and an attribute of the class": (
        """\
class P:
    __slots__ = ('x',)
    made = 0

    def __init__(self, x):
        self.x = x
        P.made += 1

def f(x):
    p = P(x)
    return p.x
""",
        5,
        [
            "call 9 attribute P.made=0",
            "line 10 attribute P.made=1 attribute p.made=1 attribute p.x=5",
            "call 5 attribute self.made=0",
            "line 6 attribute self.x=5",
            "line 7 attribute P.made=1 attribute self.made=1",
        ],
    ),
    "an object of the module": (
        """\
class Box:
    pass

box = Box()
box.n = 1

def f(x):
    box.n = x
    return box.n
""",
        7,
        [
            "call 7 global box=<Box n=1> attribute box.n=1",
            "line 8 global box=<Box n=7> attribute box.n=7",
        ],
    ),
    "a cell of a function that a local holds": (
        """\
def counter():
    count = 0
    def step():
        nonlocal count
        count += 1
        return count
    return step

def f(n):
    c = counter()
    c()
    return c()
""",
        1,
        [
            "line 10 cell c.count=0",
            "line 3 cell step.count=0",
            "line 11 cell c.count=1",
            "line 12 cell c.count=2",
        ],
    ),
    "a cell and an attribute of a decorated function": (
        """\
def counted(g):
    calls = 0
    def wrapper(x):
        nonlocal calls
        calls += 1
        h.last = x
        return g(x)
    return wrapper

@counted
def h(x):
    return x

def f(x):
    return h(x)
""",
        4,
        [
            "call 14 cell h.calls=0 cell h.g=<function h>",
            "line 15 cell h.calls=1 attribute h.last=4",
            "line 5 cell h.calls=1",
            "line 6 attribute h.last=4",
            "call 11 cell h.calls=1 attribute h.last=4",
        ],
    ),
    "locals only": ("def f(x):\n    y = [x]\n    y.append(2)\n    return y\n", 1, []),
}  # fmt: skip


def beyond_of(trace: Trace) -> list[str]:
    lines = []
    for step in trace.steps:
        if step.beyond:
            words = [
                f"-{c.scope} {c.name}" if c.text is None else f"{c.scope} {c.name}={c.text}"
                for c in step.beyond
            ]
            lines.append(" ".join([step.event, str(step.line), *words]))
    return lines


def traced(source: str, *arguments: object) -> Trace:
    return record(load(source, "f"), arguments, source=source)


@pytest.mark.parametrize("name", CASES)
def test_beyond(name: str) -> None:
    source, given, wanted = CASES[name]
    trace = traced(source, given)
    assert beyond_of(trace) == wanted
    assert trace.flags == ()


def test_free_variables_of_the_frame_itself_are_changes_of_scope_cell() -> None:
    source = "def f(n):\n    def g():\n        nonlocal n\n        n += 1\n    g()\n    return n\n"
    steps = traced(source, 1).steps
    assert [[(c.scope, c.name, c.text) for c in s.changes] for s in steps if s.depth] == [
        [("cell", "n", "1")],
        [("cell", "n", "2")],
        [],
    ]


def test_a_bound_is_flagged() -> None:
    node = "class N:\n    pass\n\n"
    deep = node + (
        "def f(k):\n    a = b = N()\n    for _ in range(k):\n        b.n = N()\n        b = b.n\n"
    )
    assert traced(deep, 3).flags == ()
    assert traced(deep, 9).flags == ("beyond:cut",)
    wide = node + "def f(k):\n    a = N()\n    for i in range(k):\n        setattr(a, f'x{i}', i)\n"
    assert traced(wide, 90).flags == ()
    trace = traced(wide, 200)
    assert trace.flags == ("beyond:cut",)
    assert not trace.cut
    assert all(c.text is not None for s in trace.steps for c in s.beyond)
    text = "memo = []\n\ndef f(k):\n    for i in range(k):\n        memo.append(i)\n"
    trace = traced(text, 1500)
    assert trace.flags == ("beyond:cut",)
    assert trace.steps[-1].event == "return"


def test_no_code_of_the_program_is_run() -> None:
    source = """\
ran = []

class Meta(type):
    def __getattribute__(self, name):
        ran.append(name)
        return type.__getattribute__(self, name)

class Odd(metaclass=Meta):
    __slots__ = ('x', '__dict__')
    def __getattribute__(self, name):
        ran.append(name)
        return object.__getattribute__(self, name)
    @property
    def lazy(self):
        ran.append('lazy')
    def __eq__(self, other):
        ran.append('eq')

class Str(str):
    __hash__ = str.__hash__
    def __eq__(self, other):
        ran.append('str')

odd = object.__new__(Odd)
object.__setattr__(odd, 'x', odd)

def f(n):
    global odd
    p = odd
    f.p = p
    return list(ran)
"""
    assert traced(source, 1).result == "[]"


def test_the_sandbox_gives_the_same_and_the_formats_show_locals_only(tracing_box: Sandbox) -> None:
    for name, (source, given, wanted) in CASES.items():
        program, case = Program(source, "f"), Case((given,))
        trace = tracing.trace(program, case, tracing_box)
        assert beyond_of(trace) == wanted, name
        for format in ("scratchpad", "next", "concise"):
            for mode in ("clean", "faithful"):
                text = render(trace, program, case, format, mode)
                bare = [type(s)(**{**fields(s), "beyond": ()}) for s in trace.steps]
                without = type(trace)(**{**fields(trace), "steps": tuple(bare)})
                assert render(without, program, case, format, mode) == text
        text = render(trace, program, case, "json")
        assert tuple(parse(text, "json")) == trace.steps
        assert ("beyond" in text) == bool(wanted)


def fields(record: object) -> dict[str, object]:
    return {name: getattr(record, name) for name in record.__dataclass_fields__}  # type: ignore[attr-defined]


def test_json_of_locals_only_has_no_new_fields() -> None:
    source, arguments = PROGRAMS["loop"]
    trace = record(load(source, "f"), arguments, source=source)
    (step, *_) = json.loads(render(trace, Program(source, "f"), Case(arguments), "json"))["steps"]
    assert step == {
        "line": 1, "event": "call", "changes": [{"name": "n", "text": "2", "exact": True}],
        "depth": 0, "frame": 0, "function": "f", "value": None, "exact": True,
    }  # fmt: skip
