"""`bench similarity`: how long it takes to decide which of many programs are similar to a benchmark
item, ours against the paper's scorer.

The paper scores every pair with `thefuzz.fuzz.partial_token_sort_ratio`. We decide the same
question, "is the score at least the threshold", by a bound first: a pair can only reach the
threshold if the shorter token string shares enough bigrams and trigrams with the longer one.
What is left is scored exactly.
"""

from __future__ import annotations

import random
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from rapidfuzz import fuzz, process, utils
from rapidfuzz.distance import LCSseq

from semcoder_lib.run.bench.arguments import Parser

THRESHOLD = 90.0
_BINS = 1024


def paper_scorer() -> tuple[str, Callable[[str, str], float]]:
    """(its name, the scorer): thefuzz where it is installed, else the same function through
    rapidfuzz, called pair by pair as thefuzz calls it (preprocessing included, score rounded)."""
    try:
        from thefuzz import fuzz as thefuzz
    except ImportError:

        def scorer(one: str, other: str) -> float:
            score = fuzz.partial_token_sort_ratio(one, other, processor=utils.default_process)
            return float(round(score))

        return "rapidfuzz as thefuzz wraps it", scorer
    return "thefuzz", lambda one, other: float(thefuzz.partial_token_sort_ratio(one, other))


def prepared(text: str) -> str:
    """A text as the scorer sees it: lower case, punctuation to spaces, tokens sorted."""
    return " ".join(sorted(utils.default_process(text).split()))


