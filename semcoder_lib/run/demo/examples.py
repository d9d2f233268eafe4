"""What the page offers to begin with: (code, call) and (code, tests)."""

from __future__ import annotations

CALLS = {
    "Count words": (
        """def count_words(text):
    counts = {}
    for word in text.split():
        counts[word] = counts.get(word, 0) + 1
    return counts
""",
        "count_words('a b a')",
    ),
    "Recursion": (
        """def gcd(a, b):
    if b == 0:
        return a
    return gcd(b, a % b)
""",
        "gcd(12, 18)",
    ),
    "An error": (
        """def mean(xs):
    return sum(xs) / len(xs)
""",
        "mean([])",
    ),
    "Never ends": (
        """def count_down(n):
    while n != 0:
        n = n - 2
    return n
""",
        "count_down(3)",
    ),
    "Hostile: a fork bomb": (
        """import os

def f(x):
    while True:
        os.fork()
""",
        "f(1)",
    ),
}

TESTS = {
    "One step short": (
        """def largest_gap(xs):
    best = 0
    for i in range(len(xs) - 2):
        gap = xs[i + 1] - xs[i]
        if gap > best:
            best = gap
    return best
""",
        "assert largest_gap([1, 2, 7]) == 5\nassert largest_gap([3]) == 0\n",
    ),
    "More than one edit away": (
        """def is_palindrome(text):
    return text == text
""",
        "assert is_palindrome('abba') == True\nassert is_palindrome('abc') == False\n",
    ),
}
