"""The transformers engine on a tiny random model: exactness, order, stops, cache."""

from __future__ import annotations

import itertools
import random
import threading
from pathlib import Path

import pytest
import torch

from semcoder_lib import models as generation
from semcoder_lib.core.errors import UserError
from semcoder_lib.models import Request, assets, hardware, lanes
from semcoder_lib.models.sampling import Chooser
from semcoder_lib.models.scheduler import Job
from semcoder_lib.models.stops import cut
from semcoder_lib.models.tiny import save_tiny

WORDS = ["def", "if x", "return 3", "lambda", "[1, 2]", "é", "while", "  ", "\n", "yield"]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(save_tiny(tmp_path_factory.mktemp("tiny") / "tiny-llama"))


@pytest.fixture(scope="module")
def engine(tiny: str):
    with generation.load(tiny, dtype="float32", threads=1, batch=5) as made:
        yield made


def requests(count: int, **options) -> list[Request]:
    draw = random.Random(3)
    return [
        Request(
            f"t{i}",
            " ".join(draw.choices(WORDS, k=draw.randint(1, 40))),
            max_new_tokens=draw.randint(1, 24),
            **options,
        )
        for i in range(count)
    ]


def texts(engine, asked: list[Request]) -> list[list[tuple[str, str, int]]]:
    return [[(c.text, c.finish, c.tokens) for c in row] for row in engine.generate(asked)]


def test_decoder_writes_what_plain_generate_writes(engine, tiny: str) -> None:
    asked = requests(40, stop=("w", "ret"))
    with generation.load(tiny, dtype="float32", threads=1, backend="plain", batch=7) as plain:
        expected = texts(plain, asked)
    assert texts(engine, asked) == expected
    assert {finish for row in expected for _, finish, _ in row} >= {"stop", "length"}


def test_order_and_duplicates_do_not_matter(engine) -> None:
    asked = requests(30)
    straight = texts(engine, asked)
    order = list(range(30))
    random.Random(1).shuffle(order)
    shuffled = texts(engine, [asked[i] for i in order])
    assert [shuffled[order.index(i)] for i in range(30)] == straight
    assert texts(engine, [asked[0], asked[0]]) == [straight[0], straight[0]]


def test_batch_size_and_cache_memory_do_not_matter(engine, tiny: str) -> None:
    asked = requests(20)
    with generation.load(tiny, dtype="float32", threads=1, batch=3, cache_bytes=200_000) as small:
        assert texts(small, asked) == texts(engine, asked)


def test_lanes_write_what_one_lane_writes(engine, tiny: str) -> None:
    asked = [*requests(60), *requests(6, temperature=1.0, n=3)]
    with generation.load(tiny, dtype="float32", threads=2, batch=3) as two:
        assert two.describe()["lanes"] == 2
        counted = []
        made = two.generate(asked, progress=lambda p: counted.append(p.done))
        assert [[(c.text, c.finish, c.tokens) for c in row] for row in made] == texts(engine, asked)
        assert counted == list(range(1, 79))


def test_jobs_are_dealt_evenly_and_samples_stay_together() -> None:
    draw = random.Random(2)
    jobs = []
    for i in range(40):
        ids, limit = [i] * draw.randint(1, 90), draw.randint(1, 60)
        jobs += [Job(f"{i}/{n}", ids, (), limit, Chooser(0, 1, "")) for n in range(1 + i % 3)]
    hands = lanes.deal(jobs, 3)
    shuffled = draw.sample(jobs, len(jobs))
    assert [[j.key for j in hand] for hand in lanes.deal(shuffled, 3)] == [
        [j.key for j in hand] for hand in hands
    ]
    assert sorted(j.key for hand in hands for j in hand) == sorted(j.key for j in jobs)
    prompts = [{tuple(j.ids) for j in hand} for hand in hands]
    assert not any(a & b for a, b in itertools.combinations(prompts, 2))
    loads = [sum(j.room for j in hand) for hand in hands]
    assert max(loads) - min(loads) <= max(j.room for j in jobs) * 3
    many = [Job(f"{n:02}", [1, 2], (), 9, Chooser(1, 1, f"{n}")) for n in range(40)]
    assert [len(hand) for hand in lanes.deal(many, 2)] == [24, 16]
    assert [lanes.count(n, 4) for n in (1, 8, 16, 31, 32, 900)] == [1, 1, 2, 3, 4, 4]


