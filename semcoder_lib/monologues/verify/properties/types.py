"""The types that texts name, singular and plural."""

from __future__ import annotations

import collections
from typing import Any

TYPES: dict[str, tuple[type, ...]] = {
    "int": (int,), "integer": (int,), "integers": (int,), "ints": (int,), "number": (int, float),
    "numbers": (int, float), "float": (float,), "floats": (float,), "str": (str,),
    "string": (str,), "strings": (str,), "strs": (str,), "list": (list,), "lists": (list,),
    "tuple": (tuple,), "tuples": (tuple,), "dict": (dict,), "dicts": (dict,),
    "dictionary": (dict,), "dictionaries": (dict,), "set": (set,), "sets": (set,),
    "bool": (bool,), "boolean": (bool,), "bools": (bool,), "booleans": (bool,),
    "None": (type(None),), "bytes": (bytes,), "frozenset": (frozenset,), "range": (range,),
    "Counter": (collections.Counter,), "deque": (collections.deque,), "complex": (complex,),
    "defaultdict": (collections.defaultdict,), "character": (str,), "characters": (str,),
    "OrderedDict": (collections.OrderedDict,), "sequence": (list, tuple, str),
}  # fmt: skip


def has_type(value: Any, names: list[str]) -> bool:
    """Whether a value is of one of the named types; a bool is no int here."""
    for name in names:
        kinds = TYPES.get(name)
        if kinds is None:
            return False
        if isinstance(value, bool) and bool not in kinds:
            continue
        if isinstance(value, kinds):
            return True
    return False
