"""A notebook of a run: its settings, its folder, what it takes from other notebooks, its card.

A notebook begins with `run = begin("02_monologues", profile, run_name, settings)`, keeps what takes
time with `run.step`, takes what other notebooks left with `run.file` and `run.kept`, and ends with
`run.finish(results)`. The same master runs in JupyterLab, through Papermill, by `python
notebooks/02_monologues.py` and by `semcoder_lib stage 02`.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import functools
import os
import platform
import resource
import shlex
import shutil
import sys
import time
import types
import warnings
from pathlib import Path
from typing import Any

from semcoder_lib.core import profile as profiles
from semcoder_lib.core import scale, source, workspace
from semcoder_lib.core.errors import SemcoderError, UserError
from semcoder_lib.core.progress import only_progress, say
from semcoder_lib.evaluation import data as homes
from semcoder_lib.report import display
from semcoder_lib.run import doctor, steps
from semcoder_lib.sandbox import Sandbox

NAMES: tuple[str, ...] = (
    "00_tour", "01_pyx", "02_monologues", "03_pyx_r", "04_sft", "05_codegen", "06_reasoning",
    "07_ablation", "08_refinement", "09_report",
)  # fmt: skip
# What the pinned libraries say to each other, and no reader of a notebook can act on.
CHATTER = (
    "`(is_)?gradient_checkpointing` is deprecated",
    "Unable to fetch remote file .* for the file config.json",
    "Could not find a config file in .* vocabulary was not modified",
    "IProgress not found",  # tqdm, of bars drawn by widgets; ours are text
)
# fields that may name files of the user's own
OWN_FILES = ("adapter", "model", "pyx_source", "pyx_r_source")


def name_of(text: str | int) -> str:
    """The notebook's name from "3", "03" or "03_pyx_r". Raises UserError for any other."""
    head = str(text).split("_")[0].removesuffix(".ipynb")
    if head.isdigit() and int(head) < len(NAMES):
        return NAMES[int(head)]
    raise UserError(f"there is no notebook {text!r}; they are 00 to {len(NAMES) - 1:02d}")


def folder() -> Path:
    """`notebooks/` of this checkout. Raises UserError when the package was installed without it."""
    place = source.LIBRARY.parent / "notebooks"
    if not place.is_dir():
        raise UserError("the notebooks are not beside the package; run from a checkout")
    return place


def configured(profile: str, settings: str = "") -> profiles.Profile:
    """The profile with settings applied; `settings` is "key=value key=value"."""
    return profiles.load(profile, profiles.parse_set(shlex.split(settings)))


def begin(name: str, profile: str = "smoke", run_name: str = "", settings: str = "") -> Notebook:
    """Start the notebook `name`, and say which settings were changed. Raises UserError for settings
    that are wrong, InfrastructureError where another process is at work in the same folder."""
    main = getattr(sys.modules["__main__"], "__file__", "") or ""
    if Path(main).stem == name:  # python notebooks/NN_name.py --profile …
        sys.excepthook = _in_one_line
        profile, run_name, settings = _arguments(profile, run_name, settings)
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")  # of loading weights, in any cell
    for line in CHATTER:
        warnings.filterwarnings("ignore", message=line)
    return Notebook(name, configured(profile, settings), run_name or profile, settings)


def _in_one_line(kind: type[BaseException], error: BaseException, trace: Any) -> None:
    """What stops a notebook that runs as a script: our own errors in a line, others with traces."""
    if isinstance(error, SemcoderError):
        say(str(error))
    else:
        sys.__excepthook__(kind, error, trace)


def _arguments(profile: str, run_name: str, settings: str) -> tuple[str, str, str]:
    parser = argparse.ArgumentParser(description="Run this notebook without Jupyter.")
    parser.add_argument("--profile", default=profile)
    parser.add_argument("--run", default=run_name, metavar="NAME")
    parser.add_argument("--set", action="append", default=[], metavar="key=value")
    given = parser.parse_args()
    return given.profile, given.run, shlex.join(given.set) or settings


