"""Programs at the edges of what the compiled tracer does itself: frames that are plain at first and
turn out not to be, values that are nearly quick."""

from __future__ import annotations

from typing import Any

EDGES: dict[str, tuple[str, tuple[Any, ...]]] = {}

EDGES["exec adds a name"] = (
    r"""
def f(x):
    y = x
    exec('z = 3')
    y += 1
    return y
""",
    (1,),
)

EDGES["locals are written"] = (
    r"""
def f(x):
    a = [x]
    d = locals()
    d['k'] = 2
    a.append(3)
    del x
    return a, sorted(d)
""",
    (1,),
)

EDGES["f_locals are written"] = (
    r"""
import sys

def f(x):
    a = {x: 1}
    sys._getframe().f_locals['q'] = 5
    a[2] = 3
    return a
""",
    (1,),
)

EDGES["integers"] = (
    r"""
def f(n):
    x = 1
    for i in range(n):
        x = -x * 97
        ys = [x, -x, x % 7]
    return x, ys
""",
    (30,),
)

EDGES["edges of 64 bits"] = (
    r"""
def f(a):
    b = [2**63 - 1, -2**63 + 1]
    b.append(-2**63)
    b = (2**63,)
    a = -2**63
    a = 999_999_999
    a = 999_999_998
    a = 10**40
    return a
""",
    (1,),
)

EDGES["texts"] = (
    r"""
def f(s):
    t = [s, s * 3]
    for c in ['é', '"', "'", '\\', '\n', '\x7f', '😀', '\ud800']:
        t.append(c)
        s += c
    u = {c: ord(c[0]) for c in t}
    return len(u)
""",
    ("ab",),
)

EDGES["long texts"] = (
    r"""
def f(n):
    s = ''
    t = []
    for i in range(n):
        s += 'abcdefghij' * 9
        t.append(s)
    return len(t)
""",
    (60,),
)

EDGES["kinds"] = (
    r"""
from collections import Counter, OrderedDict, deque

def f(n):
    a = (n,)
    a = ()
    a = (1.5, None, True)
    b = {}
    b['x'] = float('nan')
    b[1] = -0.0
    b[(1,)] = [1]
    c = deque([1])
    c.append(2)
    d = Counter('ab')
    d['a'] += 1
    e = OrderedDict(p=1)
    e['q'] = b
    b[1] = 2
    g = {1, 2}
    g.add(3)
    h = [[0] * 3] * 2
    h[0][1] = 9
    h.append(h)
    k = bytearray(b'x')
    k += b'y'
    return n
""",
    (1,),
)

EDGES["large"] = (
    r"""
def f(n):
    a = list(range(n))
    a[3] = 'x'
    a[-1] = 'y'
    d = dict.fromkeys(a, 0)
    d[3] = 1
    a.pop()
    del a[40:]
    a.reverse()
    return len(d)
""",
    (900,),
)

EDGES["objects"] = (
    r"""
class P:
    def __init__(self, x):
        self.x = x

    def __del__(self):
        log.append(self.x)

log = []

def f(n):
    p = P(n)
    q = [p]
    p.x += 1
    del p
    q.clear()
    p = 3
    return list(log)
""",
    (1,),
)

EDGES["names come and go"] = (
    r"""
def f(n):
    b = 1
    a = 2
    del b, a
    try:
        1 / 0
    except ZeroDivisionError as e:
        a = str(e)
    b = [a]; del a
    return b
""",
    (1,),
)

EDGES["cells"] = (
    r"""
def f(n):
    k = [n]
    def g():
        nonlocal n
        n += 1
        k.append(n)
        return n
    return [g() for _ in range(3)], k
""",
    (1,),
)

EDGES["recursion"] = (
    r"""
def f(n):
    return n if n < 2 else f(n - 1) + f(n - 2)
""",
    (7,),
)
