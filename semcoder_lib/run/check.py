"""Checks of the workshop's exercises: `check.e02_1(answer)` prints one line.

The line says "right", what is still off without giving it away, or "not done yet". A check never
raises, needs neither a network nor a run, and takes less than two seconds. Functions run in the
sandbox: an answer is the function itself, or its text.

A reader adds an exercise here: a function `eNN_k` under `@_exercise`, its docstring the task. It
returns what to say of a right answer, and raises `_Off` with what is wrong otherwise.
"""

from __future__ import annotations

import ast
import functools
import inspect
import textwrap
from collections.abc import Callable, Sequence
from typing import Any

from semcoder_lib import evaluation, faults, monologues, tracing
from semcoder_lib.core.records import Case, Entry, Program, Status
from semcoder_lib.run.face import default_sandbox
from semcoder_lib.sandbox import Job, Limits, Outcome


class _Off(Exception):
    """What is off, in one line."""


def _exercise(judge: Callable[[Any], str]) -> Callable[[Any], None]:
    @functools.wraps(judge)
    def check(answer: Any) -> None:
        print(" ".join(_line(judge, answer).split()))

    return check


def _line(judge: Callable[[Any], str], answer: Any) -> str:
    undone = f"not done yet: {judge.__doc__}"
    try:
        return f"right: {judge(answer)}" if answer is not None else undone
    except NotImplementedError:
        return undone
    except _Off as off:
        return f"not yet: {off}"
    except Exception as error:  # whatever the answer was, a class goes on
        return f"not yet: this answer could not be checked ({type(error).__name__})"


def _need(holds: bool, otherwise: str) -> None:
    if not holds:
        raise _Off(otherwise)


def _need_text(value: Any) -> None:
    _need(isinstance(value, str), f"text is asked for, and this is {type(value).__name__}")


# --- answers that are functions ------------------------------------------------------------


def _text(answer: Any) -> tuple[str, str]:
    """Source and name of the function that an answer is, or whose text it is."""
    if not isinstance(answer, str):
        _need(inspect.isfunction(answer), "a function is asked for, written with def")
        answer = inspect.getsource(answer)
    source = textwrap.dedent(answer)
    body = _parsed(source).body
    if len(body) != 1 or not isinstance(body[0], ast.FunctionDef):
        raise _Off("one function is asked for, written with def")
    return source, body[0].name


def _parsed(source: str) -> ast.Module:
    try:
        return ast.parse(source)
    except SyntaxError as error:
        raise _Off(f"Python cannot read this program: {error.msg}") from None


def _outcomes(source: str, name: str, calls: Sequence[tuple[Any, ...]]) -> Sequence[Outcome]:
    """The calls in the sandbox. Raises NotImplementedError for a stub."""
    limits = Limits(cpu_seconds=0.5, wall_seconds=3.0)
    job = Job(source, name, calls, limits=limits, share=True, give_up=1)
    (outcomes,) = default_sandbox().map([job])
    if any(o.exception and o.exception.type == "NotImplementedError" for o in outcomes):
        raise NotImplementedError
    return outcomes


def _returned(source: str, name: str, calls: Sequence[tuple[Any, ...]]) -> list[Any]:
    """The values that the calls return. Raises _Off where one returns none."""
    outcomes = _outcomes(source, name, calls)
    for outcome in outcomes:
        if outcome.exception:
            raised = outcome.exception
            at = f" on its line {raised.line}" if raised.line else ""
            raise _Off(f"the run raises {raised.type}{at}: {raised.message[:120]}")
        if outcome.status is not Status.OK:
            raise _Off(f"the run did not come to an end: {outcome.status}")
    return [outcome.value for outcome in outcomes]


# --- 00: a tour ----------------------------------------------------------------------------

POSITIONS = Program(
    """\
def first_positions(items):
    seen = {}
    for place, item in enumerate(items):
        if item not in seen:
            seen[item] = place
    return sorted(seen.values())
""",
    "first_positions",
)
WALKED = Case((["b", "a", "b"],), [0, 1])


