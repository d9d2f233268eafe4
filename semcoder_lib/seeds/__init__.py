"""Where code comes from: installed packages, AST subtrees, a program synthesiser, the hub."""

from semcoder_lib.seeds.hub import Pair, code_contests, evol_codealpaca
from semcoder_lib.seeds.packages import SOURCES, Candidate, Scan, packages
from semcoder_lib.seeds.snippets import Seed, snippets
from semcoder_lib.seeds.subtrees import subtrees
from semcoder_lib.seeds.synthesiser import programs, synthesise

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
