"""Programs that each exercise methods of `str`, `list` and `dict`, and one-line drills.

The recipe is the one by which CRUXEval says, in its public README, that it was made: functions of 3
to 13 lines and 75 to 300 characters around the 47 public methods of `str`, 11 of `list` and 11 of
`dict`; no imports, no floats, arithmetic with an operand of at most 3 in number or length, random
ASCII arguments. No item of it was looked at. The functions are ours, from `synthesiser/methods.txt`
and the synthesiser's own tables.
"""

from __future__ import annotations

import ast
import functools
import random
import string
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from semcoder_lib.core.records import Program
from semcoder_lib.corpus.seeds import synthesiser
from semcoder_lib.corpus.seeds.synthesiser import rules
from semcoder_lib.corpus.seeds.synthesiser.draft import Draft, Piece, Stuck
from semcoder_lib.corpus.seeds.synthesiser.rules import Grammar, Slot, Template

TABLE = Path(rules.__file__).with_name("methods.txt")
METHODS = tuple(f"{kind}.{m}" for kind, every in rules.METHODS.items() for m in every)
# Drills about what is no method: the constructs (`rules.features_of`) of one expression.
OPERATIONS = ("Slice", "Subscript", "in", "sorted()", "Lambda", "len()", "%", "+", "*", "max()",
              "min()", "reversed()", "set()", "list()", "str()", "JoinedStr", "ListComp",
              "DictComp", "zip()", "enumerate()", "IfExp")  # fmt: skip
# What a function may take, the steps in it, and what it returns, where "other" is any other type.
TYPES, STEPS, RESULTS = map(synthesiser.weights, ("seeded type", "seeded step", "seeded result"))
SMALL = 3
DRILLS = 0.4
LINES, CHARACTERS = range(3, 14), range(75, 301)


def method_seeded(count: int, seed: int = 0) -> Iterator[Program]:
    """`count` programs with distinct sources, streaming; the same ones for the same seed. The share
    `DRILLS` are one expression each (tag `drill`). A tag such as `methods:str.find+str.split` names
    what a program is built around; every method comes up equally often."""
    return synthesiser.distinct(count, functools.partial(program, seed))


def program(seed: int, index: int) -> Program:
    """Program number `index`. Of every 69 functions in a row each has another method as its first,
    and of as many drills as there are topics each has another topic."""
    before = int(index * DRILLS)
    drill = int((index + 1) * DRILLS) > before
    topics = (*METHODS, *OPERATIONS) if drill else METHODS
    turn, place = divmod(before if drill else index - before, len(topics))
    order = list(topics)
    random.Random(f"{seed}:methods:{drill}:{turn}").shuffle(order)
    rng = random.Random(f"{seed}:methods:{index}")
    result = rng.choices(list(RESULTS), list(RESULTS.values()))[0]
    first, second = order[place], ""
    for number in range(2000):
        if number % 200 == 0:
            second = rng.choice([m for m in METHODS if m != first])
        try:
            made = _drill(rng, first) if drill else _function(rng, first, second, result)
        except Stuck:
            continue
        if within_limits(made.source, made.argument_types):
            origin = replace(made.provenance, method="method")
            name = f"method:{seed}:{index}"
            return replace(made, id=name, origin="method", provenance=origin)
    raise RuntimeError(f"no program for index {index} about {first}")


