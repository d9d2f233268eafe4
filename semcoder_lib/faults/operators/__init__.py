"""Named mutation operators: each turns a right program into one with a typical human bug."""

from semcoder_lib.faults.operators import calls, expressions, statements
from semcoder_lib.faults.operators.base import REGISTRY, Edit, Named, Place, places

OPERATORS: dict[str, Named] = dict(sorted(REGISTRY.items()))

__all__ = ["OPERATORS", "Edit", "Named", "Place", "calls", "expressions", "places", "statements"]
