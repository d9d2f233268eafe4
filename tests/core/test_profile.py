from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from semcoder_lib.core import profile
from semcoder_lib.core.errors import UserError


@pytest.mark.parametrize(
    "name", ["smoke", "laptop", "hour", "evening", "coder", "gpu", "paper", "workshop"]
)
def test_every_shipped_profile_loads(name: str) -> None:
    loaded = profile.load(name)
    assert loaded.profile == name
    assert 0.98 <= sum(loaded.shares.values()) <= 1.1
    seconds, memory = profile.expected(name)
    assert len(seconds) == 10
    assert memory > 1


def test_the_papers_setting_follows_from_its_profile() -> None:
    paper = profile.load("paper")
    assert (paper.train_steps, paper.batch_rows) == (0, 512)
    assert (paper.lora_rank, paper.learning_rate, paper.max_length) == (0, 5e-5, 2048)
    assert paper.shares == {"forward": 0.55, "backward": 0.3, "nl_to_code": 0.15, "direct": 0}


def test_overrides_are_typed() -> None:
    given = {"train_steps": "1_007", "learning_rate": "2e-4", "model": "x/y", "teacher_model": 7}
    loaded = profile.load("smoke", given)
    assert [getattr(loaded, key) for key in given] == [1007, 2e-4, "x/y", "7"]


SETTINGS = Path(__file__).with_name("settings.txt").read_text().splitlines()


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        *(row.split(" => ") for row in SETTINGS),
        ("learning_rate=" + "9" * 5000, "finite number"),
    ],
)
def test_wrong_settings_are_refused_in_one_line(setting: str, message: str) -> None:
    with pytest.raises(UserError, match=message) as caught:
        profile.load("smoke", profile.parse_set([setting]))
    assert len(str(caught.value).splitlines()) == 1
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("value", [True, None, [1], {}])
def test_a_value_of_another_kind_is_refused(value: object) -> None:
    with pytest.raises(UserError, match="--set: train_steps="):
        profile.load("smoke", {"train_steps": value})


def test_an_unknown_profile_names_the_known_ones() -> None:
    with pytest.raises(
        UserError,
        match="the profiles are: coder, evening, gpu, hour, laptop, paper, smoke, workshop",
    ):
        profile.load("big")


def test_set_needs_an_equals_sign() -> None:
    assert profile.parse_set(["a = b=c"]) == {"a": "b=c"}
    with pytest.raises(UserError, match="key=value"):
        profile.parse_set(["train_steps"])


def test_the_names_to_choose_from_are_those_the_rooms_know() -> None:
    from semcoder_lib.monologues import STYLES
    from semcoder_lib.monologues.derive import CONTROLS, FORMATS
    from semcoder_lib.refinement import ACCEPT, SOURCES

    assert set(profile.FORMATS) == {*FORMATS, *CONTROLS}
    assert get_args(profile.Profile.model_fields["monologue_form"].annotation) == tuple(STYLES)
    assert set(profile.SOURCES) == set(SOURCES)
    profile.load("smoke", {"refine_accept": ",".join(ACCEPT)})
