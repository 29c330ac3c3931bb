"""Reads the verdict that a script writes into the recorder's inputs: `"0,2"`, `"all"` or nothing.

Pure, and separate from the recorder so that the grammar is tested without ComfyUI, and so that a mistake is reported
before anything runs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ...learning.message import message

ALL = "all"

_INDEX = re.compile(r"[0-9]+")


class VerdictError(ValueError):
    """The inputs cannot be read as a verdict; the message says what to write instead."""


@dataclass(frozen=True, slots=True)
class VerdictInputs:
    """Positions of images, or None for `all` (every image that the other input does not name)."""

    selected: frozenset[int] | None = frozenset()
    rejected: frozenset[int] | None = frozenset()

    @classmethod
    def read(cls, selected: str, rejected: str) -> VerdictInputs:
        """Read both inputs.

        Raises
        ------
        VerdictError
            If one is not a list of positions, or both name the same image.
        """
        verdict = cls(_positions("selected", selected), _positions("rejected", rejected))
        if verdict.selected is None and verdict.rejected is None:
            raise VerdictError(
                message("both_all", "Both `selected` and `rejected` are `all`: write it in one of them.")
            )
        both = (verdict.selected or frozenset()) & (verdict.rejected or frozenset())
        if both:
            raise VerdictError(
                message(
                    "inputs_both",
                    "Image {images} is both selected and rejected: leave it in one of the two inputs.",
                    images=_join(both),
                )
            )
        return verdict

    def __bool__(self) -> bool:
        return self.selected != frozenset() or self.rejected != frozenset()

    def over(self, images: int) -> tuple[frozenset[int], frozenset[int]]:
        """Apply it to a number of images; return the selected and the rejected positions.

        Raises
        ------
        VerdictError
            If it names an image that does not exist.
        """
        everything = frozenset(range(images))
        named = (self.selected or frozenset()) | (self.rejected or frozenset())
        if unknown := named - everything:
            raise VerdictError(
                message(
                    "inputs_no_image",
                    "There is no image {unknown}: this run has {images}, counted from 0. "
                    "Correct `selected` or `rejected` and queue again; no verdict was recorded.",
                    unknown=_join(unknown),
                    images=images,
                )
            )
        selected = everything - named if self.selected is None else self.selected
        rejected = everything - named if self.rejected is None else self.rejected
        return selected, rejected


def _positions(name: str, text: str) -> frozenset[int] | None:
    words = [word for word in re.split(r"[\s,;]+", text.strip().lower()) if word]
    if words == [ALL]:
        return None
    wrong = [word for word in words if not _INDEX.fullmatch(word)]
    if wrong:
        raise VerdictError(
            message(
                "not_numbers",
                "`{name}` has '{word}': write image numbers counted from 0, such as `0,2`, or `all`, or nothing.",
                name=name,
                word=wrong[0],
            )
        )
    return frozenset(int(word) for word in words)


def _join(indices: frozenset[int]) -> str:
    return ", ".join(str(index) for index in sorted(indices))
