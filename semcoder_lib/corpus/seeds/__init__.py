"""Where code comes from: installed packages, their subtrees, two writers of programs, the hub."""

from semcoder_lib.corpus.seeds.hub import Pair, code_contests, evol_codealpaca
from semcoder_lib.corpus.seeds.methods import method_seeded
from semcoder_lib.corpus.seeds.packages import SOURCES, Candidate, Scan, packages
from semcoder_lib.corpus.seeds.snippets import Seed, snippets, subtrees
from semcoder_lib.corpus.seeds.synthesiser import programs, synthesise

__all__ = [
    "SOURCES",
    "Candidate",
    "Pair",
    "Scan",
    "Seed",
    "code_contests",
    "evol_codealpaca",
    "method_seeded",
    "packages",
    "programs",
    "snippets",
    "subtrees",
    "synthesise",
]