@_exercise
def e00_1(answer: Any) -> str:
    """Say which three steps come next, as (line, {variable: value})."""
    rows = (list, tuple)
    _need(isinstance(answer, rows) and len(answer) == 3, "a list of three steps is asked for")
    steps = tracing.trace(POSITIONS, WALKED, default_sandbox()).steps
    coming = steps[8:11]  # the eighth put "a" into `seen`
    for number, (step, recorded) in enumerate(zip(answer, coming, strict=True), 1):
        pair = isinstance(step, rows) and len(step) == 2 and isinstance(step[1], dict)
        _need(pair, f"step {number} is not of the form (line, {{variable: value}})")
        changes = {change.name: change.text for change in recorded.changes}
        _need(step[0] == recorded.line, f"step {number}: the record has another line there")
        same = set(step[1]) == set(changes)
        _need(same, f"step {number}: the line is right, but it changes other variables")
        same = all(repr(value) == changes[name] for name, value in step[1].items())
        _need(same, f"step {number}: line and variables are right, a value is not")
    return "these are the recorded steps, also the ones that change nothing"


@_exercise
def e00_2(answer: Any) -> str:
    """Find six items whose first positions are [0, 2, 3]."""
    _need(isinstance(answer, (list, tuple, str)), "a list of items is asked for")
    _need(len(answer) == 6, f"six items are asked for, and these are {len(answer)}")
    given = _returned(POSITIONS.source, POSITIONS.entry_point, [(answer,)])[0]
    _need(given == [0, 2, 3], f"these items give {given}")
    return "a run gives [0, 2, 3]; yours is one of many such inputs"


# --- 02: monologues ------------------------------------------------------------------------


@functools.cache
def monologue() -> str:
    """The text that the exercises of notebook 02 are about."""
    trace = tracing.trace(POSITIONS, WALKED, default_sandbox())
    style = monologues.STYLES["brief"]
    return monologues.forward(POSITIONS, trace, style=style, case=WALKED).text


@_exercise
def e02_1(answer: Any) -> str:
    """Make one step of the monologue wrong, and leave its answer right."""
    text = _returned(*_text(answer), [(monologue(),)])[0]
    _need_text(text)
    _need(text != monologue(), "the text is unchanged: what you look for may not stand in it")
    report = monologues.verify(text, POSITIONS, WALKED, default_sandbox())
    _need(report.answer_right, "the answer is wrong, so a filter on answers would drop this text")
    why = "nobody can check what you wrote" if report.unverifiable else "every step is still true"
    _need(report.contradicted > 0, f"nothing is contradicted: {why}")
    return f"the answer is right, and {report.contradicted} of its claims are contradicted"


@_exercise
def e02_2(answer: Any) -> str:
    """Write a sentence that the verifier can neither support nor contradict."""
    _need_text(answer)
    _need(bool(answer.strip()) and "[/" not in answer, "one plain sentence is asked for")
    text = monologue().replace("[/MONOLOGUE]", f"{answer.strip()}\n[/MONOLOGUE]", 1)
    report = monologues.verify(text, POSITIONS, WALKED, default_sandbox())
    _need(not report.contradicted, "the verifier can read this, and contradicts it")
    _need(report.unverifiable > 0, "the verifier can read this, and supports it")
    return "undecided, and nothing is contradicted: it is not false, and nobody has checked it"


# --- 03: faults ----------------------------------------------------------------------------

RIGHT = (
    Program("def rank(scores, own):\n    return 1 + len([s for s in scores if s < own])\n", "rank"),
    Program("def below(row, limit):\n    return [n for n in row if n < limit]\n", "below"),
)
CALLS = [([], 1), ([3], 3), ([1, 2, 3], 2), ([5, 5, 1], 5), ([-1, 0, 4], 0), ([2, 9], 4)]


@_exercise
def e03_1(answer: Any) -> str:
    """Rewrite a program's text so that one line of it is wrong."""
    source, name = _text(answer)
    texts = _returned(source, name, [(program.source,) for program in RIGHT])
    for program, text in zip(RIGHT, texts, strict=True):
        of = program.entry_point
        _need_text(text)
        _parsed(text)
        buggy, fixed = faults.normal_form(text), faults.normal_form(program.source)
        _need(buggy != fixed, f"{of}: nothing is changed, or only its layout")
        _, new, old = faults.altered(buggy, fixed)
        _need(len(new) == len(old) == 1, f"{of}: one line is to be altered, and more are")
        before, after = (_outcomes(s, of, CALLS) for s in (program.source, text))
        pairs = [(a.text, b.text) for a, b in zip(before, after, strict=True)]  # None: no value
        _need(any(a != b for a, b in pairs), f"{of}: its values are right: an equivalent mutant")
        wrong = any(b is not None and a != b for a, b in pairs)
        _need(wrong, f"{of}: it never gives a wrong value, it only fails: no run to explain")
    return "both programs have one altered line, run, and give wrong values"


