"""One stage of one run: its configuration, its inputs, whether it can be reused, its card.

A stage is reused only when its configuration, its inputs, the source of the rooms it uses and the
versions of its key packages are unchanged, and its outputs are still what its card says. Anything
else runs again, and inside it only the items that its caches lack.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import importlib.metadata
import platform
import sys
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from semcoder_lib.core import profile as profiles
from semcoder_lib.core import scale, workspace
from semcoder_lib.core.errors import UserError
from semcoder_lib.evaluation import data as homes
from semcoder_lib.models import assets
from semcoder_lib.run.stages.meter import Meter
from semcoder_lib.sandbox import Sandbox

T = TypeVar("T")
# What the pinned libraries say to each other, and no reader of a notebook can act on.
CHATTER = (
    "`(is_)?gradient_checkpointing` is deprecated",
    "Unable to fetch remote file .* for the file config.json",
    "Could not find a config file in .* vocabulary was not modified",
)
# Fields that may name folders or files of the user's own.
OWN_FOLDERS = ("adapter", "model")
OWN_FILES = ("pyx_source", "model")  # model: a GGUF file
KEY_PACKAGES = ("torch", "transformers", "trl", "peft", "numpy", "safetensors")


@dataclass(frozen=True)
class Stage:
    """What the runner must know of a stage. `keys` are the prefixes of the profile's fields that
    change its result, `rooms` the source that does, `needs` the stages it reads, `data` the
    beginnings of the names of the data files that it reads where they are at hand, `taught` the
    field that says how much a teacher is asked; the teacher's own fields count only then."""

    number: int
    name: str
    title: str
    keys: tuple[str, ...]
    rooms: tuple[str, ...]
    needs: tuple[int, ...] = ()
    run: str = ""  # "module:function" of its work
    data: tuple[str, ...] = ()
    taught: str = ""

    @property
    def label(self) -> str:
        return f"{self.number:02d}_{self.name}"


class Session:
    """A stage being worked on. Made by `stages.begin`; `compute` does the work once; `finish`
    writes the card. Holds a lock on the stage's folder, so two runs never write the same files."""

    def __init__(self, stage: Stage, profile: profiles.Profile, run: workspace.Run) -> None:
        for line in CHATTER:
            warnings.filterwarnings("ignore", message=line)
        self.stage = stage
        self.profile = profile
        self.run = run
        self.folder = run.stage(stage.number, stage.name)
        self._exit = contextlib.ExitStack()
        self._lock = self._exit.enter_context(_locked(self.folder))
        self._box: Sandbox | None = None
        self._meter = Meter().start()
        self._exit.callback(self._meter.stop)
        self._layers: list[str] = []
        self._isolation = ""
        try:
            self.inputs = self._input_hashes()
            self.key = self._key()
            self.card = _read_card(self.folder)
            self.reused = self.card is not None and self._still_valid(self.card)
        except BaseException:
            self.close()
            raise

    # --- what a stage needs ---------------------------------------------------------------

    @functools.cached_property
    def workers(self) -> int:
        """Processes to use: the profile's number, or the cores that were free when it was first
        asked for."""
        return self.profile.workers or scale.free_cores()

    @property
    def box(self) -> Sandbox:
        """The run's sandbox, started on first use and closed with the session."""
        if self._box is None:
            self._box = self._exit.enter_context(
                Sandbox(isolation=self.profile.isolation, workers=self.workers)
            )
            self._layers = list(self._box.layers)
            self._isolation = self._box.level
        return self._box

    def settings(self) -> list[tuple[str, Any, str]]:
        """(key, value, meaning) of the configuration that this stage depends on."""
        mine = self._configuration()
        every = [("profile", self.profile.profile, "the name of this profile")]
        return every + [row for row in self.profile.fields_doc() if row[0] in mine]

    def path(self, name: str) -> Path:
        """A file in the stage's folder."""
        return self.folder / name

    def upstream(self, number: int) -> Path:
        """The folder of a finished stage of this run. Raises UserError when it has not run."""
        from semcoder_lib.run.stages import STAGES

        stage = STAGES[number]
        folder = self.run.path / stage.label
        if _read_card(folder) is None:
            raise UserError(
                f"run {self.run.name!r} has no stage {stage.label} yet; run notebook "
                f"{number:02d} first, or `./run_all.sh {self.profile.profile} --only {number:02d}`"
            )
        return folder

    # --- the work -------------------------------------------------------------------------

    def compute(self, work: Callable[[Session], dict[str, Any]]) -> dict[str, Any]:
        """The stage's results: read back when nothing changed, otherwise made by `work` (which
        writes its files into `folder`) and stored as `results.json`."""
        if self.reused:
            return dict(workspace.read_json(self.path("results.json")))
        results = work(self)
        workspace.write_json(self.path("results.json"), results)
        # at once, so that a notebook that fails while it shows them does not lose the work
        self._meter.stop()
        self.card = self._make_card({})
        workspace.write_json(self.path("card.json"), self.card)
        return results

    def finish(self, **facts: Any) -> dict[str, Any]:
        """Let go of everything and return the card; `facts` are added to it. A reused stage keeps
        its card. Raises UserError when the stage's work was never done."""
        self._meter.stop()
        try:
            if self.card is None:
                raise UserError(f"stage {self.stage.label}: nothing was computed, so no card")
            if facts and not self.reused:
                self.card = {**self.card, **facts}
                workspace.write_json(self.path("card.json"), self.card)
        finally:
            self.close()
        return self.card

    def close(self) -> None:
        """Let go of the sandbox, the meter and the lock, without a card."""
        self._exit.close()
        self._box = None

    def _make_card(self, facts: dict[str, Any]) -> dict[str, Any]:
        return {
            "stage": self.stage.label,
            "run": self.run.name,
            "key": self.key,
            "inputs": self.inputs,
            "outputs": _output_hashes(self.folder),
            "configuration": self.profile.as_dict(),
            "versions": versions(),
            "machine": machine(),
            "isolation": {"level": self._isolation, "layers": self._layers},
            "seed": self.profile.seed,
            "seconds": round(self._meter.seconds, 2),
            "peak_memory_bytes": self._meter.peak_bytes,
            "finished": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            **facts,
        }

    # --- reuse ----------------------------------------------------------------------------

    def _configuration(self) -> dict[str, Any]:
        prefixes = ("seed", "isolation", *self.stage.keys)
        if self.stage.taught and getattr(self.profile, self.stage.taught):
            prefixes += ("teacher",)
        return {k: v for k, v in self.profile.as_dict().items() if k.startswith(prefixes)}

    def _input_hashes(self) -> dict[str, str]:
        hashes: dict[str, str] = {}
        from semcoder_lib.run.stages import STAGES

        for number in self.stage.needs:
            card = _read_card(self.run.path / STAGES[number].label)
            if card is not None:
                for name, digest in card["outputs"].items():
                    hashes[f"{STAGES[number].label}/{name}"] = digest
        for name in homes.HOMES:
            if name.startswith(self.stage.data) and (path := homes.find(name)):
                hashes[f"data/{name}"] = workspace.file_hash(path)
        mine = self._configuration()
        for field in OWN_FOLDERS:
            if (value := mine.get(field)) and Path(value).is_dir():
                hashes[f"{field} {value}"] = assets.weights_hash(value)
        for field in OWN_FILES:
            if (value := mine.get(field)) and Path(value).is_file():
                hashes[f"{field} {value}"] = workspace.file_hash(value)
        return hashes

    def _module(self) -> str:
        return f"run/stages/{self.stage.run.partition(':')[0]}"

    def _key(self) -> str:
        return workspace.content_key(
            self._configuration(),
            self.inputs,
            workspace.code_hash("core", self._module(), *self.stage.rooms),
            versions(),
        )

    def _still_valid(self, card: dict[str, Any]) -> bool:
        if card.get("key") != self.key or not self.path("results.json").exists():
            return False
        try:
            return bool(_output_hashes(self.folder) == card["outputs"])
        except OSError:
            return False


