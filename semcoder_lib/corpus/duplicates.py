"""Duplicates (exact, near and semantic), and the split that keeps families together.

MinHash (datasketch) proposes near duplicates, edit similarity decides."""

from __future__ import annotations

import ast
import functools
import hashlib
import io
import tokenize
from collections.abc import Iterable, Sequence

from datasketch import MinHash, MinHashLSH
from rapidfuzz import fuzz

from semcoder_lib.core import foreign
from semcoder_lib.corpus.prospect import Prospect, alive

PERMUTATIONS = 48
BANDS = (24, 2)  # of two values: proposes pairs above about 0.3 in Jaccard similarity of shingles
SHINGLE = 4  # tokens
NEAR = 92.0  # edit similarity, in percent, from which two programs count as one


@functools.lru_cache(maxsize=512)  # several checks of a batch ask for the same programs
def normalised(source: str) -> str:
    """A source with its layout, comments and docstrings out of the way. Raises foreign.Refused for
    one that does not parse."""
    tree = foreign.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return foreign.unparse(tree)


def exact_key(source: str) -> str:
    """Equal for sources that differ in layout, comments and docstrings only."""
    return hashlib.blake2b(normalised(source).encode(), digest_size=12).hexdigest()


def tokens(source: str) -> list[str]:
    """The code tokens of a source that parses, layout left out."""
    code = (tokenize.NAME, tokenize.NUMBER, tokenize.STRING, tokenize.OP)
    every = tokenize.generate_tokens(io.StringIO(source).readline)
    return [token.string for token in every if token.type in code]


def behaviour_key(types: Sequence[str], outputs: Sequence[tuple[str, str]]) -> str:
    """A key for what a program computes on its signature's shared inputs, from their (status, text)
    pairs; empty where the outputs say too little (fewer than four distinct ones)."""
    if len({text for status, text in outputs if status == "ok"}) < 4:
        return ""
    digest = hashlib.blake2b(repr(tuple(types)).encode(), digest_size=12)
    for status, text in outputs:
        digest.update(f"\0{status}\0{text}".encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


class Seen:
    """What is in the corpus already: keys, and for near duplicates MinHash bands and tokens, a few
    kB a program."""

    def __init__(self) -> None:
        self._exact: set[str] = set()
        self._behaviour: set[str] = set()
        self._bands = MinHashLSH(num_perm=PERMUTATIONS, params=BANDS)
        self._texts: list[str] = []

    def repeats(self, source: str, behaviour: str = "") -> str:
        """Why a program is a duplicate, or an empty string; then it is remembered. `behaviour` is a
        key that programs share which compute the same; empty says nothing."""
        exact = exact_key(source)
        if exact in self._exact:
            return "exact duplicate"
        if behaviour and behaviour in self._behaviour:
            return "semantic duplicate"
        words = tokens(source)
        text, sketch = " ".join(words), _sketch(words)
        for place in self._bands.query(sketch):
            if fuzz.ratio(text, self._texts[place], score_cutoff=NEAR) >= NEAR:
                return "near duplicate"
        self._exact.add(exact)
        self._behaviour.add(behaviour)
        self._bands.insert(len(self._texts), sketch)
        self._texts.append(text)
        return ""


def _sketch(words: list[str]) -> MinHash:
    """The MinHash sketch of a source's token shingles."""
    shingles = ("\0".join(words[i : i + SHINGLE]) for i in range(max(1, len(words) - SHINGLE + 1)))
    sketch = MinHash(num_perm=PERMUTATIONS)
    sketch.update_batch([shingle.encode("utf-8", "surrogatepass") for shingle in set(shingles)])
    return sketch


def drop_duplicates(prospects: Iterable[Prospect], seen: Seen) -> list[Prospect]:
    """Step 6. Drops the prospects that repeat one that was seen: the same code, nearly the same
    code, or the same outputs on the inputs that all programs of a signature share; the prospects
    that are left."""
    prospects = list(prospects)
    for prospect in prospects:
        if why := seen.repeats(prospect.program.source, prospect.behaviour):
            prospect.drop(why)
    return alive(prospects)


def split_families(
    prospects: Iterable[Prospect], *, seed: int = 0, held_out: float = 0.1
) -> list[Prospect]:
    """Step 7. Puts the prospects of about the share `held_out` of all families into the split
    "held_out", so that near variants never straddle it; the prospects."""
    prospects = list(prospects)
    for prospect in prospects:
        prospect.revise(split=split_of(prospect.program.family, seed=seed, held_out=held_out))
    return prospects


def split_of(family: str, *, seed: int, held_out: float) -> str:
    """ "held_out" for about the share `held_out` of all families, else "train". Depends on the
    family and the seed alone, so it is the same in a corpus of any size."""
    digest = hashlib.blake2b(f"{seed}:split:{family}".encode(), digest_size=8).digest()
    return "held_out" if int.from_bytes(digest, "big") < held_out * 2**64 else "train"
