# ruff: noqa: E501
"""A small corpus, built for real, and the steps that it goes through."""

import ast
import builtins
import collections
import gzip
import inspect
import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from semcoder_lib import corpus as pyx
from semcoder_lib.core import records, values
from semcoder_lib.core.errors import UserError
from semcoder_lib.core.records import Program
from semcoder_lib.corpus import hints
from semcoder_lib.sandbox import own

SIZES = {"real": 6, "synthesised": 8, "method_seeded": 10, "cases": 6, "seed": 3}
FILES = ("pyx.jsonl", "dropped.jsonl", "funnel.json")


@pytest.fixture(scope="module")
def built(box, tmp_path_factory):
    out = tmp_path_factory.mktemp("corpus")
    return out, pyx.build(out, **SIZES, box=box)


def test_every_case_comes_out_again_in_a_fresh_process(built, box):
    entries = pyx.load(built[0])
    assert collections.Counter(e.program.origin for e in entries) == {
        "package": 6,
        "synthesised": 8,
        "method": 10,
    }
    assert 1 <= sum("drill" in e.program.tags for e in entries) <= 9
    for entry in entries:
        assert len(entry.cases) >= 5
        assert entry.program.provenance.licence
        assert entry.program.description
        assert entry.program.argument_types
        case = entry.cases[0]
        again = box.call(entry.program.source, entry.program.entry_point, case.arguments)
        assert again.text == values.encode(case.output)


def test_same_bytes_after_an_interruption_and_after_damage(built, box, tmp_path):
    out, _ = built
    pyx.build(tmp_path, **SIZES, box=box)
    assert [(tmp_path / n).read_bytes() for n in FILES] == [(out / n).read_bytes() for n in FILES]
    batches = sorted((tmp_path / "cache_batches").iterdir())
    batches[0].unlink()
    whole = batches[1].read_bytes()
    changed = gzip.decompress(whole).replace(b"def ", b"def  ", 1)
    batches[1].write_bytes(gzip.compress(changed))
    kept = [b.stat().st_mtime_ns for b in batches[2:]]
    pyx.build(tmp_path, **SIZES, box=box)
    assert (tmp_path / "pyx.jsonl").read_bytes() == (out / "pyx.jsonl").read_bytes()
    assert batches[1].read_bytes() == whole, "a damaged batch is made again"
    assert [b.stat().st_mtime_ns for b in batches[2:]] == kept, "a finished batch was made again"


@pytest.mark.slow
def test_same_bytes_over_processes_and_over_a_ray_cluster_of_two_nodes(box, tmp_path):
    def built_by(name, **how):
        out = tmp_path / name
        pyx.build(out, real=8, synthesised=60, cases=5, seed=4, box=box, **how)
        return [(out / n).read_bytes() for n in FILES]

    alone = built_by("one", workers=1)
    assert built_by("two", workers=2) == alone
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


def test_the_funnel_counts_every_candidate_and_every_error(built):
    """Table 7's data: recomputed here from what was dropped."""
    out, funnel = built
    for name in ("real", "synthesised", "method-seeded"):
        counts = funnel[name]
        dropped = sum(n for reason, n in counts.items() if reason.startswith("dropped"))
        assert counts["candidates"] == counts["kept"] + dropped
    rows = [json.loads(line) for line in (out / "dropped.jsonl").read_text().splitlines()]
    failing = [r for r in rows if "runs" in r["reason"] or "fail" in r["reason"]]
    assert failing
    assert sum(funnel["errors"].values()) == len(failing)
    shown = {r["detail"] or "no exception, no usable value" for r in failing}
    assert shown == set(funnel["errors"])
    names = {name for name, _ in inspect.getmembers(builtins, inspect.isclass)}
    assert any(r["detail"] in names and r["detail"].endswith("Error") for r in failing)


def test_one_function_through_the_steps(box):
    source = "def f(xs, k=2):\n    for x in xs:\n        yield x * k\n"
    signature = hints.read(ast.parse(source).body[0], "f")
    prospect = pyx.Prospect(Program(source, "f", id="p"), signature)
    assert pyx.guess_types([prospect], box) == [prospect]
    assert prospect.program.entry_point == "f_list", "a lazy iterator becomes a list"
    assert len(pyx.grow_inputs([prospect], box, cases=5)[0].inputs) >= 20
    assert len(pyx.choose_cases([prospect], cases=5)[0].chosen) == 5
    assert pyx.run_again([prospect], own(box.level, hash_seed=1)) == [prospect]
    assert prospect.program.id == "p_list"
    row = json.loads(json.dumps(prospect.to_row()))
    assert records.from_row(records.Entry, row["entry"]) == prospect.entry()
    assert pyx.Prospect.from_row(row).program == prospect.program