class Decider:
    """Decides for one text at a time which of the fixed items it is similar to.

    No pair at or above the threshold is ever lost. A partial ratio of t aligns the shorter string,
    of n characters, with a window of w of the longer one, m characters matching: 2m/(n + w) >= t.
    With w >= m that gives m >= tn/(2 - t), and w <= 2m/t - n. Each of the n - m deletions destroys
    at most q of the shorter string's q-grams and each of the w - m insertions at most q - 1, so
    both share at least (n - q + 1) - q(n - m) - (q - 1)(w - m) = m(2q - 1 - 2(q - 1)/t) - q + 1
    q-grams, which grows with m where it says anything at all. Counting q-grams in hashed bins can
    only make the shared number larger. Where that does not decide, the longest common subsequence
    with the whole longer string does, which is at least m and costs a hundredth of the score.
    """

    def __init__(self, items: Sequence[str], threshold: float = THRESHOLD) -> None:
        self.items = [prepared(i) for i in items]
        self.threshold = threshold
        self.lengths = np.array([len(i) for i in self.items])
        self.bins = {
            q: np.ascontiguousarray(np.stack([_grams(i, q) for i in self.items]).T) for q in (2, 3)
        }

    def candidates(self, text: str) -> np.ndarray[Any, Any]:
        """Places of the items whose score with a prepared text can reach the threshold."""
        t = (self.threshold - 0.5) / 100.0  # the scorer rounds
        places = np.arange(len(self.items))
        for q in (2, 3):
            slope = (2 * q - 1) - 2 * (q - 1) / t
            if slope <= 0 or not len(places):
                continue
            shorter = np.minimum(self.lengths[places], len(text))
            least = np.floor(shorter * t / (2 - t) * slope - q + 1)
            own = _grams(text, q)
            filled = np.nonzero(own)[0]
            held = self.bins[q][filled]
            if len(places) < len(self.items):
                held = held[:, places]
            shared = np.minimum(held, own[filled, None]).sum(axis=0, dtype=np.int32)
            places = places[shared >= least]
        if not len(places):
            return places
        matched = process.cdist(
            [text], [self.items[p] for p in places], scorer=LCSseq.similarity, dtype=np.int32
        )[0]
        shorter = np.minimum(self.lengths[places], len(text))
        return places[matched >= np.floor(shorter * t / (2 - t))]

    def _fits_a_window(self, one: str, other: str) -> bool:
        """Whether some window of the longer string, of the greatest useful width, shares a long
        enough subsequence with the shorter one. Every window lies inside one of the blocks, which
        are first three windows long, since few fail to say no, then one and a half."""
        t = (self.threshold - 0.5) / 100.0
        short, long = sorted((one, other), key=len)
        width = int(len(short) * (2 / t - 1)) + 1
        least = int(len(short) * t / (2 - t))
        for size in (3 * width, width + width // 2 + 1):
            if len(long) <= size or not short:
                continue
            step = size - width
            for start in range(0, len(long) - width, step):
                block = long[start : start + size]
                if LCSseq.similarity(short, block, score_cutoff=least) >= least:
                    break
            else:
                return False
        return True

    def similar(self, text: str) -> list[int]:
        """Places of the items whose rounded score is at least the threshold."""
        ready = prepared(text)
        found = []
        for place in self.candidates(ready):
            if not self._fits_a_window(ready, self.items[place]):
                continue
            score = fuzz.partial_ratio(ready, self.items[place], score_cutoff=self.threshold - 0.5)
            if round(score) >= self.threshold:
                found.append(int(place))
        return found


def _grams(text: str, q: int) -> np.ndarray[Any, Any]:
    """How many of a text's q-grams fall into each bin, at most 255."""
    data = np.frombuffer(text.encode("utf-8", "replace"), dtype=np.uint8).astype(np.uint32)
    if len(data) < q:
        return np.zeros(_BINS, dtype=np.uint8)
    mixed = np.zeros(len(data) - q + 1, dtype=np.uint32)
    for place in range(q):
        mixed = mixed * np.uint32(2654435761) + data[place : len(data) - q + 1 + place]
    counts = np.bincount((mixed * np.uint32(2246822519)) >> np.uint32(22), minlength=_BINS)
    return np.minimum(counts, 255).astype(np.uint8)


def main(argv: list[str] | None = None) -> dict[str, Any]:
    """Times both (processor seconds) on a random sample of pairs, scaled to all pairs. Returns the
    seconds, the ratio, and how many decisions differ."""
    parser = Parser(prog="python -m semcoder_lib bench similarity")
    parser.add_argument("--programs", type=int, default=32_000)
    parser.add_argument("--pairs", type=int, default=20_000)
    parser.add_argument("--texts", type=int, default=400, help="programs that are really made")
    parser.add_argument("--threshold", type=float, default=THRESHOLD)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--peers", action="store_true")
    args = parser.parse_args(argv or [])
    from semcoder_lib.corpus import benchmark_items
    from semcoder_lib.corpus.seeds import synthesise

    items, report = benchmark_items.load()
    references = [i.source for i in items] or [p.source for p in synthesise(500, args.seed + 1)]
    texts = [p.source for p in synthesise(args.texts, args.seed)]
    planted = min(20, len(texts), len(references))  # so that there is something above the threshold
    texts[:planted] = references[:planted]
    rng = random.Random(f"{args.seed}:similarity")
    pairs = [(rng.randrange(len(texts)), rng.randrange(len(references))) for _ in range(args.pairs)]
    pairs[:planted] = [(i, i) for i in range(planted)]
    name, scorer = paper_scorer()
    start = time.process_time()
    theirs = {pair: scorer(texts[pair[0]], references[pair[1]]) for pair in pairs}
    their_seconds = time.process_time() - start
    decider = Decider(references, args.threshold)
    start = time.process_time()
    similar = [set(decider.similar(t)) for t in texts]
    our_seconds = time.process_time() - start
    total = args.programs * len(references)
    differing = sum(
        (score >= args.threshold) != (pair[1] in similar[pair[0]]) for pair, score in theirs.items()
    )
    their_total = their_seconds / len(pairs) * total
    our_total = our_seconds / len(texts) * args.programs
    result = {
        "benchmark": "similarity",
        "items": len(references),
        "items_from": report,
        "programs": args.programs,
        "sampled_pairs": len(pairs),
        "threshold": args.threshold,
        "paper_scorer": name,
        "paper_seconds_scaled": round(their_total, 1),
        "our_seconds_scaled": round(our_total, 1),
        "ratio": round(their_total / our_total, 2),
        "scored_exactly": round(
            statistics.fmean(len(decider.candidates(prepared(t))) for t in texts) / len(references),
            4,
        ),
        "similar_in_sample": sum(s >= args.threshold for s in theirs.values()),
        "decisions_that_differ": differing,
    }
    print(f"similarity: {result['ratio']} times the paper's scorer", file=sys.stderr)
    return result
