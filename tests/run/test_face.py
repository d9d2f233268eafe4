"""The names that a reader needs: all there, and the first ones work with no more than a program."""

from __future__ import annotations

import subprocess
import sys

import semcoder_lib
from semcoder_lib import Case, Program, deduce, execute, tell, trace, verify

PROGRAM = Program("def double(x):\n    y = 2 * x\n    return y\n", "double")


def test_every_name_is_there_and_on_the_page() -> None:
    assert semcoder_lib.__doc__
    for name in semcoder_lib.__all__:
        assert getattr(semcoder_lib, name) is not None
        assert f" {name}" in semcoder_lib.__doc__.replace("\n", " ")
    assert len(semcoder_lib.__all__) <= 24


def test_one_program_by_hand() -> None:
    assert execute(PROGRAM, 21).value == 42
    case = Case((21,), 42)
    assert [step.line for step in trace(PROGRAM, case).steps if step.event == "line"] == [2, 3]
    for monologue in (tell(PROGRAM, case), tell(PROGRAM, case, "dense"), deduce(PROGRAM, 42)):
        assert monologue is not None
        report = verify(PROGRAM, monologue)
        assert report.accepted
        assert report.unverifiable == 0


def test_the_first_names_need_no_torch() -> None:
    code = "from semcoder_lib import Program, execute, models; import sys; "
    code += "print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
