"""The programs that are written from tables: every row says what it does, and does it."""

import ast
import collections
import functools
import itertools
import math
import random
import re
from pathlib import Path

from semcoder_lib.core.records import Status
from semcoder_lib.corpus import inputs
from semcoder_lib.corpus.seeds import method_seeded, synthesise, synthesiser
from semcoder_lib.corpus.seeds import templates as rules
from semcoder_lib.corpus.seeds.draft import Draft, Piece, Stuck, variable
from semcoder_lib.sandbox import Job, Limits, Sandbox

GRAMMAR = rules.grammar(*synthesiser.TABLES, "methods")
PHRASES = dict(
    line.split(" | ", 1)
    for line in Path(__file__).with_name("phrases.txt").read_text().splitlines()
    if line and line[0] != "#"
)


def cut(text, characters, ends):
    """Strips characters from the start (1), the end (2) or both (3)."""
    while ends & 1 and text and text[0] in characters:
        text = text[1:]
    while ends & 2 and text and text[-1] in characters:
        text = text[:-1]
    return text


def zeros(text, width):
    sign = text[:1] if text[:1] in ("+", "-") else ""
    return sign + "0" * (width - len(text)) + text[len(sign) :]


def tabs(text, width):
    out = ""
    for c in text:
        column = len(out) - max(out.rfind("\n"), out.rfind("\r")) - 1
        out += " " * (width - column % width) if c == "\t" else c
    return out


WORDS = {"re": re, "math": math, "itertools": itertools, "functools": functools, "cut": cut,
         "zeros": zeros, "tabs": tabs}  # fmt: skip


def value_of(kind, rng):
    """A value of a type or a literal of a kind."""
    if kind in GRAMMAR.literals:
        return rng.choice(GRAMMAR.literals[kind])
    if kind == "char":
        return rng.choice("abcxyzZAQ019 _-.\t")
    if kind == "str" and rng.random() < 0.4:
        return "".join(rng.choice("aabAB19  -_.,:+\t\n") for _ in range(rng.randrange(9)))
    if kind.startswith("tuple[str, int") and rng.random() < 0.5:
        return (rng.choice("ab"), rng.randrange(-2, 4))
    return inputs.generate((kind.rstrip("!"),), rng)[0]


def has_type(value, kind):
    kind = inputs.parse(kind) if isinstance(kind, str) else kind
    if kind.name == "any":
        return True
    if kind.name == "float" and type(value) is int:
        return True  # the sum of no floats
    if type(value).__name__ != kind.name:
        return False
    if kind.name == "tuple":
        return len(value) == len(kind.inner) and all(map(has_type, value, kind.inner))
    parts = value.items() if kind.name == "dict" else ((v,) for v in value) if kind.inner else ()
    return all(all(map(has_type, part, kind.inner)) for part in parts)


def english_of(template):
    return template.row.rpartition(" | ")[2]


def expressions():
    return [t for t in GRAMMAR.templates if rules.is_type(t.symbol)]


def test_every_expression_is_what_its_words_say():
    """Each row on 40 random values, against what the English means, worked out independently."""
    assert {english_of(t) for t in expressions()} == set(PHRASES)
    for template in expressions():
        code = "".join(p if isinstance(p, str) else p.name for p in template.code)
        rng = random.Random(code)
        for _ in range(40):
            space = {name: value_of(spec, rng) for name, spec in template.specs.items()}
            space["x"] = value_of(template.subject, rng)
            if len(set(map(repr, space.values()))) < len(space):
                continue  # operands always differ
            names = {"Counter": collections.Counter, "re": re, **space}
            got = eval(code, names)
            meant = eval(PHRASES[english_of(template)], {**WORDS, **space})
            told = f"{code} | {english_of(template)} | {space} | {got} | {meant}"
            assert has_type(got, template.kind.replace("char", "str")), told
            near = isinstance(got, float) and math.isclose(got, meant, rel_tol=1e-9, abs_tol=0.011)
            assert got == meant or near, told
            if isinstance(got, dict):
                assert list(got) == list(meant), told


def test_an_expression_inside_another_keeps_its_meaning():
    for template in expressions():
        x = variable("x", template.subject)
        hard = Piece("x or x", "this and that", template.subject, x.uses, atomic=False, level=2)
        for seed in range(3):
            plain, nested = Draft(random.Random(seed), GRAMMAR), Draft(random.Random(seed), GRAMMAR)
            try:
                one = plain.fill(template, {"x": x}, [], 0)
                other = nested.fill(template, {"x": hard}, [], 0)
            except Stuck:
                continue
            rng = random.Random(seed)
            space = {"x": value_of(template.subject, rng), "Counter": collections.Counter, "re": re}
            assert eval(one.code, dict(space)) == eval(other.code, dict(space)), other.code
            assert "(this and that)" in other.english, other.english


class Forced(Draft):
    """Takes one row wherever it fits, and those that ask for what it writes."""

    row = symbol = ""

    def _pick(self, symbol, subject):
        templates = self.grammar.fitting(symbol, subject)
        good = [t for t in templates if t.row == self.row] or [
            t for t in templates if any(s.startswith(self.symbol) for s in t.specs.values())
        ]
        if good and self.chance(0.7):  # some rows contain themselves
            return self.rng.choice(good)
        return super()._pick(symbol, subject)


STATEMENTS = collections.defaultdict(list)
for _template in GRAMMAR.templates:
    if not rules.is_type(_template.symbol) and _template.symbol not in ("value", "all 1", "all 2"):
        STATEMENTS[_template.row].append(_template.subject)
