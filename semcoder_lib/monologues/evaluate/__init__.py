"""Expressions worked out over recorded values, without running any code of the program.

The writers say why a branch was taken by evaluating its condition. They do so here: an expression's
syntax tree is compiled once into closures over a fixed set of operators, built-ins and methods that
cannot change anything, on exact built-in values and within bounds. Whatever lies outside (a call of
the program's own function, an object, a name without a recorded value) raises `Unknown`, and the
writer then states only what the trace shows.
"""

from semcoder_lib.monologues.evaluate.compile import Env, Inner, bind, closure, evaluate
from semcoder_lib.monologues.evaluate.known import COMPARISONS, OPERATORS, Once, Unknown

__all__ = [
    "COMPARISONS",
    "OPERATORS",
    "Env",
    "Inner",
    "Once",
    "Unknown",
    "bind",
    "closure",
    "evaluate",
]
