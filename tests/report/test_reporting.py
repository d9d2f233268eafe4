"""The report says what is there, and of everything that is not there, why."""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from semcoder_lib import report as reporting
from semcoder_lib.core import workspace
from semcoder_lib.core.records import Claim
from semcoder_lib.report import display, figures, paper, tables
from semcoder_lib.report.tables import FOLDERS

RESULTS: dict[int, dict[str, Any]] = yaml.safe_load(
    Path(__file__).with_name("results.yaml").read_text(encoding="utf-8")
)


def make_run(folder: Path, results: dict[int, dict[str, Any]], **changes: dict[str, Any]) -> Path:
    for number, data in results.items():
        stage = folder / FOLDERS[number]
        workspace.write_json(stage / "results.json", data)
        card = {
            "stage": FOLDERS[number], "run": "t", "inputs": {},
            "outputs": {"results.json": workspace.file_hash(stage / "results.json")},
            "configuration": {"profile": "smoke", "model": "m", "seed": 1},
            "versions": {"torch": "2"}, "seed": 1, "seconds": 3.0, "peak_memory_bytes": 10**9,
            "machine": {"system": "Linux", "architecture": "x86_64", "cores": 2},
            "isolation": {"level": "full", "layers": ["seccomp"]},
        }  # fmt: skip
        card.update(changes.get(f"stage_{number}", {}))
        workspace.write_json(stage / "card.json", card)
    return folder


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("report")
    out = folder / "out"
    return out, reporting.write_report(make_run(folder / "run", RESULTS), out)


