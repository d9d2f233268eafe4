# ruff: noqa: E501  (tables of patterns)
"""Figure 6's categories, by a rule that is written down: the first category whose words or imports
occur in a program's text wins, in the order of `RULES`."""

from __future__ import annotations

import ast
import re

from semcoder_lib.core.records import Program

# (category, pattern over the lower-cased description and entry name, imported modules)
RULES: tuple[tuple[str, str, frozenset[str]], ...] = (
    ("dates and times", r"\b(date|time|year|month|day|hour|minute|calendar|leap)s?\b",
     frozenset({"datetime", "calendar"})),
    ("text parsing and formats", r"\b(pars\w*|json|html|xml|url|token\w*|regex|markup|escape|encod\w*"
     r"|decod\w*|header|format)\b", frozenset({"re", "html", "json", "base64", "urllib.parse"})),
    ("graphs and trees", r"\b(graphs?|nodes?|edges?|trees?|paths?|vertex|vertices|adjacen\w*)\b", frozenset()),
    ("searching and sorting", r"\b(sort\w*|search\w*|binary|heap|rank\w*|largest|smallest|order\w*"
     r"|maximum|minimum)\b", frozenset({"bisect", "heapq"})),
    ("mathematics", r"\b(primes?|factor\w*|divis\w*|modul\w*|gcd|lcm|fibonacci|power|root|matrix|matrices"
     r"|polynomial|integers? n|digits?|combinat\w*|permutation\w*|binomial|sum|product|numbers?)\b",
     frozenset({"math", "cmath", "fractions", "decimal", "statistics"})),
    ("dictionaries and sets", r"\b(dict\w*|mapping|keys?|sets?|counter|groups?)\b", frozenset({"collections"})),
    ("strings", r"\b(strings?|characters?|letters?|words?|text|upper|lower|case|vowels?|palindrome)\b",
     frozenset({"string", "textwrap", "unicodedata"})),
    ("lists and sequences", r"\b(lists?|arrays?|sequences?|elements?|iterables?|items?|pairs?|tuples?)\b",
     frozenset({"itertools", "functools"})),
)  # fmt: skip
OTHER = "other"


def category(program: Program) -> str:
    """The program's category. Synthesised programs, whose descriptions mention every step, are
    judged by their name, first parameter's type and imports alone."""
    words = program.entry_point.replace("_", " ").lower()
    if program.origin == "synthesised":
        words += " " + " ".join(
            _TYPE_WORDS.get(t.partition("[")[0], "") for t in program.argument_types[:1]
        )
    else:
        words += " " + program.description.lower()
    imports = _imports(program.source)
    for name, pattern, modules in RULES:
        if imports & modules or re.search(pattern, words):
            return name
    return OTHER


_TYPE_WORDS = {"str": "string", "dict": "dictionary", "set": "set", "list": "list", "int": "numbers",
               "float": "numbers", "tuple": "pair"}  # fmt: skip


def _imports(source: str) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found.update(a.name for a in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found
