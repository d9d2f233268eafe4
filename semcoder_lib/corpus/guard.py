"""Keeps benchmark items out of the corpus: by text, as the paper does, and by what they compute, so
that a program that does the same is found however it is written."""

from __future__ import annotations

import ast
import collections
import dataclasses
import functools
import random
import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rapidfuzz import fuzz

from semcoder_lib.core import foreign, source, values, workspace
from semcoder_lib.core.records import Program
from semcoder_lib.corpus import benchmark_items, execute, inputs
from semcoder_lib.corpus.benchmark_items import Item
from semcoder_lib.corpus.duplicates import normalised, tokens
from semcoder_lib.corpus.execute import Ran
from semcoder_lib.corpus.files import checked, write_checked
from semcoder_lib.corpus.grow import least
from semcoder_lib.corpus.inputs import join_types, type_of
from semcoder_lib.corpus.prospect import Prospect, alive, run_inputs
from semcoder_lib.sandbox import Sandbox

# By text
GRAM = 10  # tokens
OVERLAP = 0.5  # share of a program's n-grams that one item may hold
FUZZY = 88.0  # token-sort ratio from which two programs count as one
CONTAINED = 60  # characters; a shorter item may stand inside any program
DOC_CHARACTERS = 40  # a docstring shorter than this says too little to be looked for
LOOKED_AT = 5  # items that share the most n-grams

# By what they compute
KNOWN = 12  # of an item's own inputs
MUTATED = 24  # inputs beside them
MOST = 30  # inputs kept of one function
WORKING = 0.6  # share of them on which a program must give a value to be the same
AGREE = 10  # on at least so many inputs
DISTINCT = 5  # that give at least so many outputs
FEW_AGREE = 20  # for yes-or-no functions
FEW_MINORITY = 6
ALL = 2  # the first of a function's inputs; on these a program must give what it gives

# What the references depend on beside the items.
CODE = ("core/values", *(f"corpus/{name}" for name in ("guard", "child", "execute", "inputs")))


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
        source = normalised(item.source)
        words = tokens(source)
        for gram in _grams(words):
            self._grams[gram].append(len(self._items))
        squeezed = _squeezed(source)
        contained = squeezed if len(source) > CONTAINED else ""
        self._items.append((item.id, contained, " ".join(sorted(words))))
        self._solutions.setdefault(_unnamed(source), item.id)
        texts = re.findall(r"(\"{3}|'{3})(.*?)(?:>>>.*?|assert .*?)?\1", item.prompt, re.DOTALL)
        doc = _squeezed(texts[-1][1] if texts else "")
        if len(doc) >= DOC_CHARACTERS:
            self._docs.setdefault(doc, item.id)
        if item.output:
            self._pairs.update(_pair(call, item.output) for call in item.calls)

    def repeated(self, program: Program) -> str:
        """How a program repeats a benchmark item's text, with the item's id, or ""."""
        source = normalised(program.source)
        squeezed, unnamed = _squeezed(source), _unnamed(source)
        if unnamed in self._solutions:
            return f"is {self._solutions[unnamed]}"
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


_NAMES: dict[type, str] = {
    ast.Name: "id", ast.arg: "arg", ast.FunctionDef: "name", ast.ClassDef: "name",
    ast.ExceptHandler: "name",
}  # fmt: skip


def _unnamed(source: str) -> str:
    """A source with its own names numbered as they come: equal for two that differ only in these.
    Names of attributes and of named arguments stay."""
    tree = foreign.parse(source)
    named = [(n, _NAMES[type(n)]) for n in ast.walk(tree) if type(n) in _NAMES]
    own = {getattr(n, f) for n, f in named if not isinstance(getattr(n, "ctx", None), ast.Load)}
    numbers: dict[str, str] = {}
    for node, field in named:
        name = getattr(node, field)
        if name and name in own:
            setattr(node, field, numbers.setdefault(name, f"v{len(numbers)}"))
    return foreign.unparse(tree)


def _grams(words: list[str]) -> set[int]:
    """Stable 32-bit hashes of the runs of `GRAM` tokens."""
    runs = (words[i : i + GRAM] for i in range(max(0, len(words) - GRAM + 1)))
    return {zlib.crc32("\0".join(run).encode("utf-8", "surrogatepass")) for run in runs}


@dataclass(frozen=True)
class Reference:
    """A benchmark function by what it does: the types of its arguments, argument texts, and the
    output texts they give; those that tell it from others soonest come first."""

    id: str
    shape: tuple[str, ...]
    calls: tuple[str, ...]
    outputs: tuple[str, ...]

    @functools.cached_property
    def kinds(self) -> frozenset[str]:
        """The types of its outputs."""
        return kinds_of(map(values.decode, self.outputs))

    def opens(self, given: Mapping[str, Ran], count: int = 1) -> bool:
        """Whether a program that gave this agrees on the first calls."""
        pairs = zip(self.calls[:count], self.outputs, strict=False)
        return all(_gives(given[call], output) for call, output in pairs)

    def is_computed(self, given: Mapping[str, Ran]) -> bool:
        """Whether a program that gave this on all calls computes the function: it agrees wherever
        it gives a value, on enough inputs to tell."""
        pairs = zip(self.calls, self.outputs, strict=True)
        agreed = [output for call, output in pairs if _gives(given[call], output)]
        if len(agreed) < max(WORKING * len(self.calls), sum(given[c].ok for c in self.calls)):
            return False
        return self.opens(given, ALL) and tells(agreed)


