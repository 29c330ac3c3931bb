"""Which values a parameter may have, and how they are written."""

from __future__ import annotations

import pytest

from context_checkpoint.learning.errors import InvalidRequest
from context_checkpoint.learning.parameters import (
    PARAMETERS,
    ParameterName,
    as_given,
    checked_name,
    checked_value,
    value_of,
)
from context_checkpoint.learning.values import ImageSettings


@pytest.mark.parametrize(
    ("name", "given", "stored"),
    [
        ("steps", 30, 30),
        ("steps", 30.0, 30),
        ("cfg", 7, 7.0),
        ("cfg", 7.4499, 7.4),
        ("clip_skip", 2, 2),
        ("sampler", " euler ", "euler"),
        ("size", "832X1216", "832x1216"),
        ("size", "832 × 1216", "832x1216"),
        ("size", (832, 1216), "832x1216"),
        ("size", [832, 1216], "832x1216"),
    ],
)
def test_a_value_has_one_form(name: ParameterName, given: object, stored: object) -> None:
    """However it was written."""
    assert checked_value(name, given) == stored


@pytest.mark.parametrize(
    ("name", "value"),
    ids=lambda value: str(type(value)),
    argvalues=[
        ("steps", "30"),
        ("steps", 30.5),
        ("steps", 0),
        ("steps", True),
        ("steps", None),
        ("steps", 10**400),
        ("steps", 10**5000),
        ("cfg", float("nan")),
        ("cfg", -1),
        ("cfg", 101),
        ("clip_skip", 25),
        ("sampler", ""),
        ("sampler", "x" * 101),
        ("sampler", 3),
        ("size", "832"),
        ("size", 832),
        ("size", (832, 1216, 3)),
        ("size", (832, "1216")),
        ("size", (832, True)),
        ("size", "1x99999"),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused(name: ParameterName, value: object) -> None:
    """The message says what to give instead."""
    with pytest.raises(InvalidRequest, match=f"^{name} cannot be .*Give a|^{name} cannot be .*Give ComfyUI") as caught:
        checked_value(name, value)
    assert caught.value.code == "bad_parameter_value"


def test_an_unknown_parameter_is_refused_with_the_choices() -> None:
    """Whatever the case."""
    assert [checked_name(name) for name in PARAMETERS] == list(PARAMETERS)
    with pytest.raises(InvalidRequest, match=r"no parameter 'Steps'.*steps, cfg, sampler, scheduler, size, clip_skip"):
        checked_name("Steps")


def test_what_an_image_has_is_read_in_the_same_form() -> None:
    """What is not known or makes no sense is None."""
    settings = ImageSettings(steps=30, cfg=7.0000001, sampler="euler", width=832, height=1216, clip_skip=-2)

    assert {name: value_of(settings, name) for name in PARAMETERS} == {
        "steps": 30,
        "cfg": 7.0,
        "sampler": "euler",
        "scheduler": None,
        "size": "832x1216",
        "clip_skip": None,
    }
    assert value_of(ImageSettings(width=832), "size") is None


def test_a_size_comes_back_as_it_was_given() -> None:
    """As a text for a text, as a pair for a pair."""
    assert as_given("832x1216", "512x512") == "832x1216"
    assert as_given("832x1216", (512, 512)) == as_given("832x1216", [512, 512]) == (832, 1216)
