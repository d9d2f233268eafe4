"""Small programs, one for each piece of the language, and the arguments they are called with."""

from __future__ import annotations

from typing import Any

PROGRAMS: dict[str, tuple[str, tuple[Any, ...]]] = {
    "loop": (
        """\
def f(n):
    t = 0
    for i in range(n):
        t += i
    return t
""",
        (2,),
    ),
    "while_true": (
        """\
def f(xs):
    it = iter(xs)
    while True:
        xs.append(next(it))
""",
        ([],),
    ),
    "while_else": (
        """\
def f(n):
    while n:
        n -= 1
    else:
        n = -1
    return n
""",
        (1,),
    ),
    "break_continue": (
        """\
def f(xs):
    for x in xs:
        if x < 0:
            continue
        if x > 5:
            break
    return x
""",
        ([-1, 3, 9, 1],),
    ),
    "comprehension": (
        """\
def f(x):
    ys = [x for x in range(3)]
    zs = {x: {y for y in range(x)} for x in ys}
    return x, zs
""",
        (5,),
    ),
    "comprehension_lines": (
        """\
def f(x):
    ys = [
        g(x)
        for x in range(2)
        if x
    ]
    return ys, x


def g(a):
    return a * 10
""",
        (7,),
    ),
    "generator_expression": (
        """\
def f(xs):
    return sum(x * x for x in xs)
""",
        ([1, 2],),
    ),
    "generator": (
        """\
def g(n):
    for i in range(n):
        got = yield i
    return n


def f(n):
    out = []
    for v in g(n):
        out.append(v)
    return out
""",
        (2,),
    ),
    "generator_send": (
        """\
def g():
    total = 0
    while True:
        x = yield total
        total += x


def f():
    it = g()
    next(it)
    a = it.send(4)
    b = it.send(5)
    it.close()
    return a, b
""",
        (),
    ),
    "yield_from": (
        """\
def g(xs):
    yield from xs
    return 1


def h(xs):
    r = yield from g(xs)
    yield r


def f(xs):
    return list(h(xs))
""",
        ([3, 4],),
    ),
    "recursion": (
        """\
def f(n):
    if n < 2:
        return 1
    rest = f(n - 1)
    return n * rest
""",
        (3,),
    ),
    "closure": (
        """\
def f(n):
    count = 0

    def add(k):
        nonlocal count
        count += k
        return count

    add(n)
    x = add(1)
    return count + x
""",
        (2,),
    ),
    "class_and_self": (
        """\
class Stack:
    def __init__(self):
        self.items = []

    def push(self, x):
        self.items.append(x)
        return self


def f(x):
    s = Stack()
    s.push(x).push(x + 1)
    s.items[0] += 5
    return s.items
""",
        (1,),
    ),
    "class_inside": (
        """\
def f(x):
    class P:
        size = x

        def double(self):
            return self.size * 2

    return P().double()
""",
        (4,),
    ),
    "super_call": (
        """\
class A:
    def go(self, x):
        return x + 1


class B(A):
    def go(self, x):
        y = super().go(x)
        return y * 2


def f(x):
    return B().go(x)
""",
        (4,),
    ),
    "with_statement": (
        """\
class C:
    def __enter__(self):
        return 7

    def __exit__(self, *rest):
        return True


def f(d):
    with C() as c:
        d['k'] = c
        d['no']
    return d
""",
        ({},),
    ),
    "match_statement": (
        """\
def f(p):
    match p:
        case [x]:
            y = x
        case {'k': v, **rest}:
            y = v
        case _:
            y = 0
    return y
""",
        ({"k": 3, "l": 4},),
    ),
    "star_arguments": (
        """\
def g(a, *rest, key=1, **more):
    return a, rest, key, more


def f(xs):
    first, *others = xs
    return g(*others, key=first, z=0)
""",
        ([1, 2, 3],),
    ),
    "try_finally": (
        """\
def f(x):
    try:
        y = 1 // x
    finally:
        x = -1
    return y
""",
        (0,),
    ),
    "try_else_finally": (
        """\
def f(x):
    try:
        y = 1 // x
    except ZeroDivisionError:
        y = 0
    else:
        y += 1
    finally:
        x = -1
    return y
""",
        (1,),
    ),
    "caught": (
        """\
def g(x):
    raise ValueError('bad', x)


def f(x):
    try:
        g(x)
    except KeyError:
        y = 0
    except ValueError as e:
        y = e.args
    return y
""",
        (1,),
    ),
    "raised_again": (
        """\
def f(x):
    try:
        x[0]
    except IndexError:
        x = 1
        raise
""",
        ([],),
    ),
    "raised_from": (
        """\
def f(x):
    try:
        x[0]
    except IndexError as e:
        raise KeyError('k') from e
""",
        ([],),
    ),
    "return_in_finally": (
        """\
def f(x):
    for i in range(2):
        try:
            return x[i]
        finally:
            x = [5]
""",
        ([3],),
    ),
    "subscript_and_attribute": (
        """\
class P:
    pass


def f(d, xs):
    p = P()
    p.n = 1
    p.n += 2
    d['a'] = d.get('a', 0) + 1
    xs[0] *= 3
    del d['b']
    return d, xs, p.n
""",
        ({"b": 2}, [4, 5]),
    ),
    "alias": (
        """\
def f(xs):
    ys = xs
    zs = [xs]
    ys.append(1)
    xs += [2]
    return zs
""",
        ([0],),
    ),
    "changed_by_callee": (
        """\
def g(d):
    d['x'] = 1


def f():
    d = {}
    g(d)
    return d
""",
        (),
    ),
    "vanishing": (
        """\
def f(x):
    y = 1
    del y
    try:
        x / 0
    except Exception as e:
        pass
    y = 1
    return y
""",
        (1,),
    ),
    "early_return": (
        """\
def f(xs):
    for x in xs:
        if x:
            return x
    return None
""",
        ([0, 4, 5],),
    ),
    "lambda": (
        """\
def f(xs):
    key = lambda p: -p
    return sorted(xs, key=key)
""",
        ([1, 2],),
    ),
    "many_lines": (
        """\
def g(a, b):
    return a + b


def f(x):
    y = g(
        x,
        g(1,
          2),
    )
    if (y
            and x):
        y = {
            'k': y,
        }
    return y
""",
        (5,),
    ),
    "decorated": (
        """\
import functools


@functools.lru_cache(maxsize=None)
def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def f(n):
    return fib(n)
""",
        (3,),
    ),
    "decorator": (
        """\
def twice(g):
    def run(x):
        return g(g(x))
    return run


@twice
def h(x):
    return x + 3


def f(x):
    return h(x)
""",
        (1,),
    ),
    "walrus_and_chain": (
        """\
def f(xs):
    while (n := len(xs)) > 1:
        a = b = xs.pop()
        a, b = b, n
    return a if 0 < n < 9 else b
""",
        ([1, 2, 3],),
    ),
    "dispatch": (
        """\
OPS = {'+': lambda a, b: a + b}


def f(op, a):
    g = OPS[op]
    return g(a, a)
""",
        ("+", 2),
    ),
    "property": (
        """\
class A:
    def __init__(self, x):
        self._x = x

    @property
    def x(self):
        return self._x + 1

    @staticmethod
    def make(x):
        return A(x)


def f(x):
    return A.make(x).x
""",
        (1,),
    ),
    "dunder_call": (
        """\
class V:
    def __init__(self, n):
        self.n = n

    def __add__(self, other):
        return V(self.n + other.n)


def f(a, b):
    c = V(a) + V(b)
    return c.n
""",
        (1, 2),
    ),
    "iterator_class": (
        """\
class It:
    def __init__(self, n):
        self.n = n

    def __iter__(self):
        return self

    def __next__(self):
        if self.n == 0:
            raise StopIteration
        self.n -= 1
        return self.n


def f(n):
    out = []
    for x in It(n):
        out += [x]
    return out
""",
        (1,),
    ),
    "dataclass": (
        """\
from dataclasses import dataclass


@dataclass
class P:
    x: int
    y: int = 2


def f(a):
    p = P(a)
    p.y += p.x
    return p.y
""",
        (1,),
    ),
    "nested_loops": (
        """\
def f(n):
    grid = [[0] * n for _ in range(n)]
    for i in range(n):
        for j in range(i):
            grid[i][j] = i + j
    return grid
""",
        (2,),
    ),
    "assert_and_pass": (
        """\
def f(x):
    pass
    assert x > 5, 'too small'
    return x
""",
        (3,),
    ),
    "global_name": (
        """\
total = 0


def f(x):
    global total
    total += x
    return total
""",
        (3,),
    ),
}
