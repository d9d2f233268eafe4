"""Exact, near and semantic duplicates. MinHash proposes near ones, edit similarity decides."""

from __future__ import annotations

import ast
import functools
import hashlib
import io
import tokenize
from dataclasses import dataclass, field

import numpy as np
from rapidfuzz import fuzz

PERMUTATIONS = 48
BANDS = 12  # of four values: pairs above about 0.55 in Jaccard similarity of shingles are proposed
SHINGLE = 4
NEAR = 0.92  # edit similarity from which two programs count as one

_PRIME = np.uint64((1 << 61) - 1)
_RANDOM = np.random.Generator(np.random.PCG64(20241))
_A = _RANDOM.integers(1, 1 << 31, PERMUTATIONS, dtype=np.uint64)
_B = _RANDOM.integers(0, 1 << 60, PERMUTATIONS, dtype=np.uint64)


@functools.lru_cache(maxsize=512)  # several checks of a batch ask for the same programs
def normalised(source: str) -> str:
    """A source with its layout, comments and docstrings out of the way."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree)


def exact_key(source: str) -> str:
    """Equal for sources that differ in layout, comments and docstrings only."""
    return hashlib.blake2b(normalised(source).encode(), digest_size=12).hexdigest()


def tokens(source: str) -> list[str]:
    """The code tokens of a source, layout left out; split at spaces where it does not tokenize."""
    out = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type in (tokenize.NAME, tokenize.NUMBER, tokenize.STRING, tokenize.OP):
                out.append(token.string)
    except (tokenize.TokenError, IndentationError, SyntaxError):
        return source.split()
    return out


def signature(source: str) -> list[int]:
    """The MinHash signature of a source's token shingles."""
    words = tokens(source)
    shingles = {
        hashlib.blake2b("\0".join(words[i : i + SHINGLE]).encode(), digest_size=4).digest()
        for i in range(max(1, len(words) - SHINGLE + 1))
    }
    hashes = np.frombuffer(b"".join(sorted(shingles)), dtype=np.uint32).astype(np.uint64)
    mixed = (hashes[:, None] * _A[None, :] + _B[None, :]) % _PRIME
    return [int(v) for v in (mixed.min(axis=0) & np.uint64(0xFFFFFFFF))]


@dataclass(slots=True)
class Seen:
    """What is in the corpus already. `reason` says whether a new program repeats any of it.

    Memory per program is about 1 kB: keys, twelve band entries, and the tokens for the decision.
    """

    exact: set[str] = field(default_factory=set)
    behaviour: set[str] = field(default_factory=set)
    bands: dict[bytes, list[int]] = field(default_factory=dict)
    texts: list[bytes] = field(default_factory=list)

    def reason(self, exact: str, minhash: list[int], source: str, behaviour: str) -> str:
        """Why the program is a duplicate, or an empty string; then it is remembered."""
        if exact in self.exact:
            return "exact duplicate"
        if behaviour and behaviour in self.behaviour:
            return "semantic duplicate"
        text = " ".join(tokens(source)).encode()
        keys = _bands(minhash)
        proposed = {place for key in keys for place in self.bands.get(key, ())[:20]}
        for place in sorted(proposed):
            other = self.texts[place]
            if fuzz.ratio(text, other, score_cutoff=100 * NEAR) >= 100 * NEAR:
                return "near duplicate"
        self.exact.add(exact)
        if behaviour:
            self.behaviour.add(behaviour)
        for key in keys:
            self.bands.setdefault(key, []).append(len(self.texts))
        self.texts.append(text)
        return ""


def _bands(minhash: list[int]) -> list[bytes]:
    rows = PERMUTATIONS // BANDS
    out = []
    for band in range(BANDS):
        part = np.array(minhash[band * rows : (band + 1) * rows], dtype=np.uint32)
        out.append(hashlib.blake2b(bytes([band]) + part.tobytes(), digest_size=8).digest())
    return out


def behaviour_key(types: tuple[str, ...], outputs: list[tuple[str, str]]) -> str:
    """A key for what a program computes on its signature's shared inputs; empty where the outputs
    say too little (fewer than four distinct ones)."""
    if len({text for status, text in outputs if status == "ok"}) < 4:
        return ""
    digest = hashlib.blake2b(repr(types).encode(), digest_size=12)
    for status, text in outputs:
        digest.update(f"\0{status}\0{text}".encode("utf-8", "surrogatepass"))
    return digest.hexdigest()
