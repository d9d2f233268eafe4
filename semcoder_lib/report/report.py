"""The report: a check list, every table and figure, what was run and on what. HTML and Markdown."""

from __future__ import annotations

import base64
import csv
import html
import io
from pathlib import Path
from typing import Any

from semcoder_lib.core import workspace
from semcoder_lib.report import check_list, inputs, paper, tables

CSS = """
:root{color-scheme:light dark;--ink:#1f2328;--soft:#59636e;--line:#d1d9e0;--back:#fff;
--band:#f6f8fa}
@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9aa5b1;--line:#3d444d;--back:#12161c;
--band:#1b2129}}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--back);max-width:1080px;
margin:2rem auto;padding:0 1rem}
h1{font-size:1.7rem;margin-bottom:.2rem}h2{margin-top:2.2rem;font-size:1.2rem}
.soft{color:var(--soft)}table{border-collapse:collapse;font-size:13px;margin:.6rem 0}
.wide{overflow-x:auto}th,td{border-bottom:1px solid var(--line);padding:.3rem .6rem;text-align:left;
vertical-align:top}th{background:var(--band)}tr.ours td{font-weight:600}
img{max-width:100%;background:#fff;border-radius:6px}.warn{border-left:4px solid #d4a72c;
padding:.4rem .8rem;background:var(--band)}.yes{color:#1a7f37}.no{color:#bc4c00}
"""


def write_report(run: Path, folder: Path) -> dict[str, Any]:
    """Write `report.html`, `report.md`, `figures/*` and `tables/*.csv` into `folder` from what the
    run in `run` left behind; returns the check list as JSON data. A stage that did not run makes
    its cells say so; cards of different configurations are named, never silently mixed."""
    data = inputs.read(run)
    made = tables.every(data)
    drawn = check_list.draw(data, folder / "figures")
    for table in made:
        workspace.write_text(folder / "tables" / f"{table.name}.csv", _csv(table))
    warnings = [*data.conflicts, *inputs.stale(data.cards)]
    workspace.write_text(folder / "report.md", _markdown(data, made, drawn, warnings))
    workspace.write_text(folder / "report.html", _html(data, made, drawn, warnings))
    return {
        "tables": [{"name": t.name, "present": True, "filled": t.filled, "reason": t.reason}
                   for t in made],
        "figures": [{"name": f.name, "present": f.present, "reason": f.reason} for f in drawn],
        "warnings": warnings,
        "headline": headline(data),
    }  # fmt: skip


def headline(data: inputs.Inputs) -> list[str]:
    """What a reader should take away, in sentences made of this run's numbers only: first what an
    interval says, then what lies within noise, then what the verifier found."""
    told: dict[str, list[str]] = {"above": [], "below": [], "noise": []}
    for row in [*data.get(6, "differences", []), *data.get(5, "differences", [])]:
        if row["to"].startswith("tuned"):
            kind = "above" if row["low"] > 0 else "below" if row["high"] < 0 else "noise"
            told[kind].append(_difference(row))
    lines = [f"{one}: an interval above zero." for one in told["above"]]
    lines += [f"{one}: an interval below zero." for one in told["below"]]
    if told["noise"]:
        lines.append(f"Within noise: {'; '.join(told['noise'])}.")
    for row in data.get(6, "faithfulness", []):
        decided = row["supported"] + row["contradicted"]
        if decided:
            lines.append(
                f"The {row['model']} model's own monologues on {paper.TITLES[row['benchmark']]}: "
                f"{row['supported']} of {decided} decided claims are true; "
                f"{row['right_on_a_contradicted_step']} of {row['right']} right answers rest on a "
                "contradicted step."
            )
    return lines


def _difference(row: dict[str, Any]) -> str:
    """`held-out PyX, output, direct: +9.3 [+2.9, +15.7] points over base, n = 140`."""
    form = row["to"].partition(", ")[2]
    form = "" if form in ("", "instruction") else f", {form}"
    start = row["from"].partition(",")[0]
    return (
        f"{paper.TITLES[row['benchmark']]}{form}: {tables.signed(row)} points over {start}, "
        f"n = {row['n']}"
    )


def facts(data: inputs.Inputs) -> list[tuple[str, str]]:
    """Provenance: what ran, where, for how long."""
    if not data.cards:
        return []
    card = data.cards[max(data.cards)]
    first = next((c for c in data.cards.values() if c["isolation"]["layers"]), card)
    seconds = sum(c["seconds"] for c in data.cards.values())
    peak = max(c["peak_memory_bytes"] for c in data.cards.values()) / 1e9
    versions = ", ".join(f"{k} {v}" for k, v in card["versions"].items())
    machine = card["machine"]
    return [
        ("run", f"{card['run']}, profile {card['configuration']['profile']}"),
        ("model", str(data.get(4, "model_name") or card["configuration"]["model"])),
        ("seed", str(card["seed"])),
        ("machine", f"{machine['system']} {machine['architecture']}, {machine['cores']} cores"),
        ("time", f"{seconds / 60:.1f} min in the stages, {peak:.1f} GB at the peak of one stage"),
        ("versions", versions),
        ("isolation", f"{first['isolation']['level']}: {', '.join(first['isolation']['layers'])}"),
    ]  # fmt: skip


