"""Each guard rail against a set-up that is broken in its way: a stop with a one-line reason."""

from __future__ import annotations

import contextlib
import dataclasses
from pathlib import Path

import pytest
import yaml
from training_tiny import PROMPTS
from transformers import AutoTokenizer

from semcoder_lib.core import workspace
from semcoder_lib.core.errors import UserError
from semcoder_lib.models import tokens
from semcoder_lib.training import (
    Config,
    Example,
    TrainingStopped,
    guards,
    rows,
    same_prompt,
    train,
)
from semcoder_lib.training.__main__ import read_config, read_rows

CONFIG = Config(steps=2, batch_tokens=256, max_length=64, threads=1, dtype="float32")
GOOD = [Example(f"e{i}", "t", "if x:\n", "return 3 [/ANSWER]") for i in range(6)]


@pytest.fixture(scope="module")
def tokenizer(tiny: str):
    return tokens.load_tokenizer(tiny)


LONG = [Example("long", "t", "if", "return " * 80)] * 4


@pytest.mark.parametrize(
    ("match", "examples", "changes"),
    [
        ("carry loss", [Example("a", "t", "if x:\n" * 9, "3")], {"min_trained_share": 0.2}),
        ("4 of 6 rows are longer", GOOD[:2] + LONG, {}),
        ("no end token", GOOD[:2] + LONG, {"overlong": "cut", "max_overlong_share": 0.66}),
        (
            "no rows to train on",
            [Example("a", "t", "if x:\n" * 80, "return")],
            {"max_overlong_share": 1.0},
        ),
    ],
)
def test_rows_that_would_teach_nothing_stop_the_training(
    match: str, examples: list[Example], changes: dict, tiny: str, tmp_path: Path
) -> None:
    with pytest.raises(TrainingStopped, match=match) as caught:
        train(examples, tmp_path, base=tiny, config=dataclasses.replace(CONFIG, **changes))
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "adapter_model.safetensors").exists()


def test_padding_is_never_the_end_token(tiny: str) -> None:
    bare = AutoTokenizer.from_pretrained(tiny)
    bare.pad_token = bare.eos_token
    with pytest.raises(TrainingStopped, match="padding token is the end token"):
        guards.check_rows(rows.tokenise(GOOD, bare, CONFIG), bare, CONFIG, 6)
    assert tokens.with_padding(bare).pad_token == "<pad>"


def test_rows_show_the_trained_part_and_end_with_the_end_token(tokenizer) -> None:
    made = rows.tokenise(GOOD, tokenizer, CONFIG)
    shown = guards.check_rows(made, tokenizer, CONFIG, 6)
    assert "if x:\n⟦return 3 [/ANSWER]</s>⟧" in shown
    row = made.rows[0]
    labels = row.labels()
    assert labels[: row.prompt] == [-100] * row.prompt
    assert labels[-1] == tokenizer.eos_token_id
    assert row.ids[: row.prompt] == tokens.encode_prompt(tokenizer, GOOD[0].prompt)


@pytest.mark.parametrize(
    ("losses", "norm", "word"),
    [
        ([float("nan")], 1.0, "loss is nan"),
        ([2.0], float("inf"), "norm is inf"),
        ([2.0], 1e9, "above"),
        ([2.0], 0.0, "nothing is being trained"),
        ([6.1] * CONFIG.uniform_after, 1.0, "guessing evenly"),
        ([6.1] * (CONFIG.uniform_after - 1), 1.0, ""),
        ([3.0] * 8, 1.0, ""),
        ([3.0] * 8, None, ""),
    ],
)
def test_steps_that_cannot_be(losses: list[float], norm: float | None, word: str) -> None:
    stops = pytest.raises(TrainingStopped, match=word) if word else contextlib.nullcontext()
    with stops:
        guards.check_step(len(losses), losses, norm, 400, CONFIG)


