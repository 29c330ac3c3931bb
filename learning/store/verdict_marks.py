"""From a verdict as it is sent to one mark per image.

Pure, and separate from the service because a verdict comes in two forms, counts per checkpoint and positions
of images, and because it is checked here. A mark is one letter, so that a verdict is a short text in the order
of the images: `+-.` means that the first was selected, the second rejected, and the third not judged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from ..errors import InvalidVerdict, UnknownImage
from ..message import message
from ..names import stored_name

SELECTED, REJECTED, UNJUDGED = "+", "-", "."
VERDICTS: Mapping[str, Literal["selected", "rejected"]] = {SELECTED: "selected", REJECTED: "rejected"}


def judges(marks: str) -> bool:
    """Whether the marks judge any image."""
    return SELECTED in marks or REJECTED in marks


def marks_of_positions(images: int, selected: Sequence[int], rejected: Sequence[int]) -> str:
    """Mark images by position, counted from 0.

    Raises
    ------
    UnknownImage
        If there is no image at a position.
    InvalidVerdict
        If a position is both selected and rejected, or no whole number.
    """
    marks = [UNJUDGED] * images
    for position in (*selected, *rejected):
        if isinstance(position, bool) or not isinstance(position, int):
            raise InvalidVerdict(f"An image's position is a whole number from 0, not {position!r}.")
        if not 0 <= position < images:
            raise UnknownImage(
                message(
                    "no_image",
                    "There is no image {image}: this generation has {images}, counted from 0. "
                    "Send positions below that.",
                    image=position,
                    images=images,
                )
            )
    both = sorted(set(selected) & set(rejected))
    if both:
        raise InvalidVerdict(
            message(
                "image_both",
                "Image {image} is both selected and rejected. Send each position in one list, or in neither.",
                image=both[0],
            )
        )
    for position in selected:
        marks[position] = SELECTED
    for position in rejected:
        marks[position] = REJECTED
    return "".join(marks)


def marks_of_counts(shown: Sequence[str], selected: Mapping[str, int], rejected: Mapping[str, int]) -> str:
    """Mark, per checkpoint, its first images as selected and the next ones as rejected.

    `shown` has the checkpoint of each image, as the store spells it. Which image of a checkpoint it was does
    not matter to what is learned.

    Raises
    ------
    UnknownImage
        If a checkpoint made none of the images.
    InvalidVerdict
        If more images are selected and rejected than the checkpoint made, or a count is no whole number from
        0.
    """
    kept, dismissed = _checked(selected, shown), _checked(rejected, shown)
    for name in {**kept, **dismissed}:
        images, judged = shown.count(name), kept.get(name, 0) + dismissed.get(name, 0)
        if judged > images:
            raise InvalidVerdict(
                f"{name} made {images} of the images, but {judged} are selected or rejected. Send at most {images}."
            )
    marks = []
    for name in shown:
        if kept.get(name):
            kept[name] -= 1
            marks.append(SELECTED)
        elif dismissed.get(name):
            dismissed[name] -= 1
            marks.append(REJECTED)
        else:
            marks.append(UNJUDGED)
    return "".join(marks)


def _checked(counts: Mapping[str, int], shown: Sequence[str]) -> dict[str, int]:
    checked: dict[str, int] = {}
    for sent_name, number in counts.items():
        name = stored_name(sent_name)
        if isinstance(number, bool) or not isinstance(number, int) or number < 0:
            raise InvalidVerdict(f"{name} has {number!r} images selected or rejected. Send a whole number from 0.")
        if number and name not in shown:
            others = ", ".join(dict.fromkeys(shown))
            raise UnknownImage(f"{name} made none of this generation's images. They were made by: {others}.")
        checked[name] = checked.get(name, 0) + number
    return checked
