"""Typed random programs: in the style of short everyday functions, and around one method each.

Program number i depends on the seed and on i alone, whoever makes it and in whatever order.
"""

from __future__ import annotations

import ast
import builtins
import functools
import hashlib
import keyword
import random
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from semcoder_lib.core.records import Program, Provenance
from semcoder_lib.corpus.files import table
from semcoder_lib.corpus.prospect import AROUND, DRILL
from semcoder_lib.corpus.seeds.draft import Draft, Piece, Stuck
from semcoder_lib.corpus.seeds.templates import METHODS, Grammar, Template, grammar, is_type, names

TABLES = ("expressions", "statements")
WEIGHTS = Path(__file__).with_name("weights.txt")


def weights(kind: str) -> dict[str, float]:
    """How often each of some kind comes, from `weights.txt`."""
    return {name: float(weight) for name, weight in table(WEIGHTS, kind)}


MAIN_TYPES, OTHER_TYPES = weights("main"), weights("other")
SHAPES, STEPS = weights("shape"), weights("step")
RECURSIVE = ("int", "str", "list[int]", "list[str]")


def synthesise(count: int, seed: int = 0) -> Iterator[Program]:
    """The first `count` programs of a seed, streaming; hardly any is twice among them."""
    return map(functools.partial(program, seed), range(count))


def program(seed: int, index: int) -> Program:
    """Program number `index`. It parses, ends on every input, uses each of its parameters, computes
    nothing in vain, and needs the standard library only. Whether it is worth keeping (its outputs
    vary, every line can be reached) is for the corpus to find out by running it."""
    rng = random.Random(f"{seed}:synthesiser:{index}")
    for _ in range(200):
        try:
            shape = _pick(rng, SHAPES)
            drawn, _ = function(Draft(rng, grammar(*TABLES)), shape, _parameters(rng, shape))
        except Stuck:
            continue
        return replace(drawn, id=f"synth:{seed}:{index}")
    raise RuntimeError(f"no program for index {index}")  # 200 failures in a row do not happen


def _pick(rng: random.Random, table: dict[str, float]) -> str:
    return rng.choices(list(table), list(table.values()))[0]


def _parameters(rng: random.Random, shape: str) -> list[str]:
    if shape == "recursion":
        return [rng.choice(RECURSIVE)]
    kinds = [main := _pick(rng, MAIN_TYPES)]
    for _ in range(rng.choices((0, 1, 2), (52, 38, 10))[0]):
        same = rng.random() < 0.12 and main[:4] in ("list", "dict", "set[", "str")
        kinds.append(main if same else _pick(rng, OTHER_TYPES))
    return kinds


def function(draft: Draft, shape: str, kinds: list[str]) -> tuple[Program, str]:
    """A function of one of the shapes with parameters of these types, and its result's type. Raises
    Stuck."""
    rng, parameters = draft.rng, draft.start(kinds)
    main, trail, name = parameters[0], [shape], ""
    if shape == "recursion":
        name = function_name(rng, main.kind, "int")
        result = draft.write("recursion", main, g=Piece(name, f"`{name}`"))
    elif shape in ("search", "decision"):
        while len(draft.pending) > 1 and draft.chance(0.4):
            step(draft, trail)
        result = draft.write(shape, draft.subject(shape))
    else:
        if shape == "pairs":
            draft.write("pairs", draft.subject("pairs"))
        size = rng.choices((1, 2, 3, 4), (18, 42, 30, 10))[0]
        for _ in range(size - (shape == "pairs")):
            step(draft, trail)
        while len(draft.pending) > 3:
            step(draft, trail)
        result = finish(draft)
    check(draft, parameters)
    name = name or function_name(rng, main.kind, result)
    if name in draft.taken:
        raise Stuck
    return finished(draft, name, parameters, trail), result


def step(draft: Draft, trail: list[str], steps: dict[str, float] = STEPS) -> None:
    """One more step of some kind, about some pending value; `trail` notes the kind."""
    for _ in range(8):
        kind = _pick(draft.rng, steps)
        try:
            draft.write(kind, draft.subject(kind))
        except Stuck:
            continue
        trail.append(kind)
        return
    raise Stuck


def finish(draft: Draft, fitting: Callable[[str], bool] = bool) -> str:
    """The return statement, about everything that is still pending, with a result of a `fitting`
    type, which it says. Raises Stuck."""

    def good(piece: Piece) -> bool:
        whole = all(p.code in piece.uses for p in draft.pending)
        return whole and fitting(piece.gives[0].kind)

    for _ in range(8):
        first, *rest = draft.pending if draft.chance(0.5) else draft.pending[::-1]
        others = dict(zip("yz", rest, strict=False))
        try:
            return draft.write(f"finish{len(draft.pending) if rest else ''}", first, good, **others)
        except Stuck:
            continue
    raise Stuck


