"""The verifier's parts: labels' offset, answers, rows from files, what cannot be checked."""

from __future__ import annotations

import ast
import copy
import json
from collections import Counter
from pathlib import Path

import pytest

from semcoder_lib.__main__ import main
from semcoder_lib.core import workspace
from semcoder_lib.core.records import Case, Program
from semcoder_lib.monologues import STYLES, forward
from semcoder_lib.monologues import verify as verify_function
from semcoder_lib.monologues.syntax import syntax
from semcoder_lib.monologues.verify import study, verify, verify_rows
from semcoder_lib.monologues.verify.history import History
from semcoder_lib.sandbox import Sandbox
from semcoder_lib.tracing import trace

SOURCE = """def total(nums):
    s = 0
    for n in nums:
        s += n
    return s
"""
PROGRAM = Program(SOURCE, "total", id="total")
CASE = Case(([3, 4],))
FOLDER = Path(__file__).parents[2] / "semcoder_lib" / "monologues" / "verify"


@pytest.fixture(scope="module")
def text(box: Sandbox) -> str:
    return forward(PROGRAM, trace(PROGRAM, CASE, box)).text


SHARED = ("evaluator", "forms", "rules", "show", "syntax")


def test_the_verifier_imports_nothing_of_the_writers() -> None:
    """Writer and reader share rows, syntax and evaluator; no plan and no decision."""
    own = "semcoder_lib.monologues"
    allowed = (f"{own}.verify", *(f"{own}.{name}" for name in SHARED))
    seen = 0
    for path in FOLDER.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                assert node.level == 0
                name = node.module or ""
                seen += name.startswith(own)
                assert not name.startswith(own) or name.startswith(allowed), (path, name)
    assert seen > 50
    assert verify_function is verify


class Counted(ast.NodeTransformer):
    """Every iteration of a loop is counted under the line of the loop."""

    def visit_For(self, node: ast.For | ast.While) -> ast.stmt:
        self.generic_visit(node)
        node.body[:0] = ast.parse(f"_counts[{node.lineno}] += 1").body
        return node

    visit_While = visit_For


def test_the_record_has_as_many_iterations_as_a_count_in_the_program(runs: list) -> None:
    """Writer and reader share the index of the record, which is held to this."""
    loops = 0
    for run in runs:
        counts: Counter[int] = Counter()
        names = {"_counts": counts}
        tree = ast.fix_missing_locations(Counted().visit(ast.parse(run.program.source)))
        exec(compile(tree, "", "exec"), names)
        names[run.program.entry_point](*copy.deepcopy(run.case.arguments))  # type: ignore[operator]
        history = History(run.trace, syntax(run.program.source))
        for loop in history.syntax.loops.values():
            passes = sum(len(r.passes) for r in history.runs(loop))
            assert passes == counts[loop.header], (run.program.id, loop.header)
            loops += passes
    assert loops > 500


def test_offsets_are_found_from_the_text(box: Sandbox) -> None:
    told = trace(PROGRAM, CASE, box)
    for style, offset in ((STYLES["compact"], 0), (STYLES["faithful"], 4)):
        monologue = forward(PROGRAM, told, style=style)
        report = verify(monologue.text, PROGRAM, CASE, box, trace=told)
        assert (report.line_offset, report.accepted) == (offset, True)
        assert report.line_coverage == 1.0
        other = verify(monologue.text, PROGRAM, CASE, box, trace=told, line_offset=4 - offset)
        assert not other.accepted


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("assert total([3, 4]) == 8", "wrong answer: the assertion states another output"),
        ("assert total([3, 5]) == 7", "wrong answer: the assertion is about another call"),
        ("assert total([3, 4]) == ??", "wrong answer: the answer does not parse"),
        ("assert total([3, 4]) > 6", "wrong answer: the answer is not an equation"),
        ("assert total([3, 4]) == x", "wrong answer: the answer's value is not a literal"),
        ("", "wrong answer: no answer"),
    ],
)
def test_wrong_answers_are_rejected_with_their_reason(
    text: str, answer: str, reason: str, box: Sandbox
) -> None:
    body = text.rpartition("[ANSWER]")[0] + f"[ANSWER]\n{answer}\n[/ANSWER]"
    report = verify(body, PROGRAM, CASE, box)
    assert not report.accepted
    assert not report.answer_right
    assert report.reason == reason
    assert report.contradicted == ("another" in reason)  # what is no value says nothing false


