"""Keeps benchmark items out of the corpus, by text (`overlap`) and by behaviour (`behaviour`)."""

from __future__ import annotations

import collections
import dataclasses
import functools
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from semcoder_lib.core import values, workspace
from semcoder_lib.corpus import benchmark_items, execute, files
from semcoder_lib.corpus.behaviour import Reference, kinds_of, references, shapes_of
from semcoder_lib.corpus.benchmark_items import Item
from semcoder_lib.corpus.choose import least
from semcoder_lib.corpus.draft import Draft, alive
from semcoder_lib.corpus.overlap import Index

if TYPE_CHECKING:
    from semcoder_lib.sandbox import Sandbox


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
        key = workspace.content_key(texts, workspace.code_hash("corpus", "core/values"))
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

    def suspects(self, draft: Draft) -> list[Reference]:
        """The benchmark functions that a program may compute, by its arguments' shape and the types
        of its outputs."""
        kinds = kinds_of(values.decode(i.ran.text) for i in draft.chosen if i.ran)
        shapes = shapes_of(draft.program)
        return [r for shape in shapes for r in self._by_shape.get(shape, ()) if r.kinds & kinds]

    def openings(self, draft: Draft) -> list[str]:
        """The first input of each suspect, once: on these most suspicions end."""
        return list(dict.fromkeys(r.calls[0] for r in self.suspects(draft)))


def keep_out_benchmarks(
    drafts: Iterable[Draft], guard: Guard, box: Sandbox, *, cases: int = 8
) -> list[Draft]:
    """Step 5. Drops the drafts that repeat a benchmark item, by text or by what they compute, and
    the cases whose input and output are one of CRUXEval's; the drafts that are left.

    A program computes what a benchmark function computes when it agrees with it wherever it gives a
    value, on enough inputs to tell. It is run on one input of every benchmark function that it may
    compute, and on all of them where it agrees.
    """
    drafts = list(drafts)
    for draft in drafts:
        if why := guard.index.repeated(draft.program):
            draft.drop("benchmark text", why)
            continue
        texts = [(i, i.ran.text) for i in draft.chosen if i.ran]
        draft.chosen = [i for i, output in texts if not guard.index.knows(i.text, output)]
        if len(draft.chosen) < least(cases):
            draft.drop("benchmark cases")
    suspects = {d: guard.suspects(d) for d in alive(drafts)}
    _run_calls({d: {r.calls[0] for r in known} for d, known in suspects.items()}, box)
    suspects = {
        d: [r for r in known if r.agrees([d.openings[r.calls[0]]])] for d, known in suspects.items()
    }
    _run_calls({d: {c for r in known for c in r.calls} for d, known in suspects.items()}, box)
    for draft, known in suspects.items():
        computed = next((r.id for r in known if r.is_computed(draft.openings)), "")
        if computed:
            draft.drop("benchmark behaviour", f"computes {computed}")
    return alive(drafts)


def _run_calls(calls: dict[Draft, set[str]], box: Sandbox) -> None:
    """Runs the inputs of benchmark functions that a draft has not run on yet."""
    missing = {d: sorted(texts - d.openings.keys()) for d, texts in calls.items()}
    missing = {d: texts for d, texts in missing.items() if texts}
    requests = [(d.program, texts) for d, texts in missing.items()]
    results: Iterable[list[Any]] = execute.run_apart(box, requests, **execute.QUICK)
    for (draft, texts), ran in zip(missing.items(), results, strict=True):
        draft.openings.update(zip(texts, ran, strict=True))
