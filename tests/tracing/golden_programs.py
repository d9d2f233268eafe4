"""Small programs, one for each piece of the language, and the arguments they are called with."""

from __future__ import annotations

from typing import Any

PROGRAMS: dict[str, tuple[str, tuple[Any, ...]]] = {
    "loop": ("def f(n):\n    t = 0\n    for i in range(n):\n        t += i\n    return t\n", (2,)),
    "while_true": (
        "def f(xs):\n    it = iter(xs)\n    while True:\n        xs.append(next(it))\n",
        ([],),
    ),
    "while_else": (
        "def f(n):\n    while n:\n        n -= 1\n    else:\n        n = -1\n    return n\n",
        (1,),
    ),
    "break_continue": (
        "def f(xs):\n    for x in xs:\n        if x < 0:\n            continue\n        if x > 5:\n"
        "            break\n    return x\n",
        ([-1, 3, 9, 1],),
    ),
    "comprehension": (
        "def f(x):\n    ys = [x for x in range(3)]\n    zs = {x: {y for y in range(x)} for x in ys}\n"
        "    return x, zs\n",
        (5,),
    ),
    "comprehension_lines": (
        "def f(x):\n    ys = [\n        g(x)\n        for x in range(2)\n        if x\n    ]\n"
        "    return ys, x\n\n\ndef g(a):\n    return a * 10\n",
        (7,),
    ),
    "generator_expression": ("def f(xs):\n    return sum(x * x for x in xs)\n", ([1, 2],)),
    "generator": (
        "def g(n):\n    for i in range(n):\n        got = yield i\n    return n\n\n\n"
        "def f(n):\n    out = []\n    for v in g(n):\n        out.append(v)\n    return out\n",
        (2,),
    ),
    "generator_send": (
        "def g():\n    total = 0\n    while True:\n        x = yield total\n        total += x\n\n\n"
        "def f():\n    it = g()\n    next(it)\n    a = it.send(4)\n    b = it.send(5)\n"
        "    it.close()\n    return a, b\n",
        (),
    ),
    "yield_from": (
        "def g(xs):\n    yield from xs\n    return 1\n\n\ndef h(xs):\n    r = yield from g(xs)\n"
        "    yield r\n\n\ndef f(xs):\n    return list(h(xs))\n",
        ([3, 4],),
    ),
    "recursion": (
        "def f(n):\n    if n < 2:\n        return 1\n    rest = f(n - 1)\n    return n * rest\n",
        (3,),
    ),
    "closure": (
        "def f(n):\n    count = 0\n\n    def add(k):\n        nonlocal count\n        count += k\n"
        "        return count\n\n    add(n)\n    x = add(1)\n    return count + x\n",
        (2,),
    ),
    "class_and_self": (
        "class Stack:\n    def __init__(self):\n        self.items = []\n\n    def push(self, x):\n"
        "        self.items.append(x)\n        return self\n\n\n"
        "def f(x):\n    s = Stack()\n    s.push(x).push(x + 1)\n    s.items[0] += 5\n"
        "    return s.items\n",
        (1,),
    ),
    "class_inside": (
        "def f(x):\n    class P:\n        size = x\n\n        def double(self):\n"
        "            return self.size * 2\n\n    return P().double()\n",
        (4,),
    ),
    "super_call": (
        "class A:\n    def go(self, x):\n        return x + 1\n\n\nclass B(A):\n"
        "    def go(self, x):\n        y = super().go(x)\n        return y * 2\n\n\n"
        "def f(x):\n    return B().go(x)\n",
        (4,),
    ),
    "with_statement": (
        "class C:\n    def __enter__(self):\n        return 7\n\n    def __exit__(self, *rest):\n"
        "        return True\n\n\ndef f(d):\n    with C() as c:\n        d['k'] = c\n"
        "        d['no']\n    return d\n",
        ({},),
    ),
    "match_statement": (
        "def f(p):\n    match p:\n        case [x]:\n            y = x\n        case {'k': v, **rest}:\n"
        "            y = v\n        case _:\n            y = 0\n    return y\n",
        ({"k": 3, "l": 4},),
    ),
    "star_arguments": (
        "def g(a, *rest, key=1, **more):\n    return a, rest, key, more\n\n\n"
        "def f(xs):\n    first, *others = xs\n    return g(*others, key=first, z=0)\n",
        ([1, 2, 3],),
    ),
    "try_finally": (
        "def f(x):\n    try:\n        y = 1 // x\n    finally:\n        x = -1\n    return y\n",
        (0,),
    ),
    "try_else_finally": (
        "def f(x):\n    try:\n        y = 1 // x\n    except ZeroDivisionError:\n        y = 0\n"
        "    else:\n        y += 1\n    finally:\n        x = -1\n    return y\n",
        (1,),
    ),
    "caught": (
        "def g(x):\n    raise ValueError('bad', x)\n\n\ndef f(x):\n    try:\n        g(x)\n"
        "    except KeyError:\n        y = 0\n    except ValueError as e:\n        y = e.args\n"
        "    return y\n",
        (1,),
    ),
    "raised_again": (
        "def f(x):\n    try:\n        x[0]\n    except IndexError:\n        x = 1\n        raise\n",
        ([],),
    ),
    "raised_from": (
        "def f(x):\n    try:\n        x[0]\n    except IndexError as e:\n"
        "        raise KeyError('k') from e\n",
        ([],),
    ),
    "return_in_finally": (
        "def f(x):\n    for i in range(2):\n        try:\n            return x[i]\n"
        "        finally:\n            x = [5]\n",
        ([3],),
    ),
    "subscript_and_attribute": (
        "class P:\n    pass\n\n\ndef f(d, xs):\n    p = P()\n    p.n = 1\n    p.n += 2\n"
        "    d['a'] = d.get('a', 0) + 1\n    xs[0] *= 3\n    del d['b']\n    return d, xs, p.n\n",
        ({"b": 2}, [4, 5]),
    ),
    "alias": (
        "def f(xs):\n    ys = xs\n    zs = [xs]\n    ys.append(1)\n    xs += [2]\n    return zs\n",
        ([0],),
    ),
    "changed_by_callee": (
        "def g(d):\n    d['x'] = 1\n\n\ndef f():\n    d = {}\n    g(d)\n    return d\n",
        (),
    ),
    "vanishing": (
        "def f(x):\n    y = 1\n    del y\n    try:\n        x / 0\n    except Exception as e:\n"
        "        pass\n    y = 1\n    return y\n",
        (1,),
    ),
    "early_return": (
        "def f(xs):\n    for x in xs:\n        if x:\n            return x\n    return None\n",
        ([0, 4, 5],),
    ),
    "lambda": (
        "def f(xs):\n    key = lambda p: -p\n    return sorted(xs, key=key)\n",
        ([1, 2],),
    ),
    "many_lines": (
        "def g(a, b):\n    return a + b\n\n\ndef f(x):\n    y = g(\n        x,\n        g(1,\n"
        "          2),\n    )\n    if (y\n            and x):\n        y = {\n            'k': y,\n"
        "        }\n    return y\n",
        (5,),
    ),
    "decorated": (
        "import functools\n\n\n@functools.lru_cache(maxsize=None)\ndef fib(n):\n"
        "    return n if n < 2 else fib(n - 1) + fib(n - 2)\n\n\ndef f(n):\n    return fib(n)\n",
        (3,),
    ),
    "decorator": (
        "def twice(g):\n    def run(x):\n        return g(g(x))\n    return run\n\n\n@twice\n"
        "def h(x):\n    return x + 3\n\n\ndef f(x):\n    return h(x)\n",
        (1,),
    ),
    "walrus_and_chain": (
        "def f(xs):\n    while (n := len(xs)) > 1:\n        a = b = xs.pop()\n"
        "        a, b = b, n\n    return a if 0 < n < 9 else b\n",
        ([1, 2, 3],),
    ),
    "dispatch": (
        "OPS = {'+': lambda a, b: a + b}\n\n\ndef f(op, a):\n    g = OPS[op]\n    return g(a, a)\n",
        ("+", 2),
    ),
    "property": (
        "class A:\n    def __init__(self, x):\n        self._x = x\n\n    @property\n    def x(self):\n"
        "        return self._x + 1\n\n    @staticmethod\n    def make(x):\n        return A(x)\n\n\n"
        "def f(x):\n    return A.make(x).x\n",
        (1,),
    ),
    "dunder_call": (
        "class V:\n    def __init__(self, n):\n        self.n = n\n\n    def __add__(self, other):\n"
        "        return V(self.n + other.n)\n\n\ndef f(a, b):\n    c = V(a) + V(b)\n    return c.n\n",
        (1, 2),
    ),
    "iterator_class": (
        "class It:\n    def __init__(self, n):\n        self.n = n\n\n    def __iter__(self):\n"
        "        return self\n\n    def __next__(self):\n        if self.n == 0:\n"
        "            raise StopIteration\n        self.n -= 1\n        return self.n\n\n\n"
        "def f(n):\n    out = []\n    for x in It(n):\n        out += [x]\n    return out\n",
        (1,),
    ),
    "dataclass": (
        "from dataclasses import dataclass\n\n\n@dataclass\nclass P:\n    x: int\n    y: int = 2\n\n\n"
        "def f(a):\n    p = P(a)\n    p.y += p.x\n    return p.y\n",
        (1,),
    ),
    "nested_loops": (
        "def f(n):\n    grid = [[0] * n for _ in range(n)]\n    for i in range(n):\n"
        "        for j in range(i):\n            grid[i][j] = i + j\n    return grid\n",
        (2,),
    ),
    "assert_and_pass": (
        "def f(x):\n    pass\n    assert x > 5, 'too small'\n    return x\n",
        (3,),
    ),
    "global_name": (
        "total = 0\n\n\ndef f(x):\n    global total\n    total += x\n    return total\n",
        (3,),
    ),
}
