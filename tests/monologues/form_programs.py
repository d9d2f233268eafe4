"""Programs whose monologues hold every row of the table of forms, with the styles that say it."""

from __future__ import annotations

from monologue_programs import parsed

from semcoder_lib.core.records import Program

_TEXT = """
# nothing |
def nothing():
    return 1

# passes | (2,)
def passes(n):
    for i in range(n):
        if i:
            pass
        else:
            continue
    return n

# handlers | ({'a': 1}, 'b')
def handlers(d, k):
    try:
        return d[k]
    except (ValueError, TypeError):
        return 1
    except KeyError:
        return 2

# raising | (0,)
def inner(n):
    return 10 // n


def raising(n):
    try:
        return inner(n)
    except ZeroDivisionError:
        return -1

# long_items | ([100000000000000000000000000000000000000000000000000000000000000000000001, 2],)
def long_items(xs):
    total = 0
    for x in xs:
        total = x % 7
    return total

# unbound | (3,)
def unbound(n):
    box = [0]
    for box[0] in range(n):
        n += 1
    return n

# whiles | ({'a': 1, 'b': 2, 'c': 3, 'd': 4, 'e': 5},)
class Chain:
    def __init__(self, n):
        self.n = n

    def more(self):
        return self.n > 0


def whiles(d):
    c = Chain(len(d))
    while c.more():
        c.n -= 1
    return c.n

# spins | (40,)
def spins(n):
    for i in range(n):
        pass
    return n

# many_calls | (7,)
def double(x):
    return x + x


def many_calls(n):
    return double(n) + sum(double(i) for i in range(16))

# two_quiet | (3,)
def quiet(x):
    for i in range(30):
        x = x + 1
    return "v" * 90


def two_quiet(n):
    return len([quiet(i) for i in range(n + 20)])

# group_if | (0,) | (2,)
def group_if(x):
    y = 1; z = 2
    if x: return y
    w = 3; return w + z

# holds | ('the cat', 'cat')
def holds(text, word):
    if word in text:
        return text.find(word)
    return 0

# becomes | ('aB',)
def becomes(s):
    return s.swapcase()

# pads | ('7', 4)
def pads(s, n):
    t = s.zfill(n) + s.ljust(2)
    return t

# trims | (' ab ',)
def trims(s):
    t = s.strip() + s.rstrip()
    return t

# kinds | ('12', 'a1')
def kinds(s, t):
    return (s.isdigit(), t.isdigit(), t.islower(), t.isupper())

# ends | ('hello', 'he')
def ends(s, p):
    if s.startswith(p):
        return s.removeprefix(p) + s
    return s

# keyed | (['bb', 'a'],)
def keyed(words):
    best = sorted(words, key=len) + words
    return best

# counts | ('banana',)
def counts(s):
    n = s.count('a') + 1
    return n

# items | ({'a': 1, 'b': 2},)
def items(d):
    total = sum(d.values()) + len(list(d.items()))
    return total

# lasts | ([4, 5], {'k': 1})
def lasts(xs, d):
    y = xs[-1] + xs.pop()
    d['k'] = d['k'] + 1
    return y

# joins | (['a', 'b'],)
def joins(parts):
    return '-'.join(parts) + '!'

# finds | ('a-b',)
def finds(s):
    return (s.find('-'), s.find('+'), s.partition('-'))

# spelled_back | ('abc', 'd')
def spelled_back(s, t):
    return s[::-1] + t

# grouped_set | (1,)
def grouped_set(n):
    a = n; b = 2
    c = a; return c + b

# ends_quietly | ([3],)
def ends_quietly(xs):
    xs.append(4)

# nested_define | (2,)
def nested_define(n):
    def inner(k):
        return k + 1
    return inner(n)

# finally_later | (1,)
def finally_later(n):
    try:
        return n
    finally:
        return n + 1

# gone | ([1, 2],)
def gone(xs):
    y = xs[0]
    del y
    xs.sort()
    return xs

# loud | ('ab',)
def loud(s):
    t = s.upper()
    return t

# head | ([4, 5],)
def head(xs):
    return xs[0]

# long_while | (5,)
def long_while(number_of_the_things):
    while number_of_the_things > 1 and number_of_the_things < 1000:
        number_of_the_things -= 2
    return number_of_the_things > 0

# long_for | ([1],)
def long_for(a_rather_long_name_of_a_list):
    for x in [y for y in a_rather_long_name_of_a_list if y > 0 and y < 1000]:
        pass
    return sorted(a_rather_long_name_of_a_list, key=lambda y: (y % 2, y))

# stays | ([[1]],)
class Box:
    def __init__(self):
        self.n = 0


def stays(xs):
    b = Box()
    i = iter(range(9))
    while next(i) < 8:
        b.n = 0
    return b.n

# strays | ([1, 0, 1, 1, 0, 1, 0, 0],)
class Spot:
    def __init__(self):
        self.n = 0


def strays(xs):
    b = Spot()
    i, j = iter(range(9)), iter(xs)
    while next(i) < 8:
        if next(j):
            b.n = 0
    return b.n

# mean | ([1, 2, 4],)
def mean(nums):
    return sum(nums) / len(nums)

# through | ('abc',)
def through(s):
    t = s
    u = t[::-1]
    return u

# opaque | ([3, 1, 2], 'abc')
import heapq


def opaque(xs, s):
    total = xs[-1]
    t = s[1:]
    for x in heapq.nsmallest(2, xs):
        total += x
    return t * total

# either | ([], 2)
def either(xs, n):
    if xs or n > 1:
        return n
    return 0

# nothing_at_all |
def nothing_at_all():
    pass

# chosen_test | (False, 2)
def chosen_test(a, n):
    if a if n > 1 else True:
        return 1
    return 0
"""


def load() -> list[tuple[Program, tuple[object, ...]]]:
    """Every program with each of its inputs."""
    return [(program, given) for program, inputs in parsed(_TEXT) for given in inputs]
