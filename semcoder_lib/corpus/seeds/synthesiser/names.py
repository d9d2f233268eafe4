# ruff: noqa: E501  (tables of code and English)
"""Names that read as if someone had chosen them: by type and by role."""

from __future__ import annotations

import random

PARAMETERS: dict[str, tuple[str, ...]] = {
    "str": ("text", "s", "word", "sentence", "name", "line", "message", "string", "phrase", "code",
            "value", "title", "label", "key", "prefix"),
    "int": ("n", "k", "limit", "count", "size", "number", "x", "num", "step", "start", "width",
            "index", "total", "level", "target", "amount"),
    "float": ("price", "rate", "ratio", "amount", "weight", "value", "score", "x"),
    "bool": ("flag", "strict", "reverse", "enabled"),
    "list[int]": ("numbers", "nums", "values", "items", "data", "lst", "scores", "arr", "xs",
                  "sizes", "digits", "array", "counts"),
    "list[str]": ("words", "names", "strings", "items", "lines", "tokens", "parts", "labels",
                  "tags", "keys", "lst", "texts"),
    "list[float]": ("prices", "weights", "values", "rates", "measurements", "scores"),
    "list[list[int]]": ("matrix", "grid", "rows", "table", "groups", "lists"),
    "list[tuple[int, int]]": ("pairs", "points", "intervals", "edges", "ranges"),
    "list[tuple[str, int]]": ("records", "entries", "pairs", "items", "orders", "results"),
    "dict[str, int]": ("counts", "scores", "prices", "stock", "ages", "d", "data", "table",
                       "inventory", "totals"),
    "dict[str, str]": ("mapping", "names", "aliases", "translations", "d", "config", "labels"),
    "dict[str, list[int]]": ("groups", "scores", "grades", "data", "table"),
    "dict[int, int]": ("counts", "table", "mapping", "totals"),
    "dict[int, str]": ("labels", "names", "table", "lookup"),
    "set[int]": ("numbers", "seen", "allowed", "members", "ids"),
    "set[str]": ("names", "tags", "allowed", "letters", "members"),
    "tuple[int, int]": ("point", "pair", "size", "bounds", "interval"),
    "tuple[str, int]": ("entry", "item", "record", "pair"),
    "tuple[str, str]": ("pair", "names", "parts"),
}  # fmt: skip

LOCALS: dict[str, tuple[str, ...]] = {
    "str": ("result", "out", "cleaned", "part", "current", "piece", "joined", "new_text", "output",
            "base", "changed", "short"),
    "int": ("total", "count", "size", "length", "score", "result", "position", "amount", "number",
            "current", "m", "best", "offset"),
    "float": ("average", "ratio", "result", "mean", "share", "total"),
    "bool": ("found", "valid", "matches", "ok", "is_match", "changed"),
    "list[int]": ("result", "numbers", "values", "kept", "selected", "sizes", "output", "picked",
                  "ordered", "found", "new_list"),
    "list[str]": ("words", "parts", "result", "pieces", "kept", "names", "tokens", "letters",
                  "selected", "ordered", "chars"),
    "list[float]": ("scaled", "result", "values", "kept"),
    "list[list[int]]": ("rows", "chunks", "grid", "result", "groups"),
    "list[tuple[int, int]]": ("pairs", "result", "found", "ranked"),
    "list[tuple[str, int]]": ("pairs", "ranked", "entries", "items", "result"),
    "dict[str, int]": ("counts", "result", "index", "table", "totals", "lengths", "freq"),
    "dict[str, str]": ("mapping", "result", "lookup", "table"),
    "dict[str, list[int]]": ("groups", "result", "buckets"),
    "dict[str, list[str]]": ("groups", "buckets", "result", "index"),
    "dict[int, list[str]]": ("groups", "by_length", "buckets", "result"),
    "dict[int, list[int]]": ("groups", "buckets", "by_key", "result"),
    "dict[int, int]": ("counts", "table", "result", "freq"),
    "dict[int, str]": ("labels", "lookup", "result", "table"),
    "set[int]": ("seen", "unique", "found", "common"),
    "set[str]": ("seen", "unique", "found", "letters"),
    "tuple[int, int]": ("pair", "bounds", "result"),
    "tuple[str, int]": ("pair", "entry", "result"),
    "tuple[str, str]": ("pair", "parts", "halves"),
}  # fmt: skip

ELEMENTS: dict[str, tuple[str, ...]] = {
    "char": ("c", "ch", "char", "letter"),
    "str": ("word", "w", "item", "name", "s", "part", "token"),
    "int": ("x", "n", "num", "value", "v", "number", "item"),
    "float": ("x", "value", "v", "amount"),
    "list[int]": ("row", "group", "line"),
}

