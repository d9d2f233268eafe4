"""Where code comes from: installed packages, their subtrees, two writers of programs."""

from semcoder_lib.corpus.seeds.methods import method_seeded
from semcoder_lib.corpus.seeds.packages import Seed, packages, snippets, subtrees
from semcoder_lib.corpus.seeds.synthesiser import synthesise

__all__ = ["Seed", "method_seeded", "packages", "snippets", "subtrees", "synthesise"]
