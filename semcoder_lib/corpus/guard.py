"""Keeps benchmark items out of the corpus, by text (`overlap`) and by behaviour (`behaviour`)."""

from __future__ import annotations

import collections
import dataclasses
import functools
from collections.abc import Iterable, Sequence

from semcoder_lib.core import source, values, workspace
from semcoder_lib.corpus import benchmark_items, execute, files
from semcoder_lib.corpus.behaviour import Reference, kinds_of, references, shapes_of
from semcoder_lib.corpus.benchmark_items import Item
from semcoder_lib.corpus.choose import least
from semcoder_lib.corpus.overlap import Index
from semcoder_lib.corpus.prospect import Prospect, alive
from semcoder_lib.sandbox import Sandbox

# What the references depend on beside the items.
CODE = ("core/values", *(f"corpus/{name}" for name in ("behaviour", "child", "execute", "inputs")))


class Guard:
    """What is known of the benchmark functions. `report` says for each benchmark where it was
    found, `key` changes with anything that changes a decision."""

    def __init__(
        self,
        items: Sequence[Item],
        known: Iterable[Reference],
        report: dict[str, str] | None = None,
        key: str = "",
    ) -> None:
        self.items = items
        self.report = dict(report or {})
        self.key = key
        self._by_shape: dict[tuple[str, ...], list[Reference]] = collections.defaultdict(list)
        for reference in known:
            self._by_shape[reference.shape].append(reference)

    @classmethod
    def here(cls, box: Sandbox) -> Guard:
        """The guard against the benchmarks that this machine has. Their functions are run once;
        what they give stays in the user's cache while items and code are the same."""
        items, report = benchmark_items.load()
        texts = [[i.id, i.source, i.entry_point, *i.calls] for i in items]
        key = workspace.content_key(texts, source.library_hash(*CODE))
        path = workspace.home() / "references" / f"{key[:24]}.json"
        rows = files.checked(path)
        if rows is None:
            rows = [list(dataclasses.astuple(r)) for r in references(items, box)]
            files.write_checked(path, rows)
        known = [Reference(i, tuple(s), tuple(c), tuple(o)) for i, s, c, o in rows]
        if items:
            by_text = len(items) - len({r.id for r in known})
            report["told by text alone"] = f"{by_text} of {len(items)} items"
        return cls(items, known, report, key)

    @functools.cached_property
    def index(self) -> Index:
        """The items by their texts."""
        return Index(self.items)

    def suspects(self, prospect: Prospect) -> list[Reference]:
        """The benchmark functions that a program may compute, by its arguments' shape and the types
        of its outputs."""
        kinds = kinds_of(values.decode(i.ran.text) for i in prospect.chosen)
        shapes = shapes_of(prospect.program)
        return [r for shape in shapes for r in self._by_shape.get(shape, ()) if r.kinds & kinds]

    def openings(self, prospect: Prospect) -> list[str]:
        """The first input of each suspect, once: on these most suspicions end."""
        return list(dict.fromkeys(r.calls[0] for r in self.suspects(prospect)))


def keep_out_benchmarks(
    prospects: Iterable[Prospect], guard: Guard, box: Sandbox, *, cases: int = 8
) -> list[Prospect]:
    """Step 5. Drops the prospects that repeat a benchmark item, by text or by what they compute,
    and the cases whose input and output are one of CRUXEval's; the prospects that are left.

    A program computes what a benchmark function computes when it agrees with it wherever it gives a
    value, on enough inputs to tell. It is run on one input of every benchmark function that it may
    compute, and on all of them where it agrees.
    """
    prospects = list(prospects)
    for prospect in prospects:
        why = guard.index.repeated(prospect.program)
        if why:
            prospect.drop("benchmark text", why)
        prospect.chosen = [i for i in prospect.chosen if not guard.index.knows(i.text, i.ran.text)]
        if not why and len(prospect.chosen) < least(cases):
            prospect.drop("benchmark cases")
    suspects = {p: guard.suspects(p) for p in alive(prospects)}
    _run_calls(suspects, box, 1)
    for prospect, known in suspects.items():
        known[:] = [r for r in known if r.agrees([prospect.openings[r.calls[0]]])]
    _run_calls(suspects, box)
    for prospect, known in suspects.items():
        computed = next((r.id for r in known if r.is_computed(prospect.openings)), "")
        if computed:
            prospect.drop("benchmark behaviour", f"computes {computed}")
    return alive(prospects)


def _run_calls(
    suspects: dict[Prospect, list[Reference]], box: Sandbox, first: int | None = None
) -> None:
    """Runs each prospect on the (first) inputs of its suspects on which it has not run yet."""
    missing = {
        p: [call for r in known for call in r.calls[:first] if call not in p.openings]
        for p, known in suspects.items()
    }
    missing = {p: list(dict.fromkeys(calls)) for p, calls in missing.items() if calls}
    requests = [(p.program, calls) for p, calls in missing.items()]
    results = execute.run_apart(box, requests, **execute.QUICK)
    for (prospect, calls), ran in zip(missing.items(), results, strict=True):
        prospect.openings.update(zip(calls, ran, strict=True))