def force(run: workspace.Run, stage: Stage) -> None:
    """Forget that a stage was done; its item caches stay."""
    (run.path / stage.label / "card.json").unlink(missing_ok=True)


def versions() -> dict[str, str]:
    """Python's version and those of the packages that can change a result."""
    found = {"python": platform.python_version()}
    for name in KEY_PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "absent"
    return found


def machine() -> dict[str, Any]:
    """What kind of machine this is, without naming it."""
    import os

    return {
        "system": platform.system(),
        "architecture": platform.machine(),
        "cores": os.cpu_count(),
        "python": sys.implementation.name,
    }


def rows_of(records: Iterable[Any]) -> Iterator[dict[str, Any]]:
    """Records as JSON rows."""
    from semcoder_lib.core.records import to_row

    for record in records:
        yield to_row(record)


def as_plain(thing: Any) -> Any:
    """Dataclasses (statuses included) as JSON data."""
    if dataclasses.is_dataclass(thing) and not isinstance(thing, type):
        return {k: as_plain(v) for k, v in dataclasses.asdict(thing).items()}
    if isinstance(thing, dict):
        return {str(k): as_plain(v) for k, v in thing.items()}
    if isinstance(thing, list | tuple):
        return [as_plain(v) for v in thing]
    return thing


# Not outputs: the card itself, locks, caches of items (they only grow), logs and checkpoints.
_NOT_OUTPUTS = ("card.json", ".lock")
_NOT_OUTPUT_PARTS = ("cache", "checkpoints", "logs")


def _output_hashes(folder: Path) -> dict[str, str]:
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if not path.is_file() or name.name.startswith(".") or str(name) in _NOT_OUTPUTS:
            continue
        if any(part.startswith(_NOT_OUTPUT_PARTS) for part in name.parts):
            continue
        found[str(name)] = workspace.file_hash(path)
    return found


def _read_card(folder: Path) -> dict[str, Any] | None:
    path = folder / "card.json"
    if not path.exists():
        return None
    card = workspace.read_json(path)
    if not isinstance(card, dict) or "outputs" not in card:
        raise UserError(f"{path}: not a stage card; delete it and run the stage again")
    return card


def _locked(folder: Path) -> contextlib.AbstractContextManager[None]:
    busy = f"{folder} is in use by another run; wait for it, or use --run NAME"
    return workspace.locked(folder / ".lock", 15.0, busy)  # a killed run's kernel needs a moment
