"""Decontamination by text: substring, n-grams and fuzzy similarity against benchmark items, as the
paper does; and (input, output) pairs that occur in CRUXEval."""

from __future__ import annotations

import collections
import re
import zlib
from collections.abc import Iterable

from rapidfuzz import fuzz

from semcoder_lib.core import foreign
from semcoder_lib.core.records import Program
from semcoder_lib.corpus.benchmark_items import Item
from semcoder_lib.corpus.duplicates import normalised, tokens

GRAM = 10  # tokens
OVERLAP = 0.5  # share of a program's n-grams that one item may hold
FUZZY = 88.0  # token-sort ratio from which two programs count as one
CONTAINED = 60  # characters; a shorter item may stand inside any program
DOC_CHARACTERS = 40  # a docstring shorter than this says too little to be looked for
LOOKED_AT = 5  # items that share the most n-grams


class Index:
    """Benchmark items by their texts."""

    def __init__(self, items: Iterable[Item]) -> None:
        self._items: list[tuple[str, str, str]] = []  # id, what may be contained, sorted tokens
        self._solutions: dict[str, str] = {}
        self._docs: dict[str, str] = {}
        self._pairs: set[str] = set()
        self._grams: dict[int, list[int]] = collections.defaultdict(list)
        for item in items:
            self._add(item)

    def _add(self, item: Item) -> None:
        try:
            source = normalised(item.source)
        except foreign.Refused:
            source = item.source
        words = tokens(source)
        for gram in _grams(words):
            self._grams[gram].append(len(self._items))
        squeezed = _squeezed(source)
        contained = squeezed if len(source) > CONTAINED else ""
        self._items.append((item.id, contained, " ".join(sorted(words))))
        self._solutions.setdefault(squeezed, item.id)
        texts = re.findall(r"(\"{3}|'{3})(.*?)(?:>>>.*?|assert .*?)?\1", item.prompt, re.DOTALL)
        doc = _squeezed(texts[-1][1] if texts else "")
        if len(doc) >= DOC_CHARACTERS:
            self._docs.setdefault(doc, item.id)
        if item.output:
            self._pairs.update(_pair(call, item.output) for call in item.calls)

    def repeated(self, program: Program) -> str:
        """How a program repeats a benchmark item's text, with the item's id, or ""."""
        source = normalised(program.source)
        squeezed = _squeezed(source)
        if squeezed in self._solutions:
            return f"is {self._solutions[squeezed]}"
        words = tokens(source)
        grams = _grams(words)
        hits = collections.Counter(place for g in grams for place in self._grams.get(g, ()))
        ordered = " ".join(sorted(words))
        for place, count in hits.most_common(LOOKED_AT):
            name, item, other = self._items[place]
            if item and item in squeezed:
                return f"contains {name}"
            if count >= OVERLAP * len(grams):
                return f"n-grams of {name}"
            if fuzz.ratio(ordered, other, score_cutoff=FUZZY) >= FUZZY:
                return f"similar to {name}"
        description = _squeezed(program.description)
        if len(description) >= DOC_CHARACTERS:
            for doc, name in self._docs.items():
                if description in doc or doc in description:
                    return f"description of {name}"
        return ""

    def knows(self, arguments: str, output: str) -> bool:
        """Whether an (argument tuple, output) pair, as texts, occurs in CRUXEval."""
        return _pair(arguments, output) in self._pairs


def _pair(arguments: str, output: str) -> str:
    return _squeezed(arguments) + "\0" + _squeezed(output.replace('"', "'"))


def _squeezed(text: str) -> str:
    return "".join(text.split()).lower()


def _grams(words: list[str]) -> set[int]:
    """Stable 32-bit hashes of the runs of `GRAM` tokens."""
    runs = (words[i : i + GRAM] for i in range(max(0, len(words) - GRAM + 1)))
    return {zlib.crc32("\0".join(run).encode("utf-8", "surrogatepass")) for run in runs}
