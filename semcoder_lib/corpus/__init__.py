"""Builds PyX, the corpus of executable programs with cases (paper sections 3.1 and 3.2)."""

from semcoder_lib.corpus.build import Built, build, develop
from semcoder_lib.corpus.choose import choose_cases, run_again
from semcoder_lib.corpus.describe import category, describe
from semcoder_lib.corpus.draft import Draft
from semcoder_lib.corpus.duplicates import Seen, drop_duplicates, split_families, split_of
from semcoder_lib.corpus.files import load, stream
from semcoder_lib.corpus.grow import grow_inputs
from semcoder_lib.corpus.guard import Guard, keep_out_benchmarks
from semcoder_lib.corpus.guess import guess_types
from semcoder_lib.corpus.inputs import generate, mutate
