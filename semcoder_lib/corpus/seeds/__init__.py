"""Where code comes from: installed packages, AST subtrees, a program synthesiser, the hub."""

from semcoder_lib.corpus.seeds.hub import Pair, code_contests, evol_codealpaca
from semcoder_lib.corpus.seeds.packages import SOURCES, Candidate, Scan, packages
from semcoder_lib.corpus.seeds.snippets import Seed, snippets
from semcoder_lib.corpus.seeds.subtrees import subtrees
from semcoder_lib.corpus.seeds.synthesiser import programs, synthesise

__all__ = [
    "SOURCES",
    "Candidate",
    "Pair",
    "Scan",
    "Seed",
    "code_contests",
    "evol_codealpaca",
    "packages",
    "programs",
    "snippets",
    "subtrees",
    "synthesise",
]