def check(draft: Draft, parameters: list[Piece]) -> None:
    """Raises Stuck where something is computed in vain, or the function is trivial or long."""
    text = "\n".join(draft.lines)
    read = all(re.search(rf"(?<![\w.'])({p.code})(?!\w| = )", text) for p in parameters)
    if draft.pending or not read or not 24 <= len(text) <= 900 or len(draft.lines) > 22:
        raise Stuck
    if any(len(line) > 150 for line in draft.lines):
        raise Stuck


def finished(draft: Draft, name: str, parameters: list[Piece], tags: Iterable[str] = ()) -> Program:
    """The function under its name as a program without an id, in the layout of `ast.unparse`. Its
    family is its shape."""
    body = "\n".join(draft.lines)
    source = f"def {name}({', '.join(p.code for p in parameters)}):\n{body}\n"
    for module, line in (("Counter(", "from collections import Counter\n"), ("re.", "import re\n")):
        if re.search(rf"(?<!\w){re.escape(module)}", body):
            source = line + source
    source = ast.unparse(ast.parse(source)) + "\n"
    spoken = [f"{names()[f'spoken {p.kind}'][0]} `{p.code}`" for p in parameters]
    takes = " and ".join([", ".join(spoken[:-1])] * (len(spoken) > 1) + spoken[-1:])
    return Program(
        source=source,
        entry_point=name,
        description=" ".join([f"Take {takes}.", *draft.sentences]),
        origin="synthesised",
        family=f"synth:{shape_of(source)}",
        argument_types=tuple(p.kind for p in parameters),
        types_from="synthesiser",
        provenance=Provenance(package="semcoder_lib", licence="Apache-2.0", method="synthesised"),
        tags=tuple(dict.fromkeys(tags)),
    )


def function_name(rng: random.Random, parameter: str, result: str) -> str:
    """A verb for the result and a noun for the argument: `count_long_words`."""
    pools = names()
    drawn = []
    for role, kind, default in (("verb", result, "list"), ("noun", parameter, "int")):
        keys = (f"{role} {k}" for k in (kind, kind.partition("[")[0], default))
        drawn.append(rng.choice(next(pools[key] for key in keys if key in pools)))
    verb, noun = drawn
    roll = rng.random()
    if roll < 0.3:
        return f"{verb}_{rng.choice(pools['adjective'])}_{noun}"
    return f"{verb}_{noun}" if roll < 0.93 or hasattr(builtins, verb) else verb


_TOKEN = re.compile(r"'(?:[^'\\]|\\.)*'|\.?[A-Za-z_]\w*|-?\d[\d.]*|\s+|.")
_KEPT = frozenset(keyword.kwlist) | frozenset(dir(builtins))


def shape_of(source: str) -> str:
    """A hash of the program with names and constants removed: what near variants share."""
    shape = []
    for token in _TOKEN.findall(source):
        if token[0] == "'" or token.lstrip("-")[:1].isdigit():
            shape.append("0")
        elif token[0].isalpha() or token[0] == "_":
            shape.append(token if token in _KEPT else "_")
        else:
            shape.append(token)
    return hashlib.blake2b("".join(shape).encode(), digest_size=8).hexdigest()


# ---- programs that each exercise methods of `str`, `list` and `dict`, and one-line drills
#
# The recipe follows the one by which CRUXEval says, in its public README, that it was made:
# functions of 3 to 13 lines and 75 to 300 characters around the 47 public methods of `str`, 11 of
# `list` and 11 of `dict`; no imports, no floats, small constants. No item of it was looked at. The
# functions are ours, from `methods.txt` and the tables above.

TOPICS = tuple(f"{kind}.{m}" for kind, every in METHODS.items() for m in every)
OPERATIONS = dict(table(WEIGHTS, "operation"))
# What a function may take, the steps in it, and what it returns, where "other" is any other type.
TYPES, STEPS, RESULTS = map(weights, ("seeded type", "seeded step", "seeded result"))
DRILLS = 0.4
LINES, CHARACTERS = range(3, 14), range(75, 301)


def method_seeded(count: int, seed: int = 0) -> Iterator[Program]:
    """The first `count` programs of a seed, streaming. The share `DRILLS` are one expression each
    (tag `drill`). A tag such as `methods:str.find+str.split` names what a program is built around;
    every method comes up equally often."""
    return map(functools.partial(seeded_program, seed), range(count))


def seeded_program(seed: int, index: int) -> Program:
    """Program number `index`. Of every 69 functions in a row each has another method as its first,
    and of as many drills as there are topics each has another topic."""
    before = int(index * DRILLS)
    drill = int((index + 1) * DRILLS) > before
    topics = [*TOPICS, *OPERATIONS] if drill else [*TOPICS]
    turn, place = divmod(before if drill else index - before, len(topics))
    random.Random(f"{seed}:methods:{drill}:{turn}").shuffle(topics)
    rng = random.Random(f"{seed}:methods:{index}")
    result = rng.choices(list(RESULTS), list(RESULTS.values()))[0]
    for number in range(2000):
        if number % 200 == 0:
            second = rng.choice([m for m in TOPICS if m != topics[place]])
        try:
            draft = Draft(rng, _grammar())
            if drill:
                drawn = _drill(draft, topics[place])
            else:
                drawn = _seeded_function(draft, topics[place], second, result)
        except Stuck:
            continue
        origin = replace(drawn.provenance, method="method")
        return replace(drawn, id=f"method:{seed}:{index}", origin="method", provenance=origin)
    raise RuntimeError(f"no program for index {index} about {topics[place]}")


