"""Decontamination by text: substring, n-grams and fuzzy similarity against benchmark items, as the
paper does; and (input, output) pairs that occur in CRUXEval."""

from __future__ import annotations

import collections
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from rapidfuzz import fuzz

from semcoder_lib.core import values
from semcoder_lib.core.records import Case, Program
from semcoder_lib.corpus.decontaminate.items import Item
from semcoder_lib.corpus.duplicates import normalised, tokens

GRAM = 10
OVERLAP = 0.5  # share of a program's n-grams that one item may hold
FUZZY = 88.0  # token-sort ratio from which two programs count as one
DOC_CHARACTERS = 40  # a docstring shorter than this says too little to be looked for


@dataclass(slots=True)
class Index:
    """Benchmark items by their n-grams, for quick proposals."""

    grams: dict[int, list[int]] = field(default_factory=dict)
    ids: list[str] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)
    sorted_tokens: list[str] = field(default_factory=list)
    solutions: dict[str, str] = field(default_factory=dict)  # squeezed text: id
    docs: dict[str, str] = field(default_factory=dict)
    pairs: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, items: Iterable[Item]) -> Index:
        """Index benchmark items."""
        made = cls()
        for item in items:
            try:
                source = normalised(item.source)
            except (SyntaxError, ValueError):
                source = item.source
            place = len(made.ids)
            made.ids.append(item.id)
            made.sources.append(source)
            words = tokens(source)
            made.sorted_tokens.append(" ".join(sorted(words)))
            for gram in _grams(words):
                made.grams.setdefault(gram, []).append(place)
            made.solutions.setdefault(_squeezed(source), item.id)
            doc = _squeezed(re.sub(r">>>.*", "", item.prompt, flags=re.DOTALL).rpartition('"""')[2])
            if len(doc) >= DOC_CHARACTERS:
                made.docs.setdefault(doc, item.id)
            if item.output:
                for call in item.calls:
                    made.pairs.add(_pair(values.encode(call), item.output))
        return made

    def reason(self, program: Program) -> str:
        """How a program repeats a benchmark item's text, with the item's id, or ""."""
        source = normalised(program.source)
        squeezed = _squeezed(source)
        if squeezed in self.solutions:
            return f"is {self.solutions[squeezed]}"
        words = tokens(source)
        grams = _grams(words)
        hits: collections.Counter[int] = collections.Counter()
        for gram in grams:
            hits.update(self.grams.get(gram, ()))
        ordered = " ".join(sorted(words))
        for place, count in hits.most_common(5):
            name = self.ids[place]
            if len(self.sources[place]) > 60 and _squeezed(self.sources[place]) in squeezed:
                return f"contains {name}"
            if count >= OVERLAP * len(grams):
                return f"n-grams of {name}"
            if fuzz.ratio(ordered, self.sorted_tokens[place], score_cutoff=FUZZY) >= FUZZY:
                return f"similar to {name}"
        told = _squeezed(program.description)
        if len(told) >= DOC_CHARACTERS:
            for doc, name in self.docs.items():
                if told in doc or doc in told:
                    return f"description of {name}"
        return ""

    def known_pair(self, case: Case) -> bool:
        """Whether a case's (input, output) pair occurs in CRUXEval."""
        return (
            bool(self.pairs)
            and _pair(values.encode(case.arguments), values.encode(case.output)) in self.pairs
        )


def _pair(arguments: str, output: str) -> str:
    return _squeezed(arguments) + "\0" + _squeezed(output.replace('"', "'"))


def _squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text).lower()


def _grams(words: list[str]) -> set[int]:
    return {hash_of(words[i : i + GRAM]) for i in range(max(0, len(words) - GRAM + 1))}


def hash_of(words: list[str]) -> int:
    """A stable 32-bit hash of some tokens."""
    import zlib

    return zlib.crc32("\0".join(words).encode("utf-8", "surrogatepass"))
