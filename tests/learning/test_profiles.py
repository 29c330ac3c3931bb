"""A checkpoint's settings from several sources, and which values are refused."""

import pytest

from context_checkpoint.learning.profiles import (
    Known,
    checked,
    from_name,
    profile_of,
    read_values,
    set_by_person,
    strictly,
)
from context_checkpoint.recipes.settings import Settings


def test_each_setting_comes_from_the_first_source_that_knows_it() -> None:
    """And says which that was."""
    profile = profile_of(
        [Known(set_by_person(), Settings(cfg=2.0)), Known(from_name(), Settings(steps=4, cfg=1.0))], ["a.json: x"] * 2
    )

    assert profile.settings == Settings(steps=4, cfg=2.0)
    assert profile.sources == {"steps": "its name", "cfg": "you set it"}
    assert profile.problems == ("a.json: x",)


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("steps", 0, "steps is 0; choose a whole number from 1 to 10000."),
        ("steps", 2.5, "whole number"),
        ("steps", True, "whole number"),
        ("steps", "4", "steps is '4'"),
        ("steps", 10**400, "whole number"),
        ("cfg", float("nan"), "cfg is nan; choose a number from 0 to 100."),
        ("cfg", float("inf"), "choose a number"),
        ("cfg", -1, "choose a number"),
        ("width", 4, "from 16 to 16384"),
        ("sampler", " ", "give a text of 1 to 100 characters"),
        ("before", "x" * 10_001, "give a text of 1 to 10000 characters"),
        ("vae", "x", "A checkpoint has no setting vae; there are: steps, cfg"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused(name: str, value: object, problem: str) -> None:
    """The message says what may be chosen."""
    with pytest.raises(ValueError, match=r".") as refused:
        checked(name, value)
    assert problem in str(refused.value)


def test_valid_values_are_read_beside_others_that_are_not() -> None:
    """What is wrong is said; None stands for not known."""
    settings, problems = read_values({"steps": 8, "cfg": "much", "sampler": None, "width": 832})

    assert settings == Settings(steps=8)
    assert problems == (
        "cfg is 'much'; choose a number from 0 to 100.",
        "width alone is no size; give width and height.",
    )


def test_a_sampler_in_a1111s_spelling_gives_its_schedule_too() -> None:
    """Unless another scheduler is given. A name that ComfyUI lacks may be another pack's."""
    assert strictly({"sampler": "DPM++ 2M Karras"}) == Settings(sampler="dpmpp_2m", scheduler="karras")
    assert strictly({"sampler": "DPM++ 2M Karras", "scheduler": "Beta"}).scheduler == "beta"
    assert strictly({"sampler": "res_2s", "scheduler": "bong_tangent"}) == Settings(
        sampler="res_2s", scheduler="bong_tangent"
    )


def test_a_person_hears_the_first_problem() -> None:
    """Nothing is changed then."""
    with pytest.raises(ValueError, match="steps is 0"):
        strictly({"cfg": 2, "steps": 0})