def _seeded_function(draft: Draft, first: str, second: str, result: str) -> Program:
    """A function with a step about each of two methods. Raises Stuck."""
    rng = draft.rng
    kinds = [rng.choice(_subjects(first))]
    if rng.random() < (0.2 if kinds[0] in _subjects(second) else 0.8):
        kinds.append(rng.choice(_subjects(second)))
    if rng.random() < 0.15:
        kinds += rng.choices(list(TYPES), list(TYPES.values()))
    parameters, trail = draft.start(kinds), list[str]()
    for method in rng.sample((first, second), 2):
        _use(draft, method, trail)
    for _ in range(rng.choice((0, 0, 1)) + max(0, len(draft.pending) - 2)):
        step(draft, trail, STEPS)
    finish(draft, lambda kind: result == _head_of(kind))
    check(draft, parameters)
    tag = AROUND + "+".join(sorted((first, second)))
    drawn = finished(draft, "f", parameters, [*trail, tag])
    if drawn.source.count("\n") not in LINES or len(drawn.source) not in CHARACTERS:
        raise Stuck
    return replace(drawn, family=drawn.family.replace("synth:", "method:"))


def _head_of(kind: str) -> str:
    head = kind.partition("[")[0]
    return head if head in RESULTS else "other"


def _use(draft: Draft, method: str, trail: list[str]) -> None:
    """A step that calls a method. Raises Stuck."""
    symbols = {t.symbol for t in _grammar().templates if method in t.methods}
    kinds = [k for k in STEPS if k in symbols]
    if any(is_type(s) or s[0] == "@" for s in symbols):
        kinds += ["assign", "branch", "loop"]

    def calls(piece: Piece) -> bool:
        return any(method in t.methods for t in piece.templates)

    draft.wanted = method
    for _ in range(12):
        kind = draft.rng.choice(kinds)
        try:
            draft.write(kind, draft.subject(kind), calls)
        except Stuck:
            continue
        draft.wanted = ""
        trail.append(kind)
        return
    raise Stuck


def _drill(draft: Draft, topic: str) -> Program:
    """A function of one expression, or of one change in place and what comes of it."""
    rng = draft.rng
    template = rng.choice(drills_about(topic))
    others = [s for s in template.specs.values() if s in TYPES and rng.random() < 0.7]
    x, *rest = parameters = draft.start([template.subject, *others])
    if template.symbol == "change":
        draft.write(template, x)
        last, *more = draft.pending
        draft.write(f"all {len(draft.pending)}", last, bool, **dict(zip("y", more, strict=False)))
    else:
        draft.write("value", x, v=draft.fill(template, {"x": x}, rest, 1).as_value())
    if draft.pending:
        raise Stuck
    drawn = finished(draft, "f", parameters, [DRILL, f"{AROUND}{topic}"])
    return replace(drawn, family=f"drill:{shape_of(template.row)}")


@functools.cache
def _grammar() -> Grammar:
    """The synthesiser's tables and `methods.txt`, without floats and imports."""
    whole = grammar(*TABLES, "methods")
    return Grammar([t for t in whole.templates if _is_plain(t)], whole.literals)


def _is_plain(template: Template) -> bool:
    kinds = (template.kind, template.subject, *template.specs.values())
    floats = any("float" in kind or kind == "fl" for kind in kinds)
    return not floats and not re.search(r"Counter|\bre\.|[^/]/[^/]|\d\.\d", _code_of(template))


def _code_of(template: Template) -> str:
    return "".join(part if isinstance(part, str) else "q" for part in template.code)


@functools.cache
def _subjects(method: str) -> list[str]:
    """The types of parameters about which something is said with a method."""
    subjects = {t.subject for t in _grammar().templates if method in t.methods}
    return sorted({kind.replace("char", "str") for kind in subjects} & TYPES.keys())


@functools.cache
def drills_about(topic: str) -> list[Template]:
    """The templates of expressions and changes that a drill about a topic is made of; those about
    an operation call no method."""
    every = [t for t in _grammar().templates if t.subject in TYPES]
    if topic in OPERATIONS:
        plain = [t for t in every if is_type(t.symbol) and not t.methods]
        return [t for t in plain if re.search(OPERATIONS[topic], _code_of(t))]
    return [t for t in every if topic in t.methods and (is_type(t.symbol) or t.symbol == "change")]