def test_a_text_that_leaves_lines_out_is_not_accepted(text: str, box: Sandbox) -> None:
    short = (
        "### Execution Simulation\n`s` becomes `7`.\n[ANSWER]\nassert total([3, 4]) == 7\n[/ANSWER]"
    )
    report = verify(short, PROGRAM, CASE, box)
    assert report.answer_right
    assert not report.accepted
    assert report.reason.startswith("tells ")


def test_backward_answers_are_run(box: Sandbox) -> None:
    good = (
        "### Reverse Deduction\nChoose nums = [1, 6].\n"
        "[ANSWER]\nassert total([1, 6]) == 7\n[/ANSWER]"
    )
    right = verify(good, PROGRAM, Case((), 7), box)
    wrong = verify(good.replace("6]", "5]"), PROGRAM, Case((), 7), box)
    raises = verify(good.replace("[1, 6]", "7"), PROGRAM, Case((), 7), box)
    assert (right.direction, right.answer_right, right.accepted) == ("backward", True, True)
    assert wrong.reason == "wrong answer: the call gives another output"
    assert "TypeError" in raises.reason


def test_rows_of_every_kind_are_checked_in_order(text: str, box: Sandbox) -> None:
    prompt = f"[PYTHON]\n{SOURCE}assert total([3, 4]) == ??\n[/PYTHON]\n[MONOLOGUE]\n"
    own = {"source": SOURCE, "entry_point": "total", "call": "total([3, 4])", "text": text}
    rows = [
        {**own, "id": "own"},
        {"id": "hub", "nl": "", "fwd_mnl": prompt, "bwd_mnl": "", "response": text},
        {"task_id": "raw", "index": 0, "text": prompt + text.replace("so s = 7", "so s = 9")},
        {**own, "id": "bad", "call": "total(x)"},
        {"id": "nl", "nl": "words", "fwd_mnl": "", "bwd_mnl": "", "response": "code"},
    ]
    out = list(verify_rows(rows, box))
    figures = study(rows, box)
    assert [r.get("id", r.get("task_id")) for r in out] == ["own", "hub", "raw", "bad", "nl"]
    assert [r["accepted"] for r in out] == [True, True, False, False, False]
    assert out[2]["answer_right"]
    assert out[2]["contradicted"] == 1
    assert out[3]["reason"].startswith("not checked: call")
    assert (figures["monologues"], figures["checked"]) == (5, 3)
    assert (figures["right"], figures["right_with_contradiction"]) == (3, 1)
    assert figures["by_kind"]["value"]["contradicted"] == 1


