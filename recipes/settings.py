"""How an image is drawn, apart from its model and prompt: the value `Settings` of profiles, plans and nodes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields, replace
from typing import TypeAlias

Value: TypeAlias = "int | float | str"


@dataclass(frozen=True, slots=True)
class Settings:
    """What a sampler is given, as far as it is known: None where it is not.

    Parameters
    ----------
    sampler, scheduler
        By ComfyUI's names.
    width, height
        In pixels.
    clip_skip
        Which layer of the text encoder counts, from the end: 2 is the last but one. 1 is what the model does by itself.
    before, after
        Words that are put before and after the prompt.
    negative
        Words that are added to the negative prompt.
    """

    steps: int | None = None
    cfg: float | None = None
    sampler: str | None = None
    scheduler: str | None = None
    width: int | None = None
    height: int | None = None
    clip_skip: int | None = None
    before: str | None = None
    after: str | None = None
    negative: str | None = None

    def known(self) -> dict[str, Value]:
        """The values that are known, by their names."""
        values = ((name, getattr(self, name)) for name in NAMES)
        return {name: value for name, value in values if value is not None}

    def only(self, names: Collection[str]) -> Settings:
        """These alone; the others are not known."""
        return Settings(**{name: value for name, value in self.known().items() if name in names})  # type: ignore[arg-type]

    def filled(self, others: Settings) -> Settings:
        """With the other's values for what is not known here."""
        return replace(others, **self.known())  # type: ignore[arg-type]

    def positive_with(self, prompt: str) -> str:
        """The prompt with the words before and after it."""
        return joined_texts(self.before, prompt, self.after) if self.before or self.after else prompt

    def negative_with(self, negative: str) -> str:
        """A negative prompt, followed by these words."""
        return joined_texts(negative, self.negative) if self.negative else negative


NAMES: tuple[str, ...] = tuple(field.name for field in fields(Settings))
"""In the order in which people are shown them."""

WORDS = ("before", "after", "negative")
SIZE = ("width", "height")
SAMPLING = ("steps", "cfg", "sampler", "scheduler")

LIMITS: Mapping[str, tuple[float, float]] = {
    "steps": (1, 10_000),
    "cfg": (0, 100),
    "width": (16, 16_384),
    "height": (16, 16_384),
    "clip_skip": (1, 24),
}
"""Least and most of each number, as ComfyUI's own nodes have them."""

LONGEST_NAME, LONGEST_WORDS = 100, 10_000
"""Characters."""


def joined_texts(*texts: str | None) -> str:
    """Join texts with a comma, as prompts are written. A text that stands alone stays as it is."""
    kept = [text for text in texts if text and text.strip(" ,\n")]
    if len(kept) < 2:
        return next(iter(kept), "")
    first, *middle, last = kept
    return ", ".join([first.rstrip(" ,\n"), *(text.strip(" ,\n") for text in middle), last.lstrip(" ,\n")])