class Notebook:
    """One notebook at work on one run. Holds a lock on its folder, so that two processes never
    write the same files; `finish`, or `close`, lets go of it."""

    def __init__(self, name: str, profile: profiles.Profile, run: str, settings: str) -> None:
        self.name, self.settings = name, settings
        self.configuration = profile
        self.used: set[str] = set()  # fields of the profile that the cells read
        self.profile = _Watched(profile, self.used)
        self.run = workspace.Run(run)
        self.folder = self.run.folder(name)
        self.inputs: dict[str, str] = {}
        self.layers: dict[str, Any] = {"level": "", "layers": []}
        self._exit = contextlib.ExitStack()
        busy = f"{self.folder} is in use by another run; wait for it, or use --run NAME"
        self._exit.enter_context(workspace.locked(self.folder / ".lock", 15.0, busy))
        self._began = time.monotonic()
        self.steps = steps.Steps(self.folder, say)
        self.step = self.steps.step
        values, plain = profile.model_dump(), profiles.load(profile.profile).model_dump()
        changed = [f" · {key}={value}" for key, value in values.items() if value != plain[key]]
        say(f"notebook {name} · run {run} · profile {profile.profile}{''.join(changed)}")

    @functools.cached_property
    def workers(self) -> int:
        """Processes to use: the profile's number, or the cores that are free now."""
        return self.configuration.workers or scale.free_cores()

    @functools.cached_property
    def box(self) -> Sandbox:
        """The sandbox, started on first use and closed with the notebook."""
        box = Sandbox(isolation=self.configuration.isolation, workers=self.workers)
        self._exit.enter_context(box)
        self.layers = {"level": box.level, "layers": list(box.layers)}
        return box

    def path(self, name: str) -> Path:
        """A file in this notebook's folder."""
        return self.folder / name

    def file(self, name: str) -> Path:
        """What another notebook of the run left, as "04_sft/main". A notebook that was not run, or
        is out of date, is run first, with a line that says so."""
        notebook = name.partition("/")[0]
        if why := out_of_date(self.run.path, notebook, self.configuration):
            say(f"notebook {notebook} {why}: running it first")
            execute(notebook, self.configuration.profile, self.run.name, self.settings)
        self.reads(name)
        return self.run.path / name

    def kept(self, name: str) -> Any:
        """What a step of another notebook returned, as "01_pyx/pyx.jsonl"."""
        return steps.read(self.file(name))

    def reads(self, *names: str) -> None:
        """Note that this notebook depends on these files of the run; of a folder, on its files."""
        for name in names:
            path = self.run.path / name
            results = steps.results_of(path) if path.is_dir() else [path]
            for file in results:
                self.inputs[str(file.relative_to(self.run.path))] = steps.digest(file)

    def need(self, rows: list[Any], what: str) -> list[Any]:
        """The rows. Raises UserError where there are none, as with a small file of one's own."""
        if rows:
            return rows
        raise UserError(f"no {what}: give a larger pyx_source, or another pyx_held_out")

    def finish(self, results: dict[str, Any]) -> display.Shown:
        """Write `results.json` and the card, let go of everything, and show the card."""
        workspace.write_json(self.path("results.json"), results)
        card = {
            "stage": self.name,
            "run": self.run.name,
            "inputs": self.inputs,
            "outputs": _outputs(self.folder),
            **_basis(self.name, self.configuration, self.used),
            "configuration": self.configuration.model_dump(),
            "machine": machine(),
            "isolation": self.layers,
            "seed": self.configuration.seed,
            "seconds": round(time.monotonic() - self._began, 2),
            "peak_memory_bytes": peak_memory_bytes(),
            "finished": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        }
        workspace.write_json(self.path("card.json"), card)
        self.close()
        shown = ("stage", "run", "seconds", "peak_memory_bytes", "isolation", "inputs", "outputs")
        return display.counts({name: card[name] for name in shown}, "card", "value")

    def close(self) -> None:
        """Let go of the sandbox and the lock, without a card."""
        self._exit.close()


class _Watched:
    """A profile that notes which of its fields are read."""

    def __init__(self, profile: profiles.Profile, used: set[str]) -> None:
        self._profile, self._used = profile, used

    def __getattr__(self, name: str) -> Any:
        kind = type(self._profile)
        if name in kind.model_fields:
            self._used.add(name)
            return getattr(self._profile, name)
        own = getattr(kind, name)  # a property or method reads its fields from here, too
        if isinstance(own, property) and own.fget:
            return own.fget(self)
        return types.MethodType(own, self)


