"""The paper's eight tables (nine panels) beside the run's numbers.

A cell that the run did not produce says why. The settings differ (a 135M model on a corpus rebuilt
without a teacher, against 6.7B models), so a difference is a distance between settings, not a
verdict on the paper; what can be compared is the direction and size of each gain.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from semcoder_lib.report import paper
from semcoder_lib.report.inputs import Inputs

CODE = ("humaneval", "humaneval+", "mbpp", "mbpp+", "lcb-lite")
EXECUTION = ("cruxeval-i", "cruxeval-o", "lcb-execution")
FORMAT_ROWS = {
    "direct": None,
    "scratchpad": "scratchpad",
    "next": "next",
    "concise": "concise_trace",
    "monologue": "monologue",
}


@dataclass
class Table:
    """A table of text cells. `filled` says whether this run put a number into it."""

    name: str
    title: str
    columns: list[str]
    rows: list[list[str]]
    notes: list[str] = field(default_factory=list)
    filled: bool = False
    reason: str = ""


def every(inputs: Inputs) -> list[Table]:
    """All nine panels, in the paper's order."""
    return [
        main_results(inputs), formats(inputs), refinement(inputs, "3a"), refinement(inputs, "3b"),
        refinement(inputs, "4"), direct(inputs), larger(inputs), errors(inputs), corpora(inputs),
    ]  # fmt: skip


def percent(value: float | None, doubtful: bool = False) -> str:
    """A printed cell of the paper."""
    return "–" if value is None else f"{value:.1f}{'?' if doubtful else ''}"


def measured(score: dict[str, Any]) -> str:
    """A score of ours in percent with its interval and n."""
    return (
        f"{100 * score['value']:.1f} [{100 * score['low']:.1f}, {100 * score['high']:.1f}] "
        f"n={score['n']}"
    )


def signed(difference: dict[str, Any]) -> str:
    """A paired difference of ours in points, with its interval."""
    return (
        f"{100 * difference['value']:+.1f} "
        f"[{100 * difference['low']:+.1f}, {100 * difference['high']:+.1f}]"
    )


def scores(inputs: Inputs) -> list[dict[str, Any]]:
    """All scores of notebooks 05 and 06."""
    return [*inputs.get(5, "scores", []), *inputs.get(6, "scores", [])]


def find(inputs: Inputs, benchmark: str, model: str, setting: str = "") -> dict[str, Any] | None:
    """The score of a model on a benchmark; without a setting, its best one."""
    mine = [
        s for s in scores(inputs)
        if s["benchmark"] == benchmark and s["model"] == model and setting in ("", s["setting"])
    ]  # fmt: skip
    return max(mine, key=lambda s: s["value"]) if mine else None


def _missing(inputs: Inputs, benchmark: str) -> str:
    stage = 5 if benchmark in CODE else 6
    for number in (5, 6):
        why = inputs.get(number, "missing", {}).get(benchmark)
        if why:
            return f"missing: {why}"
    return inputs.why_missing(stage)


def _gain(inputs: Inputs, benchmark: str, setting: str) -> str:
    for stage in (5, 6):
        for row in inputs.get(stage, "differences", []):
            if row["benchmark"] == benchmark and row["to"] in ("tuned", f"tuned, {setting}"):
                return signed(row)
    return "–"


def _tuned(inputs: Inputs, benchmark: str) -> list[dict[str, Any]]:
    """The tuned model's scores, one a setting; the monologue, the paper's setting, first."""
    mine = [s for s in scores(inputs) if (s["benchmark"], s["model"]) == (benchmark, "tuned")]
    return sorted(mine, key=lambda s: s["setting"] != "monologue")