@pytest.fixture
def unsaved(monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures are drawn, but not made into files."""
    monkeypatch.setattr(figures, "save", lambda folder, name, fig, data: b"a picture")


def write(folder: Path, results: dict[int, dict[str, Any]], **changes: dict[str, Any]) -> Any:
    return reporting.write_report(make_run(folder / "run", results, **changes), folder / "out")


def test_numbers_stand_beside_the_papers(report: tuple[Path, dict[str, Any]]) -> None:
    out, _ = report
    with (out / "tables" / "table_1.csv").open() as source:
        rows = {r["benchmark"]: r for r in csv.DictReader(source)}
    humaneval = rows["HumanEval"]
    assert humaneval["paper: DeepSeekCoder 6.7B"] == "47.6"
    assert humaneval["paper: SemCoder 6.7B"] == "73.2"
    assert humaneval["this run: tuned"] == "7.0 [0.0, 15.0] n=60"
    assert humaneval["tuned − paper's SemCoder"] == "-66.2"
    assert rows["MBPP"]["this run: base"] == "no data"
    assert rows["CRUXEval-O"]["this run: tuned"] == "no data"
    assert "- no data, mbpp: looked in SEMCODER_DATA\n" in (out / "report.md").read_text()
    held_out = rows["held-out PyX, output, monologue"]
    assert held_out["this run: base"].startswith("10.0")  # the better of the base's two forms
    assert held_out["this run: tuned"].startswith("45.0")
    assert held_out["this run: paired gain"] == "+35.0 [+22.0, +47.0]"
    direct = rows["held-out PyX, output, direct"]
    assert direct["this run: tuned"].startswith("20.0")
    assert direct["this run: paired gain"] == "+10.0 [-2.0, +22.0]"


def test_the_headline_says_what_the_interval_says(report: tuple[Path, dict[str, Any]]) -> None:
    out, summary = report
    assert (out / "figures" / "figure_3.svg").stat().st_size > 100
    above, noise, *_ = summary["headline"]
    assert above.startswith("held-out PyX, output, monologue: +35.0")
    assert above.endswith("an interval above zero.")
    assert noise.startswith("Within noise: held-out PyX, output, direct: +10.0")
    assert any("2 of 27 right answers" in line for line in summary["headline"])


@pytest.mark.parametrize(
    ("low", "high", "gain", "trace"),
    [(0.1, 0.3, "holds", "does not hold"), (-0.3, -0.1, "does not hold", "holds"),
     (-0.1, 0.3, "cannot be told apart", "cannot be told apart"),
     (0.0, 0.3, "cannot be told apart", "cannot be told apart")],
)  # fmt: skip
def test_a_claim_holds_only_where_its_interval_leaves_zero_out(
    low: float, high: float, gain: str, trace: str
) -> None:
    score = {"value": (low + high) / 2, "low": low, "high": high, "n": 9}
    ours = {"from": "base, cot", "to": "tuned, monologue", "benchmark": "pyx-o", **score}
    traced = {"from": "refined", "to": "traced", "benchmark": "pyx-r", **score}
    results = {6: {"differences": [ours]}, 8: {"differences": [traced]}}
    rows = tables.compared(tables.Inputs(results, {}, []))
    assert len(rows) == len(tables.CLAIMS) == 10
    assert (rows[0][2][:20], rows[0][3]) == ("held-out PyX, output", gain)
    assert rows[-1][3] == trace
    assert {row[2] for row in rows[1:-1]} == {"–"}
    assert rows[4][3] == "notebook 05 has not run"
    assert tables.compared(tables.Inputs({}, {}, [])) == []
    tables_ = [paper.table(name)["rows"] for name in ("1", "2", "3a", "3b", "4", "5")]
    printed = {paper.cell(v) for rows in tables_ for row in rows for v in row["values"].values()}
    for claim in tables.CLAIMS:
        numbers = re.findall(r"\d+\.\d", claim["paper"])
        assert len(numbers) == 2
        assert printed.issuperset(numbers)


@pytest.mark.usefixtures("unsaved")
@pytest.mark.parametrize(
    ("configuration", "settings"),
    [
        ({}, " --set adapter=runs/t/04_sft/main"),
        ({"model": "/a/b.gguf", "adapter": "a/x"}, " --set model=b.gguf --set adapter=a/x"),
        ({"adapter": "none"}, ""),
        ({"profile": "gone"}, ""),
    ],
)
def test_the_commands_that_repeat_the_results_are_named(
    configuration: dict[str, Any], settings: str, tmp_path: Path, unsaved: None
) -> None:
    write(tmp_path, RESULTS, stage_6={"configuration": {"profile": "smoke", **configuration}})
    for page in ("report.md", "report.html"):
        text = (tmp_path / "out" / page).read_text(encoding="utf-8")
        command = f"./run_all.sh smoke --run again --from 05{settings}  # 0 minutes here\n"
        assert (command in text) == ("compare runs/t runs/again" in text) == bool(settings)


def test_what_does_not_belong_together_is_named(tmp_path: Path) -> None:
    other = {"configuration": {"profile": "smoke", "model": "another", "seed": 1}}
    older = {"inputs": {"01_pyx/results.json": "an older hash"}}
    summary = write(tmp_path, RESULTS, stage_6=other, stage_2=older)
    assert any(w.startswith("model: 'another' in 06") for w in summary["warnings"])
    assert any("02_monologues was made from another 01_pyx" in w for w in summary["warnings"])
    assert "does not belong together" in (tmp_path / "out" / "report.html").read_text()


def damaged_card(text: str) -> list[str]:
    """A card with one of its parts gone or of another kind, and texts that are no card."""
    card = json.loads(text)
    cards = [{k: v for k, v in card.items() if k != key} for key in card]
    cards += [{**card, key: value} for key in card for value in (None, 7, "x", [], {"a": {}}, True)]
    texts = ["", "{", "[]", "null", "[" * 100_000, "\x00", "7", text[:-9], "9" * 5_000]
    return [*map(json.dumps, cards), *texts]


def test_a_damaged_card_is_named_and_never_ends_the_report(tmp_path: Path) -> None:
    run = make_run(tmp_path, {5: RESULTS[5], 6: RESULTS[6]})
    card, named = run / FOLDERS[5] / "card.json", 0
    for text in damaged_card(card.read_text()):
        card.write_text(text)
        data = reporting.read(run)
        assert 6 in data.cards  # what is whole is used
        named += any(w.startswith("05_codegen is not used: ") for w in data.warnings)
        assert all(len(w.splitlines()) == 1 for w in data.warnings)
    assert named > 50
    card.unlink()
    card.mkdir()
    assert 6 in reporting.read(run).cards


@pytest.mark.usefixtures("unsaved")
def test_results_that_are_not_the_cards_are_named_and_not_used(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", RESULTS)
    path = run / FOLDERS[6] / "results.json"
    path.write_text(path.read_text().replace("0.45", "0.95"))
    summary = reporting.write_report(run, tmp_path / "out")
    assert any("06_reasoning is not used: results.json is not the file" in w
               for w in summary["warnings"])  # fmt: skip
    page = (tmp_path / "out" / "report.html").read_text()
    assert "95.0" not in page
    assert "45.0" not in page


EVERY: dict[int, dict[str, Any]] = {
    0: {"semantics": 1, "monologues": 1}, 3: {"mutation": 1, "model": 1},
    4: {"main": 1, "examples": 1}, 7: {"pooled": 1, "chains": 1, "scores": 1}, **RESULTS,
}  # fmt: skip


@pytest.mark.usefixtures("unsaved")
@pytest.mark.parametrize("odd", [7, "x", [None], {"a": 1}, [{"a": 1}], [[1, 2]]], ids=str)
def test_results_of_another_shape_never_end_the_report(odd: Any, tmp_path: Path) -> None:
    """Their hash is right, so they are read: what cannot be drawn of them says so."""
    for number, results in EVERY.items():
        for key in results:
            summary = write(tmp_path, {number: {**results, key: odd}})
            assert len(summary["tables"]) == 9
            for item in [*summary["tables"], *summary["figures"]]:
                assert item.get("filled", item["present"]) or item["reason"]


def test_what_a_run_wrote_stays_text(tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>|`x`\n## Heading"
    results = {
        0: {"semantics": {"source": f"x = '{evil} $a$ \ud800'", "kinds": [["a", evil]]},
            "monologues": {"forward": evil, "backward": "$x_$"}},
        5: {**RESULTS[5], "missing": {"mbpp": evil}},
        6: {**RESULTS[6], "faithfulness": [{**RESULTS[6]["faithfulness"][0], "model": evil}]},
        8: {"curves": [{**RESULTS[8]["curves"][0], "label": evil}]},
    }  # fmt: skip
    odd = {"configuration": {"profile": evil, "model": evil}, "versions": {evil: "2"}}
    summary = write(tmp_path, results, stage_5=odd)
    assert all(f["present"] for f in summary["figures"] if f["name"] in ("figure_1", "figure_2"))
    for name in ("report.html", "report.md"):
        page = (tmp_path / "out" / name).read_text()
        assert "<script" not in page
        assert "&lt;script&gt;" in page
    assert "\n## Heading" not in (tmp_path / "out" / "report.md").read_text()


def test_the_report_says_nothing_that_is_not_so(report: tuple[Path, dict[str, Any]]) -> None:
    page = (report[0] / "report.md").read_text()
    assert "this run: base (m)" in page  # the configured model's name
    assert "135M" not in page
    assert "in the CSV" not in page
    assert paper.cell(78.8, doubtful=True) == "78.8?"
    assert f"table has {len(paper.table('1')['rows'])} rows; two of them stand here" in page


def test_an_empty_run_still_lists_every_table_and_figure_of_the_paper(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    summary = reporting.write_report(tmp_path / "run", tmp_path / "out")
    tables_, drawn = ({i["name"]: i for i in summary[kind]} for kind in ("tables", "figures"))
    assert [*tables_] == [f"table_{n}" for n in ("1", "2", "3a", "3b", "4", "5", "6", "7", "8")]
    assert {f"figure_{n}" for n in range(1, 7)} <= drawn.keys()
    assert drawn["figure_1"]["reason"] == "notebook 00 has not run"
    assert all(f["reason"] and not f["present"] for f in drawn.values())
    assert all(t["reason"] and not t["filled"] for t in tables_.values())


def test_the_same_data_give_the_same_figure_bytes_under_any_hash_seed() -> None:
    code = (
        "from semcoder_lib.report import figures\n"
        "import pathlib, sys, tempfile\n"
        "shares = {'real': dict.fromkeys('abcdefgh', 0.1), 'made': dict.fromkeys('efghij', 0.1)}\n"
        "with tempfile.TemporaryDirectory() as folder:\n"
        "    figures.save(pathlib.Path(folder), 'x', *figures.categories(shares))\n"
        "    for path in sorted(pathlib.Path(folder).iterdir()):\n"
        "        sys.stdout.buffer.write(path.read_bytes())\n"
    )
    drawn = [
        subprocess.check_output(
            [sys.executable, "-c", code], env=os.environ | {"PYTHONHASHSEED": n}
        )
        for n in "12"
    ]
    assert len(drawn[0]) > 10_000
    assert drawn[0] == drawn[1]


def test_programs_and_tokens_are_escaped_and_coloured() -> None:
    page = display.diff("a = 1\nb < 2\n", "a = 1\nb <= 2\n")._repr_html_()
    red, green = re.findall(r"background:(#\w+)'>[-+] (b &lt;=? 2)", page)
    assert (red[1], green[1]) == ("b &lt; 2", "b &lt;= 2")
    assert red[0] != green[0]
    shown = display.tokens(["if", " <x>", " end"], 2)
    assert repr(shown) == "if <x>⟦ end⟧"
    assert "&lt;x&gt;" in shown._repr_html_()


@pytest.mark.parametrize("order", [1, -1])
def test_claims_are_coloured_where_they_stand_a_contradiction_above_all(order: int) -> None:
    line = Claim("order", "L5", "", place=(0, 12), status="supported", evidence="its line")
    value = Claim("value", "x", "5", place=(5, 10), status="contradicted", evidence="x is <4>")
    page = display.marked("L5 x: 2 = 5. <b>", [line, value][::order])._repr_html_()
    texts = re.findall("title='(supported|contradicted): [^']*'>([^<]*)<", page)
    assert texts == [("supported", "L5 x:"), ("contradicted", " 2 = "), ("supported", "5.")]
    assert "contradicted: x is &lt;4&gt;" in page
    assert page.endswith(" &lt;b&gt;</pre>")


@pytest.mark.parametrize(("n", "shown"), [(9, "9: says nothing"), (10, "10")])
def test_a_score_over_too_few_is_marked_in_every_table(n: int, shown: str) -> None:
    score = {"value": 0.5, "low": 0.0, "high": 1.0, "n": n}
    assert tables.measured(score) == f"50.0 [0.0, 100.0] n={shown}"
    assert repr(display.table([score], ("value", "n"))).split("\n")[1].split(maxsplit=1)[1] == shown


def test_tables_of_a_notebook_show_everything_and_escape_it() -> None:
    numbers = [{"x": x} for x in (0.12345, 12.345, 1234.5, float("nan"))]
    assert repr(display.table(numbers)).split() == ["x", "0.123", "12.3", "1,234", "nan"]
    rows = [{"a": 1, "b": "<i>" + "x" * 200}, {"b": None, "c": True}]
    shown = display.table(rows)
    assert "&lt;i&gt;" + "x" * 200 in shown._repr_html_()
    assert "<i>" + "x" * 200 in repr(shown)
    assert re.findall("<th[^>]*>(.*?)</th>", shown._repr_html_()) == ["a", "b", "c"]
    assert re.findall("<th[^>]*>(.*?)</th>", display.table(rows, ("c", "a"))._repr_html_()) == [
        "c",
        "a",
    ]
    assert "<ud800>" not in repr(display.table([{"x": "\ud800\t\x00"}]))
    assert "\\ud800 \\x00" in " ".join(repr(display.table([{"x": "\ud800\t\x00"}])).split())
    assert repr(display.table([])) == "no rows"
    nested = repr(display.counts({"kept": 3, "dropped": {"text": 1_000_000, "case": 2}}))
    assert "dropped: text 1000000" in " ".join(nested.split())


def test_the_ablation_is_told_by_arm_with_its_chains(tmp_path: Path) -> None:
    results = yaml.safe_load(Path(__file__).with_name("ablation.yaml").read_text())
    data = reporting.read(make_run(tmp_path, {**RESULTS, 7: results}))
    table = tables.formats(data)
    rows = {row[0]: row[4:] for row in table.rows}
    assert rows["direct"] == ["10.0 [2.0, 18.0] n=60", "–", "–", "–"]
    assert rows["monologue"][1:] == ["+20.0 [+5.0, +35.0]", "25.0 [17.0, 33.0] n=60", "40 of 120"]
    assert rows["direct, equal tokens"][0].startswith("20.0")
    assert rows["scratchpad"][0] == "not part of this profile"
    _, bars = figures.format_bars(results["pooled"], results["scores"], paper.TITLES)
    assert bars.values[1, :3].tolist() == ["pyx-o", "examples", "monologue"]
    _, survived = figures.chain_survival(results["chains"])
    assert survived.values.tolist() == [
        ["examples", "monologue", 1, 0.9, 120],
        ["examples", "monologue", 2, 0.5, 110],
    ]


def test_a_long_curve_is_drawn_as_its_mean_and_kept_as_it_is() -> None:
    points = [(n, float(n % 2)) for n in range(1, 201)]
    figure, rows = figures.loss_curve({"main": points})
    every, mean = (line.get_ydata() for line in figure.axes[0].lines)
    assert list(every) == [p[1] for p in points]
    assert mean[0] == 1.0
    assert abs(mean[-1] - 0.5) < 0.05
    assert rows.values.tolist() == [["main", *p] for p in points]