# By the head of the type, for when the names above are taken.
LOCALS_WIDER: dict[str, tuple[str, ...]] = {
    "str": ("answer", "final", "rest", "suffix", "stem", "shown", "merged", "body", "extra", "tail_part",
            "combined", "converted", "formatted"),
    "int": ("answer", "extra", "sum_so_far", "points", "largest", "bound", "diff", "rank", "matches_found",
            "distance", "tally", "num_items", "value_sum"),
    "float": ("value", "scaled", "part", "ratio_so_far"),
    "bool": ("flag", "has_any", "good", "same"),
    "list": ("collected", "entries", "filtered", "chosen", "final", "remaining_items", "outputs", "answers",
             "temp", "acc", "others", "sorted_items", "subset"),
    "dict": ("lookup", "info", "by_name", "mapping", "summary", "tallies", "final"),
    "set": ("distinct", "members", "chosen", "present"),
    "tuple": ("both", "couple", "answer"),
}  # fmt: skip

NOUNS: dict[str, tuple[str, ...]] = {
    "str": ("text", "word", "string", "line", "letters", "characters", "name", "message", "label"),
    "int": ("number", "digits", "value", "count", "steps", "amount", "limit"),
    "float": ("amount", "price", "value", "rate"),
    "bool": ("flag", "value"),
    "list[int]": ("numbers", "values", "items", "scores", "integers", "list", "elements"),
    "list[str]": ("words", "names", "strings", "labels", "tokens", "lines"),
    "list[float]": ("prices", "weights", "measurements", "values"),
    "list[list[int]]": ("matrix", "grid", "rows", "table"),
    "list[tuple[int, int]]": ("pairs", "points", "intervals"),
    "list[tuple[str, int]]": ("records", "entries", "orders"),
    "dict": ("counts", "scores", "mapping", "table", "inventory", "entries", "dictionary"),
    "set": ("members", "ids", "values", "set"),
    "tuple": ("pair", "point", "entry"),
}
VERBS: dict[str, tuple[str, ...]] = {
    "int": ("count", "measure", "score", "compute", "total", "find", "evaluate", "sum_up", "rank"),
    "float": ("average", "compute", "scale", "measure", "estimate"),
    "bool": ("check", "has_valid", "is_good", "test", "matches", "validate"),
    "str": ("format", "clean", "build", "transform", "encode", "describe", "rewrite", "make",
            "shorten", "convert", "render", "process"),
    "list": ("filter", "collect", "select", "extract", "order", "list", "transform", "split",
             "arrange", "process", "pick", "convert", "get"),
    "dict": ("index", "group", "map", "count", "tally", "summarize", "build", "organize"),
    "set": ("unique", "common", "distinct", "gather"),
    "tuple": ("split", "summarize", "pair", "describe", "analyze", "bounds_of"),
}  # fmt: skip
ADJECTIVES = ("long", "short", "small", "large", "valid", "common", "first", "last", "new", "all",
              "simple", "mixed", "sorted", "unique", "matching", "even", "odd", "adjacent")  # fmt: skip

SPOKEN: dict[str, str] = {
    "str": "a string", "int": "an integer", "float": "a number", "bool": "a boolean",
    "list[int]": "a list of integers", "list[str]": "a list of strings",
    "list[float]": "a list of numbers", "list[list[int]]": "a list of lists of integers",
    "list[tuple[int, int]]": "a list of pairs of integers",
    "list[tuple[str, int]]": "a list of (name, number) pairs",
    "dict[str, int]": "a dictionary from strings to integers",
    "dict[str, str]": "a dictionary from strings to strings",
    "dict[str, list[int]]": "a dictionary from strings to lists of integers",
    "dict[int, int]": "a dictionary from integers to integers",
    "dict[int, str]": "a dictionary from integers to strings",
    "set[int]": "a set of integers", "set[str]": "a set of strings",
    "tuple[int, int]": "a pair of integers", "tuple[str, int]": "a pair of a string and an integer",
    "tuple[str, str]": "a pair of strings",
}  # fmt: skip


def head(kind: str) -> str:
    """The outermost name of a type: `list` for `list[int]`."""
    return kind.partition("[")[0]


def function_name(rng: random.Random, parameter: str, result: str) -> str:
    """A verb for the result and a noun for the argument: `count_long_words`."""
    verbs = VERBS.get(result) or VERBS.get(head(result)) or VERBS["list"]
    nouns = NOUNS.get(parameter) or NOUNS.get(head(parameter)) or NOUNS["int"]
    verb, noun = rng.choice(verbs), rng.choice(nouns)
    roll = rng.random()
    if roll < 0.3:
        return f"{verb}_{rng.choice(ADJECTIVES)}_{noun}"
    return f"{verb}_{noun}" if roll < 0.93 else verb if verb != "list" else "listing"
