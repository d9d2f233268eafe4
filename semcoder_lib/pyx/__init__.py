"""Builds PyX, the corpus of executable programs with cases (paper sections 3.1 and 3.2)."""

from semcoder_lib.pyx.build import Built, build
from semcoder_lib.pyx.categories import category
from semcoder_lib.pyx.corpus import load, stream
from semcoder_lib.pyx.describe import describe
from semcoder_lib.pyx.hub import from_hub, to_hub
from semcoder_lib.pyx.inputs import generate, mutate
from semcoder_lib.pyx.split import split_of

__all__ = [
    "Built",
    "build",
    "category",
    "describe",
    "from_hub",
    "generate",
    "load",
    "mutate",
    "split_of",
    "stream",
    "to_hub",
]
