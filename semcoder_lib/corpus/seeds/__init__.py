"""Where code comes from: installed packages, and two writers of programs."""

from semcoder_lib.corpus.seeds.packages import packages
from semcoder_lib.corpus.seeds.synthesiser import method_seeded, synthesise

__all__ = ["method_seeded", "packages", "synthesise"]
