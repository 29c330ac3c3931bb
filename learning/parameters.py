"""The parameters of an image that can be learned, their values, and what is recommended for one of them.

Separate from `values`, because only the questions about settings need it. It refuses to know how anything is learned.

A value is what people and JSON have for it: a whole number for `steps` and `clip_skip`, a number for `cfg`, ComfyUI's
name for `sampler` and `scheduler`, and `"WIDTHxHEIGHT"` for `size`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from .errors import InvalidRequest
from .message import Message, message
from .names import stored_text
from .values import ImageSettings, Stage

ParameterName = Literal["steps", "cfg", "sampler", "scheduler", "size", "clip_skip"]
PARAMETERS: tuple[ParameterName, ...] = ("steps", "cfg", "sampler", "scheduler", "size", "clip_skip")

Value: TypeAlias = "int | float | str"
Given: TypeAlias = "Value | Sequence[int]"
"""A value as a caller may give it: a size may be a pair too."""

Source = Literal["default", "person", "checkpoint", "verdicts"]
"""What decided: nothing is known; what kept images used, with any checkpoint or with this one; or verdicts on images
that differ in nothing else."""

LONGEST_NAME = 100
_LIMITS: Mapping[str, tuple[int, int]] = {"steps": (1, 10_000), "cfg": (0, 100), "clip_skip": (1, 24)}
"""Least and most of each number, as ComfyUI's own nodes have them."""
_LEAST_SIDE, _MOST_SIDE = 16, 16_384
_SIZE = re.compile(r"\s*(\d{1,5})\s*[xX×*]\s*(\d{1,5})\s*")


@dataclass(frozen=True, slots=True)
class MadeImage:
    """One logged image whose settings are known, and its generation's number.

    `mark` is the letter of its verdict: `+` selected, `-` rejected, `.` not judged.
    """

    generation: int
    checkpoint: str
    settings: ImageSettings
    mark: str
    made_at: datetime
    policy: str
    stage: Stage
    family: str


@dataclass(frozen=True, slots=True)
class KnownValue:
    """One value of a parameter, and what is known of it.

    Attributes
    ----------
    score
        The policy's utility of it for this prompt; only differences between values say something.
    share
        The part of the person's next images that is expected to have it, in 0..1, by what kept images used; 0 where
        nothing is known.
    used
        Images that say that the person used it: kept ones, and imported ones without a rating. With the checkpoint, if
        there is one in the question.
    selected, total
        Images selected and images judged in comparisons that differ in this parameter alone.
    """

    value: Value
    score: float
    share: float
    used: int
    selected: int
    total: int


@dataclass(frozen=True, slots=True)
class ParameterRecommendation:
    """Which value to use for a parameter, and why.

    Attributes
    ----------
    value
        In the form of the default: of a size a text or a pair.
    confidence
        In 0..1; 0 where nothing is known and the value is the default.
    source
        What decided.
    reason
        One sentence for people.
    values
        All that are known, best first, with the default.
    worth_trying
        The value that another branch would show next to it; None where there is no other one.
    """

    name: ParameterName
    value: Given
    confidence: float
    source: Source
    reason: Message
    default: Given
    checkpoint: str | None
    values: tuple[KnownValue, ...]
    worth_trying: Value | None = None


def checked_name(name: str) -> ParameterName:
    """The name of a parameter. Raises `InvalidRequest` where there is none of that name."""
    for known in PARAMETERS:
        if name == known:
            return known
    raise InvalidRequest(
        message(
            "parameter_unknown",
            "There is no parameter {name}. Choose one of: {names}.",
            name=repr(name)[:LONGEST_NAME],
            names=", ".join(PARAMETERS),
        ),
        "unknown_parameter",
    )


def checked_value(name: ParameterName, value: object) -> Value:
    """A value as it is stored. Raises `InvalidRequest` where the parameter cannot have it."""
    found = _read(name, value)
    if found is None:
        raise InvalidRequest(
            message(
                "parameter_value",
                "{name} cannot be {value}. Give {wanted}.",
                name=name,
                value=_quoted(value),
                wanted=_wanted(name),
            ),
            "bad_parameter_value",
        )
    return found


def _read(name: ParameterName, value: object) -> Value | None:
    if name == "size":
        return _size(value)
    if name in ("sampler", "scheduler"):
        text = stored_text(value).strip() if isinstance(value, str) else ""
        return text if 0 < len(text) <= LONGEST_NAME else None
    least, most = _LIMITS[name]
    # Neither infinity nor NaN is in any range.
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value <= most:
        return None
    if name == "cfg":
        return round(float(value), 1)
    return int(value) if value == int(value) else None


def _quoted(value: object) -> str:
    try:
        return repr(value)[:LONGEST_NAME]
    except ValueError:  # a whole number of more digits than Python writes
        return "such a number"


def _size(value: object) -> str | None:
    if isinstance(value, str):
        found = _SIZE.fullmatch(value)
        pair: Sequence[object] = [int(side) for side in found.groups()] if found else []
    else:
        pair = value if isinstance(value, (list, tuple)) else []
    sides = [side for side in pair if isinstance(side, int) and not isinstance(side, bool)]
    if len(sides) != 2 or len(pair) != 2 or not all(_LEAST_SIDE <= side <= _MOST_SIDE for side in sides):
        return None
    return f"{sides[0]}x{sides[1]}"


def _wanted(name: ParameterName) -> Message:
    if name == "size":
        return message(
            "parameter_wants_size",
            'a text such as "832x1216" or a pair such as [832, 1216], with sides from {least} to {most}',
            least=_LEAST_SIDE,
            most=_MOST_SIDE,
        )
    if name in ("sampler", "scheduler"):
        return message("parameter_wants_name", "ComfyUI's name, of 1 to {most} characters", most=LONGEST_NAME)
    least, most = _LIMITS[name]
    if name == "cfg":
        return message("parameter_wants_number", "a number from {least} to {most}", least=least, most=most)
    return message("parameter_wants_whole_number", "a whole number from {least} to {most}", least=least, most=most)


def value_of(settings: ImageSettings, name: ParameterName) -> Value | None:
    """The value that an image has; None where it is not known or makes no sense. Of `cfg`, to one decimal."""
    if name == "size":
        return _size((settings.width, settings.height))
    return _read(name, getattr(settings, name))


def as_given(value: Value, like: Given) -> Given:
    """A value in the form that a default has: a size as a text or as a pair."""
    if isinstance(like, (list, tuple)) and isinstance(value, str):
        width, height = value.split("x")
        return (int(width), int(height))
    return value


def shown_value(value: Value) -> str:
    """A value as people read it: 7 and 7.5."""
    return value if isinstance(value, str) else f"{value:g}"
