"""Checks of the workshop's exercises: `check.e02_1(answer)` prints one line.

The line says "right", what is still off without giving it away, or "not done yet". A check never
raises, needs neither a network nor a run, and takes less than two seconds. Functions run in the
sandbox: an answer is the function itself, or its text.

A reader adds an exercise here: a function `eNN_k` under `@_exercise`, its docstring the task. It
returns what to say of a right answer, and raises `_Off` with what is wrong otherwise. Where the
answer is a function that has to give certain values, these are rows of `check.txt`.
"""

from __future__ import annotations

import ast
import functools
import inspect
import math
import random
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from semcoder_lib import corpus, evaluation, faults, monologues, tracing
from semcoder_lib.core.records import Case, Entry, Program, Status
from semcoder_lib.core.values import show_call
from semcoder_lib.corpus.files import table
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
    _need(value is not None, "text is asked for, and this is None: is a return missing?")
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
            alone = raised.type in ("NameError", "ModuleNotFoundError")
            why = "; it runs alone, with Python's own library only" * alone
            raise _Off(f"the run raises {raised.type}{at}: {raised.message[:120]}{why}")
        if outcome.status is not Status.OK:
            raise _Off(f"the run did not come to an end: {outcome.status}")
    return [outcome.value for outcome in outcomes]


# by exercise: calls' arguments, the value of each, and what another value means
ROWS: dict[str, list[tuple[tuple[Any, ...], Any, str]]] = {
    name: [
        (ast.literal_eval(arguments), ast.literal_eval(value), otherwise)
        for arguments, value, otherwise in table(Path(__file__).with_suffix(".txt"), name)
    ]
    for name in ("e04_2", "e06_2", "e07_2", "e08_1")
}


def _need_values(answer: Any, name: str) -> None:
    """The function gives the value of each of the exercise's rows, of the same type; floats
    nearly."""
    rows = ROWS[name]
    words = sorted({str(right) for _, right, _ in rows})
    values = _returned(*_text(answer), [arguments for arguments, _, _ in rows])
    for value, (_, right, otherwise) in zip(values, rows, strict=True):
        kind = type(right)
        typed = type(value) is kind or (kind is float and type(value) is int)
        _need(typed, f"{kind.__name__} is asked for, and this is {value!r:.40}")
        _need(kind is not str or value in words, f"{value!r:.40} is none of {', '.join(words)}")
        _need(math.isclose(value, right) if kind is float else value == right, otherwise)


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
        same = {name: repr(value) for name, value in step[1].items()} == changes
        _need(same, f"step {number}: the line is right, but not what it changes")
    return "these are the recorded steps, also the ones that change nothing"


@_exercise
def e00_2(answer: Any) -> str:
    """Find six items whose first positions are [0, 2, 3]."""
    _need(isinstance(answer, (list, tuple, str)), "a list of items is asked for")
    _need(len(answer) == 6, f"six items are asked for, and these are {len(answer)}")
    given = _returned(POSITIONS.source, POSITIONS.entry_point, [(answer,)])[0]
    _need(given == [0, 2, 3], f"these items give {given}")
    return "a run gives [0, 2, 3]; yours is one of many such inputs"


# --- 01: a corpus of programs that run ------------------------------------------------------

TAGGED = "def tagged(items, mark):\n    return [mark + item.upper() for item in set(items)]\n"


@_exercise
def e01_1(answer: Any) -> str:
    """Guess the types of the two parameters, as texts such as "list[int]"."""
    _need(isinstance(answer, (list, tuple)) and len(answer) == 2, "two types are asked for")
    try:
        inputs = [corpus.generate(answer, random.Random(seed)) for seed in range(8)]
    except (AttributeError, SyntaxError, TypeError):
        raise _Off('a type is written as text, such as "list[int]"') from None
    for given, outcome in zip(inputs, _outcomes(TAGGED, "tagged", inputs), strict=True):
        error = outcome.exception
        why = f"{error.type}: {error.message}" if error else outcome.status
        refused = f"{show_call('tagged', given):.60} is refused: {why}"
        _need(outcome.value is not None, refused)
    return f"all {len(inputs)} inputs of these types run; other types may, too"


