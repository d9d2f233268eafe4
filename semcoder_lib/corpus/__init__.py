"""Builds PyX, the corpus of executable programs with cases (paper sections 3.1 and 3.2)."""

from semcoder_lib.corpus import parquet
from semcoder_lib.corpus.alternate import alternate
from semcoder_lib.corpus.build import Built, build
from semcoder_lib.corpus.categories import category
from semcoder_lib.corpus.corpus import load, stream
from semcoder_lib.corpus.describe import describe
from semcoder_lib.corpus.hub import from_hub, to_hub
from semcoder_lib.corpus.inputs import generate, mutate
from semcoder_lib.corpus.propose import Proposed, propose
from semcoder_lib.corpus.seeds.snippets import Seed
from semcoder_lib.corpus.split import split_of
from semcoder_lib.corpus.taught import Taught, taught
from semcoder_lib.corpus.validate import validate_rows

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
