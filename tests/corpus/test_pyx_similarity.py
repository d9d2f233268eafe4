"""The pruned decision equals the full one."""

import random

from rapidfuzz import fuzz, utils

from semcoder_lib.corpus.seeds import synthesise
from semcoder_lib.run.bench import similarity


def test_no_pair_above_the_threshold_is_lost():
    texts = [p.source for p in synthesise(60, seed=6)]
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


def test_a_text_inside_a_much_longer_one_is_found_at_every_place():
    short = "def mean_of_items(numbers): return sum(numbers) / len(numbers)"
    words = [f"aaa{i:03d}" for i in range(90)] + [f"zzz{i:03d}" for i in range(90)]
    items = []
    for before in range(0, 91, 3):  # tokens are sorted, so these surround the short text
        kept = words[:before] + words[90 : 180 - before]
        items.append(f"{short} {' '.join(kept)}")
    decider = similarity.Decider(items)
    assert decider.similar(short) == list(range(len(items)))
    backwards = similarity.Decider([short])
    assert all(backwards.similar(item) == [0] for item in items)