DROPPED = yaml.safe_load(Path(__file__).with_name("dropped.yaml").read_text(encoding="utf-8"))


def test_what_is_not_kept_and_why(box):
    prospects = [pyx.Prospect(Program(s, "f", argument_types=("int",))) for s in DROPPED.values()]
    hashes = "def f(x):\n    return list({'a' + str(x), 'b', 'cd', 'ef', str(x * x)})\n"
    prospects.append(pyx.Prospect(Program(hashes, "f", argument_types=("int",))))
    kept = pyx.develop(prospects, box, own(box.level, hash_seed=1), cases=6)
    assert [p.reason for p in prospects] == [*DROPPED, "second run differs"]
    assert kept == [prospects[-2]]
    assert prospects[4].detail == "AttributeError"


def split(programs, share):
    """The splits of some programs, in groups of ten."""
    prospects = pyx.split_families(map(pyx.Prospect, programs), held_out=share)
    splits = [p.program.split for p in prospects]
    return [splits[at : at + 10].count("held_out") for at in range(0, len(splits), 10)]


def test_duplicates_and_splits():
    base = "def f(n):\n    total = 0\n    for i in range(n):\n        total += i * i - 3\n    return total\n"
    other = "def g(s):\n    return s.upper()[::-1]\n"
    drill, tags = "def f(s):\n    return s.partition('a')\n", ("drill", "methods:str.partition")
    rows = [
        (base, "b", (), ""),
        (base.replace("total = 0", "total = 0  # nothing"), "", (), "exact duplicate"),
        (base.replace("- 3", "- 4"), "", (), "near duplicate"),
        (other, "b", (), "semantic duplicate"),
        (other, "c", (), ""),
        (drill, "c", tags, ""),
        (drill.replace("'a'", "'b'"), "c", tags, ""),
        (drill, "c", tags, "exact duplicate"),
    ]
    prospects = [pyx.Prospect(Program(s, "f", tags=t), behaviour=b) for s, b, t, _ in rows]
    left = pyx.drop_duplicates(prospects, pyx.Seen())
    assert [p.reason for p in prospects] == [why for *_, why in rows]
    assert left == [p for p in prospects if not p.reason]

    turns = split([Program("", "f", family=str(n // 10)) for n in range(5000)], 0.3)
    assert set(turns) == {0, 10}, "a family stays together"
    assert 0.24 < turns.count(10) / len(turns) < 0.36
    tags = [(f"methods:{n // 10}",) for n in range(2000)]
    turns = split([Program("", "f", family=str(n), tags=t) for n, t in enumerate(tags)], 0.1)
    assert 8 <= turns.count(10) <= 36, "whole pairs of methods"
    assert 300 <= sum(turns) <= 460, "and families beside them"


def test_inputs_have_their_type():
    kinds = ("int", "str", "list[int]", "dict[str, list[int]]", "tuple[int, ...]", "set[str]")
    rng = random.Random(1)
    for _ in range(50):
        given = pyx.generate(kinds, rng)
        for call in (given, pyx.mutate(given, kinds, rng)):
            assert [type(v).__name__ for v in call] == [k.partition("[")[0] for k in kinds]
            values.encode(call)


def test_a_damaged_row_is_named_by_file_and_line(built, tmp_path):
    rows = [json.loads(line) for line in (built[0] / "pyx.jsonl").read_text().splitlines()]
    rows[1]["program"]["source"] = 5
    path = tmp_path / "pyx.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(UserError, match=r"pyx.jsonl:2: not a row of PyX .*source: expected text"):
        pyx.load(tmp_path)


def test_descriptions_and_written_programs_do_not_depend_on_the_seed_of_hashes(built):
    code = (
        "import sys; from semcoder_lib import corpus as pyx; from semcoder_lib.corpus import seeds; "
        "print([pyx.category(e.program) for e in pyx.load(sys.argv[1])], "
        "[*seeds.synthesise(40, 3), *seeds.method_seeded(40, 3)])"
    )
    shown = set()
    for seed in "12":
        command = [sys.executable, "-c", code, str(built[0])]
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        shown.add(subprocess.run(command, env=environment, capture_output=True, check=True).stdout)
    assert len(shown) == 1
