"""The one dial: a profile holds a run's sizes and names, and no logic.

`profiles/NAME.yaml` gives values for the fields of `Profile`; `--set key=value` overrides them.
Names, types and ranges are checked here before anything starts, because papermill itself accepts
anything (nteract/papermill#906).
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_type_hints

import yaml

from semcoder_lib.core.errors import UserError


def _size(default: int, low: int = 0, high: int = 10_000_000, doc: str = "") -> Any:
    return field(default=default, metadata={"low": low, "high": high, "doc": doc})


def _number(default: float, low: float, high: float, doc: str = "") -> Any:
    return field(default=default, metadata={"low": low, "high": high, "doc": doc})


def _choice(default: str, *choices: str, doc: str = "") -> Any:
    return field(default=default, metadata={"choices": choices, "doc": doc})


def _text(default: str, doc: str = "") -> Any:
    return field(default=default, metadata={"doc": doc})


def _several(default: str, *choices: str, doc: str = "") -> Any:
    return field(default=default, metadata={"each": choices, "doc": doc})


def _numbers(default: str, low: float, high: float, doc: str = "") -> Any:
    return field(default=default, metadata={"each": (low, high), "doc": doc})


@dataclass(frozen=True)
class Profile:
    """The effective configuration of a run. Every field is a flat, plainly typed literal, so that
    it can be a parameter of a notebook."""

    profile: str = _text("smoke", "the name of this profile")
    seed: int = _size(20240603, 0, 2**31 - 1, "the one seed; every generator is named after it")
    workers: int = _size(0, 0, 4096, "processes; 0 means the cores that are free")
    spread: str = _choice(
        "process", "process", "ray",
        doc="notebook 01: processes here, or Ray (RAY_ADDRESS names a cluster)",
    )  # fmt: skip
    isolation: str = _choice("auto", "auto", "full", "no-namespaces", "portable", doc="sandbox")
    style: str = _choice("clean", "clean", "faithful", doc="prompts: ours, or the authors'")
    scorer: str = _choice("strict", "strict", "official", doc="the scorer that counts")

    model: str = _text("smollm2-135m", "base model: a known name, a hub name or a folder")
    backend: str = _choice("auto", "auto", "plain", "vllm", "openai", doc="what generates")
    server: str = _text("", "with backend=openai: its address (http://HOST:PORT/v1)")
    adapter: str = _text("", "evaluate this adapter instead of the one trained in notebook 04")

    teacher: str = _text(
        "", "address of an OpenAI-compatible server (http://HOST:PORT/v1), or local; none if empty"
    )
    teacher_model: str = _text("", "its name there, or the model that local loads")
    teacher_temperature: float = _number(0.7, 0.0, 2.0)
    teacher_tokens: int = _size(1024, 16, 65_536, "longest reply")
    teacher_tries: int = _size(4, 1, 100, "samples for one monologue or rationale")
    teacher_parallel: int = _size(8, 1, 1024, "requests under way at once")

    pyx_source: str = _text("build", '"build", or a file in the hub\'s format')
    pyx_real: int = _size(25, 0, doc="real functions from installed packages")
    pyx_synthesised: int = _size(40, 0, doc="synthesised programs")
    pyx_teacher: int = _size(0, 0, doc="snippets given to the teacher for programs")
    pyx_inputs: int = _size(30, 1, 1000, "inputs to gather for each of the teacher's programs")
    pyx_repairs: int = _size(3, 0, 100, "times a failing program goes back to the teacher")
    pyx_cases: int = _size(6, 2, 1000, "cases per program")
    pyx_held_out: float = _number(0.15, 0.0, 0.9, "share of program families that are held out")

    program_chars: int = _size(
        0, 0, doc="longest program for monologues and held-out items; 0 for any"
    )
    monologue_programs: int = _size(60, 1, doc="programs that get monologues")
    monologue_cases: int = _size(1, 1, 100, "cases per program that get a monologue")
    monologue_chars: int = _size(1600, 200, 20_000, "longest monologue kept for training")
    monologue_bullets: int = _size(2, 0, 20, "properties that each monologue states")
    monologue_form: str = _choice(
        "full", "full", "brief", "terse",
        doc="all sections, the steps alone, or those without quoting their statements",
    )  # fmt: skip
    monologue_detail: int = _size(1, 0, 2, "how much the simulation spells out")

    monologue_teacher: int = _size(0, 0, doc="programs whose monologues the teacher writes")
    monologue_accept: str = _choice(
        "verified", "verified", "answer",
        doc="a teacher's text needs no contradicted claim, or (paper) just the right answer",
    )  # fmt: skip

    faults: int = _size(40, 0, doc="faults from mutation")
    fault_teacher: int = _size(0, 0, doc="faults whose rationale the teacher writes")
    fault_tasks: int = _size(6, 0, doc="descriptions put to the base model for its own failures")
    fault_temperatures: str = _numbers("0.4,0.8", 0, 2, "each asks for one answer")

    train_method: str = _choice("lora", "lora", "full", doc="LoRA or all weights")
    train_steps: int = _size(6, 0, doc="optimizer steps of `main`; 0 means by epochs")
    train_epochs: float = _number(1.0, 0.0, 100.0, "epochs of `main` when train_steps is 0")
    train_held_out: int = _size(
        3, 0, doc="held-out programs for the loss and the endings after `main`"
    )
    refine_steps: int = _size(2, 0, doc="optimizer steps on PyX-R after `main`")
    refine_traced: str = _choice(
        "no", "no", "yes",
        doc="also fine-tune on PyX-R with the failing run's real trace in the prompt (table 4)",
    )  # fmt: skip
    batch_tokens: int = _size(2048, 64, doc="real tokens of one optimizer step")
    batch_rows: int = _size(0, 0, 100_000, "rows of one optimizer step, instead of tokens")
    max_length: int = _size(768, 64, 65_536, "tokens of the longest training row")
    learning_rate: float = _number(1e-3, 0.0, 1.0, "peak of the cosine")
    refine_learning_rate: float = _number(3e-4, 0.0, 1.0, "peak of the cosine on PyX-R")
    min_learning_rate: float = _number(1e-4, 0.0, 1.0, "end of the cosine")
    lora_rank: int = _size(16, 1, 1024)
    share_nl: float = _number(0.15, 0.0, 1.0, "share of training tokens that are NL-to-code")
    share_forward: float = _number(0.55, 0.0, 1.0, "share that are forward monologues")
    share_backward: float = _number(0.30, 0.0, 1.0, "share that are backward monologues")
    share_direct: float = _number(0.0, 0.0, 1.0, "share that are answers without reasoning")

    codegen_benchmarks: str = _text("humaneval", "comma-separated names")
    codegen_tasks: int = _size(3, 0, doc="tasks per benchmark; 0 means all")
    codegen_tokens: int = _size(64, 8, 8192, "longest completion")
    codegen_forms: str = _several(
        "completion,instruction", "completion", "instruction", "chat",
        doc="how an untuned model is asked for code: the bare problem, as tuned models are, or as "
        "these but in its own chat template",
    )  # fmt: skip
    held_out_items: int = _size(8, 1, doc="held-out PyX items for output prediction")
    held_out_inputs: int = _size(0, 0, doc="held-out PyX items for input prediction; 0: as many")
    cruxeval_items: int = _size(4, 0, doc="CRUXEval items per direction; 0 means all")
    released_texts: int = _size(
        0, -1, doc="texts of the released checkpoint verified per direction; 0 none, -1 all"
    )
    reasoning_tokens: int = _size(128, 8, 8192, "longest monologue generated")
    reasoning_items: int = _size(
        0, 0, doc="items per benchmark answered with a monologue, which is long; 0 means all"
    )
    baseline_forms: str = _several(
        "direct,cot", "direct", "cot", doc="how an untuned model is asked, two examples each"
    )
    baseline_tokens: int = _size(64, 8, 8192, "longest direct answer or chain of thought")

    ablation_formats: str = _several(
        "direct,monologue", "direct", "scratchpad", "next", "concise", "monologue", "shuffled",
        "answer_only",
    )  # fmt: skip
    ablation_views: str = _several(
        "examples", "examples", "tokens",
        doc="formats are given equal examples, or equal trained tokens",
    )  # fmt: skip
    ablation_steps: int = _size(3, 1, doc="optimizer steps per format")
    ablation_rows: int = _size(4, 1, 100_000, "executions in each of them")
    ablation_seeds: int = _size(1, 1, 100)
    ablation_items: int = _size(6, 1, doc="held-out items per format")
    ablation_cruxeval: int = _size(0, 0, doc="CRUXEval-O items per format; 0 for none")

    refine_tasks: int = _size(3, 0, doc="benchmark tasks in the self-refinement rounds")
    refine_faults: int = _size(0, 0, doc="held-out faults to repair in them; 0: as many")
    refine_rounds: int = _size(1, 0, 20)
    refine_sources: str = _several(
        "public,oracle", "public", "self", "trace", "oracle", doc="feedback sources"
    )
    refine_accept: str = _several(
        "replace", "replace", "keep_better", doc="replace (the paper's rule), keep_better, or both"
    )
    refine_temperatures: str = _numbers("0", 0, 2, "0 is greedy")
    refine_tokens: int = _size(96, 8, 8192)

    expected_seconds: str = _numbers("", 0, 1e9, "predicted seconds per notebook")
    expected_memory_gb: float = _number(4.0, 0.1, 10_000.0, "predicted peak memory")

    def names(self, key: str) -> list[str]:
        """A comma-separated field as a list."""
        return [part.strip() for part in str(getattr(self, key)).split(",") if part.strip()]

    def as_dict(self) -> dict[str, Any]:
        """Field by field, in declaration order."""
        return dataclasses.asdict(self)

    def fields_doc(self) -> list[tuple[str, Any, str]]:
        """(name, value, meaning) for every field, for printing."""
        return [
            (f.name, getattr(self, f.name), f.metadata.get("doc", ""))
            for f in dataclasses.fields(self)
        ]


def load(name: str = "laptop", overrides: Mapping[str, Any] | None = None) -> Profile:
    """The profile `profiles/NAME.yaml` with overrides applied and everything checked.

    Override values may be typed or text (from the command line). Raises UserError that names the
    file or option, the key, and what is allowed.
    """
    path = folder() / f"{name}.yaml"
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in folder().glob("*.yaml"))) or "none"
        raise UserError(f"there is no profile {name!r}; the profiles are: {known}")
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except yaml.YAMLError as error:
        line = getattr(getattr(error, "problem_mark", None), "line", -1) + 1
        raise UserError(f"{path}:{line}: not valid YAML") from None
    if not isinstance(data, dict):
        raise UserError(f"{path}: expected 'key: value' lines")
    checked = {"profile": name}
    for key, value in data.items():
        checked[key] = check(str(key), value, where=str(path))
    for key, value in (overrides or {}).items():
        checked[key] = check(key, value, where="--set")
    return _consistent(Profile(**checked))  # type: ignore[arg-type]


TAUGHT = ("pyx_teacher", "monologue_teacher", "fault_teacher")


def _consistent(profile: Profile) -> Profile:
    """What no single value shows. Raises UserError."""
    if (profile.backend == "openai") != bool(profile.server):
        raise UserError(
            "a model behind a server needs both: --set backend=openai "
            "--set server=http://HOST:PORT/v1"
        )
    for key in ("codegen_forms", "baseline_forms"):
        if not profile.names(key):
            raise UserError(f"{key} is empty: an untuned model is asked in at least one form")
    _address("server", profile.server)
    for key in TAUGHT:
        if getattr(profile, key) and not profile.teacher:
            raise UserError(
                f"{key}={getattr(profile, key)} needs a teacher: --set teacher=http://HOST:PORT/v1 "
                f"(or local) --set teacher_model=NAME"
            )
    if profile.teacher and not profile.teacher_model:
        raise UserError("a teacher needs the name of its model: --set teacher_model=NAME")
    if profile.teacher != "local":
        _address("teacher", profile.teacher, " or local")
    return profile


def _address(key: str, value: str, others: str = "") -> None:
    if value and not value.startswith(("http://", "https://")):
        raise UserError(f"{key}={value}: the address of a server (http://HOST:PORT/v1){others}")


def check(key: str, value: Any, *, where: str) -> Any:
    """The value of one key in its right type. Raises UserError on a name, type or range that the
    library does not know."""
    fields = {f.name: f for f in dataclasses.fields(Profile)}
    if key not in fields:
        near = difflib.get_close_matches(key, fields, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise UserError(f"{where}: unknown key {key!r}{hint}")
    kind = get_type_hints(Profile)[key]
    meta = fields[key].metadata
    typed = _converted(key, value, kind, where)
    if "choices" in meta and typed not in meta["choices"]:
        raise UserError(
            f"{where}: {key} must be one of {', '.join(meta['choices'])}, not {typed!r}"
        )
    if "low" in meta and not meta["low"] <= typed <= meta["high"]:
        raise UserError(f"{where}: {key} must be from {meta['low']} to {meta['high']}, not {typed}")
    if "each" in meta:
        _check_each(key, typed, meta["each"], where)
    return typed


def _check_each(key: str, text: str, allowed: tuple[Any, ...], where: str) -> None:
    """The parts of a comma-separated value: names to choose from, or numbers in a range."""
    for part in filter(None, (p.strip() for p in text.split(","))):
        if isinstance(allowed[0], str):
            if part not in allowed:
                raise UserError(f"{where}: {key}: choose from {', '.join(allowed)}, not {part!r}")
            continue
        try:
            good = allowed[0] <= float(part) <= allowed[1]
        except ValueError:
            good = False
        if not good:
            raise UserError(
                f"{where}: {key}: numbers from {allowed[0]:g} to {allowed[1]:g} between commas, "
                f"not {part!r}"
            )


def parse_set(items: list[str]) -> dict[str, str]:
    """`["a=1", "b=x"]` as a dict. Raises UserError for an item without '='."""
    out = {}
    for item in items:
        key, equals, value = item.partition("=")
        if not equals or not key.strip():
            raise UserError(f"--set {item}: write it as key=value")
        out[key.strip()] = value.strip()
    return out


def folder() -> Path:
    """Where the profiles are: `profiles/` beside the package."""
    return Path(__file__).resolve().parents[2] / "profiles"


def _converted(key: str, value: Any, kind: type, where: str) -> Any:
    wrong = UserError(f"{where}: {key} must be {_article(kind)}, not {value!r}")
    if isinstance(value, bool):
        raise wrong
    if kind is str:
        if isinstance(value, int | float):
            value = str(value)
        if not isinstance(value, str):
            raise wrong
        return value
    try:
        if kind is int:
            if isinstance(value, float) and value != int(value):
                raise wrong
            return int(str(value).replace("_", "")) if isinstance(value, str) else int(value)
        return float(value)
    except (TypeError, ValueError, OverflowError):
        raise wrong from None


def _article(kind: type) -> str:
    return {int: "a whole number", float: "a number", str: "text"}[kind]