def main_results(inputs: Inputs) -> Table:
    """Table 1: paper's base and SemCoder, the released checkpoint, this run's base and tuned."""
    base, tuned = paper.row("1", "DeepSeekCoder"), paper.row("1", "SemCoder")
    released = paper.facts()["boards"]["cruxeval"]["semcoder_s_1030_monologue"]
    board = {"cruxeval-i": released[0], "cruxeval-o": released[2]}
    rescored = {
        s["benchmark"]: s for s in inputs.get(6, "released", []) if s.get("scorer") == "official"
    }
    rows, filled = [], False
    for benchmark in (*CODE, *EXECUTION, "pyx-i", "pyx-o"):
        title = paper.TITLES[benchmark]
        ours, better = find(inputs, benchmark, "base"), _tuned(inputs, benchmark)
        filled = filled or ours is not None
        theirs = ["–", "–", "–", "–"]
        goal = None
        if not benchmark.startswith("pyx"):
            key = paper.column(benchmark)
            goal = tuned[key]
            checkpoint = percent(board.get(benchmark))
            if benchmark in rescored:
                checkpoint += f" (scored here: {100 * rescored[benchmark]['value']:.1f})"
            theirs = [percent(base[key]), percent(goal), f"{goal - base[key]:+.1f}", checkpoint]
        elif not (ours and better):
            continue
        why = _missing(inputs, benchmark)
        first = better[0] if better else None
        rows.append(
            [
                f"{title}, {first['setting']}" if len(better) > 1 and first else title, *theirs,
                measured(ours) if ours else why, measured(first) if first else why,
                _gain(inputs, benchmark, first["setting"]) if first else "–",
                f"{100 * first['value'] - goal:+.1f}" if first and goal is not None else "–",
            ]
        )  # fmt: skip
        for other in better[1:]:
            rows.append(
                [f"{title}, {other['setting']}", "–", "–", "–", "–",
                 measured(ours) if ours else why, measured(other),
                 _gain(inputs, benchmark, other["setting"]), "–"]
            )  # fmt: skip
    return Table(
        "table_1", paper.table("1")["title"],
        ["benchmark", "paper: DeepSeekCoder 6.7B", "paper: SemCoder 6.7B", "paper: gain",
         "released SemCoder-S (official board)", "this run: base", "this run: tuned",
         "this run: paired gain", "tuned − paper's SemCoder"],
        rows,
        ["The base model gets two examples for reasoning, and for code the bare problem or the "
         "tuned model's instruction; its best form counts, of those that the profile tries. "
         "The tuned model's forms stand apart: `direct` is the answer without reasoning.",
         "Paper: 16 rows in all; the others are in the CSV."],
        filled, "" if filled else inputs.why_missing(5),
    )  # fmt: skip


def formats(inputs: Inputs) -> Table:
    """Table 2: the format ablation."""
    done: dict[tuple[str, str], dict[str, dict[str, Any]]] = {}
    for row in inputs.get(7, "pooled", []):
        done.setdefault((row["view"], row["format"]), {})[row["benchmark"]] = row
    chains = {(row["view"], row["format"]): row for row in inputs.get(7, "chains", [])}
    few = paper.row("2", "few_shot_cot")
    rows = [["base, few-shot", *(percent(few[paper.column(b)]) for b in EXECUTION), *["–"] * 4]]
    arms = [*(("examples", name) for name in FORMAT_ROWS), *done]
    for arm in dict.fromkeys(arms):
        view, name = arm
        label = FORMAT_ROWS.get(name)
        values = paper.row("2", label) if label and view == "examples" else {}
        mine = done.get(arm, {})
        difference = mine.get("pyx-o", {}).get("difference")
        rows.append(
            [
                name.replace("_", " ") + (", equal tokens" if view == "tokens" else ""),
                *(percent(values.get(paper.column(b))) for b in EXECUTION),
                measured(mine["pyx-o"]) if mine else inputs.why_missing(7),
                signed(difference) if difference else "–",
                measured(mine["cruxeval-o"]) if "cruxeval-o" in mine else "–",
                _whole(chains.get(arm)),
            ]
        )
    first = next((name for _, name in done), "the first format")
    return Table(
        "table_2", paper.table("2")["title"],
        ["format", *(f"paper: {paper.TITLES[b]}" for b in EXECUTION),
         "this run: held-out PyX, output", f"paired difference to {first}",
         "this run: CRUXEval-O", "chains with every step right"],
        rows,
        ["Ours: the same executions in every format, equal steps, from the base model; values are "
         "means over the seeds, intervals over the items."],
        bool(done), "" if done else inputs.why_missing(7),
    )  # fmt: skip


