"""The pruned decision equals the full one."""

import random

from rapidfuzz import fuzz, utils

from semcoder_lib.bench import similarity
from semcoder_lib.seeds import synthesise


def test_no_pair_above_the_threshold_is_lost():
    texts = [p.source for p in synthesise(60, seed=5)]
    rng = random.Random(2)
    items = []
    for text in texts[:30]:  # from nearly the same to half the text
        cut = list(text)
        for _ in range(rng.randrange(0, len(cut) // 9)):
            cut[rng.randrange(len(cut))] = rng.choice("abc ()=+")
        items.append("".join(cut)[: rng.randrange(len(cut) // 2, len(cut) + 1)])
    for threshold in (70, 80, 90):
        decider = similarity.Decider(items, threshold)
        above = 0
        for text in texts:
            wanted = []
            for place, item in enumerate(items):
                score = fuzz.partial_token_sort_ratio(text, item, processor=utils.default_process)
                if round(score) >= threshold:
                    wanted.append(place)
            assert decider.similar(text) == wanted
            above += len(wanted)
        assert above >= 3
