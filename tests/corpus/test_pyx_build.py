"""A small corpus, built for real."""

import builtins
import inspect
import json
import random

import pytest

from semcoder_lib import corpus as pyx
from semcoder_lib.core import values
from semcoder_lib.core.records import Status
from semcoder_lib.corpus import types
from semcoder_lib.corpus.execute import Failed, Ran, commonest_error
from semcoder_lib.sandbox import Sandbox


@pytest.fixture(scope="module")
def box():
    with Sandbox(workers=1) as box:
        yield box


@pytest.fixture(scope="module")
def built(box, tmp_path_factory):
    out = tmp_path_factory.mktemp("corpus")
    return out, pyx.build(out, real=6, synthesised=8, cases=6, seed=3, box=box)


def test_every_case_comes_out_again_in_a_fresh_process(built, box):
    entries = pyx.load(built[0])
    assert len(entries) == 14
    for entry in entries:
        assert len(entry.cases) >= 5
        case = entry.cases[0]
        again = box.call(entry.program.source, entry.program.entry_point, case.arguments)
        assert again.text == values.encode(case.output)


def test_same_bytes_again_and_after_an_interruption(built, box, tmp_path):
    out, _ = built
    other = tmp_path / "again"
    pyx.build(other, real=6, synthesised=8, cases=6, seed=3, box=box)
    for name in ("pyx.jsonl", "dropped.jsonl", "funnel.json"):
        assert (other / name).read_bytes() == (out / name).read_bytes()
    (other / "pyx.jsonl").unlink()
    shards = sorted((other / "shards").iterdir())
    shards[0].unlink()
    kept = shards[-1].stat().st_mtime_ns
    pyx.build(other, real=6, synthesised=8, cases=6, seed=3, box=box)
    assert (other / "pyx.jsonl").read_bytes() == (out / "pyx.jsonl").read_bytes()
    assert shards[-1].stat().st_mtime_ns == kept, "a finished batch was made again"


@pytest.mark.slow
def test_same_bytes_over_processes_and_over_a_ray_cluster_of_two_nodes(box, tmp_path):
    def built_by(name, **how):
        made = pyx.build(tmp_path / name, real=30, synthesised=300, cases=5, seed=4, box=box, **how)
        return made.path.read_bytes(), made.dropped.read_bytes()

    alone = built_by("one", workers=1)
    assert built_by("two", workers=2) == alone
    assert built_by("four", workers=4) == alone
    ray = pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    cluster.add_node(num_cpus=1)
    try:
        ray.init(address=cluster.address, log_to_driver=False)
        assert sum(node["Alive"] for node in ray.nodes()) == 2
        assert built_by("ray", workers=2, backend="ray") == alone
    finally:
        ray.shutdown()
        cluster.shutdown()


def test_provenance_and_funnel(built):
    out, made = built
    for entry in pyx.load(out):
        assert entry.program.provenance.licence
        assert entry.program.description
        assert entry.program.argument_types
    for name in ("real", "synthesised"):
        counts = made.funnel[name]
        dropped = sum(n for reason, n in counts.items() if reason.startswith("dropped"))
        assert counts["candidates"] == counts["kept"] + dropped


def test_the_error_of_each_program_that_does_not_run(built):
    """Table 7's data: recomputed here from what was dropped."""
    rows = [json.loads(line) for line in (built[0] / "dropped.jsonl").read_text().splitlines()]
    failing = [r for r in rows if "runs" in r["reason"] or "fail" in r["reason"]]
    assert failing
    assert sum(built[1].funnel["errors"].values()) == len(failing)
    shown = {r["detail"] or "no exception, no usable value" for r in failing}
    assert shown == set(built[1].funnel["errors"])
    names = {name for name, _ in inspect.getmembers(builtins, inspect.isclass)}
    assert any(r["detail"] in names and r["detail"].endswith("Error") for r in failing)


def test_the_commonest_error():
    ran = [Ran("exception", "KeyError"), Ran("exception", "TypeError"), Ran("ok", "1"),
           Ran("exception", "TypeError"), Ran("timeout", "too many steps")]  # fmt: skip
    assert commonest_error(ran) == "TypeError"
    assert commonest_error([Ran("ok", "1")]) == ""
    assert commonest_error(ran[3:]) == "TypeError"
    assert commonest_error(Failed(Status.LOAD_ERROR, "SyntaxError")) == "SyntaxError"
    assert commonest_error(Failed(Status.TIMEOUT)) == "timeout"


@pytest.mark.parametrize(
    "kind", ["int", "str", "list[int]", "dict[str, list[int]]", "tuple[int, ...]", "set[str]"]
)
def test_inputs_have_their_type(kind):
    rng = random.Random(1)
    for _ in range(50):
        (value,) = pyx.generate((kind,), rng)
        changed = pyx.mutate((value,), (kind,), rng)[0]
        for v in (value, changed):
            assert type(v).__name__ == types.parse(kind).name
        values.encode((value, changed))
