"""The one dial: a profile holds a run's sizes and names, and no logic.

`profiles/NAME.yaml` gives values for the fields of `Profile`; `--set key=value` overrides them.
Names, types and ranges are checked here before anything starts, because papermill itself accepts
anything (nteract/papermill#906).
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from semcoder_lib.core.errors import UserError

FORMATS = ("direct", "scratchpad", "next", "concise", "monologue", "shuffled", "answer_only")
SOURCES = ("public", "self", "trace", "oracle")
CODE_FORMS = ("completion", "instruction", "chat")
REASONING_FORMS = ("direct", "cot")
TASKS = ("forward", "backward", "nl_to_code", "direct")
ADDRESS = r"https?://\S+"
SHARE = r"(0|1|0?\.\d+)"


def _several(default: str, choices: Sequence[str], doc: str) -> Any:
    """Names or numbers between commas. `choices` are regular expressions."""
    return Field(default, pattern=f"^(({'|'.join(choices)})(, *|$))+$", description=doc)


def _size(default: int, low: int = 0, high: int = 10_000_000, doc: str = "") -> Any:
    return Field(default, ge=low, le=high, description=doc)


def _text(default: str, doc: str) -> Any:
    return Field(default, description=doc)


class Profile(BaseModel):
    """The effective configuration of a run. Every field is a flat, plainly typed literal, so that
    it can be a parameter of a notebook; what follows from the fields is a property."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", coerce_numbers_to_str=True, allow_inf_nan=False
    )

    profile: str = _text("smoke", "the name of this profile")
    seed: int = _size(20240603, 0, 2**31 - 1, "the one seed; every generator is named after it")
    workers: int = _size(0, 0, 4096, "processes; 0 means the cores that are free")
    isolation: Literal["auto", "full", "no-namespaces", "portable"] = _text("auto", "sandbox")
    style: Literal["clean", "faithful"] = _text(
        "clean", "ours, or the authors': prompts, and which of a teacher's texts are taken"
    )
    scorer: Literal["strict", "official"] = _text("strict", "the scorer that counts")

    model: str = _text("smollm2-135m", "base model: a known name, a hub name or a folder")
    backend: str = Field(
        "auto", pattern=f"^(auto|plain|{ADDRESS})$",
        description="what generates: auto, plain, or the address of an OpenAI-compatible server",
    )  # fmt: skip
    adapter: str = _text("", "evaluate this adapter instead of the one trained in notebook 04")

    teacher: str = Field(
        "", pattern=f"^(|local|{ADDRESS})$",
        description="local, or the address of an OpenAI-compatible server; none if empty",
    )  # fmt: skip
    teacher_model: str = _text("", "its name there, or the model that local loads")
    teacher_items: int = _size(
        100, 1, doc="snippets, programs for monologues, and faults that a teacher is asked about"
    )

    pyx_source: str = _text("build", '"build", or a file in the hub\'s format')
    pyx_real: int = _size(25, doc="real functions from installed packages")
    pyx_synthesised: int = _size(40, doc="synthesised programs")
    pyx_methods: int = _size(0, doc="programs around methods of str, list, dict; 2 in 5 are drills")
    pyx_held_out: float = Field(
        0.15, ge=0, le=0.9, description="share of program families that are held out"
    )

    monologue_programs: int = _size(60, 1, doc="programs that get monologues")
    monologue_chars: int = _size(
        1600, 200, 20_000, "longest monologue kept for training, of programs half as long"
    )
    monologue_form: Literal["full", "compact", "teacher", "faithful", "brief", "terse", "dense"] = (
        _text("full", "all sections; brief: the steps alone; terse: without their statements")
    )

    pyx_r_source: str = _text("build", '"build", or a file of PyX-R in the hub\'s format')
    faults: int = _size(40, doc="faults from mutation; the base model's own failures come on top")

    train_steps: int = _size(6, doc="optimizer steps of `main`; 0 means the paper's two epochs")
    train_mix: str = _several(
        "forward:0.55,backward:0.30,nl_to_code:0.15", [f"({'|'.join(TASKS)}):{SHARE}"],
        "shares of the training tokens",
    )  # fmt: skip
    refine_steps: int = _size(2, doc="optimizer steps on PyX-R after `main`")
    batch_tokens: int = _size(
        2048, doc="real tokens of one optimizer step; 0 means the paper's 512 rows"
    )
    max_length: int = _size(768, 64, 65_536, "tokens of the longest training row")
    learning_rate: float = Field(
        1e-3, ge=0, le=1, description="peak of the cosine, which ends at a tenth; a fifth on PyX-R"
    )
    lora_rank: int = _size(16, 0, 1024, "rank of the adapter; 0 means all weights are trained")

    codegen_benchmarks: str = _text("humaneval", "for code generation, between commas")
    codegen_tasks: int = _size(3, doc="tasks per benchmark; 0 means all")
    codegen_tokens: int = _size(64, 8, 8192, "longest completion")
    held_out_items: int = _size(8, 1, doc="held-out PyX items per direction")
    cruxeval_items: int = _size(4, doc="CRUXEval items per direction; 0 means all")
    reasoning_tokens: int = _size(128, 8, 8192, "longest monologue generated")
    reasoning_items: int = _size(
        0, doc="items per benchmark answered with a monologue, which is long; 0 means all"
    )
    baseline_forms: str = _several(
        "completion,instruction,direct,cot", [*CODE_FORMS, *REASONING_FORMS],
        "how an untuned model is asked for code: the bare problem, as tuned models are, or as "
        "these but in its own chat template; and for execution: an answer, a chain of thought",
    )  # fmt: skip

    ablation_formats: str = _several(
        "direct,monologue", FORMATS, "the first is what the others are compared with"
    )
    ablation_steps: int = _size(3, 1, doc="optimizer steps per format")
    ablation_seeds: int = _size(
        1, 1, 100, "trainings per format; from two on also with equal trained tokens"
    )
    ablation_items: int = _size(6, 1, doc="held-out items per format, and as many of CRUXEval-O")

    refine_tasks: int = _size(
        3, doc="held-out faults to be mended, and as many benchmark tasks, if codegen_tasks allows"
    )
    refine_rounds: int = _size(1, 0, 20, doc="rounds of mending")
    refine_sources: str = _several("public,oracle", SOURCES, "feedback sources")
    refine_accept: str = _several(
        "replace", ["replace", "keep_better"], "replace (the paper's rule), keep_better, or both"
    )
    refine_temperatures: str = _several("0", [r"[01](\.\d+)?", "2"], "0 is greedy, 2 the most")

    @field_validator("*", mode="before")
    @classmethod
    def _no_truth_values(cls, value: Any) -> Any:
        if isinstance(value, bool):
            raise ValueError("a number or text, not true or false")
        return value

    def names(self, key: str) -> list[str]:
        """A comma-separated field as a list."""
        return [part.strip() for part in str(getattr(self, key)).split(",") if part.strip()]

    @property
    def server(self) -> str:
        """The address of the server that generates, if one does."""
        return self.backend if "://" in self.backend else ""

    @property
    def program_chars(self) -> int:
        """Longest program for monologues and held-out items."""
        return self.monologue_chars // 2

    @property
    def shares(self) -> dict[str, float]:
        """`train_mix`, the kinds of rows that it leaves out as 0."""
        shares = dict(part.split(":") for part in self.names("train_mix"))
        return dict.fromkeys(TASKS, 0.0) | {k.strip(): float(v) for k, v in shares.items()}

    @property
    def batch_rows(self) -> int:
        """Rows of one optimizer step, where these count instead of tokens."""
        return 0 if self.batch_tokens else 512

    @property
    def codegen_forms(self) -> list[str]:
        """Those of `baseline_forms` in which code is asked for; the first for want of any."""
        return [f for f in CODE_FORMS if f in self.names("baseline_forms")] or [*CODE_FORMS[:1]]

    @property
    def baseline_tokens(self) -> int:
        """Longest direct answer."""
        return min(256, max(16, self.reasoning_tokens // 4))


def load(name: str = "laptop", overrides: Mapping[str, Any] | None = None) -> Profile:
    """The profile `profiles/NAME.yaml` with overrides applied and everything checked.

    Override values may be typed or text (from the command line). Raises UserError with one line
    that names the file or option, the key, and what is allowed.
    """
    settings = {**_file(name), "profile": name}
    settings.pop("expected", None)
    _checked(settings, f"profiles/{name}.yaml")
    profile = _checked({**settings, **(overrides or {})}, "--set")
    if profile.teacher and not profile.teacher_model:
        raise UserError("a teacher needs the name of its model: --set teacher_model=NAME")
    if 0 < profile.batch_tokens < profile.max_length:
        raise UserError(
            f"--set: max_length={profile.max_length}: the longest training row must fit into a "
            f"batch of batch_tokens={profile.batch_tokens}"
        )
    return profile


def expected(name: str) -> tuple[list[float], float]:
    """What the profile took on the reference machine: the seconds of each notebook, and gigabytes
    of memory at the peak."""
    reference = _file(name)["expected"]
    return [float(s) for s in reference["seconds"]], float(reference["memory_gb"])


def _file(name: str) -> dict[str, Any]:
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
    return {str(key): value for key, value in data.items()}


def _checked(settings: dict[str, Any], where: str) -> Profile:
    try:
        return Profile.model_validate(settings)
    except ValidationError as error:
        wrong = error.errors()[0]
    key = str(wrong["loc"][0])
    if wrong["type"] == "extra_forbidden":
        near = difflib.get_close_matches(key, Profile.model_fields, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise UserError(f"{where}: unknown key {key!r}{hint}")
    why = wrong["msg"].removeprefix("Value error, ")
    doc = Profile.model_fields[key].description
    raise UserError(
        f"{where}: {key}={str(wrong['input'])[:60]!r} ({doc}): {why[:1].lower()}{why[1:]}"
    )


def parse_set(items: Sequence[str]) -> dict[str, str]:
    """`["a=1", "b=x"]` as a dict. Raises UserError for an item without '='."""
    pairs = [item.partition("=") for item in items]
    for item, (key, equals, _) in zip(items, pairs, strict=True):
        if not equals or not key.strip():
            raise UserError(f"--set {item}: write it as key=value")
    return {key.strip(): value.strip() for key, _, value in pairs}


def folder() -> Path:
    """Where the profiles are: `profiles/` beside the package."""
    return Path(__file__).resolve().parents[2] / "profiles"