def test_odd_rows_leave_the_others_as_they_are(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], box: Sandbox
) -> None:
    own = {"source": SOURCE, "entry_point": "total", "call": "total([3, 4])", "text": text}
    prompt = "[PYTHON]\n{}assert {}\n[/PYTHON]\n[MONOLOGUE]\n"
    odd = [
        None, 3, "text", [], {}, {"text": "nothing"}, {"text": 5, "source": SOURCE}, {"text": None},
        {**own, "source": ["def f(): pass"]}, {**own, "call": 3}, {**own, "call": "total("},
        {**own, "entry_point": {}}, {**own, "call": None}, {**own, "call": "total(x=[3])"},
        {**own, "call": "total(" + "[" * 3000 + "]" * 3000 + ")"},
        {**own, "call": "", "output": "1e"}, {**own, "call": "", "output": 7},
        {"fwd_mnl": ["x"], "response": text}, {"fwd_mnl": "no block", "response": text},
        {"fwd_mnl": prompt.format(SOURCE, "total"), "response": None},
        {"fwd_mnl": prompt.format(SOURCE, "total"), "response": text},
        {"text": "[/PYTHON]" * 3}, {"nl": "words", "response": "code"},
    ]  # fmt: skip
    readable = [
        {**own, "source": "\ud800\x00"}, {**own, "source": ""}, {**own, "id": float("nan")},
        {**own, "text": "\ud800" + "(" * 9000}, {**own, "call": f"total([{'9' * 4000}])"},
        {**own, "entry_point": "no such"}, {**own, "call": "total()"},
        {**own, "call": "total(float('nan'))"}, {**own, "index": [1], "call": "total({1: 2}, 3)"},
    ]  # fmt: skip
    rows = [r for strange in (*odd, *readable) for r in (own, strange)]
    out = list(verify_rows(rows, box))
    named = next(verify_rows([{**own, "call": "total(nums=[3, 4])"}], box))
    assert len(out) == len(rows)
    assert all(r["accepted"] for r in out[::2])
    strange = out[1::2]
    assert all(r["reason"].startswith("not checked: ") for r in strange[: len(odd)])
    assert [r["accepted"] for r in strange].count(True) == 1  # the one whose id alone is odd
    lines = [json.dumps(row) for row in rows]
    lines += ["[" * 90_000 + "]" * 90_000, lines[0], f'{{"id": {"9" * 5000}}}', lines[0]]
    (tmp_path / "in").write_text("\n".join(lines))
    assert main(["verify", str(tmp_path / "in"), "--out", str(tmp_path / "out")]) == 0
    written = list(workspace.read_jsonl(tmp_path / "out"))
    alike = [*out, out[1], out[0], out[1], out[0]]  # the command says the same of each
    facts = ("accepted", "reason", "supported", "contradicted")
    assert [[r[k] for k in facts] for r in written] == [[r[k] for k in facts] for r in alike]
    assert json.loads(capsys.readouterr().out)["not_checked"] == len(odd) + 2
    assert named["accepted"]


@pytest.mark.parametrize(
    "words", ["The function returns {}.", "So the program returns {}.", "`total` returns `{}`."]
)
def test_a_plain_sentence_of_the_result_after_the_steps_is_read(
    words: str, text: str, box: Sandbox
) -> None:
    for result, status in ((7, "supported"), (8, "contradicted")):
        sentence = words.format(result)
        longer = text.replace("\n### Conclusion", f"\n{sentence}\n### Conclusion")
        report = verify(longer, PROGRAM, CASE, box)
        start = longer.index(sentence)
        inside = [c for c in report.claims if start <= c.place[0] < start + len(sentence)]
        assert [c.status for c in inside] == [status]
        assert (report.accepted, report.unverifiable) == (status == "supported", 0)


HALVE = Program(
    "def halvings(n):\n    steps = 0\n    left = n\n    while left > 1:\n"
    "        left = left // 2\n        steps += 1\n    return steps\n",
    "halvings",
)


def test_a_deduction_by_cases_refutes_no_case(box: Sandbox) -> None:
    source = "def pad(a, b):\n    if b.startswith(a):\n        return b\n    return a + b\n"
    text = (
        "### Reverse Deduction\n"
        "- If we assume that `b` does not start with `a`, then `a` must be `'x'` "
        "and `b` must be `'yz'`.\n"
        "- The second character of the returned string is `'y'`.\n"
        "- These keys do not exist in `b`, so they return `None`.\n"
        "- With `b = 'yz'`, the function will return `'yz'` instead of `'xyz'`.\n"
        "[ANSWER]\nassert pad('', 'xyz') == 'xyz'\n[/ANSWER]"
    )
    good = verify(text, Program(source, "pad"), Case((), "xyz"), box)
    assert (good.answer_right, good.contradicted) == (True, 0)


@pytest.mark.parametrize(
    ("sentence", "unread"),
    [
        ("- `left` becomes `4` because the moon is full.", ["because the moon is full."]),
        ("- The moon is full. `left` becomes `4`.", ["The moon is full."]),
        ("- `left` becomes `4`, and then `steps` becomes `1`.", []),
        ("- Nobody knows what `left` does with `7`.", ["Nobody knows what `left` does with `7`."]),
    ],
)
def test_what_gives_no_claim_is_unread_text_with_its_place(
    sentence: str, unread: list[str], box: Sandbox
) -> None:
    text = f"### Execution Simulation\n- **First Iteration**:\n{sentence}\n"
    report = verify(text, HALVE, Case((8,)), box, line_offset=0)
    claims = [c for c in report.claims if c.kind == "text"]
    assert [text[slice(*c.place)] for c in claims] == unread
    assert all(c.status == "unverifiable" for c in claims)
