"""The paper's nine table panels (1, 2, 3a, 3b, 4 to 8), each with this run's numbers beside them,
and the paper's claims.

A small model beside models a hundred times as large is a comparison of settings, not a verdict on
the paper; what can be compared is the direction and size of each gain.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from pydantic import BaseModel

from semcoder_lib.report import paper
from semcoder_lib.report.figures import readable, sample_size

FOLDERS = {
    0: "00_tour", 1: "01_pyx", 2: "02_monologues", 3: "03_pyx_r", 4: "04_sft", 5: "05_codegen",
    6: "06_reasoning", 7: "07_ablation", 8: "08_refinement",
}  # fmt: skip
CODE = ("humaneval", "humaneval+", "mbpp", "mbpp+", "lcb-lite")
EXECUTION = ("cruxeval-i", "cruxeval-o", "lcb-execution")
HELD_OUT = ("pyx-i", "pyx-o")
FORMATS = {"direct": "", "scratchpad": "scratchpad", "next": "next", "concise": "concise_trace",
           "monologue": "monologue"}  # fmt: skip
"""Formats of ours, and their rows in the paper's table 2."""
Score = Mapping[str, Any]


class Card(BaseModel):
    """What the report reads of a notebook's card."""

    run: str
    inputs: dict[str, str]
    outputs: dict[str, str]
    configuration: dict[str, Any]
    versions: dict[str, str]
    machine: dict[str, str | int | None]
    isolation: dict[str, str | list[str]]
    seed: int
    seconds: float
    peak_memory_bytes: int


class Absent(Exception):
    """The run lacks what a table or figure needs; the message says what."""


@dataclass(frozen=True)
class Inputs:
    """Results and cards by notebook number; one that did not run is absent. `warnings` names what
    is damaged, and therefore not used, and what does not belong together."""

    results: dict[int, dict[str, Any]]
    cards: dict[int, Card]
    warnings: list[str] = field(default_factory=list)

    def get(self, number: int, key: str, default: Any = None) -> Any:
        """One entry of a notebook's results."""
        return self.results.get(number, {}).get(key, default)

    def need(self, number: int, key: str) -> Any:
        """One entry of a notebook's results. Raises Absent where it is not there, or empty."""
        if value := self.get(number, key):
            return value
        raise Absent(self.why_missing(number))

    def why_missing(self, number: int) -> str:
        """The reason for a cell that the notebook would have filled."""
        if number not in self.cards:
            return f"notebook {FOLDERS[number][:2]} has not run"
        return "not part of this profile"


@dataclass
class Table:
    """A table of text cells. `reason` says why this run put no number into it, if it did not."""

    name: str
    columns: list[str]
    rows: list[list[str]]
    reason: str = ""
    notes: list[str] = field(default_factory=list)

    @property
    def heading(self) -> str:
        """Its number and the paper's title."""
        number = self.name.removeprefix("table_")
        return f"Table {number}: {paper.table(number)['title']}"

    @property
    def frame(self) -> pd.DataFrame:
        """For a notebook and for CSV."""
        rows = [[readable(cell) for cell in row] for row in self.rows]
        return pd.DataFrame(rows, columns=self.columns)


def measured(score: Score) -> str:
    """A score of ours in percent with its interval and n."""
    return f"{_percent(score, '')} n={sample_size(score['n'])}"


def signed(difference: Score) -> str:
    """A paired difference of ours in points, with its interval."""
    return _percent(difference, "+")


def _percent(score: Score, sign: str) -> str:
    value, low, high = (f"{100 * score[k]:{sign}.1f}" for k in ("value", "low", "high"))
    return f"{value} [{low}, {high}]"


def scores(inputs: Inputs) -> list[dict[str, Any]]:
    """All scores of notebooks 05 and 06."""
    return [*inputs.get(5, "scores", []), *inputs.get(6, "scores", [])]


def best(inputs: Inputs, benchmark: str, model: str, setting: str = "") -> Score | None:
    """The score of a model on a benchmark; without a setting, its best one."""
    matching = [
        s for s in scores(inputs)
        if (s["benchmark"], s["model"]) == (benchmark, model) and setting in ("", s["setting"])
    ]  # fmt: skip
    return max(matching, key=lambda s: s["value"], default=None)


def _cell(inputs: Inputs, benchmark: str, score: Score | None) -> str:
    """A score, or why there is none."""
    if score is not None:
        return measured(score)
    for number in (5, 6):
        if inputs.get(number, "missing", {}).get(benchmark):
            return "no data"  # the page says above where it was looked for
    return inputs.why_missing(5 if benchmark in CODE else 6)