ODD = yaml.safe_load((Path(__file__).parent / "odd_rows.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("prompt", "completion", "fate"), ODD)
def test_odd_rows_are_escaped_or_counted(
    tokenizer, prompt: str, completion: str, fate: str
) -> None:
    odd = Example("odd", "t", prompt, completion)
    made = rows.tokenise([GOOD[0], odd, GOOD[1]], tokenizer, CONFIG)
    assert made.dropped == ({fate: 1} if fate else {})
    for row in made.rows:
        ids = row.ids[row.prompt :]
        assert ids.count(tokenizer.eos_token_id) == 1
        assert tokenizer.pad_token_id not in ids
    if not fate:
        assert tokenizer.decode(made.rows[1].ids[made.rows[1].prompt : -1]) == completion


def test_a_kind_of_rows_is_not_lost_in_silence(tokenizer) -> None:
    """What cost a whole training its rows of code: all were dropped, and only counted."""
    odd = [Example(f"odd{n}", "code", "Say \ud83d", "f") for n in range(CONFIG.whole_kind)]
    made = rows.tokenise([*GOOD, *odd], tokenizer, CONFIG)
    with pytest.raises(TrainingStopped, match=r"none of the 20 rows 'code' is left"):
        guards.check_rows(made, tokenizer, CONFIG, len(GOOD) + len(odd))
    with pytest.raises(UserError, match="'bad'"):
        rows.tokenise([Example("bad", "t", "p", "")], tokenizer, CONFIG)
    few = rows.tokenise([*GOOD, *odd[1:]], tokenizer, CONFIG)
    assert guards.check_rows(few, tokenizer, CONFIG, len(GOOD) + len(odd) - 1)


def test_training_and_evaluation_prompts() -> None:
    same_prompt(GOOD[3], ["other", GOOD[3].prompt])
    with pytest.raises(TrainingStopped, match=r"e3.*character 5: '\\n' and ' \\n'"):
        same_prompt(GOOD[3], ["if x: \n"])


def test_batches_hold_every_row_once_within_the_budget(tokenizer) -> None:
    many = [Example(str(i), "t", "if x:\n" * (1 + i % 7), "return 3") for i in range(50)]
    made = rows.tokenise(many, tokenizer, CONFIG).rows
    batches = rows.batches(made, 256, seed=0, epoch=0)
    assert sorted(i for b in batches for i in b) == list(range(50))
    assert all(max(len(made[i].ids) for i in b) * len(b) <= 256 for b in batches)
    real = sum(len(r.ids) for r in made)
    padded = sum(max(len(made[i].ids) for i in b) * len(b) for b in batches)
    assert real / padded > 0.85
    assert batches == rows.batches(made, 256, seed=0, epoch=0)
    assert batches != rows.batches(made, 256, seed=0, epoch=1)


@pytest.mark.parametrize(
    ("batch_rows", "batch_tokens", "pieces"),
    [(4, 1024, 1), (512, 1024, 128), (4, 800, 2), (4, 100, 4), (7, 1024, 7), (0, 1024, 1)],
)
def test_a_step_is_made_of_even_pieces_that_fit(
    batch_rows: int, batch_tokens: int, pieces: int
) -> None:
    made = [rows.Row(str(n), [1] * length, 5) for n, length in enumerate((100, 180, 250))]
    config = dataclasses.replace(CONFIG, batch_rows=batch_rows, batch_tokens=batch_tokens)
    assert rows.planned(made, config, "cpu").accumulate == pieces
    assert rows.planned(made, config, "cpu", processes=2).accumulate == max(1, round(pieces / 2))


def test_a_plan_fills_every_step(tokenizer) -> None:
    made = rows.tokenise(GOOD * 9, tokenizer, CONFIG).rows
    config = dataclasses.replace(CONFIG, steps=0, epochs=2.0, batch_tokens=384, micro_tokens=128)
    plan, per_epoch = rows.planned(made, config, "cpu"), rows.batches(made, 128, seed=0, epoch=0)
    assert (plan.accumulate, plan.micro_tokens) == (3, 128)
    assert len(plan.batches) / 3 == plan.steps == 2 * len(per_epoch) // 3


def test_configuration_file_and_settings(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text("steps: 7\nlearning_rate: 1e-4\nmin_learning_rate: 1e-5\n")
    config = read_config(path, ["seed=3", "threads=2"])
    assert (config.steps, config.learning_rate, config.seed, config.threads) == (7, 1e-4, 3, 2)
    for setting, word in (
        ("stepz=1", "stepz"), ("steps=some", "steps="), ("overlong=magic", "'drop' or 'cut'"),
        ("steps=-1", "greater"), ("batch_tokens=32", "max_length <= batch_tokens"),
        ("min_learning_rate=1", "min_learning_rate <= learning_rate"),
    ):  # fmt: skip
        with pytest.raises(UserError, match=word):
            read_config(None, [setting])


def test_hub_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("semcoder_lib.models.prompts.authors_prompts", lambda: PROMPTS)
    columns = {"nl": "", "fwd_mnl": "", "bwd_mnl": "", "response": "a {x} b"}
    given = [
        {**columns, "id": "1", "fwd_mnl": "[PYTHON] {response}"},
        {**columns, "id": "2", "nl": "d"},
        {"id": "3", "fault": "b", "response": "fix"},
        {"id": "4", "task": "own", "prompt": "p", "completion": "c"},
    ]
    workspace.write_jsonl(tmp_path / "pyx.jsonl", given)
    assert list(read_rows(tmp_path / "pyx.jsonl")) == [
        Example("1", "forward", "Simulate:\n[PYTHON] {response}\n", "a {x} b"),
        Example("2", "nl_to_code", "d\n", "a {x} b"),
        Example("3", "refine", "Debug:\nb\n", "fix"),
        Example("4", "own", "p", "c"),
    ]
    workspace.write_jsonl(tmp_path / "bad.jsonl", [{**columns, "nl": "a", "fwd_mnl": "b"}])
    with pytest.raises(UserError, match=r":1: expected exactly one"):
        list(read_rows(tmp_path / "bad.jsonl"))