def _function(rng: random.Random, first: str, second: str, result: str) -> Program:
    draft = Draft(rng, _grammar())
    kinds = [rng.choice(_subjects(first))]
    if rng.random() < (0.2 if kinds[0] in _subjects(second) else 0.8):
        kinds.append(rng.choice(_subjects(second)))
    if rng.random() < 0.15:
        kinds += rng.choices(list(TYPES), list(TYPES.values()))
    parameters = synthesiser.start(draft, kinds)
    trail: list[str] = []
    for method in rng.sample((first, second), 2):
        _use(draft, method, trail)
    for _ in range(rng.choice((0, 0, 1)) + max(0, len(draft.pending) - 2)):
        synthesiser.step(draft, trail, STEPS)
    synthesiser.finish(draft, lambda kind: result == _head_of(kind))
    synthesiser.check(draft, parameters)
    pair = "+".join(sorted((first, second)))
    made = synthesiser.finished(draft, "f", parameters, [*trail, f"methods:{pair}"])
    if made.source.count("\n") not in LINES or len(made.source) not in CHARACTERS:
        raise Stuck
    return replace(made, family=made.family.replace("synth:", "method:"))


def _head_of(kind: str) -> str:
    head = kind.partition("[")[0]
    return head if head in RESULTS else "other"


def _use(draft: Draft, method: str, trail: list[str]) -> None:
    """A step that calls a method. Raises Stuck."""
    symbols = {t.symbol for t in _grammar().templates if method in t.methods}
    kinds = [k for k in STEPS if k in symbols]
    if any(rules.is_type(s) or s[0] == "@" for s in symbols):
        kinds += ["assign", "branch", "loop"]

    def calls(piece: Piece) -> bool:
        return any(method in t.methods for t in piece.made_of)

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


def _drill(rng: random.Random, topic: str) -> Program:
    """A function of one expression, or of one change in place and what comes of it."""
    template = rng.choice(drills_about(topic))
    draft = Draft(rng, _grammar())
    others = [s for s in template.specs.values() if s in TYPES and rng.random() < 0.7]
    x, *rest = parameters = synthesiser.start(draft, [template.subject, *others])
    if template.symbol == "change":
        draft.write(template, x)
        last, *more = draft.pending
        draft.write(f"all {len(draft.pending)}", last, bool, **dict(zip("y", more, strict=False)))
    else:
        draft.write("value", x, v=draft.fill(template, {"x": x}, rest, 1).as_value())
    if draft.pending:
        raise Stuck
    made = synthesiser.finished(draft, "f", parameters, ["drill", f"methods:{topic}"])
    return replace(made, family=f"drill:{synthesiser.shape_of(template.row)}")


@functools.cache
def _grammar() -> Grammar:
    """`methods.txt`, and those templates of the synthesiser's own tables that keep its limits."""
    whole = rules.grammar(TABLE)
    own = {t.row for t in rules.read(TABLE, {})}
    fitting = [t for t in whole.templates if t.row in own or _allowed(t, whole.literals)]
    return Grammar(fitting, whole.literals)


def _allowed(template: Template, literals: dict[str, list[Any]]) -> bool:
    kinds = (template.kind, template.subject, *template.specs.values())
    if any("float" in kind or kind == "fl" for kind in kinds):
        return False
    code = _example(template, literals)
    return "Counter" not in code and "re." not in code and within_limits(code, (), strict=False)


def _example(template: Template, literals: dict[str, list[Any]]) -> str:
    """The template's code with a literal or a name in each slot."""
    parts = []
    for part in template.code:
        spec = template.specs.get(part.name, "") if isinstance(part, Slot) else ""
        value = repr(literals[spec][0]) if spec in literals else "q"
        parts.append(value if isinstance(part, Slot) else part)
    return "".join(parts)


@functools.cache
def _subjects(method: str) -> list[str]:
    """The types of parameters about which something is said with a method."""
    found = {t.subject.replace("char", "str") for t in _grammar().templates if method in t.methods}
    return sorted(found & TYPES.keys())


@functools.cache
def drills_about(topic: str) -> list[Template]:
    """The templates of expressions and changes that a drill about a topic is made of."""
    found = []
    for t in _grammar().templates:
        if t.subject not in TYPES or not (rules.is_type(t.symbol) or t.symbol == "change"):
            continue
        if topic in t.methods or (topic in OPERATIONS and topic in _operations(t)):
            found.append(t)
    return found