def main_results(inputs: Inputs) -> Table:
    """Table 1: paper's base and SemCoder, the released checkpoint, this run's base and tuned."""
    rows, reason = [], inputs.why_missing(5)
    for benchmark in (*CODE, *EXECUTION, *HELD_OUT):
        base = best(inputs, benchmark, "base")
        tuned = [s for s in scores(inputs) if (s["benchmark"], s["model"]) == (benchmark, "tuned")]
        tuned.sort(key=lambda s: s["setting"] != "monologue")  # the paper's setting first
        if benchmark in HELD_OUT and not (base and tuned):
            continue
        reason = "" if base else reason
        printed, goal = _printed(inputs, benchmark)
        shown: list[Score | None] = [*tuned] or [None]
        for place, score in enumerate(shown):
            form = f", {score['setting']}" if score and len(tuned) > 1 else ""
            rows.append(
                [
                    paper.title(benchmark) + form,
                    *(["–"] * 4 if place else printed),
                    _cell(inputs, benchmark, base),
                    _cell(inputs, benchmark, score),
                    _gain(inputs, benchmark, score["setting"]) if score else "–",
                    "–" if place or not (score and goal) else f"{100 * score['value'] - goal:+.1f}",
                ]
            )
    return Table(
        "table_1",
        ["benchmark", "paper: DeepSeekCoder 6.7B", "paper: SemCoder 6.7B", "paper: gain",
         "released SemCoder-S (official board)", "this run: base", "this run: tuned",
         "this run: paired gain", "tuned − paper's SemCoder"],
        rows, reason,
        ["The base model gets two examples for reasoning, and for code the bare problem or the "
         "tuned model's instruction; its best form counts, of those that the profile tries. "
         "The tuned model's forms stand apart: `direct` is the answer without reasoning.",
         f"The paper's table has {len(paper.table('1')['rows'])} rows; two of them stand here."],
    )  # fmt: skip


def _printed(inputs: Inputs, benchmark: str) -> tuple[list[str], float | None]:
    """What is known of the paper's two models and the released one, and SemCoder's score."""
    if benchmark in HELD_OUT:
        return ["–"] * 4, None
    base, semcoder = paper.row("1", "DeepSeekCoder"), paper.row("1", "SemCoder")
    board = paper.facts()["boards"]["cruxeval"]["semcoder_s_1030_monologue"]
    released = paper.cell({"cruxeval-i": board[0], "cruxeval-o": board[2]}.get(benchmark))
    for score in inputs.get(6, "released", []):
        if (score["benchmark"], score["scorer"]) == (benchmark, "official"):
            released += f" (scored here: {100 * score['value']:.1f})"
    before, goal = (values[paper.COLUMNS[benchmark]] for values in (base, semcoder))
    return [paper.cell(before), paper.cell(goal), f"{goal - before:+.1f}", released], goal


def _gain(inputs: Inputs, benchmark: str, setting: str) -> str:
    for row in (*inputs.get(5, "differences", []), *inputs.get(6, "differences", [])):
        same = row["benchmark"] == benchmark and row["from"].startswith("base")
        if same and row["to"] in ("tuned", f"tuned, {setting}"):
            return signed(row)
    return "–"


def formats(inputs: Inputs) -> Table:
    """Table 2: the format ablation."""
    ours: dict[tuple[str, str], dict[str, Score]] = {}
    for row in inputs.get(7, "pooled", []):
        ours.setdefault((row["view"], row["format"]), {})[row["benchmark"]] = row
    chains = {(row["view"], row["format"]): row for row in inputs.get(7, "chains", [])}
    few = paper.row("2", "few_shot_cot")
    columns = [paper.COLUMNS[b] for b in EXECUTION]
    rows = [["base, few-shot", *(paper.cell(few[c]) for c in columns), *["–"] * 4]]
    for view, name in dict.fromkeys([*(("examples", name) for name in FORMATS), *ours]):
        label = FORMATS.get(name) if view == "examples" else ""
        printed = paper.row("2", label) if label else {}
        scores, chain = ours.get((view, name), {}), chains.get((view, name))
        held_out = scores.get("pyx-o", {})
        rows.append(
            [
                name.replace("_", " ") + (", equal tokens" if view == "tokens" else ""),
                *(paper.cell(printed.get(c)) for c in columns),
                measured(held_out) if held_out else inputs.why_missing(7),
                signed(held_out["difference"]) if held_out.get("difference") else "–",
                measured(scores["cruxeval-o"]) if "cruxeval-o" in scores else "–",
                f"{chain['whole']} of {sample_size(chain['n'])}" if chain else "–",
            ]
        )
    first = next((name for _, name in ours), "the first format")
    return Table(
        "table_2",
        ["format", *(f"paper: {paper.title(b)}" for b in EXECUTION),
         "this run: held-out PyX, output", f"paired difference to {first}",
         "this run: CRUXEval-O", "chains with every step right"],
        rows, "" if ours else inputs.why_missing(7),
        ["Ours: the same executions in every format, equal steps, from the base model; values are "
         "means over the seeds, intervals over the items."],
    )  # fmt: skip