def _whole(chains: dict[str, Any] | None) -> str:
    return f"{chains['whole']} of {chains['n']}" if chains else "–"


def refinement(inputs: Inputs, name: str) -> Table:
    """Tables 3a (zero-shot), 3b (after PyX-R) and 4 (with a real trace in the prompt)."""
    model, source = {
        "3a": ("tuned", ""), "3b": ("refined", ""), "4": ("traced", "trace")
    }[name]  # fmt: skip
    columns = ("humaneval", "humaneval_plus", "mbpp", "mbpp_plus")
    rows = [
        [f"paper: {r['row']} {r.get('size', '')}".strip(),
         *(percent(r["values"][c], c in r.get("doubtful", ())) for c in columns), "–", "–"]
        for r in paper.table(name)["rows"]
    ]  # fmt: skip
    done = inputs.get(8, "curves", [])
    if name == "4" and not any(c["model"] == model for c in done):
        model = "refined"  # the trace in the prompt, but not in the training rows
    curves = [c for c in done if c["model"] == model and source in ("", c["source"])]
    for curve in curves:
        first, last = curve["points"][0], curve["points"][-1]
        cells = ["–"] * len(columns)
        place = {"humaneval": 0, "humaneval+": 1, "mbpp": 2, "mbpp+": 3}.get(curve["benchmark"])
        if place is not None:
            cells[place] = measured(last)
        rows.append(
            [f"this run: {model}, feedback {curve['label']}", *cells,
             measured(first), signed(curve["gain"]) if curve.get("gain") else "–"]
        )  # fmt: skip
    return Table(
        f"table_{name}", paper.table(name)["title"],
        ["model", "HumanEval", "HumanEval+", "MBPP", "MBPP+", "before the first round",
         "paired gain over all rounds"],
        rows, ["“?” marks a printed value that no whole count of tasks gives."],
        bool(curves), "" if curves else inputs.why_missing(8),
    )  # fmt: skip


def direct(inputs: Inputs) -> Table:
    """Table 5: input and output prediction without reasoning."""
    rows = [
        [f"paper: {r['row']} {r.get('size', '')}".strip(),
         *(percent(r["values"][paper.column(b)]) for b in EXECUTION), "–", "–"]
        for r in paper.table("5")["rows"]
    ]  # fmt: skip
    filled = False
    for model, setting in (("base", "direct_2shot"), ("tuned", "direct")):
        cells = []
        for benchmark in (*EXECUTION, "pyx-i", "pyx-o"):
            score = find(inputs, benchmark, model, setting)
            filled = filled or score is not None
            cells.append(measured(score) if score else _missing(inputs, benchmark))
        rows.append([f"this run: {model}, {setting.replace('_', ' ')}", *cells])
    return Table(
        "table_5", paper.table("5")["title"],
        ["model", *(paper.TITLES[b] for b in (*EXECUTION, "pyx-i", "pyx-o"))],
        rows, [], filled, "" if filled else inputs.why_missing(6),
    )  # fmt: skip


