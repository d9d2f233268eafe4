"""Evaluates the conditions and workings that a text states ("`nums.count(1)` is `3`") over recorded
values, without running any code of the program and without sharing any with the writers' evaluator.
"""

from semcoder_lib.monologues.verify.evaluate.equality import equals
from semcoder_lib.monologues.verify.evaluate.interpreter import Raises, evaluate, evaluate_node
from semcoder_lib.monologues.verify.evaluate.known import Cannot
from semcoder_lib.monologues.verify.evaluate.names import NO_NAMES, Given, Names
from semcoder_lib.monologues.verify.evaluate.syntax import literal, names_of, parse

__all__ = [
    "NO_NAMES",
    "Cannot",
    "Given",
    "Names",
    "Raises",
    "equals",
    "evaluate",
    "evaluate_node",
    "literal",
    "names_of",
    "parse",
]