def refinement(name: str, inputs: Inputs) -> Table:
    """Tables 3a (zero-shot), 3b (after PyX-R) and 4 (with a real trace in the prompt)."""
    model, source = {"3a": ("tuned", ""), "3b": ("refined", ""), "4": ("traced", "trace")}[name]
    curves = inputs.get(8, "curves", [])
    if name == "4" and not any(c["model"] == model for c in curves):
        model = "refined"  # the trace in the prompt, but not in the training rows
    columns = CODE[:4]
    rows = [[*row, "–", "–"] for row in paper.cells(name, tuple(paper.COLUMNS[b] for b in columns))]
    curves = [c for c in curves if c["model"] == model and source in ("", c["source"])]
    for curve in curves:
        first, last = curve["points"][0], curve["points"][-1]
        rows.append(
            [
                f"this run: {model}, feedback {curve['label']}",
                *(measured(last) if curve["benchmark"] == b else "–" for b in columns),
                measured(first),
                signed(curve["gain"]) if curve.get("gain") else "–",
            ]
        )
    return Table(
        f"table_{name}",
        ["model", *map(paper.title, columns), "before the first round",
         "paired gain over all rounds"],
        rows, "" if curves else inputs.why_missing(8),
        ["“?” marks a printed value that no whole count of tasks gives."],
    )  # fmt: skip


_DIRECT, _REASONED = ("direct_2shot", "direct"), ("cot_2shot", "monologue")
# by table: a benchmark, its heading and its column in the paper's table, and the settings of base
# and tuned that are compared
_COMPARED: dict[str, list[tuple[str, str, str, tuple[str, str]]]] = {
    "5": [(b, paper.title(b), paper.COLUMNS[b], _DIRECT) for b in (*EXECUTION, *HELD_OUT)],
    "6": [
        *((b, paper.title(b), paper.COLUMNS[b], ("", "")) for b in CODE[:4]),
        *(
            (b, f"{paper.title(b)} {way}", f"{paper.COLUMNS[b]}_{way}", settings)
            for b in EXECUTION[:2]
            for way, settings in (("direct", _DIRECT), ("reasoning", _REASONED))
        ),
    ],
}
_NOTES = {
    "5": "The base model gets two worked examples, the tuned one none.",
    "6": "The paper's two SemCoder rows here are those of its June 2024 preprint.",
}


def by_setting(name: str, inputs: Inputs) -> Table:
    """Tables 5 (prediction without reasoning) and 6 (larger and closed models): the paper's rows,
    then base and tuned of this run."""
    columns = _COMPARED[name]
    rows = paper.cells(name, tuple(key for _, _, key, _ in columns))
    scored = False
    for place, model in enumerate(("base", "tuned")):
        ours = [(b, best(inputs, b, model, settings[place])) for b, _, _, settings in columns]
        scored = scored or any(score for _, score in ours)
        size = f" ({model_name(inputs)})" if name == "6" else ""
        rows.append([f"this run: {model}{size}", *(_cell(inputs, b, s) for b, s in ours)])
    reason = "" if scored else inputs.why_missing(6 if name == "5" else 5)
    headings = ["model", *(heading for _, heading, _, _ in columns)]
    return Table(f"table_{name}", headings, rows, reason, [_NOTES[name]])


def model_name(inputs: Inputs) -> str:
    cards = list(inputs.cards.values())
    configured = cards[-1].configuration.get("model", "") if cards else "no model"
    return str(inputs.get(4, "model_name") or configured)


