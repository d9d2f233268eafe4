"""Tracing in the sandbox, as a reader of the public names sees it, and the command."""

from __future__ import annotations

import re
from dataclasses import asdict
from pathlib import Path

import pytest
import yaml
from examples import GOLDEN, load, record

from semcoder_lib import tracing
from semcoder_lib.__main__ import main
from semcoder_lib.core.records import Case, Program, Status
from semcoder_lib.sandbox import Sandbox
from semcoder_lib.tracing import TraceLimits, child


def test_the_sandbox_gives_the_golden_steps_and_results(box: Sandbox) -> None:
    pairs = [(Program(e.source, "f", id=e.name), Case(e.arguments)) for e in GOLDEN]
    for example, trace in zip(GOLDEN, tracing.trace_many(pairs, box), strict=True):
        assert trace.program_id == example.name
        assert trace.steps == record(example.source, *example.arguments).steps
        raised = re.search(r"^raised (.*?):? ?$", example.sections["trace"], re.M)
        assert trace.status is (Status.EXCEPTION if raised else Status.OK)
        assert (trace.exception or "").rstrip(": ") == (raised[1] if raised else "")


def test_the_zygote_warms_up_on_the_usual_limits() -> None:
    assert asdict(TraceLimits()) == child.LIMITS
    ((source, entry, options),) = child.WARM
    payloads: list[str] = []
    assert child.call(load(source, entry), (), options, payloads.append)[0] == [0, 1, 2]
    assert payloads


# --- what is beyond variables: bounds (what is seen is in golden.txt) --------------------------

NODE = "class N:\n    pass\n\n"
DEEP = NODE + (
    "def f(k):\n    a = b = N()\n    for _ in range(k):\n        b.n = N()\n        b = b.n\n"
)
WIDE = NODE + "def f(k):\n    a = N()\n    for i in range(k):\n        setattr(a, f'x{i}', i)\n"
MANY = "memo = []\n\ndef f(k):\n    for i in range(k):\n        memo.append(i)\n"


@pytest.mark.parametrize(
    ("source", "few", "much"), [(DEEP, 3, 9), (WIDE, 90, 200), (MANY, 90, 1500)]
)
def test_a_bound_of_what_is_beyond_is_flagged(source: str, few: int, much: int) -> None:
    assert record(source, few).flags == ()
    trace = record(source, much)
    assert trace.flags == ("beyond:cut",)
    assert not trace.cut
    assert trace.steps[-1].event == "return"
    if source is not DEEP:  # where looking ends, nothing seems to vanish
        assert all(c.text is not None for s in trace.steps for c in s.beyond)


def test_free_variables_of_the_frame_itself_are_changes_of_scope_cell() -> None:
    source = "def f(n):\n    def g():\n        nonlocal n\n        n += 1\n    g()\n    return n\n"
    inner = [s.changes for s in record(source, 1).steps if s.depth]
    assert [[(c.scope, c.name, c.text) for c in changes] for changes in inner] == [
        [("cell", "n", "1")], [("cell", "n", "2")], [],
    ]  # fmt: skip


# --- the command ---------------------------------------------------------------------------------

FORMATS = ("scratchpad", "next", "concise", "json")
FILES = yaml.safe_load((Path(__file__).parent / "files.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_read_as_python_reads_it(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = FILES[name]
    path = tmp_path / "a program.py"
    path.write_bytes(file["source"].encode(file.get("coding", "utf-8")))
    for format in FORMATS:
        for mode in ([], ["--faithful"]):
            words = ["trace", str(path), "--call", file["call"], "--format", format, *mode]
            assert main(words) == 0
    assert file["says"] in capsys.readouterr().out
    assert main(["monologue", str(path), "--call", file["call"]]) == 0
    assert file["says"] in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "call", "said"),
    [
        (b"# coding: nonsense\ndef f(n):\n    return n\n", "f(1)", "nonsense"),
        (b"def f(n):\n    return '\xe9'\n", "f(1)", "utf-8"),
        (b"def f(n) return n\n", "f(1)", "cannot be loaded"),
        (b"def f(n):\n    return n\n", "f(x)", "literal"),
        (b"def f(n):\n    return n\n", "f(m=1)", "'m'"),
        (b"def f(n, k):\n    return n\n", "f(k=1)", "'n'"),
        (b"def f(n):\n    return n\n", "f(1, m=1)", "'m'"),
        (b"def f(n, k=len):\n    return n\n", "g(n=1)", "no function 'g'"),
        (b"def f(n, k=len, m=1):\n    return n\n", "f(1, m=2)", "'k'"),
        (b"def f(n):\n    return n\n", "f(", "call"),
    ],
)
def test_what_cannot_be_traced_is_said_in_one_line(
    content: bytes, call: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "p.py"
    path.write_bytes(content)
    assert main(["trace", str(path), "--call", call]) == 1
    err = capsys.readouterr().err
    assert said in err
    assert "Traceback" not in err
