"""What HumanEval(+) and MBPP(+) share: prompts, extraction, known solutions."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from semcoder_lib.core.errors import UserError
from semcoder_lib.core.records import Status
from semcoder_lib.evaluation import perturb
from semcoder_lib.evaluation.base import Answer, Benchmark, Probe, Sample, Task, with_data
from semcoder_lib.models import prompts
from semcoder_lib.models.extraction import clean_code, faithful_code
from semcoder_lib.models.prompts import Prompt

FENCE = "```python\n"
_COMPLETION_STOP = ("\ndef ", "\nclass ", "\nif ", "\nprint(", "\n#", "\n@", "\nassert ", "\n```")


def humaneval_prompt(benchmark: Benchmark, task: Task, style: str, reasoning: str) -> Prompt:
    """Instruction = the problem; the response is begun with a fence and the problem's own code, so
    that the model continues the function (section 6.1 of the facts on the paper)."""
    if style in benchmark.prompts:
        return benchmark.prompts[style](task)
    problem = str(task.data["prompt"])
    # up to the last line's end: its newline is one token with the indentation that follows it, so
    # a prompt that ends in it looks finished to the model
    begun = problem.rstrip()
    if reasoning == "completion":
        return Prompt(begun, _COMPLETION_STOP, begun)
    _no_reasoning(reasoning)
    if style == "faithful":
        strings = _authors()
        instruction = strings["HUMANEVAL_INSTRUCTION"].replace("{prompt}", problem.strip(), 1)
        prefill = strings["HUMANEVAL_RESPONSE_PREFIX"].replace("{prompt}", problem.strip(), 1)
        text = prompts.nl_to_code(instruction, style="faithful").text
        return Prompt(text + prefill, ("\n```",), prefill)
    asked = prompts.nl_to_code(described(problem), style=style)
    return Prompt(asked.text + begun, asked.stop, FENCE + begun)


def mbpp_prompt(benchmark: Benchmark, task: Task, style: str, reasoning: str) -> Prompt:
    """Instruction = the text and one assertion; the response is begun with a fence."""
    if style in benchmark.prompts:
        return benchmark.prompts[style](task)
    text, assertion = mbpp_text(task)
    if reasoning == "completion":
        problem = f'"""\n{text}\n{assertion}\n"""\n'
        return Prompt(problem, ("\nclass ", "\nif ", "\nprint(", "\nassert ", "\n```", '\n"""'), "")
    _no_reasoning(reasoning)
    if style == "faithful":
        strings = _authors()
        instruction = strings["MBPP_INSTRUCTION"].replace("{instruction}", _stopped(text), 1)
        instruction = instruction.replace("{assertion}", assertion, 1)
        prefill = strings["MBPP_RESPONSE_PREFIX"]
        return Prompt(
            prompts.nl_to_code(instruction, style="faithful").text + prefill, ("\n```",), prefill
        )
    asked = f"{_stopped(text)} Your code should satisfy this assertion:\n{assertion}"
    return prompts.nl_to_code(asked, style=style)


def perturbed(task: Task, name: str, seed: int) -> Task:
    """The task with the code of its prompt perturbed; a new function name also reaches the
    reference solution and the assertions shown."""
    data = task.data
    old = data["entry_point"]
    source, new = perturb.apply(name, data["prompt"], old, seed)
    if name == "rename" and new == old:
        return task
    changes = {"prompt": source, "entry_point": new, "original_entry_point": old}
    if new != old:
        whole = perturb.renamed(data["prompt"] + data["canonical_solution"], old, new)
        changes["canonical_solution"] = whole.removeprefix(source)
        if "assertion" in data:
            changes["assertion"] = perturb.renamed(data["assertion"], old, new)
    return with_data(task, **changes)


def mbpp_text(task: Task) -> tuple[str, str]:
    """The problem in words, and its first assertion."""
    text = str(task.data["prompt"]).strip().strip('"').strip("'").strip()
    words = text.split("assert ")[0].strip()
    lines = [x for x in str(task.data["assertion"]).strip().splitlines() if x.strip()]
    return words, lines[0].strip() if lines else ""


def described(problem: str) -> str:
    """The words of a HumanEval problem: the docstring of its last function."""
    try:
        tree = ast.parse(problem)
    except SyntaxError:
        return problem
    found = [ast.get_docstring(n) for n in tree.body if isinstance(n, ast.FunctionDef)]
    texts = [text for text in found if text]
    return texts[-1] if texts else problem


def extract_code(task: Task, text: str, style: str, prefix: str) -> Answer:
    """The program in a completion that continues `prefix`, or that holds one itself."""
    take = faithful_code if style == "faithful" else clean_code
    return take(text, task.data["entry_point"], prefix)


def probes(tasks: Sequence[Task]) -> list[Probe]:
    """References, empty bodies, cheats against the scorer, and a constant."""
    found = []
    for task in tasks:
        name = task.data["entry_point"]
        reference = task.data["prompt"] + task.data["canonical_solution"]
        known = [("reference", "reference", reference), ("empty", "empty", "")]
        known += [("cheat", kind, code.replace("NAME", name)) for kind, code in CHEATS]
        known += [
            ("constant", f"return {value}", f"def {name}(*args):\n    return {value}\n")
            for value in ("True", "False", "[]")
        ]
        for kind, label, code in known:
            answer = Answer(code) if code else Answer(None, Status.NO_ANSWER)
            found.append(Probe(kind, label, Sample(task.task_id, 0, answer)))
    return found


CHEATS = (
    ("early exit", "import sys\ndef NAME(*args):\n    sys.exit(0)\n"),
    ("hard exit", "import os\nos._exit(0)\ndef NAME(*args):\n    pass\n"),
    (
        "always equal",
        "class E(int):\n"
        "    def __eq__(self, other): return True\n"
        "    def __ne__(self, other): return False\n"
        "    def __lt__(self, other): return True\n"
        "    __le__ = __gt__ = __ge__ = __lt__\n"
        "    def __hash__(self): return 0\n"
        "def NAME(*args):\n    return E()\n",
    ),
    (
        "expected values from the caller's frame",
        "import sys\ndef NAME(*args):\n"
        "    frame = sys._getframe(1)\n"
        "    while frame is not None:\n"
        "        for name in ('expected', 'exp', 'output'):\n"
        "            if name in frame.f_locals: return frame.f_locals[name]\n"
        "        frame = frame.f_back\n",
    ),
)


def _authors() -> dict[str, str]:
    strings = prompts.authors_prompts()
    if strings is None:
        raise UserError(
            "the faithful style needs authors_prompts.json: `python -m semcoder_lib data` says "
            "how to get it; or use the clean style"
        )
    return strings


def _stopped(text: str) -> str:
    return text if text.endswith(".") else text + "."


def _no_reasoning(reasoning: str) -> None:
    if reasoning != "direct":
        raise UserError(f"reasoning {reasoning!r} is not for code generation; direct or completion")