OTHER = [*synthesiser.MAIN_TYPES]


def forced(row, rng):
    """A program with a template of this row in it."""
    shapes = list(synthesiser.SHAPES)
    spoken = [s for s in STATEMENTS[row] if f"spoken {s}" in rules.names()]
    for number in range(2000):
        draft = Forced(rng, GRAMMAR)
        draft.row, draft.symbol = row, row.split()[0].partition(":")[0]
        shape = shapes[number % len(shapes)]
        kinds = [rng.choice(spoken or OTHER)]
        if shape != "recursion":
            kinds += rng.choices(OTHER, k=rng.randrange(2))
        try:
            program, result = synthesiser.function(draft, shape, kinds)
        except (Stuck, KeyError):
            continue
        if any(t.row == row for t in draft.templates):
            return program, result
    return None


def test_every_statement_comes_up_and_runs():
    """A program around each row: it runs on typed values, and gives what its result's type says."""
    found, jobs = [], []
    for row in STATEMENTS:
        rng = random.Random(row)
        found.append(forced(row, rng))
        assert found[-1], f"never used: {row}"
        program = found[-1][0]
        calls = [tuple(value_of(k, rng) for k in program.argument_types) for _ in range(4)]
        limits = Limits(cpu_seconds=1)
        jobs.append(Job(program.source, program.entry_point, calls, limits, share=True))
    with Sandbox(workers=2) as box:
        for (program, result), outcomes in zip(found, box.map(jobs), strict=True):
            for outcome in outcomes:
                told = (program.source, outcome)
                if outcome.status not in (Status.TIMEOUT, Status.MEMORY, Status.OUTPUT_LIMIT):
                    assert outcome.status is Status.OK, told
                    assert has_type(outcome.value, result), told


def test_words_of_a_statement_name_what_its_code_names():
    """Every operand and choice of the code is in the words, and the words name nothing else."""
    for template in GRAMMAR.templates:
        parts = [template, *template.lets.values()]
        spoken = {s.name for p in parts for s in p.english if isinstance(s, rules.Slot)}
        coded = {s.name for p in parts for s in p.code if isinstance(s, rules.Slot)}
        known = coded | set(template.lets) | {"told", "x"} | set(template.specs)
        assert spoken <= known, template.row
        told = {n for n, spec in template.specs.items() if spec[0] not in "~=@"}
        assert told - spoken == set(), template.row


def test_synthesised_programs_are_distinct_stable_and_compute_nothing_in_vain():
    found = list(synthesise(400, seed=2))
    assert len({p.source for p in found}) == 400
    assert synthesiser.program(2, 7) == synthesiser.program(2, 7)
    for p in found:
        tree = ast.parse(p.source)
        names = [n for n in ast.walk(tree) if isinstance(n, ast.Name)]
        read = {n.id for n in names if isinstance(n.ctx, ast.Load)}
        stored = {n.id for n in names if isinstance(n.ctx, ast.Store)}
        loops = {n.id for x in ast.walk(tree) if isinstance(x, ast.For | ast.comprehension)
                 for n in ast.walk(x.target) if isinstance(n, ast.Name)}  # fmt: skip
        function = next(n for n in tree.body if getattr(n, "name", "") == p.entry_point)
        parameters = [a.arg for a in function.args.args]
        assert set(parameters) <= read, p.source
        assert len(p.argument_types) == len(parameters)
        assert stored - read - loops <= {"_"}, p.source
        assert p.description.startswith("Take ")
        assert p.origin == "synthesised"


METHOD_SEEDED = list(method_seeded(500, seed=5))


def test_method_seeded_functions_keep_the_recipe():
    functions = [p for p in METHOD_SEEDED if "drill" not in p.tags]
    assert abs(len(functions) - 300) < 10
    firsts = collections.Counter()
    for p in functions:
        assert p.source.count("\n") in synthesiser.LINES
        assert len(p.source) in synthesiser.CHARACTERS
        assert "import" not in p.source
        assert not re.search(r"\d\.\d|float|[^/]/[^/]", re.sub("'[^']*'", "", p.source)), p.source
        assert p.origin == "method"
        assert p.family.startswith("method:")
        pair = p.tags[-1].removeprefix("methods:").split("+")
        assert len(pair) == 2
        for method in pair:
            assert f".{method.partition('.')[2]}(" in p.source
        firsts.update(pair)
    assert set(firsts) == set(synthesiser.TOPICS)
    assert len(synthesiser.TOPICS) == 69
    assert max(firsts.values()) <= 6 * min(firsts.values())
    assert list(method_seeded(5, seed=5)) == METHOD_SEEDED[:5]
    assert synthesiser.seeded_program(5, 2) == METHOD_SEEDED[2]


def test_drills_are_one_expression_about_every_method_and_operation():
    topics = (*synthesiser.TOPICS, *synthesiser.OPERATIONS)
    for topic in topics:
        assert synthesiser.drills_about(topic), topic
    drills = [p for p in METHOD_SEEDED if "drill" in p.tags]
    assert len({p.tags[1] for p in drills}) == len(topics) == 69 + 21
    rng = random.Random(6)
    for p in drills:
        assert p.source.count("\n") == 2 or p.source.count("\n    return ") == 1
        space: dict = {}
        exec(p.source, space)  # our own text
        space["f"](*(value_of(kind, rng) for kind in p.argument_types))
    assert len({p.family for p in drills}) < len(drills)