def test_an_exception_ends_every_lane_at_once(tiny: str) -> None:
    asked = [
        Request(f"t{i}", f"def f{i}():", max_new_tokens=3 if i == 5 else 400) for i in range(32)
    ]
    with generation.load(tiny, dtype="float32", threads=2) as two:
        before = threading.active_count()

        def stop(progress: generation.Progress) -> None:
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            two.generate(asked, progress=stop)
        assert two.last is not None
        assert two.last.done == 1, "the others wrote on"
        assert threading.active_count() <= before, threading.enumerate()
        assert torch.get_num_threads() == 2


def test_stop_is_cut_exactly(engine) -> None:
    whole = engine.generate([Request("a", "def f", max_new_tokens=24)])[0][0].text
    stop = whole[5:8]
    got = engine.generate([Request("a", "def f", stop=(stop,), max_new_tokens=24)])[0][0]
    assert got.text == whole[: whole.index(stop)]
    assert got.finish == "stop"
    assert got.tokens <= 24


def test_cut_takes_the_first_of_several_stops() -> None:
    assert cut("a[/X]b[Y]", ("[Y]", "[/X]")) == ("a", True)
    assert cut("abc", ("d", "")) == ("abc", False)


def test_shared_prefix_gives_the_same_texts(engine) -> None:
    start = "if x return 3 " * 12
    asked = [Request(str(i), start + w, max_new_tokens=10) for i, w in enumerate(WORDS)]
    alone = [texts(engine, [r])[0] for r in asked]
    assert texts(engine, asked) == alone


def test_samples_are_seeded_and_differ(engine) -> None:
    asked = Request("s", "def f", max_new_tokens=12, temperature=1.0, top_p=0.9, n=4, seed=7)
    first = texts(engine, [asked])
    assert texts(engine, [asked, *requests(6)])[0] == first[0]
    assert len(set(first[0])) > 1
    other = Request("s", "def f", max_new_tokens=12, temperature=1.0, top_p=0.9, n=4, seed=8)
    assert texts(engine, [other]) != first


def test_cache_is_used_and_survives_a_kill(tiny: str, tmp_path: Path) -> None:
    asked, cache = requests(8), tmp_path / "cache.jsonl"
    with generation.load(tiny, dtype="float32", threads=1, cache=cache) as made:
        first = texts(made, asked)
        assert made.last is not None
        assert made.last.cached == 0
    lines = cache.read_bytes().splitlines(keepends=True)
    cache.write_bytes(b"".join(lines[:-2]) + lines[-2][:20])  # as if killed while writing
    with generation.load(tiny, dtype="float32", threads=1, cache=cache) as made:
        assert texts(made, asked) == first
        assert made.last is not None
        assert (made.last.cached, made.last.total) == (6, 8)


def test_progress_counts_up(engine) -> None:
    seen: list[tuple[int, int]] = []
    engine.generate(requests(7), progress=lambda state: seen.append((state.done, state.tokens)))
    assert [done for done, _ in seen] == [1, 2, 3, 4, 5, 6, 7]
    assert seen[-1][1] >= 7


def test_too_long_prompt_is_said_not_cut(engine) -> None:
    got = engine.generate([Request("long", "yield " * 600, max_new_tokens=4)])[0][0]
    assert (got.text, got.finish) == ("", "too_long")


@pytest.mark.parametrize(
    ("request_", "word"),
    [
        (Request("x", ""), "empty"),
        (Request("x", "a", max_new_tokens=0), "max_new_tokens"),
        (Request("x", "a", top_p=0.0), "top_p"),
        (Request("x", "a", stop="ab"), "tuple"),  # type: ignore[arg-type]
    ],
)
def test_senseless_requests_are_refused(engine, request_: Request, word: str) -> None:
    with pytest.raises(UserError, match=word):
        engine.generate([request_])


def test_unknown_names_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="neither a known model"):
        generation.load("nonsense")
    with pytest.raises(UserError, match=r"config\.json"):
        generation.load(str(tmp_path))
    with pytest.raises(UserError, match="dtype"):
        hardware.probe(dtype="float7")
    with pytest.raises(UserError, match="backend"):
        generation.load(backend="magic")


def test_int8_answers_and_has_its_own_identity(engine, tiny: str) -> None:
    with generation.load(tiny, dtype="int8", threads=1) as small:
        rows = texts(small, requests(4))
        assert all(tokens > 0 for row in rows for _, _, tokens in row)
        assert small.identity != engine.identity


def test_identity_follows_the_weights(engine, tmp_path: Path) -> None:
    other = save_tiny(tmp_path / "other", seed=1)
    assert assets.weights_hash(str(other)) != assets.weights_hash(engine.folder)
    assert assets.weights_hash(str(other)) == assets.weights_hash(str(other))
