from __future__ import annotations

import dataclasses

import pytest

from semcoder_lib.core import profile
from semcoder_lib.core.errors import UserError


@pytest.mark.parametrize("name", ["smoke", "laptop", "hour", "evening", "coder", "gpu", "paper"])
def test_every_shipped_profile_loads(name: str) -> None:
    loaded = profile.load(name)
    assert loaded.profile == name
    assert len(loaded.names("expected_seconds")) == 10


def test_overrides_are_typed() -> None:
    loaded = profile.load("smoke", {"train_steps": "7", "learning_rate": "2e-4", "model": "x/y"})
    assert (loaded.train_steps, loaded.learning_rate, loaded.model) == (7, 2e-4, "x/y")


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"train_step": "7"}, "did you mean 'train_steps'"),
        ({"train_steps": "many"}, "must be a whole number"),
        ({"train_steps": "1.5"}, "must be a whole number"),
        ({"train_steps": "-1"}, "must be from 0"),
        ({"train_steps": True}, "must be a whole number"),
        ({"pyx_held_out": "2"}, "from 0.0 to 0.9"),
        ({"pyx_held_out": "nan"}, "from 0.0 to 0.9"),
        ({"scorer": "lenient"}, "must be one of strict, official"),
        ({"refine_sources": "public,hidden"}, "choose from public, self, trace, oracle, not 'hid"),
        ({"ablation_formats": "prose"}, "choose from direct, scratchpad"),
        ({"refine_temperatures": "0,warm"}, "numbers from 0 to 2 between commas, not 'warm'"),
        ({"fault_temperatures": "0.2, 3"}, "not '3'"),
    ],
)
def test_wrong_settings_are_refused_in_one_line(overrides: dict[str, object], message: str) -> None:
    with pytest.raises(UserError, match=message) as caught:
        profile.load("smoke", overrides)
    assert "\n" not in str(caught.value)


def test_an_unknown_profile_names_the_known_ones() -> None:
    with pytest.raises(
        UserError, match="the profiles are: coder, evening, gpu, hour, laptop, paper, smoke"
    ):
        profile.load("big")


def test_set_needs_an_equals_sign() -> None:
    with pytest.raises(UserError, match="key=value"):
        profile.parse_set(["train_steps"])


def test_the_names_to_choose_from_are_those_the_rooms_know() -> None:
    from semcoder_lib.monologues.ablation import CONTROLS, FORMATS
    from semcoder_lib.refinement import SOURCES

    known = {f.name: f.metadata["each"] for f in dataclasses.fields(profile.Profile)
             if "each" in f.metadata}  # fmt: skip
    assert set(known["ablation_formats"]) == {*FORMATS, *CONTROLS}
    assert set(known["refine_sources"]) == set(SOURCES)