def _operations(template: Template) -> set[str]:
    if template.methods or template.symbol == "change":
        return set()
    code = _example(template, _grammar().literals)
    found = set(rules.features_of(code))
    return found | {"in"} if " in " in code and " for " not in code else found


def within_limits(source: str, types: tuple[str, ...], *, strict: bool = True) -> bool:
    """Whether a source has no float and no import, and in all its arithmetic an operand of at most
    3 in number or length. Where it cannot tell, `strict` decides: a piece of a function that does
    not parse alone is left to the check of the whole."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return not strict
    characters = _characters(tree, types)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom | ast.Div):
            return False
        if isinstance(node, ast.Constant) and type(node.value) is float:
            return False
        sides: tuple[ast.expr, ...] = ()
        if isinstance(node, ast.BinOp):
            sides = (node.left, node.right)
        elif isinstance(node, ast.AugAssign):
            sides = (node.value,)
        if sides and not any(_small(side, characters) for side in sides):
            return False
    return True


def _characters(tree: ast.AST, types: tuple[str, ...]) -> set[str]:
    """Names that a loop binds to the characters of a parameter."""
    texts: set[str] = set()
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            names = [a.arg for a in node.args.args]
            texts |= {n for n, kind in zip(names, types, strict=False) if kind == "str"}
        match node:
            case (
                ast.For(target=ast.Name(id=name), iter=ast.Name(id=source))
                | ast.comprehension(target=ast.Name(id=name), iter=ast.Name(id=source))
            ) if source in texts:
                found.add(name)
    return found


def _small(node: ast.expr, characters: set[str]) -> bool:
    match node:
        case ast.Constant(value=int(number)):
            return abs(number) <= SMALL
        case ast.Constant(value=str(text)):
            return len(text) <= SMALL
        case ast.List(elts=elements) | ast.Tuple(elts=elements):
            return len(elements) <= SMALL
        case ast.Name(id=name):
            return name in characters
        case ast.UnaryOp(operand=inner):
            return _small(inner, characters)
        case ast.Subscript(slice=ast.Slice(lower=None, upper=ast.Constant(value=int(number)))):
            return 0 <= number <= SMALL
    return False


def arguments(program: Program, count: int, seed: int = 0) -> list[tuple[Any, ...]]:
    """`count` calls with random ASCII arguments of the program's types. Its own short constants are
    mixed in, so that what it looks for is there as often as not."""
    tree = ast.parse(program.source)
    texts = [
        n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and type(n.value) is str
    ]
    rng = random.Random(f"{seed}:arguments:{program.id}")
    pool = [t for t in texts if 0 < len(t) <= SMALL]
    return [tuple(_value(rng, k, pool) for k in program.argument_types) for _ in range(count)]


_ASCII = string.ascii_lowercase * 3 + string.ascii_uppercase + string.digits + " -_.,:;/|#+=!?*\t\n"


def _value(rng: random.Random, kind: str, pool: list[str], longest: int = 10) -> Any:
    if kind == "int":
        return rng.randint(-9, 60)
    if kind == "str":
        text = "".join(rng.choice(_ASCII) for _ in range(rng.randint(1, longest)))
        for _ in range(rng.choice((0, 1, 1, 2)) if pool else 0):
            at = rng.randint(0, len(text))
            text = text[:at] + rng.choice(pool) + text[at:]
        return text
    if kind == "list[int]":
        return [rng.randint(-3, 12) for _ in range(rng.randint(1, 6))]
    if kind == "list[str]":
        return [_text_or(rng, pool) for _ in range(rng.randint(1, 5))]
    value = kind.removeprefix("dict[str, ")[:-1]
    size = rng.randint(1, 4)
    return {_text_or(rng, pool): _value(rng, value, pool, 4) for _ in range(size)}


def _text_or(rng: random.Random, pool: list[str]) -> str:
    return rng.choice(pool) if pool and rng.random() < 0.3 else _value(rng, "str", pool, 5)
