"""Builds PyX, the corpus of executable programs with cases (paper sections 3.1 and 3.2).

The steps, each on one prospect or on many: `guess_types`, `grow_inputs`, `choose_cases`,
`run_again`, `keep_out_benchmarks` (these five together: `develop`), `drop_duplicates`,
`split_families`. `build` does all of it for a whole corpus.
"""

from semcoder_lib.corpus.build import (
    Seen,
    build,
    develop,
    drop_duplicates,
    split_families,
)
from semcoder_lib.corpus.files import by_origin, category, load
from semcoder_lib.corpus.grow import choose_cases, grow_inputs, guess_types, run_again
from semcoder_lib.corpus.guard import Guard, keep_out_benchmarks
from semcoder_lib.corpus.hub import from_hub, to_hub, validate_rows
from semcoder_lib.corpus.inputs import generate, mutate
from semcoder_lib.corpus.prospect import Prospect
from semcoder_lib.corpus.taught import taught

__all__ = [
    "Guard",
    "Prospect",
    "Seen",
    "build",
    "by_origin",
    "category",
    "choose_cases",
    "develop",
    "drop_duplicates",
    "from_hub",
    "generate",
    "grow_inputs",
    "guess_types",
    "keep_out_benchmarks",
    "load",
    "mutate",
    "run_again",
    "split_families",
    "taught",
    "to_hub",
    "validate_rows",
]
