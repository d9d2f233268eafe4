"""`python -m semcoder_lib COMMAND`. Every command prints one JSON line last on standard output;
progress and reasons go to standard error. Exit status: 0 done, 1 wrong input, 2 wrong usage,
3 infrastructure or preflight failed, 4 (`compare`) significantly worse, 5 (`data fetch`) not
downloaded, 6 (`data fetch`) another checksum than the expected one."""

from __future__ import annotations

import argparse
import importlib
import io
import json
import shlex
import sys
import tokenize
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

from semcoder_lib.core import workspace
from semcoder_lib.core.errors import SemcoderError, UsageError, UserError


class Parser(argparse.ArgumentParser):
    """argparse, with usage errors as UsageError: one line, exit status 2."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{self.prog}: {message}; --help shows the usage")


def _output(name: str) -> Path:
    """A file to be written. Raises UserError for a device, a folder, or a link, before any work."""
    workspace.check_regular(Path(name))
    return Path(name)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    try:
        given = vars(_parser().parse_args(argv))
        command = given.pop("command")
        if isinstance(command, str):  # loaded now, so that --help and wrong usage are quick
            module, _, name = command.partition(":")
            command = getattr(importlib.import_module(f"semcoder_lib.{module}"), name)
        summary = command(**given)
        status = int(summary.pop("exit_status", 0))
        readable = "utf" in (sys.stdout.encoding or "utf").lower()
        print(json.dumps(summary, ensure_ascii=not readable), flush=True)
        return status
    except SemcoderError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_status
    except KeyboardInterrupt:
        print("interrupted; finished work is kept, run the same command again", file=sys.stderr)
        return 130
    except BrokenPipeError:
        return 141
    except ModuleNotFoundError as error:
        print(f"error: this Python has no {error.name}: use .venv/bin/python, which "
              "./run_all.sh setup makes", file=sys.stderr)  # fmt: skip
        return 3
    except OSError as error:
        print(f"error: {error.filename or ''}: {error.strerror or error}", file=sys.stderr)
        return 3


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="python -m semcoder_lib", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=Parser)

    def add(name: str, function: Callable[..., dict[str, Any]] | str, help: str) -> Any:
        """A command, and the function (or where it is) that gets its arguments by name."""
        sub = commands.add_parser(name, help=help, description=help)
        sub.set_defaults(command=function)
        return sub

    p = add("doctor", _doctor, "check this machine")
    p.add_argument("--workshop", action="store_true", help="and what a class needs")

    p = add("run", _run, "the notebooks, in order, through Papermill")
    p.add_argument("profile", nargs="?", default="laptop", help="a name in profiles/")
    p.add_argument(
        "--from", dest="start", default="", metavar="NN", help="begin with this notebook"
    )
    p.add_argument("--only", default="", metavar="NN", help="run this notebook alone")
    p.add_argument("--force", action="store_true", help="do them again; caches of items stay")
    _common(p)

    p = add("stage", _stage, "one notebook without Jupyter")
    p.add_argument("number", metavar="NN")
    p.add_argument("--profile", default="laptop")
    p.add_argument("--force", action="store_true", help="do it again; caches of items stay")
    _common(p)

    p = add("score", "evaluation.score:score_command", "score a file of samples")
    p.add_argument("benchmark", help="cruxeval (with --mode), humaneval, humaneval+, mbpp, …")
    p.add_argument("--samples", required=True, type=Path, metavar="FILE", dest="samples_path")
    p.add_argument("--scorer", choices=("strict", "official"), default="strict")
    p.add_argument("--mode", choices=("input", "output"))
    p.add_argument("--data", type=Path, metavar="FILE")
    p.add_argument("--out", type=_output, metavar="FILE")

    p = add("data", _data, "the data files: found where, or missing; `data fetch` downloads")
    p.add_argument("action", nargs="?", choices=("list", "fetch"), default="list")
    p.add_argument("names", nargs="*", metavar="NAME", help="default: all (fetch: all missing)")

    what = "two runs, metric by metric, with paired intervals"
    p = add("compare", "evaluation.scoring:compare_command", what)
    p.add_argument("run_a", help="a run's folder, or a file of verdicts")
    p.add_argument("run_b")

    p = add("trace", _trace, "trace one call of a program")
    p.add_argument("file", type=Path)
    p.add_argument("--call", required=True, help='for example "f([1, 2])"')
    p.add_argument("--format", choices=("json", "scratchpad", "next", "concise"), default="json")
    p.add_argument("--faithful", action="store_true", help="the authors' format, quirks included")

    p = add("monologue", _monologue, "derive the monologue of one call")
    p.add_argument("file", type=Path)
    p.add_argument("--call", required=True)
    p.add_argument("--direction", choices=("forward", "backward"), default="forward")

    p = add("verify", _verify, "verify monologues claim by claim")
    p.add_argument("file", type=Path)
    p.add_argument("--out", type=_output, metavar="FILE")

    p = add("validate-pyx", _validate_pyx, "re-execute a PyX file row by row")
    p.add_argument("file", type=Path)
    p.add_argument("--out", type=_output, metavar="FILE")

    p = add("workshop", "run.workshop:build", "exercises, solutions and the instructor's edition")
    p.add_argument("--out", default=Path("workshop"), type=Path, metavar="FOLDER")

    what = "a run's adapter in half the bytes, with its card and scores"
    p = add("publish", "run.models:publish", what)
    p.add_argument("run", metavar="RUN")
    p.add_argument("out", type=Path, metavar="FOLDER")
    p.add_argument("--phase", choices=("main", "refine"), default="main")
    return parser


def _common(p: argparse.ArgumentParser) -> None:
    p.add_argument("--run", default="", metavar="NAME", help="default: the profile's name")
    p.add_argument("--set", action="append", default=[], metavar="key=value", dest="settings")


def _doctor(workshop: bool) -> dict[str, Any]:
    from semcoder_lib.run import doctor

    checks = doctor.examine()
    if workshop:
        from semcoder_lib.run.workshop import checklist

        checks += checklist()
    print(doctor.show(checks), file=sys.stderr)
    states = [c.state for c in checks]
    return {
        "checks": {c.name: {"state": c.state, "found": c.finding} for c in checks},
        "warnings": states.count("warn"),
        "failures": states.count("fail"),
        "exit_status": 3 if "fail" in states else 0,
    }


def _run(profile: str, run: str, settings: list[str], force: bool, **part: str) -> dict[str, Any]:
    from semcoder_lib.core.profile import parse_set
    from semcoder_lib.run import runner

    work = runner.plan(profile, run_name=run, overrides=parse_set(settings), **part)
    return runner.execute(work, force=force)


def _stage(number: str, profile: str, run: str, settings: list[str], force: bool) -> dict[str, Any]:
    from semcoder_lib.core.profile import parse_set
    from semcoder_lib.run import notebook

    text = shlex.join(f"{k}={v}" for k, v in parse_set(settings).items())
    name = notebook.name_of(number)
    notebook.configured(profile, text)
    folder = workspace.Run(run or profile)
    if force:
        notebook.forget(folder.path, name)
    notebook.execute(name, profile, folder.name, text)
    card = workspace.read_json(folder.path / name / "card.json")
    shown = ("stage", "run", "seconds", "peak_memory_bytes", "isolation", "seed")
    return {key: card[key] for key in shown}


def _data(action: str, names: list[str]) -> dict[str, Any]:
    from semcoder_lib.evaluation import data

    return (data.fetch_command if action == "fetch" else data.list_command)(names)


def _source(path: Path) -> str:
    try:
        with tokenize.open(path) as file:  # a BOM and a coding line count, as for Python
            return file.read()
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except (UnicodeDecodeError, SyntaxError, IsADirectoryError) as error:
        raise UserError(f"{path}: not a Python source file: {error}") from None


def _trace(file: Path, call: str, format: str, faithful: bool) -> dict[str, Any]:
    from semcoder_lib import tracing
    from semcoder_lib.sandbox import Sandbox

    source = _source(file)
    with Sandbox(workers=1) as box:
        print(tracing.cli_render(source, call, format, faithful, box=box))
    return {"file": str(file), "call": call, "format": format}


def _monologue(file: Path, call: str, direction: str) -> dict[str, Any]:
    from semcoder_lib import monologues, tracing
    from semcoder_lib.core import records
    from semcoder_lib.sandbox import Sandbox

    program, given = tracing.program_and_case(_source(file), call)
    with Sandbox(workers=1) as box:
        outcome = box.call(program.source, program.entry_point, given.arguments)
        if outcome.status is not records.Status.OK:
            why, error = f"ended as {outcome.status}", outcome.exception
            why += f" {error.type}: {error.message}" if error else ""
            raise UserError(f"{file}: {call} {why}")
        case = records.Case(given.arguments, outcome.value)
        try:
            if direction == "forward":
                trace = tracing.trace(program, case, box)
                monologue: records.Monologue | None = monologues.forward(program, trace)
            else:
                monologue = monologues.backward(program, outcome.value, box, seeds=())
        except UserError as error:
            why = f"no monologue of {call}: {error}; `trace` shows the steps"
            raise UserError(f"{file}: {why}") from None
        if monologue is None:
            raise UserError(f"{file}: no input found that gives {outcome.text}")
        report = monologues.verify(monologue.text, program, case, box)
    print(monologue.text)
    shown = ("supported", "contradicted", "unverifiable", "accepted")
    numbers = {name: getattr(report, name) for name in shown}
    return {"direction": direction, "claims": len(report.claims), **numbers}


def _verify(file: Path, out: Path | None) -> dict[str, Any]:
    from semcoder_lib import monologues
    from semcoder_lib.sandbox import Sandbox

    with Sandbox() as box:
        rows = list(monologues.verify_rows(_foreign(file), box))
    totals = _totals(rows, out, "accepted", "supported", "contradicted", "unverifiable")
    unread = [row["reason"] for row in rows if row.get("reason", "").startswith("not checked")]
    if unread and len(unread) == len(rows):
        raise UserError(f"{file}: none of {len(unread)} rows is checked; {unread[0]}")
    if unread:
        print(
            f"{file}: {len(unread)} rows are not checked; the first: {unread[0]}", file=sys.stderr
        )
    return {**totals, "not_checked": len(unread)}


def _validate_pyx(file: Path, out: Path | None) -> dict[str, Any]:
    from semcoder_lib import corpus
    from semcoder_lib.sandbox import Sandbox

    with Sandbox() as box:
        rows = list(corpus.validate_rows(_foreign(file), box))
    return _totals(rows, out, "reproduces")


def _foreign(file: Path) -> Iterator[dict[str, Any]]:
    return workspace.read_jsonl(file, foreign=True)


def _totals(rows: list[dict[str, Any]], out: Path | None, *counted: str) -> dict[str, Any]:
    """The number of rows and the sums of these columns; writes the rows to `out`."""
    if out:
        workspace.write_jsonl(out, rows)
    return {"rows": len(rows)} | {name: sum(int(row[name]) for row in rows) for name in counted}


if __name__ == "__main__":
    if isinstance(sys.stdout, io.TextIOWrapper):  # a program's values may hold any character
        sys.stdout.reconfigure(errors="backslashreplace")
    sys.exit(main())