def larger(inputs: Inputs) -> Table:
    """Table 6: larger and closed models; its SemCoder rows are the preprint's."""
    columns = ("humaneval", "humaneval_plus", "mbpp", "mbpp_plus", "cruxeval_i_direct",
               "cruxeval_i_reasoning", "cruxeval_o_direct", "cruxeval_o_reasoning")  # fmt: skip
    rows = [
        [f"paper: {r['row']} {r.get('size') or ''}".strip(),
         *(percent(r["values"][c]) for c in columns)]
        for r in paper.table("6")["rows"]
    ]  # fmt: skip
    filled = False
    for model in ("base", "tuned"):
        reasoning = "cot_2shot" if model == "base" else "monologue"
        plain = "direct_2shot" if model == "base" else "direct"
        wanted = [("humaneval", ""), ("humaneval+", ""), ("mbpp", ""), ("mbpp+", ""),
                  ("cruxeval-i", plain), ("cruxeval-i", reasoning), ("cruxeval-o", plain),
                  ("cruxeval-o", reasoning)]  # fmt: skip
        cells = []
        for benchmark, setting in wanted:
            score = find(inputs, benchmark, model, setting)
            filled = filled or score is not None
            cells.append(measured(score) if score else _missing(inputs, benchmark))
        rows.append([f"this run: {model} (135M)", *cells])
    return Table(
        "table_6", paper.table("6")["title"],
        ["model", "HumanEval", "HumanEval+", "MBPP", "MBPP+", "CRUXEval-I direct",
         "CRUXEval-I reasoning", "CRUXEval-O direct", "CRUXEval-O reasoning"],
        rows, ["The paper's two SemCoder rows here are those of its June 2024 preprint."],
        filled, "" if filled else inputs.why_missing(5),
    )  # fmt: skip


def errors(inputs: Inputs) -> Table:
    """Table 7: why candidates do not run."""
    ours: dict[str, int] = inputs.get(1, "description", {}).get("errors", {})
    names = [r["row"] for r in paper.table("7")["rows"]]
    counts = {r["row"]: r["values"]["count"] for r in paper.table("7")["rows"]}
    total = paper.facts()["counts"]["oss_instruct_executed"]
    tried = inputs.get(1, "description", {}).get("candidates_run", 0)
    population = inputs.get(1, "description", {}).get("errors_of", "")
    rows = []
    for name in [*names, *(n for n in sorted(ours, key=lambda n: -ours[n]) if n not in counts)]:
        printed = (
            f"{counts[name]:,} ({100 * counts[name] / total:.1f} %)" if name in counts else "–"
        )
        mine = ours.get(name)
        share = f" ({100 * mine / tried:.1f} %)" if mine and tried else ""
        rows.append([name, printed, f"{mine:,}{share}" if mine else "0" if ours else
                     inputs.why_missing(1)])  # fmt: skip
    return Table(
        "table_7", paper.table("7")["title"],
        ["error", "paper: OSS-Instruct, Python part",
         f"this run: {population or 'candidate functions when called'}"],
        rows[:24],
        [] if population else
        ["Different populations: the paper runs generated snippets, this run calls functions taken "
         "from installed packages with trial arguments."],
        bool(ours), "" if ours else inputs.why_missing(1),
    )  # fmt: skip


def corpora(inputs: Inputs) -> Table:
    """Table 8: corpora as NL-to-code training data."""
    columns = ("seed_parse_pct", "solution_parse_pct", "solution_execute_pct", "humaneval",
               "humaneval_plus", "mbpp", "mbpp_plus")  # fmt: skip
    rows = [
        [f"paper: {r['row']}", r.get("size", "–"), *(percent(r["values"][c]) for c in columns)]
        for r in paper.table("8")["rows"]
    ]
    ours = inputs.get(1, "description", {})
    shares = ours.get("table_8")
    why = "needs NL-to-code-only runs (gpu profile and larger)"
    if shares:
        rows.append(
            ["this run: PyX (rebuilt)", f"{ours.get('programs', 0):,}",
             *(percent(shares.get(c)) for c in columns[:3]), *([why] * 4)]
        )  # fmt: skip
    return Table(
        "table_8", paper.table("8")["title"],
        ["corpus", "problems", "seeds parse %", "solutions parse %", "solutions run %",
         "HumanEval", "HumanEval+", "MBPP", "MBPP+"],
        rows, [], bool(shares), "" if shares else inputs.why_missing(1),
    )  # fmt: skip
