"""A small corpus of right programs with cases, and one sandbox for the folder."""

from __future__ import annotations

import pytest

from semcoder_lib.core.records import Case, Entry, Program
from semcoder_lib.sandbox import Sandbox

SOURCES: dict[str, tuple[str, list[tuple]]] = {
    "sum_of_evens": (
        """
def sum_of_evens(xs):
    total = 0
    for x in xs:
        if x % 2 == 0:
            total += x
    return total
""",
        [([1, 2, 3, 4],), ([],), ([5, 7],), ([10, -2, 3],), ([0, 8, 8, 1],)],
    ),
    "is_prime": (
        """
def is_prime(n):
    if n < 2:
        return False
    for d in range(2, int(n ** 0.5) + 1):
        if n % d == 0:
            return False
    return True
""",
        [(1,), (2,), (9,), (13,), (25,), (0,), (49,), (31,)],
    ),
    "binary_search": (
        """
def binary_search(xs, target):
    low = 0
    high = len(xs) - 1
    steps = 0
    while low <= high and steps < 50:
        steps += 1
        mid = (low + high) // 2
        if xs[mid] == target:
            return mid
        elif xs[mid] < target:
            low = mid + 1
        else:
            high = mid - 1
    return -1
""",
        [([1, 3, 5, 7], 7), ([1, 3, 5, 7], 1), ([], 2), ([4], 4), ([1, 2, 9, 12, 40], 12)],
    ),
    "word_counts": (
        """
def word_counts(text):
    counts = {}
    for word in text.lower().split():
        word = word.strip('.,!')
        if not word:
            continue
        counts[word] = counts.get(word, 0) + 1
    return counts
""",
        [("a b a",), ("Hello, hello. World!",), ("",), ("x . y x",)],
    ),
    "second_largest": (
        """
def second_largest(xs):
    best = float('-inf')
    second = float('-inf')
    for x in xs:
        if x > best:
            best, second = x, best
        elif x > second and x != best:
            second = x
    if second == float('-inf'):
        return None
    return second
""",
        [([1, 2, 3],), ([5, 5, 4],), ([7],), ([3, 9, 8, 9],), ([-1, -2],)],
    ),
    "fibonacci": (
        """
def fibonacci(n):
    a, b = 0, 1
    for _ in range(n):
        a, b = b, a + b
    return a
""",
        [(0,), (1,), (5,), (10,)],
    ),
    "merge_sorted": (
        """
def merge_sorted(a, b):
    out = []
    i = j = 0
    while i < len(a) and j < len(b):
        if a[i] <= b[j]:
            out.append(a[i])
            i += 1
        else:
            out.append(b[j])
            j += 1
    out.extend(a[i:])
    out.extend(b[j:])
    return out
""",
        [([1, 4], [2, 3]), ([], [1]), ([5], []), ([1, 1], [1, 2]), ([3, 8, 9], [1, 8])],
    ),
    "caesar": (
        """
def shift_letter(c, k):
    if c.isupper():
        return chr((ord(c) - 65 + k) % 26 + 65)
    if c.islower():
        return chr((ord(c) - 97 + k) % 26 + 97)
    return c

def caesar(text, k):
    parts = []
    for c in text:
        parts.append(shift_letter(c, k))
    return ''.join(parts)
""",
        [("abc", 1), ("xyz", 3), ("Hi, You", 5), ("", 2)],
    ),
    "flatten": (
        """
def flatten(items):
    result = []
    for item in items:
        if isinstance(item, list):
            result.extend(flatten(item))
        else:
            result.append(item)
    return result
""",
        [([1, [2, 3]],), ([[[4]], 5],), ([],), (["a", ["b"]],)],
    ),
    "balanced": (
        """
def balanced(text):
    pairs = {')': '(', ']': '['}
    stack = []
    for c in text:
        if c in '([':
            stack.append(c)
        elif c in pairs:
            if not stack or stack[-1] != pairs[c]:
                return False
            stack.pop()
    return not stack
""",
        [("([])",), ("(]",), ("((",), ("",), ("a)b",), ("[x](y)",)],
    ),
    "running_max": (
        """
def running_max(xs):
    if not xs:
        return []
    out = [xs[0]]
    for x in xs[1:]:
        out.append(max(out[-1], x))
    return out
""",
        [([3, 1, 4, 1, 5],), ([],), ([2],), ([-3, -5],)],
    ),
    "parse_pairs": (
        """
def parse_pairs(text, sep=';'):
    result = {}
    for part in text.split(sep):
        if '=' not in part:
            continue
        key, value = part.split('=', 1)
        try:
            result[key.strip()] = int(value)
        except ValueError:
            result[key.strip()] = value.strip()
    return result
""",
        [("a=1;b=2",), ("x = y ; z=3",), ("",), ("q;w=7",), ("k=v=2",)],
    ),
    "rotate": (
        """
def rotate(xs, k):
    if not xs:
        return []
    k = k % len(xs)
    copy = xs[:]
    for i in range(len(xs)):
        copy[(i + k) % len(xs)] = xs[i]
    return copy
""",
        [([1, 2, 3], 1), ([1, 2, 3, 4], 6), ([], 3), ([7], 2)],
    ),
    "grade": (
        """
def grade(scores, limit=50):
    passed = [s for s in scores if s >= limit]
    if len(passed) == len(scores):
        return 'all'
    elif passed:
        return 'some'
    else:
        return 'none'
""",
        [([50, 60],), ([10, 90],), ([1, 2],), ([],), ([55, 40], 40), ([49, 50, 51], 51)],
    ),
    "average": (
        """
def average(rows):
    totals = {}
    for name, value in rows:
        if name not in totals:
            totals[name] = [0, 0]
        totals[name][0] += value
        totals[name][1] += 1
    return {name: s / n for name, (s, n) in sorted(totals.items())}
""",
        [
            ([("a", 2), ("b", 4), ("a", 5)],),
            ([],),
            ([("z", 1)],),
            ([("y", 3), ("x", 3), ("y", 4)],),
        ],
    ),
    "compress": (
        """
def compress(text):
    out = ''
    i = 0
    while i < len(text):
        j = i
        while j < len(text) and text[j] == text[i]:
            j += 1
        out += text[i] + str(j - i)
        i = j
    return out
""",
        [("aaab",), ("",), ("xyz",), ("zz",), ("abba",)],
    ),
    "lcs": (
        """
def lcs(a, b):
    table = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i in range(1, len(a) + 1):
        for j in range(1, len(b) + 1):
            if a[i - 1] == b[j - 1]:
                table[i][j] = table[i - 1][j - 1] + 1
            else:
                table[i][j] = max(table[i - 1][j], table[i][j - 1])
    return table[-1][-1]
""",
        [("abc", "ac"), ("", "x"), ("xyz", "zyx"), ("aab", "ab")],
    ),
    "checked_divide": (
        """
def checked_divide(a, b, digits=2):
    if b == 0:
        raise ValueError('no division by zero')
    return round(a / b, digits)

def ratios(pairs):
    out = []
    for a, b in pairs:
        try:
            out.append(checked_divide(a, b))
        except ValueError:
            out.append(None)
    return out
""",
        [([(1, 2), (3, 0)],), ([],), ([(2, 3)],), ([(5, 5), (0, 7), (1, 0)],)],
    ),
    "transpose": (
        """
def transpose(rows):
    height = len(rows)
    width = len(rows[0]) if rows else 0
    out = []
    for c in range(width):
        column = []
        for r in range(height):
            column.append(rows[r][c])
        out.append(column)
    return out
""",
        [([[1, 2], [3, 4]],), ([],), ([[5]],), ([[1, 2, 3]],)],
    ),
    "first_repeat": (
        """
def first_repeat(xs):
    seen = set()
    for x in xs:
        if x in seen:
            return x
        seen.add(x)
    return None
""",
        [([1, 2, 1],), ([],), ([3, 4],), (["a", "b", "b", "a"],)],
    ),
    "gcd_all": (
        """
def gcd(a, b):
    while b:
        a, b = b, a % b
    return a

def gcd_all(xs):
    result = 0
    for x in xs:
        result = gcd(result, x)
        if result == 1:
            break
    return result
""",
        [([12, 18],), ([7],), ([],), ([4, 6, 9],), ([10, 5, 20],)],
    ),
    "title_case": (
        """
def title_case(text, small=('of', 'the')):
    words = text.strip().split(' ')
    out = []
    for i, word in enumerate(words):
        if i > 0 and word.lower() in small:
            out.append(word.lower())
        else:
            out.append(word[:1].upper() + word[1:])
    return ' '.join(out)
""",
        [("the end of the day",), ("Of mice",), (" a b ",), ("",)],
    ),
    "top_words": (
        """
def top_words(counts, n):
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    names = [name for name, count in ordered if count > 1]
    return names[:n]
""",
        [({"a": 2, "b": 3}, 1), ({}, 2), ({"x": 1, "y": 5, "z": 5}, 2), ({"q": 2, "p": 2}, 5)],
    ),
    "collatz": (
        """
def collatz(n):
    steps = 0
    for _ in range(200):
        if n == 1:
            break
        if n % 2:
            n = 3 * n + 1
        else:
            n = n // 2
        steps += 1
    return steps
""",
        [(1,), (2,), (6,), (7,), (16,)],
    ),
    "group_by_length": (
        """
def group_by_length(words):
    groups = {}
    for word in words:
        groups.setdefault(len(word), []).append(word)
    longest = max(groups) if groups else 0
    return [sorted(groups.get(k, [])) for k in range(1, longest + 1)]
""",
        [(["a", "bb", "c"],), ([],), (["xyz"],), (["b", "a", "dd", "cc"],)],
    ),
    "digits": (
        """
def digits(n, base=10):
    if n == 0:
        return [0]
    negative = n < 0
    n = abs(n)
    out = []
    while n and len(out) < 40:
        out.append(n % base)
        n //= base
    out.reverse()
    if negative:
        out[0] = -out[0]
    return out
""",
        [(0,), (123,), (-45,), (10, 2), (255, 16)],
    ),
    "clip": (
        """
def clip(xs, low, high):
    out = list(xs)
    for i in range(len(out)):
        if out[i] < low:
            out[i] = low
        elif out[i] > high:
            out[i] = high
    return [xs, out]
""",
        [([1, 5, 9], 2, 8), ([], 0, 1), ([3], 3, 3), ([-4, 12], 0, 10)],
    ),
    "zigzag": (
        """
def zigzag(text, rows):
    lines = [''] * rows
    row = 0
    step = 1
    for c in text:
        lines[row] += c
        if row == 0:
            step = 1
        elif row == rows - 1:
            step = -1
        if rows > 1:
            row += step
    return '|'.join(lines)
""",
        [("abcdef", 3), ("abc", 1), ("", 2), ("hello", 2)],
    ),
}


def make_entries() -> list[Entry]:
    """The corpus with its outputs, which are computed here: these programs are the tests' own."""
    entries = []
    for name, (source, calls) in SOURCES.items():
        namespace: dict = {}
        exec(compile(source, name, "exec"), namespace)
        entry_point = "ratios" if name == "checked_divide" else name
        import copy

        cases = tuple(
            Case(call, namespace[entry_point](*copy.deepcopy(call)), program_id=name)
            for call in calls
        )
        described = f"Write a function {name.replace('_', ' ')}."
        entries.append(Entry(Program(source, entry_point, id=name, description=described), cases))
    return entries


@pytest.fixture(scope="session")
def entries() -> list[Entry]:
    return make_entries()


@pytest.fixture(scope="session")
def box():
    with Sandbox() as made:
        yield made