def _half_widths(data: inputs.Inputs) -> list[tuple[str, str]]:
    seen: dict[str, str] = {}
    for row in tables.scores(data):
        width = 100 * (row["high"] - row["low"]) / 2
        seen[f"{paper.TITLES[row['benchmark']]}, n={row['n']}"] = f"±{width:.1f} points"
    return sorted(seen.items())


def _csv(table: tables.Table) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(table.columns)
    writer.writerows(table.rows)
    return out.getvalue()


def _markdown(
    data: inputs.Inputs,
    made: list[tables.Table],
    drawn: list[check_list.Drawn],
    warnings: list[str],
) -> str:
    lines = ["# SemCoder, reproduced: the report of one run", ""]
    lines += [f"- {k}: {v}" for k, v in facts(data)]
    if warnings:
        lines += ["", "**The stages of this run do not all belong together:**", ""]
        lines += [f"- {w}" for w in warnings]
    lines += ["", "## What this run shows", ""]
    lines += [f"- {line}" for line in headline(data)] or [
        "- nothing yet: notebooks 05, 06 did not run"
    ]
    lines += ["", "## Check list", "", "| item | here | why not |", "|---|---|---|"]
    for t in made:
        lines.append(
            f"| {t.name.replace('_', ' ')} | {'yes' if t.filled else 'paper only'} | {t.reason} |"
        )
    for f in drawn:
        lines.append(
            f"| {f.name.replace('_', ' ')}: {f.title} "
            f"| {'yes' if f.present else 'no'} | {f.reason} |"
        )
    for f in drawn:
        if f.present:
            lines += ["", f"## {f.name.replace('_', ' ').capitalize()}: {f.title}", "",
                      f"![{f.title}](figures/{f.name}.png)"]  # fmt: skip
    for t in made:
        lines += ["", f"## {t.name.replace('_', ' ').capitalize()}: {t.title}", ""]
        lines.append("| " + " | ".join(t.columns) + " |")
        lines.append("|" + "---|" * len(t.columns))
        lines += ["| " + " | ".join(c.replace("|", "\\|") for c in row) + " |" for row in t.rows]
        lines += ["", *(f"{note}" for note in t.notes)]
    lines += ["", "## Width of the intervals", ""]
    lines += [f"- {name}: {width}" for name, width in _half_widths(data)]
    return "\n".join(lines) + "\n"


def _html(
    data: inputs.Inputs,
    made: list[tables.Table],
    drawn: list[check_list.Drawn],
    warnings: list[str],
) -> str:
    e = html.escape
    parts = [
        "<!doctype html><html lang='en'><meta charset='utf-8'>",
        "<meta name='viewport' content='width=device-width'>",
        f"<title>SemCoder, reproduced</title><style>{CSS}</style>",
        "<h1>SemCoder, reproduced</h1>",
        "<p class='soft'>The report of one run: the paper's tables and figures beside this "
        "run's own numbers. Intervals are 95 %; “–” is a cell that "
        "does not exist.</p><table>",
        *(f"<tr><th>{e(k)}<td>{e(v)}" for k, v in facts(data)),
        "</table>",
    ]
    if warnings:
        parts.append(
            "<div class='warn'><b>The stages of this run do not all belong together.</b><ul>"
        )
        parts += [f"<li>{e(w)}" for w in warnings]
        parts.append("</ul></div>")
    parts.append("<h2>What this run shows</h2><ul>")
    parts += [f"<li>{e(line)}" for line in headline(data)] or ["<li>nothing yet"]
    parts.append("</ul><h2>Check list</h2><table><tr><th>item<th>here<th>why not")
    for t in made:
        state = "<td class='yes'>yes" if t.filled else "<td class='no'>paper only"
        parts.append(f"<tr><td><a href='#{t.name}'>{e(t.name.replace('_', ' '))}</a>: {e(t.title)}"
                     f"{state}<td>{e(t.reason)}")  # fmt: skip
    for f in drawn:
        state = "<td class='yes'>yes" if f.present else "<td class='no'>no"
        parts.append(f"<tr><td><a href='#{f.name}'>{e(f.name.replace('_', ' '))}</a>: {e(f.title)}"
                     f"{state}<td>{e(f.reason)}")  # fmt: skip
    parts.append("</table>")
    for f in drawn:
        if f.present:
            picture = base64.b64encode(f.files[0].read_bytes()).decode()
            parts.append(
                f"<h2 id='{f.name}'>{e(f.name.replace('_', ' ').capitalize())}: {e(f.title)}</h2>"
                f"<img alt='{e(f.title)}' src='data:image/png;base64,{picture}'>"
            )
    for t in made:
        name = t.name.replace("_", " ").capitalize()
        parts.append(f"<h2 id='{t.name}'>{e(name)}: {e(t.title)}</h2>")
        parts.append("<div class='wide'><table><tr>")
        parts += [f"<th>{e(c)}" for c in t.columns]
        for row in t.rows:
            ours = " class='ours'" if row[0].startswith("this run") else ""
            parts.append(f"<tr{ours}>" + "".join(f"<td>{e(c)}" for c in row))
        parts.append("</table></div>")
        parts += [f"<p class='soft'>{e(note)}</p>" for note in t.notes]
    parts.append("<h2>Width of the intervals</h2><ul>")
    parts += [f"<li>{e(name)}: {e(width)}" for name, width in _half_widths(data)]
    parts.append("</ul></html>")
    return "\n".join(parts) + "\n"
