"""Where code comes from: installed packages, AST subtrees, a program synthesiser, the hub."""

from semcoder_lib.seeds.packages import SOURCES, Candidate, Scan, packages
from semcoder_lib.seeds.synthesiser import programs, synthesise

__all__ = ["SOURCES", "Candidate", "Scan", "packages", "programs", "synthesise"]
