"""Builds PyX, the corpus of executable programs with cases (paper sections 3.1 and 3.2)."""

from semcoder_lib.pyx import parquet
from semcoder_lib.pyx.alternate import alternate
from semcoder_lib.pyx.build import Built, build
from semcoder_lib.pyx.categories import category
from semcoder_lib.pyx.corpus import load, stream
from semcoder_lib.pyx.describe import describe
from semcoder_lib.pyx.hub import from_hub, to_hub
from semcoder_lib.pyx.inputs import generate, mutate
from semcoder_lib.pyx.propose import Proposed, propose
from semcoder_lib.pyx.split import split_of
from semcoder_lib.pyx.taught import Taught, taught
from semcoder_lib.pyx.validate import validate_rows
from semcoder_lib.seeds.snippets import Seed

__all__ = [
    "Built",
    "Proposed",
    "Seed",
    "Taught",
    "alternate",
    "build",
    "category",
    "describe",
    "from_hub",
    "generate",
    "load",
    "mutate",
    "parquet",
    "propose",
    "split_of",
    "stream",
    "taught",
    "to_hub",
    "validate_rows",
]