# --- is it up to date? --------------------------------------------------------------------


def out_of_date(run: Path, name: str, profile: profiles.Profile) -> str:
    """Why a notebook has to run, in words; empty where its card still holds."""
    try:
        card = workspace.read_json(run / name / "card.json")
        basis = _basis(name, profile, set(card["used"]))
        for kind, known in basis.items():
            if card[kind] != known:
                parts = known.items() if isinstance(known, dict) else [(kind, known)]
                before = card[kind] if isinstance(card[kind], dict) else {kind: card[kind]}
                what = next((n for n, v in parts if before.get(n) != v), kind)
                return f"is out of date ({what} changed)"
        for input_name, known in card["inputs"].items():
            if steps.digest(run / input_name) != known:
                return f"is out of date ({input_name} changed)"
            upstream = input_name.partition("/")[0]
            if why := out_of_date(run, upstream, profile):
                return f"is out of date ({upstream} {why})"
        if _outputs(run / name) != card["outputs"]:
            return "is out of date (its files are not what it wrote)"
    except (UserError, OSError, KeyError, TypeError):
        return "was not run"
    return ""


def _basis(name: str, profile: profiles.Profile, used: set[str]) -> dict[str, Any]:
    """What decides a notebook's result beside the files that it takes from others. A step is judged
    by the code that it can run; a notebook, quick when its steps are read back, by all of it."""
    values = profile.model_dump()
    return {
        "used": {field: _value(field, values.get(field)) for field in sorted(used)},
        "code": workspace.content_key(
            source.code_behind(source.LIBRARY.rglob("*.py")),
            source.parsed_hash(folder() / f"{name}.py"),
        ),
        "versions": doctor.versions(steps.PACKAGES),
        "data": {n: workspace.file_hash(p) for n in homes.HOMES if (p := homes.find(n))},
    }


def _value(field: str, value: Any) -> Any:
    """A setting, with the content of the file or folder that it may name."""
    if field not in OWN_FILES or not value:
        return value
    return [value, known] if (known := steps.weights(str(value))) else value


def _outputs(place: Path) -> dict[str, str]:
    names = {str(f.relative_to(place)): f for f in steps.results_of(place)}
    return {name: workspace.file_hash(f) for name, f in names.items() if name != "card.json"}


def forget(run: Path, name: str) -> None:
    """Let a notebook and all its steps be done again; caches of items stay."""
    (run / name / "card.json").unlink(missing_ok=True)
    shutil.rmtree(run / name / "steps", ignore_errors=True)


def machine() -> dict[str, Any]:
    """What kind of machine this is, without naming it."""
    return {
        "system": platform.system(),
        "architecture": platform.machine(),
        "cores": os.cpu_count(),
        "python": sys.implementation.name,
    }


def execute(name: str, profile: str = "smoke", run_name: str = "", settings: str = "") -> None:
    """Run a notebook's master in this process: its lines of progress show, what its cells print
    does not. Raises what a cell raises."""
    path = folder() / f"{name}.py"
    tree = ast.parse(path.read_bytes())
    parameters = {"profile": profile, "run_name": run_name, "settings": settings}
    for node in tree.body:
        if isinstance(node, ast.Assign) and _name(node) in parameters:
            value = ast.Constant(parameters.pop(_name(node)))  # the first one is the parameters'
            node.value = ast.copy_location(value, node.value)
    module = types.ModuleType(f"notebook_{name}")
    module.__file__ = str(path)
    try:
        with only_progress():
            exec(compile(tree, str(path), "exec"), module.__dict__)
    finally:
        if isinstance(run := module.__dict__.get("run"), Notebook):
            run.close()


def _name(node: ast.Assign) -> str:
    target = node.targets[0]
    return target.id if len(node.targets) == 1 and isinstance(target, ast.Name) else ""


def peak_memory_bytes() -> int:
    """The most memory that this process has held, with that of its largest child that has ended.
    Not the sum of several workers at one time."""
    kinds = resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN
    unit = 1 if platform.system() == "Darwin" else 1024
    return unit * sum(resource.getrusage(kind).ru_maxrss for kind in kinds)