SAMPLES: tuple[Any, ...] = (3, True, "ab", "", [1, 2], [])


@_exercise
def e01_2(answer: Any) -> str:
    """Return another value of the same type, a little different."""
    values = _returned(*_text(answer), [(value,) for value in SAMPLES])
    for before, after in zip(SAMPLES, values, strict=True):
        kind = type(before).__name__
        became = f"{before!r} became {after!r:.40}: "
        _need(type(after) is type(before), f"{became}that is no {kind}")
        _need(after != before, f"{became}that is no change")
        inside = not isinstance(after, list) or all(type(item) is int for item in after)
        _need(inside, f"{became}a list of whole numbers is asked for")
    return "the types are kept, so the mutated inputs have a chance to run"


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
    return f"the answer is right, and {report.contradicted} of {len(report.claims)} claims are not"


@_exercise
def e02_2(answer: Any) -> str:
    """Write a sentence that the verifier can neither support nor contradict."""
    _need_text(answer)
    _need(bool(answer.strip()) and "[/" not in answer, "one plain sentence is asked for")
    text = monologue().replace("[/MONOLOGUE]", f"{answer.strip()}\n[/MONOLOGUE]", 1)
    report = monologues.verify(text, POSITIONS, WALKED, default_sandbox())
    _need(not report.contradicted, "the verifier can read this, and contradicts it")
    _need(report.unverifiable > 0, "the verifier can read this, and supports it")
    return "undecided: it may be true or false, and the verifier does not know"


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


LISTS = [[0], [2, 2], [3, 1, 2], [-1, -5], [5, 5, 1], [1, 2, 3, 4], [9, -9]]


@_exercise
def e03_2(answer: Any) -> str:
    """Write a function with a comparison whose boundary does not matter."""
    source, name = _text(answer)
    nodes = ast.walk(_parsed(source))
    own = [[value] for node in nodes if type(value := getattr(node, "value", "")) is int]
    calls = [(numbers,) for numbers in LISTS + own]  # also on its own constants
    _returned(source, name, calls)
    turned, shifted = (
        [bug.buggy for bug in faults.mutate(Program(source, name), operators=(operator,))]
        for operator in ("wrong_comparison", "wrong_boundary")
    )
    _need(bool(shifted), "there is no <, >, <= or >= in it, so the operator finds no place")
    before = _outcomes(source, name, calls)
    for mutant in shifted:
        for (given,), a, b in zip(calls, before, _outcomes(mutant, name, calls), strict=True):
            _need(a.text == b.text, f"the boundary decides about the result on {given}")
    texts = [[o.text for o in _outcomes(mutant, name, calls)] for mutant in turned]
    matters = any(text != [o.text for o in before] for text in texts)
    _need(matters, "the comparison does not matter at all: its opposite gives the same results")
    return f"the mutant gives the same on {len(calls)} lists: not every edit is a bug"


# --- 04: fine-tuning ------------------------------------------------------------------------

IDS, PROMPT = (31, 7, 12, 9, 4, 25, 2), 4  # the tokens of a row; the last one is its end


@_exercise
def e04_1(answer: Any) -> str:
    """Mend the two wrong labels of the row."""
    listed = isinstance(answer, (list, tuple)) and len(answer) == len(IDS)
    _need(listed, f"a list of {len(IDS)} labels is asked for")
    _need(all(type(n) is int for n in answer), "a label is a whole number")
    learned = [label != -100 for label in answer]
    _need(not any(learned[:PROMPT]), "a token of the prompt is learned")
    _need(learned[-1], "the end is not learned: this model would never stop")
    _need(all(learned[PROMPT:]), "a token of the completion is not learned")
    _need(tuple(answer[PROMPT:]) == IDS[PROMPT:], "a label is not the number of its token")
    return "only the completion is learned, its end included"