LISTS = [([0],), ([2, 2],), ([3, 1, 2],), ([-1, -5],), ([5, 5, 1],), ([1, 2, 3, 4],), ([9, -9],)]
OPPOSITE = {ast.Lt: ast.Gt, ast.LtE: ast.GtE, ast.Gt: ast.Lt, ast.GtE: ast.LtE}


def _turned(source: str) -> str:
    """The program with every comparison the other way round."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            node.ops = [OPPOSITE.get(type(op), type(op))() for op in node.ops]
    return ast.unparse(tree)


@_exercise
def e03_2(answer: Any) -> str:
    """Write a function with a comparison whose boundary does not matter."""
    source, name = _text(answer)
    _returned(source, name, LISTS)
    bugs = faults.mutate(Program(source, name), operators=("wrong_boundary",))
    mutants = [bug.buggy for bug in bugs]
    _need(bool(mutants), "there is no <, >, <= or >= in it, so the operator finds no place")
    before = _outcomes(source, name, LISTS)
    for mutant in mutants:
        pairs = zip(LISTS, before, _outcomes(mutant, name, LISTS), strict=True)
        differing = [given for (given,), a, b in pairs if a.text != b.text]
        _need(not differing, f"the boundary decides about the result on {differing[:1]}")
    same = [o.text for o in _outcomes(_turned(source), name, LISTS)] == [o.text for o in before]
    _need(not same, "the comparison does not matter at all: its opposite gives the same results")
    return f"the mutant gives the same on {len(LISTS)} lists: not every edit is a bug"


# --- 06: execution reasoning ---------------------------------------------------------------

QUESTIONS = (
    ("def tidy(words):\n    return [w.strip() for w in words]\n", ["a", "b"], ["a", "b"]),
    ("def ordered(row):\n    return sorted(row) == row\n", [1, 2, 5], True),
    ("def distinct(row):\n    return sorted(set(row))\n", [2, 4, 7], [2, 4, 7]),
    ("def total(row):\n    return sum(row)\n", [3, 4, 5], 12),
    ("def digits(text):\n    return text.isdigit()\n", "2024", True),
    ("def positive(row):\n    return [n for n in row if n > 0]\n", [6, 1], [6, 1]),
)


@_exercise
def e06_1(answer: Any) -> str:
    """Let the function answer more of the prompts than a constant does."""
    source, name = _text(answer)
    benchmark: Any = evaluation.get("pyx-o")
    entries = [
        Entry(Program(code, code[4 : code.index("(")], id=code), (Case((given,), output),))
        for code, given, output in QUESTIONS
    ]
    tasks = benchmark.from_entries(entries)
    prompts = [benchmark.prompt(task, shots=2) for task in tasks]
    texts = _returned(source, name, [(prompt.text,) for prompt in prompts])
    right = 0
    for task, prompt, text in zip(tasks, prompts, texts, strict=True):
        _need_text(text)
        extracted = benchmark.extract(task, prompt.prefill + text)
        right += benchmark.verdict(task, extracted, box=default_sandbox()).passed
    constant = sum(output is True for _, _, output in QUESTIONS)
    said = f"{right} of {len(tasks)} right, the constant True has {constant}"
    _need(right > constant, said)
    return f"{said}; and what has it understood?"


ANSWERS = (  # the model's, the recorded output, whether it is right, what a wrong verdict means
    ("7", "7", True, "a right number is refused"),
    ("[1,2]", "[1, 2]", True, "a right list is refused because of its spaces"),
    ('"ab"', "'ab'", True, "a right string is refused because of its quotes"),
    ("8", "7", False, "a wrong number is taken"),
    ("'7'", "7", False, "text is taken for a number"),
    ("3 + 4", "7", False, "Python did the work: an expression is taken"),
    ("0 or True", "True", False, "Python did the work: an expression is taken"),
    ("", "7", False, "an empty answer is taken"),
)


@_exercise
def e06_2(answer: Any) -> str:
    """Decide whether a model's answer is right, without ever executing it."""
    verdicts = _returned(*_text(answer), [row[:2] for row in ANSWERS])
    for verdict, (_, _, right, wrong) in zip(verdicts, ANSWERS, strict=True):
        _need(isinstance(verdict, bool), f"True or False is asked for, and this is {verdict!r:.40}")
        _need(verdict is right, wrong)
    return f"all {len(ANSWERS)} answers are judged as the strict scorer judges them"
