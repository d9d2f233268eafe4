"""Small programs of many kinds, with inputs, for the tests of the monologue room."""

from __future__ import annotations

import ast
import textwrap

from semcoder_lib.core.records import Program

_TEXT = """
# sum_multiples | ([4, 7, 6], 2) | ([], 3) | ([5, 10, 12, 15], 5)
def sum_multiples(nums, k):
    total = 0
    for n in nums:
        if n % k == 0:
            total += n
    return total

# backwards | ('hello',) | ('',) | ('ab',)
def backwards(s):
    return s[::-1]

# count_vowels | ('banana',) | ('sky',) | ('Ouija',)
VOWELS = "aeiou"

def count_vowels(text):
    count = 0
    for c in text.lower():
        if c in VOWELS:
            count += 1
    return count

# factorial | (4,) | (0,) | (1,)
def factorial(n):
    if n <= 1:
        return 1
    return n * factorial(n - 1)

# fib | (5,) | (2,) | (0,)
def fib(n):
    if n < 2:
        return n
    return fib(n - 1) + fib(n - 2)

# collatz | (6,) | (1,) | (27,)
def collatz(n):
    steps = 0
    while n != 1:
        if n % 2 == 0:
            n = n // 2
        else:
            n = 3 * n + 1
        steps += 1
    return steps

# word_counts | ('a b a',) | ('',) | ('one two two three',)
def word_counts(text):
    counts = {}
    for word in text.split():
        counts[word] = counts.get(word, 0) + 1
    return counts

# squares_of_even | ([1, 2, 3, 4],) | ([],) | ([7, 10],)
def squares_of_even(nums):
    return [n * n for n in nums if n % 2 == 0]

# caesar | ('abz', 2) | ('Hi!', 1) | ('xyz', 3)
def caesar(text, shift):
    out = ""
    for ch in text:
        if ch.isalpha():
            base = ord("a") if ch.islower() else ord("A")
            out += chr((ord(ch) - base + shift) % 26 + base)
        else:
            out += ch
    return out

# two_sum | ([2, 7, 11], 9) | ([1, 2], 5) | ([3, 3], 6)
def two_sum(nums, target):
    seen = {}
    for i, n in enumerate(nums):
        rest = target - n
        if rest in seen:
            return [seen[rest], i]
        seen[n] = i
    return None

# bubble_sort | ([3, 1, 2],) | ([1, 2],) | ([],)
def bubble_sort(items):
    items = list(items)
    n = len(items)
    for i in range(n):
        swapped = False
        for j in range(n - i - 1):
            if items[j] > items[j + 1]:
                items[j], items[j + 1] = items[j + 1], items[j]
                swapped = True
        if not swapped:
            break
    return items

# parse_int | ('12',) | ('x',) | (' 7 ',)
def parse_int(text):
    try:
        value = int(text)
    except ValueError:
        return -1
    else:
        return value + 1
    finally:
        text = None

# is_palindrome | ('level',) | ('ab',) | ('A man',)
def is_palindrome(text):
    letters = [c.lower() for c in text if c.isalnum()]
    left, right = 0, len(letters) - 1
    while left < right:
        if letters[left] != letters[right]:
            return False
        left += 1
        right -= 1
    return True

# gcd | (12, 18) | (7, 3) | (5, 0)
def gcd(a, b):
    while b:
        a, b = b, a % b
    return a

# flatten | ([1, [2, [3]], 4],) | ([],)
def flatten(items):
    out = []
    for item in items:
        if isinstance(item, list):
            out.extend(flatten(item))
        else:
            out.append(item)
    return out

# transpose | ([[1, 2], [3, 4]],) | ([[1, 2, 3]],)
def transpose(rows):
    return [list(col) for col in zip(*rows)]

# run_length | ('aab',) | ('',) | ('xyyyz',)
def run_length(s):
    if not s:
        return ""
    out = []
    prev, n = s[0], 1
    for c in s[1:]:
        if c == prev:
            n += 1
        else:
            out.append(prev + str(n))
            prev, n = c, 1
    out.append(prev + str(n))
    return "".join(out)

# unique | ([3, 1, 3, 2],) | ([],)
def unique(items):
    seen = set()
    result = []
    for x in items:
        if x not in seen:
            seen.add(x)
            result.append(x)
    return result

# grade | (91,) | (75,) | (20,)
def grade(score):
    if score >= 90:
        return "A"
    elif score >= 70:
        return "B"
    else:
        return "F"

# binary_search | ([1, 3, 5, 7, 9], 7) | ([1, 2], 5) | ([], 1)
def binary_search(items, target):
    low, high = 0, len(items) - 1
    while low <= high:
        mid = (low + high) // 2
        if items[mid] == target:
            return mid
        if items[mid] < target:
            low = mid + 1
        else:
            high = mid - 1
    return -1

# first_negative | ([3, -1, 2],) | ([1, 2],)
def first_negative(nums):
    for n in nums:
        if n < 0:
            found = n
            break
    else:
        found = None
    return found

# skip_odds | ([1, 2, 3, 4],) | ([],)
def skip_odds(nums):
    total = 0
    for n in nums:
        if n % 2:
            continue
        total += n
    return total

# invert | ({'a': 1, 'b': 2},) | ({},)
def invert(d):
    return {v: k for k, v in d.items()}

# group_by_length | (['a', 'bb', 'c'],) | ([],)
def group_by_length(words):
    groups = {}
    for w in words:
        groups.setdefault(len(w), []).append(w)
    return groups

# title_case | ('hello world',) | ('a',)
def title_case(s):
    words = s.split(' ')
    return ' '.join(w.capitalize() for w in words)

# power_table | (3,) | (12,)
def power_table(n):
    table = []
    for i in range(1, n + 1):
        table.append(i ** 2)
    return table

# long_loop | (40,) | (100,)
def long_loop(n):
    total = 0
    for i in range(n):
        if i % 3 == 0:
            total += i
    return total

# helper_calls | (3, 4) | (0, 5)
def square(x):
    return x * x

def helper_calls(a, b):
    c = square(a) + square(b)
    return c

# clamp | (5, 0, 3) | (-1, 0, 3) | (2, 0, 3)
def clamp(x, low, high):
    return max(low, min(x, high))

# second_largest | ([4, 1, 9],) | ([2, 2],)
def second_largest(nums):
    ordered = sorted(set(nums), reverse=True)
    if len(ordered) < 2:
        return None
    return ordered[1]

# digits_sum | (123,) | (0,) | (-45,)
def digits_sum(n):
    total = 0
    n = abs(n)
    while n > 0:
        total += n % 10
        n //= 10
    return total

# matrix_trace | ([[1, 2], [3, 4]],) | ([[5]],)
def matrix_trace(m):
    total = 0
    for i in range(len(m)):
        total += m[i][i]
    return total

# nested_pairs | (2, 3) | (0, 2)
def nested_pairs(a, b):
    pairs = []
    for i in range(a):
        for j in range(b):
            if i != j:
                pairs.append((i, j))
    return pairs

# merge | ([1, 4], [2, 3]) | ([], [1])
def merge(a, b):
    out = []
    i = j = 0
    while i < len(a) and j < len(b):
        if a[i] <= b[j]:
            out.append(a[i])
            i += 1
        else:
            out.append(b[j])
            j += 1
    out += a[i:]
    out += b[j:]
    return out

# safe_div | (6, 3) | (1, 0)
def safe_div(a, b):
    try:
        return a / b
    except ZeroDivisionError as e:
        return None

# snake | ('helloWorld',) | ('ABC',)
def snake(name):
    out = ''
    for i, c in enumerate(name):
        if c.isupper() and i > 0:
            out += '_'
        out += c.lower()
    return out

# remove_all | ([1, 2, 1, 3], 1) | ([], 1)
def remove_all(items, x):
    while x in items:
        items.remove(x)
    return items

# counter | ('banana',) | ('',)
from collections import Counter

def counter(s):
    c = Counter(s)
    return c.most_common(1)[0] if c else None

# brackets | ('(()',) | ('()',) | (')(',)
def brackets(s):
    depth = 0
    for c in s:
        if c == '(':
            depth += 1
        elif c == ')':
            depth -= 1
        if depth < 0:
            return False
    return depth == 0

# primes | (10,) | (2,) | (20,)
def primes(n):
    sieve = [True] * n
    out = []
    for i in range(2, n):
        if sieve[i]:
            out.append(i)
            for j in range(i * i, n, i):
                sieve[j] = False
    return out

# apply_ops | ([('add', 3), ('mul', 2)],) | ([],)
def apply_ops(ops):
    value = 1
    for name, arg in ops:
        match name:
            case 'add':
                value += arg
            case 'mul':
                value *= arg
    return value

# closure | (3,) | (0,)
def closure(n):
    count = 0
    def bump(by):
        nonlocal count
        count += by
        return count
    for i in range(n):
        bump(i)
    return count

# stack_class | ([1, 2, 3],) | ([],)
class Stack:
    def __init__(self):
        self.items = []

    def push(self, x):
        self.items.append(x)

    def pop(self):
        return self.items.pop()

def stack_class(values):
    s = Stack()
    for v in values:
        s.push(v)
    out = []
    while s.items:
        out.append(s.pop())
    return out

# dict_walk | ({'a': 1, 'b': 5}, 3) | ({}, 1)
def dict_walk(d, limit):
    kept = {}
    for key, value in d.items():
        if value > limit:
            kept[key] = value
    return kept

# pad | ('ab', 5) | ('abcdef', 3)
def pad(s, width):
    while len(s) < width:
        s = '*' + s
    return s

# fizz | (5,) | (15,)
def fizz(n):
    out = []
    for i in range(1, n + 1):
        if i % 15 == 0:
            out.append('FizzBuzz')
        elif i % 3 == 0:
            out.append('Fizz')
        elif i % 5 == 0:
            out.append('Buzz')
        else:
            out.append(str(i))
    return out

# average | ([1, 2, 4],) | ([],)
def average(nums):
    assert isinstance(nums, list)
    if not nums:
        return 0.0
    return sum(nums) / len(nums)

# sort_words | ('pear fig apple',) | ('',)
def sort_words(text):
    words = text.split()
    words.sort(key=lambda w: (len(w), w))
    return words

# middle | ('abcde',) | ('ab',)
def middle(s):
    n = len(s)
    return s[n // 2 - 1:n // 2 + 1] if n % 2 == 0 else s[n // 2]

# swap_case_join | (['Ab', 'cD'], '-') | ([], '-')
def swap_case_join(words, sep):
    return sep.join([w.swapcase() for w in words])

# retry | (3,) | (1,)
def retry(limit):
    attempts = 0
    while True:
        attempts += 1
        try:
            if attempts < limit:
                raise RuntimeError("again")
            break
        except RuntimeError:
            pass
    return attempts

# f_string | ('Ann', 3) | ('Bo', 1)
def f_string(name, n):
    plural = '' if n == 1 else 's'
    return f"{name} has {n} item{plural}"

# rotate | ([1, 2, 3, 4], 1) | ([], 2)
def rotate(items, k):
    if not items:
        return items
    k %= len(items)
    return items[-k:] + items[:-k]

# any_all | ([2, 4, 7],) | ([2],)
def any_all(nums):
    even = all(n % 2 == 0 for n in nums)
    big = any(n > 5 for n in nums)
    return (even, big)

# pascal | (4,) | (1,)
def pascal(n):
    row = [1]
    for _ in range(n - 1):
        row = [1] + [row[i] + row[i + 1] for i in range(len(row) - 1)] + [1]
    return row

# longest | (['a', 'ccc', 'bb'],) | (['x'],)
def longest(words):
    best = words[0]
    for w in words[1:]:
        if len(w) > len(best):
            best = w
    return best

# hex_digits | (255,) | (16,) | (9,)
def hex_digits(n):
    digits = "0123456789abcdef"
    out = ""
    while n:
        n, r = divmod(n, 16)
        out = digits[r] + out
    return out or "0"

# bits | (5, 3) | (8, 1)
def bits(a, b):
    both = a & b
    either = a | b
    moved = a << b
    return (both, either, moved ^ 1)

# with_default | (1,) | (None,)
def with_default(x, y=10):
    if x is None:
        x = y
    return x + y

# zip_pairs | ([1, 2], ['a', 'b']) | ([], [])
def zip_pairs(nums, names):
    out = []
    for n, name in zip(nums, names):
        out.append(f"{name}{n}")
    return out

# del_keys | ({'a': None, 'b': 2},) | ({},)
def del_keys(d):
    for key in list(d):
        if d[key] is None:
            del d[key]
    return d

# max_profit | ([7, 1, 5, 3],) | ([3, 2],)
def max_profit(prices):
    low = float('inf')
    best = 0
    for p in prices:
        low = min(low, p)
        best = max(best, p - low)
    return best
"""


def parsed(text: str) -> list[tuple[Program, list[tuple[object, ...]]]]:
    """Programs with their inputs, from a text with a line `# name | input | input` before each."""
    programs = []
    for block in text.split("\n# ")[1:]:
        head, _, source = block.partition("\n")
        name, *inputs = [part.strip() for part in head.split("|")]
        program = Program(textwrap.dedent(source).strip() + "\n", name, id=name)
        programs.append((program, [ast.literal_eval(text or "()") for text in inputs]))
    return programs


def load() -> list[tuple[Program, list[tuple[object, ...]]]]:
    """Every program with its inputs."""
    return parsed(_TEXT)


def named(name: str) -> Program:
    """One program of this file."""
    return next(p for p, _ in load() if p.id == name)