def tells(outputs: Sequence[str]) -> bool:
    """Whether these outputs are enough to know a function by: at least `AGREE` with `DISTINCT`
    different ones, or, for yes-or-no functions, at least `FEW_AGREE` with `FEW_MINORITY` of either
    answer."""
    counts = collections.Counter(outputs)
    if counts.keys() == {"True", "False"}:
        return len(outputs) >= FEW_AGREE and min(counts.values()) >= FEW_MINORITY
    return len(outputs) >= AGREE and len(counts) >= DISTINCT


def references(items: Iterable[Item], box: Sandbox, *, seed: int = 0) -> list[Reference]:
    """Runs every benchmark function on its known and on mutated inputs; one reference for every
    shape of its arguments by which its outputs tell it. Inputs that come back unchanged tell
    nothing and are left out."""
    items = list(items)
    prospects = [_varied(item, seed) for item in items]
    runs = run_inputs(prospects, box, coverage=False, budget=execute.QUICK["budget"])
    known = []
    for item, (prospect, _) in zip(items, runs, strict=True):
        groups: dict[tuple[str, ...], list[tuple[str, str]]] = collections.defaultdict(list)
        for tried in prospect.inputs:
            if tried.ran.ok and tried.ran.text not in map(values.encode, tried.arguments):
                shape = tuple(_outer(type(a).__name__) for a in tried.arguments)
                groups[shape].append((tried.text, tried.ran.text))
        for shape, pairs in groups.items():
            if tells([output for _, output in pairs]):
                texts, outputs = zip(*_telling(pairs), strict=True)
                known.append(Reference(item.id, shape, texts, outputs))
    return known


def _varied(item: Item, seed: int) -> Prospect:
    """A benchmark function with some of its own inputs and mutations of them."""
    size = len(next(filter(None, item.calls.values()), ()))
    known = [c for c in item.calls.values() if c and len(c) == size]
    types = tuple(join_types([type_of(c[i]) for c in known]) for i in range(size))
    rng = random.Random(f"{seed}:behaviour:{item.id}")
    changed = (inputs.mutate(rng.choice(known), types, rng) for _ in range(20 * MUTATED))
    prospect = Prospect(Program(item.source, item.entry_point))
    prospect.add(known, "benchmark", KNOWN)
    if known:
        prospect.add(changed, "mutation", KNOWN + MUTATED - len(prospect.inputs))
    return prospect


def _telling(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Inputs whose outputs are rare and not part of the arguments first: these tell functions apart
    soonest."""
    counts = collections.Counter(output for _, output in pairs)
    return sorted(pairs, key=lambda p: (p[1] in p[0], counts[p[1]], -len(p[1]), p[0]))[:MOST]


def kinds_of(outputs: Iterable[Any]) -> frozenset[str]:
    """The outer types of some outputs; lists and tuples count as one, ints and floats as well."""
    return frozenset(
        {"tuple": "list", "float": "int"}.get(n := type(o).__name__, n) for o in outputs
    )


def _outer(name: str) -> str:
    return "number" if name in ("int", "float", "bool") else name


def shapes_of(program: Program) -> list[tuple[str, ...]]:
    """The shapes that a program's arguments may have; lists and tuples stand in for each other, and
    anything for numbers, strings and lists."""
    swaps = {"list": ("tuple",), "tuple": ("list",), "any": ("number", "str", "list")}
    base = tuple(_outer(t.partition("[")[0]) for t in program.argument_types)
    swapped = [
        (*base[:place], other, *base[place + 1 :])
        for place, name in enumerate(base)
        for other in swaps.get(name, ())
    ]
    return [base, *swapped]


def _gives(ran: Ran, output: str) -> bool:
    """Whether a call gave this output."""
    if not ran.ok or ran.text == output:
        return ran.ok
    if "." not in ran.text + output and ran.text[:1] not in "({F":
        return False  # only these may differ in text alone
    try:
        return values.equal(values.decode(ran.text), values.decode(output), rel_tol=1e-9)
    except values.NotALiteral:  # a program may write in the place of what we record
        return False


class Guard:
    """What is known of the benchmark functions. `report` says for each benchmark where it was
    found, `key` changes with anything that changes a decision."""

    def __init__(self, items: Sequence[Item], known: Iterable[Reference]) -> None:
        self.items = items
        self.report: dict[str, str] = {}
        self.key = ""
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
        rows = checked(path)
        if rows is None:
            rows = [list(dataclasses.astuple(r)) for r in references(items, box)]
            write_checked(path, rows)
        known = [Reference(i, tuple(s), tuple(c), tuple(o)) for i, s, c, o in rows]
        if items:
            by_text = len(items) - len({r.id for r in known})
            report["told by text alone"] = f"{by_text} of {len(items)} items"
        guard = cls(items, known)
        guard.report, guard.key = report, key
        return guard

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
    given: dict[Prospect, dict[str, Ran]] = {p: {} for p in suspects}
    for count, agrees in ((1, Reference.opens), (MOST, Reference.is_computed)):
        asked = []
        for prospect, known in suspects.items():
            calls = dict.fromkeys(call for r in known for call in r.calls[:count])
            if new := [call for call in calls if call not in given[prospect]]:
                asked.append((prospect, new))
        requests = [(prospect.program, new) for prospect, new in asked]
        results = execute.run_apart(box, requests, **execute.QUICK)
        for (prospect, new), ran in zip(asked, results, strict=True):
            given[prospect].update(zip(new, ran, strict=True))
        suspects = {p: [r for r in known if agrees(r, given[p])] for p, known in suspects.items()}
    for prospect, known in suspects.items():
        if known:
            prospect.drop("benchmark behaviour", f"computes {known[0].id}")
    return alive(prospects)