@_exercise
def e04_2(answer: Any) -> str:
    """Compute the loss of a row from the probabilities of its right tokens."""
    _need_values(answer, "e04_2")
    return f"{len(ROWS['e04_2'])} rows have the trainer's loss"


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
    benchmark: Any = evaluation.get("pyx-o")
    entries = [
        Entry(Program(code, code[4 : code.index("(")], id=code), (Case((given,), output),))
        for code, given, output in QUESTIONS
    ]
    tasks = benchmark.from_entries(entries)
    prompts = [benchmark.prompt(task, shots=2) for task in tasks]
    texts = _returned(*_text(answer), [(prompt.text,) for prompt in prompts])
    wrong = []
    for task, prompt, text in zip(tasks, prompts, texts, strict=True):
        _need_text(text)
        extracted = benchmark.extract(task, prompt.prefill + text)
        if not benchmark.verdict(task, extracted, box=default_sandbox()).passed:
            wrong.append(f"{task.data['call']} == {extracted.text or 'no answer':.40}")
    constant = sum(output is True for _, _, output in QUESTIONS)
    score = f"{len(tasks) - len(wrong)} of {len(tasks)} right, the constant True has {constant}"
    _need(len(tasks) - len(wrong) > constant, f"{score}; wrong is {''.join(wrong[:1])}")
    return f"{score}; and what has it understood?"


@_exercise
def e06_2(answer: Any) -> str:
    """Decide whether a model's answer is right, without ever executing it."""
    _need_values(answer, "e06_2")
    return f"all {len(ROWS['e06_2'])} answers are judged as the strict scorer judges them"


# --- 07: does the format matter? ------------------------------------------------------------


@_exercise
def e07_1(answer: Any) -> str:
    """Keep every line and the answer of a monologue, and take its sense away."""
    before = monologue()
    after = _returned(*_text(answer), [(before,)])[0]
    _need_text(after)
    _need(after != before, "the text is unchanged")
    same = sorted(after.split("\n")) == sorted(before.split("\n"))
    _need(same, "a line is lost, new or altered, an empty one counts: only their order may change")
    report = monologues.verify(after, POSITIONS, WALKED, default_sandbox())
    _need(report.answer_right, "the answer cannot be read any more: it has to stay where it is")
    _need(report.contradicted > 0, "nothing is contradicted: this order makes sense as well")
    claims = f"{report.contradicted} of {len(report.claims)} claims are contradicted"
    return f"all the words, the right answer, and {claims}: form without content"


@_exercise
def e07_2(answer: Any) -> str:
    """Say what a format taught: "content", "form" or "nothing" that can be seen."""
    _need_values(answer, "e07_2")
    return "a format has to beat `direct`, and then its own form without content"


# --- 08: self-refinement --------------------------------------------------------------------


@_exercise
def e08_1(answer: Any) -> str:
    """Take an offered program only where the visible checks say that it is better."""
    _need_values(answer, "e08_1")
    return "what passes visibly never falls; about hidden checks it says nothing"


GAP = "def widest_gap(row):\n    return max(b - a for a, b in zip(row, row[1:]))\n"
VISIBLE = ((([1, 4, 9],), 5), (([9, 2, 3],), 7))  # GAP passes the first
HIDDEN = ((([0, 3, 4],), 3), (([5, 5],), 0), (([8, 1],), 7), (([1, 2, 4, 8],), 4))


@_exercise
def e08_2(answer: Any) -> str:
    """Write a repair that the visible checks love and the hidden ones do not."""
    source, name = _text(answer)
    for call, value in VISIBLE:
        returned = _returned(source, name, [call])[0]
        gives = f"{name}({call[0]}) gives {returned!r:.40}"
        _need(returned == value, f"{gives}, and {value} is wanted: it is not taken")
    calls = [call for call, _ in HIDDEN]
    before, after = _outcomes(GAP, "widest_gap", calls), _outcomes(source, name, calls)
    rows = list(zip(HIDDEN, before, after, strict=True))
    broken = sum(b.value == v != a.value for (_, v), b, a in rows)
    mended = sum(b.value != v == a.value for (_, v), b, a in rows)
    _need(broken > 0, f"nothing is broken: of {len(rows)} hidden checks {mended} more pass")
    return f"taken, for 2 of 2 visible checks pass; hidden ones that passed and now fail: {broken}"