def errors(inputs: Inputs) -> Table:
    """Table 7: why candidates do not run."""
    described = inputs.get(1, "description", {})
    ours: dict[str, int] = described.get("errors", {})
    tried = described.get("candidates_run", 0)
    printed = {r["row"]: r["values"]["count"] for r in paper.table("7")["rows"]}
    total = paper.facts()["counts"]["oss_instruct_executed"]
    names = [*printed, *sorted(ours.keys() - printed.keys(), key=lambda n: (-ours[n], n))]
    rows = [
        [
            name,
            _share(printed[name], total) if name in printed else "–",
            _share(ours.get(name, 0), tried) if ours else inputs.why_missing(1),
        ]
        for name in names[:24]
    ]
    who = described.get("errors_of", "")
    notes = [f"The {len(names) - 24} rarest of this run's errors are left out."]
    different = [
        "Different populations: the paper runs generated snippets, this run calls functions taken "
        "from installed packages with trial arguments."
    ]
    return Table(
        "table_7",
        ["error", "paper: OSS-Instruct, Python part",
         f"this run: {who or 'candidate functions when called'}"],
        rows, "" if ours else inputs.why_missing(1),
        [*(notes if len(names) > 24 else []), *([] if who else different)],
    )  # fmt: skip


def _share(count: int, total: int) -> str:
    return f"{count:,} ({100 * count / total:.1f} %)" if count and total else f"{count:,}"


def corpora(inputs: Inputs) -> Table:
    """Table 8: corpora as NL-to-code training data."""
    shown = ("seed_parse_pct", "solution_parse_pct", "solution_execute_pct",
             *map(paper.COLUMNS.get, CODE[:4]))  # fmt: skip
    rows = [
        [f"paper: {r['row']}", r.get("size", "–"), *(paper.cell(r["values"][c]) for c in shown)]
        for r in paper.table("8")["rows"]
    ]
    ours = inputs.get(1, "description", {})
    shares = ours.get("table_8", {})
    if shares:
        why = "needs a training on NL-to-code alone, which no notebook makes"
        measured_here = [paper.cell(shares.get(c)) for c in shown[:3]]
        programs = f"{ours.get('programs', 0):,}"
        rows.append(["this run: PyX (rebuilt)", programs, *measured_here, *[why] * 4])
    return Table(
        "table_8",
        ["corpus", "problems", "seeds parse %", "solutions parse %", "solutions run %",
         *map(paper.title, CODE[:4])],
        rows, "" if shares else inputs.why_missing(1),
    )  # fmt: skip


TABLES: dict[str, Callable[[Inputs], Table]] = {
    "table_1": main_results,
    "table_2": formats,
    **{f"table_{n}": functools.partial(refinement, n) for n in ("3a", "3b", "4")},
    **{f"table_{n}": functools.partial(by_setting, n) for n in ("5", "6")},
    "table_7": errors,
    "table_8": corpora,
}
"""In the paper's order."""


# --- the paper's claims, each beside the paired difference of this run that speaks of it ---------

CLAIMED = ["the paper's claim", "the paper", "this run", "verdict"]


_TITLES = paper.TITLES | {"pyx-r": "held-out faults"}
CLAIMS: list[dict[str, Any]] = yaml.safe_load(
    Path(__file__).with_name("claims.yaml").read_text(encoding="utf-8")
)


def compared(inputs: Inputs) -> list[list[str]]:
    """A row of `CLAIMED` for every claim; empty where the run has measured none of them. A claim
    `holds` or `does not hold` only where the interval of its difference leaves zero out."""
    rows, scored = [], False
    for claim in CLAIMS:
        score = _difference(inputs, claim)
        scored |= score is not None
        if score is None:
            shown, verdict = "–", inputs.why_missing(claim["notebook"])
        else:
            title = _TITLES[score["benchmark"]]
            shown = f"{title} {signed(score)}, n = {score['n']}"
            better, worse = score["low"] > 0, score["high"] < 0
            if claim.get("against"):
                better, worse = worse, better
            verdict = "holds" if better else "does not hold" if worse else "cannot be told apart"
        rows.append([claim["text"], claim["paper"], shown, verdict])
    return rows if scored else []


def _difference(inputs: Inputs, claim: dict[str, Any]) -> dict[str, Any] | None:
    for benchmark in claim["benchmarks"]:
        for row in inputs.get(claim["notebook"], claim["rows"], []):
            fields = {"benchmark": benchmark, **claim["where"]}
            if all(str(row.get(k, "")).startswith(v) for k, v in fields.items()):
                score = row.get(claim["key"]) if "key" in claim else row
                if score and row["benchmark"] == benchmark:
                    return {**score, "benchmark": benchmark}
    return None
